"""The same 1000 steps of gradient descent by Python loops, by NumPy, and by steepest, with the measured ratio.

All three minimise the mean squared error of a line y = W x + b at a learning rate of 0.05 from the same start, and must
arrive at the same numbers. The library sums the data up in a small matrix once, so that a step costs the same for any
number of points; the other two look at every point in every step.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from gallery import output_folder
from matplotlib.figure import Figure

from steepest import plotting
from steepest.losses import SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.solvers.catalogue import open_solver
from steepest.solvers.loop import run
from steepest.solvers.options import Options

LEARNING_RATE, ITERATIONS = 0.05, 1000
SIZES = (100, 1_000, 10_000, 100_000)
LARGEST_FOR_LOOPS = 1_000

Fit = Callable[[np.ndarray, np.ndarray, float, float], tuple[float, float]]


def by_loops(x: np.ndarray, y: np.ndarray, W: float, b: float) -> tuple[float, float]:
    """Visit every point in every step: dE/dW = 2/n sum (W x + b - y) x, dE/db = 2/n sum (W x + b - y)."""
    xs, ys, n = x.tolist(), y.tolist(), len(x)
    for _ in range(ITERATIONS):
        gradient_W = gradient_b = 0.0
        for xi, yi in zip(xs, ys, strict=True):
            residual = W * xi + b - yi
            gradient_W += 2.0 * residual * xi / n
            gradient_b += 2.0 * residual / n
        W -= LEARNING_RATE * gradient_W
        b -= LEARNING_RATE * gradient_b
    return W, b


def by_numpy(x: np.ndarray, y: np.ndarray, W: float, b: float) -> tuple[float, float]:
    """Do the same with one array operation for each sum."""
    n = len(x)
    for _ in range(ITERATIONS):
        residual = W * x + b - y
        gradient_W, gradient_b = 2.0 * (residual @ x) / n, 2.0 * residual.sum() / n
        W -= LEARNING_RATE * gradient_W
        b -= LEARNING_RATE * gradient_b
    return W, b


def by_steepest(x: np.ndarray, y: np.ndarray, W: float, b: float) -> tuple[float, float]:
    """Let the library do it; nobody watches single steps, so it may take all of them at once."""
    error = LinearObjective(x[:, None], y, SquaredError())
    options = Options(learning_rate=LEARNING_RATE, stride=ITERATIONS, max_iter=ITERATIONS, summed=True)
    result = run(open_solver("gradient-descent", error, np.array([W, b]), options), max_iter=ITERATIONS)
    return float(result.x[0]), float(result.x[1])


def timed(fit: Fit, *arguments: np.ndarray | float, repeats: int) -> tuple[float, tuple[float, float]]:
    """Return the best time of some runs, in seconds, and where the run arrived."""
    times = []
    for _ in range(repeats):
        started = perf_counter()
        found = fit(*arguments)
        times.append(perf_counter() - started)
    return min(times), found


def main() -> None:
    """Time the three on more and more points."""
    folder = output_folder(__doc__)
    rng = np.random.default_rng(0)
    by_steepest(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.0, 0.0)  # imports and compiles what it needs
    times: dict[str, dict[int, float]] = {"loops": {}, "NumPy": {}, "steepest": {}}
    print("   points      loops      NumPy   steepest   loops/NumPy   NumPy/steepest")
    for n in SIZES:
        x = 2.0 * rng.random(n)
        y = 4.0 + 3.0 * x + rng.standard_normal(n)
        start = rng.standard_normal(2).tolist()
        ways: dict[str, Fit] = {"loops": by_loops, "NumPy": by_numpy, "steepest": by_steepest}
        if n > LARGEST_FOR_LOOPS:
            del ways["loops"]
        found = {}
        for name, fit in ways.items():
            times[name][n], found[name] = timed(fit, x, y, *start, repeats=3 if n <= LARGEST_FOR_LOOPS else 1)
        assert np.allclose(list(found.values()), found["NumPy"], rtol=1e-9, atol=1e-12), found
        print(row(n, [times[name].get(n) for name in times]))
    print("\nAll ways arrive at the same W and b, to nine digits.")
    draw(times).savefig(folder / "loops_numpy_library.png")


def row(n: int, measured: list[float | None]) -> str:
    """Return one line of the table: milliseconds, and how many times faster each way is than the one before."""
    cells = ["         -" if t is None else f"{t * 1e3:7.2f} ms" for t in measured]
    loops, numpy, library = measured
    first = "           -" if loops is None or numpy is None else f"{loops / numpy:12.1f}"
    second = "" if numpy is None or library is None else f"{numpy / library:15.1f}"
    return f"{n:9,d} {' '.join(cells)} {first} {second}"


def draw(times: dict[str, dict[int, float]]) -> Figure:
    """Draw the times over the number of points."""
    figure, (ax,) = plotting.panels(1)
    for (name, measured), marker, colour in zip(times.items(), "os^", plotting.COLOURS, strict=False):
        ax.loglog(list(measured), [t * 1e3 for t in measured.values()], marker=marker, color=colour, label=name)
    plotting.tidy(ax, x="points", y=f"milliseconds for {ITERATIONS} steps")
    ax.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
