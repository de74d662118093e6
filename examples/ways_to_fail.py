"""See how gradient descent fails: rates too large and too small, local minima, flat starts, saddles, narrow valleys.

Each failure is run, printed with what the library says of it, and drawn, with its remedy beside it.
"""

import numpy as np
from gallery import output_folder
from matplotlib.axes import Axes

from steepest import maximize, minimize, multi_start, plotting
from steepest.solvers.result import Result


def say(title: str, result: Result) -> None:
    """Print one run's outcome."""
    x = np.array2string(result.x, precision=4, suppress_small=True)
    print(f"  {title:<28} x = {x:<18} f(x) = {result.fun:<12.5g} {result.n_iter:4d} iterations\n      {result.message}")


def draw_run(ax: Axes, f, result: Result, label: str, low: float, high: float) -> None:
    """Draw the points a run visits on the curve of ``f``, as far as they lie in the picture."""
    visited = result.trace.parameters.ravel()
    seen = visited[(low <= visited) & (visited <= high)][:12]
    ax.plot(seen, [f(x) for x in seen], "o-", label=label, alpha=0.8, markersize=4)


def rates(ax: Axes) -> None:
    """Descend a parabola at rates too small, right and too large."""
    print("\n1. The learning rate, on f(x) = x^2 from -1: stable below 1")

    def f(x):
        return x**2

    grid = np.linspace(-2.5, 2.5, 200)
    ax.set_prop_cycle(color=plotting.COLOURS)
    ax.plot(grid, f(grid), color="0.8", zorder=0)
    trials = {"too small: 0.001": 0.001, "good: 0.25": 0.25, "overshoots: 0.9": 0.9, "diverges: 1.1": 1.1}
    for title, rate in trials.items():
        result = minimize(f, -1.0, lambda x: 2 * x, learning_rate=rate, max_iter=100)
        say(title, result)
        draw_run(ax, f, result, title, -2.5, 2.5)
    say("far too large: 10", minimize(f, -1.0, lambda x: 2 * x, learning_rate=10))
    say("remedy: a line search", minimize(f, -1.0, lambda x: 2 * x))
    ax.legend(fontsize=8, loc="upper center")
    plotting.tidy(ax, x="x", y="f(x)")
    ax.set_title("the learning rate")


def local_minima(ax: Axes) -> None:
    """Fall into the wrong well, and find the right one from many starts."""
    print("\n2. Local minima, on f(x) = (x^2 - 1)^2 + 0.3 x")

    def f(x):
        return float((np.sum(x) ** 2 - 1) ** 2 + 0.3 * np.sum(x))

    grid = np.linspace(-1.6, 1.6, 200)
    ax.set_prop_cycle(color=plotting.COLOURS)
    ax.plot(grid, [f(x) for x in grid], color="0.8", zorder=0)
    for title, start in (("from 1.5: the wrong well", 1.5), ("from -0.2: the right one", -0.2)):
        result = minimize(f, start, learning_rate=0.05)
        say(title, result)
        draw_run(ax, f, result, title, -1.6, 1.6)
    found = multi_start(f, (-1.6, 1.6), n_starts=16, random_state=0)
    print("  remedy: many starts\n      " + str(found).replace("\n", "\n      "))
    ax.legend(fontsize=8, loc="upper center")
    plotting.tidy(ax, x="x", y="f(x)")
    ax.set_title("local minima")


def starts(ax: Axes) -> None:
    """Start where the gradient vanishes: on a saddle, on a plain, at a minimum when climbing."""
    print("\n3. Starts where the gradient vanishes, on f(x, y) = x^2 - y^2 + y^4 / 2")

    def saddle(x):
        return x[0] ** 2 - x[1] ** 2 + 0.5 * x[1] ** 4

    say("on the saddle", minimize(saddle, [0.0, 0.0]))
    kicked = minimize(saddle, [0.0, 0.0], kick=True, learning_rate=0.1, random_state=0)
    say("remedy: a kick", kicked)
    say("on a plain: max(0, x - 1)", minimize(lambda x: max(0.0, float(x) - 1.0), -3.0))
    say("uphill from a minimum: x^2", maximize(lambda x: x**2, 0.0))
    beside = minimize(saddle, [0.8, 1e-6], learning_rate=0.1, max_iter=150)
    say("almost on the ridge", beside)
    plotting.contour(saddle, beside.trace, ax=ax, names=("x", "y"), limits=((-1.2, 1.2), (-1.5, 1.5)))
    ax.set_title("a saddle: slow until it is left")


def valleys(ax: Axes) -> None:
    """Zigzag down a narrow valley, and take the curvature into account."""
    print("\n4. A narrow valley: Rosenbrock's function from (-1.2, 1)")

    def f(x):
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    def gradient(x):
        along = x[1] - x[0] ** 2
        return np.array([-400.0 * x[0] * along - 2.0 * (1.0 - x[0]), 200.0 * along])

    plain = minimize(f, [-1.2, 1.0], gradient)
    say("plain steps", plain)
    say("momentum", minimize(f, [-1.2, 1.0], gradient, update="momentum", learning_rate=2e-4, max_iter=5000))
    say("FISTA with restarts", minimize(f, [-1.2, 1.0], gradient, method="fista"))
    say("remedy: L-BFGS", minimize(f, [-1.2, 1.0], gradient, method="lbfgs"))
    say("remedy: Newton", minimize(f, [-1.2, 1.0], gradient, method="newton"))
    say("a gradient with a wrong sign", minimize(f, [-1.2, 1.0], lambda x: -gradient(x)))
    plotting.contour(f, plain.trace, ax=ax, names=("x", "y"), minimum=(1.0, 1.0))
    ax.set_title("a narrow valley: 1000 plain steps")


def main() -> None:
    """Run, print, draw."""
    folder = output_folder(__doc__)
    figure, axes = plotting.panels(4)
    for part, ax in zip((rates, local_minima, starts, valleys), axes, strict=True):
        part(ax)
    figure.savefig(folder / "ways_to_fail.png")


if __name__ == "__main__":
    main()
