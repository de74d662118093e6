"""k-means, step by step: the run behind a fit, drawn and animated."""

from pathlib import Path

import numpy as np
from gallery import output_folder

from steepest import plotting
from steepest.cluster import KMeans, inertia_curve, silhouette_values
from steepest.tables import read_table
from steepest.trace import Trace

DATA = Path(__file__).parent / "data" / "iris.csv"
FEATURES = ("petal_length", "petal_width")


def main() -> None:
    """Cluster iris, look at every step, choose k."""
    figures = output_folder(__doc__)
    table = read_table(DATA)
    X = np.column_stack([table.columns[name].values for name in FEATURES])

    # A bad start on purpose: three neighbouring samples of one species.
    start = X[:3] + np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]])
    model = KMeans(3, init=start).set_callbacks(Trace(parameters=True)).fit(X)
    trace = model.trace_
    print(f"{model.stopping_reason_.sentence}, after {model.n_iter_} iterations")
    print("step        SSE  labels changed")
    for index, value, changed in zip(trace["index"], trace["value"], trace["labels_changed"], strict=True):
        print(f"{index:4.0f} {value:10.4f} {changed:8.0f}")

    # Lloyd's update is gradient descent, each centre with its own step size 1 / (2 n_j); shorter steps take longer.
    for rate in (1.0, 0.5, 0.1):
        slow = KMeans(3, init=X[:3], solver="gradient-descent", learning_rate=rate, tol=1e-10).fit(X)
        print(f"learning rate {rate}: {slow.n_iter_:3d} iterations to an SSE of {slow.inertia_:.4f}")

    figure, (left, right) = plotting.panels(2)
    plotting.voronoi(model.cluster_centers_, X, model.labels_, ax=left, names=FEATURES)
    plotting.centre_paths(trace, X, ax=right, names=FEATURES)
    figure.savefig(figures / "kmeans_steps.png")
    plotting.animate_kmeans(trace, X, names=FEATURES).save(figures / "kmeans_steps.gif", writer="pillow")

    ks = range(1, 9)
    figure, (left, right) = plotting.panels(2)
    plotting.elbow(ks, inertia_curve(X, ks, n_init=10, random_state=0), ax=left)
    plotting.silhouette(silhouette_values(X, model.labels_), model.labels_, ax=right)
    figure.savefig(figures / "kmeans_choosing_k.png")
    print(f"pictures in {figures}")


if __name__ == "__main__":
    main()
