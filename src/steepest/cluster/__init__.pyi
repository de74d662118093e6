from .kmeans import KMeans as KMeans
from .minibatch_kmeans import MiniBatchKMeans as MiniBatchKMeans
