"""The first use on a fresh machine, which compiles kernels, and a later one: each in a process of its own.

``python -m benchmarks cold_start [--quick] [--only WORDS]`` prints a table in Markdown. A cold run finds an empty
cache; the next process finds there what the first one compiled; and within that process the call is made again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]
DATA = Path(__file__).parents[1] / "examples" / "data" / "diabetes.csv"
FIT = [str(Path(sys.executable).parent / "steepest"), "fit", str(DATA), "--target", "progression"]
COMMANDS = {
    "`import steepest`": [sys.executable, "-c", "import steepest"],
    "`steepest --help`": [FIT[0], "--help"],
    "`steepest fit`, linear": FIT,
    "`steepest fit --model lasso`": [*FIT, "--model", "lasso"],
}


def regression(n: int, d: int) -> Arrays:
    """Return data on which ten features tell."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    return X, X[:, :10].sum(axis=1) + rng.standard_normal(n)


def classes(n: int, d: int, k: int) -> Arrays:
    """Return the same in ``k`` classes."""
    X, y = regression(n, d)
    return X, np.digitize(y, np.quantile(y, np.arange(1, k) / k))


def fit(room: str, name: str, data: Arrays, **settings: object) -> Callable[[], object]:
    """Return a fit of an estimator."""
    import importlib

    model = getattr(importlib.import_module(f"steepest.{room}"), name)(**settings)
    return lambda: model.fit(*data)


def convolution(channels: int, size: int) -> Callable[[], object]:
    """Return a convolution forward and back, in single precision."""
    from steepest import conv2d, conv2d_input_gradient, conv2d_weight_gradient

    x, w = np.ones((2, channels, size, size), "f4"), np.ones((16, channels, 3, 3), "f4")

    def run() -> object:
        y = conv2d(x, w, padding=1)
        dx = conv2d_input_gradient(y, w, (size, size), padding=1)
        return dx, conv2d_weight_gradient(y, x, (3, 3), padding=1)

    return run


def deconvolution() -> Callable[[], object]:
    """Return a deconvolution."""
    from steepest.signal import deconvolve

    x = np.random.default_rng(0).standard_normal(500)
    return lambda: deconvolve(x, np.convolve(x, [1.0, 2.0, 3.0]), 3)


LINEAR, NETWORKS = "linear_model", "neural_network"
USES: dict[str, Callable[[], Callable[[], object]]] = {
    "LinearRegression, 300 x 10": lambda: fit(LINEAR, "LinearRegression", regression(300, 10)),
    "LinearRegression, 300 000 x 20": lambda: fit(LINEAR, "LinearRegression", regression(300_000, 20)),
    "Ridge, 400 x 3000": lambda: fit(LINEAR, "Ridge", regression(400, 3000)),
    "Lasso, 300 x 10": lambda: fit(LINEAR, "Lasso", regression(300, 10), alpha=0.1),
    "Lasso, 400 x 3000": lambda: fit(LINEAR, "Lasso", regression(400, 3000), alpha=0.1),
    "LassoCV, 300 x 10": lambda: fit(LINEAR, "LassoCV", regression(300, 10)),
    "LogisticRegression, 300 x 10": lambda: fit(LINEAR, "LogisticRegression", classes(300, 10, 2)),
    "LogisticRegression, 3 classes": lambda: fit(LINEAR, "LogisticRegression", classes(300, 10, 3)),
    "SGDRegressor, 300 x 10": lambda: fit(LINEAR, "SGDRegressor", regression(300, 10)),
    "SGDClassifier, 300 x 10": lambda: fit(LINEAR, "SGDClassifier", classes(300, 10, 2)),
    "KMeans, 1000 x 10": lambda: fit("cluster", "KMeans", regression(1000, 10), n_clusters=5, random_state=0),
    "MiniBatchKMeans, 5000 x 10": lambda: fit("cluster", "MiniBatchKMeans", regression(5000, 10), random_state=0),
    "MLPRegressor, 300 x 10": lambda: fit(NETWORKS, "MLPRegressor", regression(300, 10), max_iter=5, random_state=0),
    "MLPClassifier, 300 x 10": lambda: fit(NETWORKS, "MLPClassifier", classes(300, 10, 3), max_iter=5, random_state=0),
    "conv2d and gradients, 16 channels": lambda: convolution(16, 24),
    "conv2d and gradients, 3 channels": lambda: convolution(3, 24),
    "deconvolve, 500 samples": deconvolution,
}


def use(name: str) -> None:
    """Print how long a use takes in this process, the imports it needs included, and how long when repeated."""
    start = time.perf_counter()
    run = USES[name]()
    run()
    first = time.perf_counter() - start
    start = time.perf_counter()
    run()
    print(first, time.perf_counter() - start)


def measure(name: str) -> tuple[float, float, float]:
    """Return the seconds of a use with an empty cache, with a filled one, and repeated in the same process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}

        def seconds() -> tuple[float, float]:
            command = COMMANDS.get(name, [sys.executable, "-W", "ignore", "-m", "benchmarks.cold_start", name])
            start = time.perf_counter()
            text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            total = time.perf_counter() - start
            first, again = (total, np.nan) if name in COMMANDS else map(float, text.split()[-2:])
            return first, again

        cold, _ = seconds()
        return cold, *seconds()


def main(argv: list[str]) -> int:
    """Measure the uses one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cold_start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the commands alone")
    parser.add_argument("--only", default="", metavar="WORDS", help="uses whose names have these words in them")
    options = parser.parse_args(argv)
    print("| first use | nothing compiled yet, s | compiled, new process, s | repeated, ms |\n|---|---|---|---|")
    for name in [*COMMANDS] if options.quick else [*COMMANDS, *USES]:
        if options.only in name:
            cold, later, again = measure(name)
            repeated = "" if np.isnan(again) else f"{1e3 * again:.1f}"
            print(f"| {name} | {cold:.1f} | {later:.2f} | {repeated} |", flush=True)
    return 0


if __name__ == "__main__":
    use(sys.argv[1])
