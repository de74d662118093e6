from .choosing import inertia_curve as inertia_curve
from .choosing import silhouette_values as silhouette_values
from .kmeans import KMeans as KMeans
from .minibatch_kmeans import MiniBatchKMeans as MiniBatchKMeans
