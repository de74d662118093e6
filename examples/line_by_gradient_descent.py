"""Fit a line to 100 points by gradient descent, and watch it learn.

The points scatter around y = 4 + 3 x. Slope W and intercept b begin at random and follow the gradient of the mean
squared error for 1000 iterations at a learning rate of 0.05; the error is printed every 10 iterations.
"""

import numpy as np
from gallery import output_folder

from steepest import plotting
from steepest.losses import SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.solvers.catalogue import open_solver
from steepest.solvers.loop import run
from steepest.solvers.options import Options
from steepest.step import Step
from steepest.trace import Trace

LEARNING_RATE, ITERATIONS, REPORT_EVERY = 0.05, 1000, 10


def points(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return X (100, 1) and y (100,) with y = 4 + 3 x + noise."""
    X = 2.0 * rng.random((100, 1))
    y = 4.0 + 3.0 * X[:, 0] + rng.standard_normal(100)
    return X, y


def report(step: Step) -> None:
    """Print the error now and then."""
    if step.index % REPORT_EVERY == 0:
        W, b = step.theta
        print(f"iteration {step.index:4d}   mean squared error {step.value:9.5f}   W {W:7.4f}   b {b:7.4f}")


def main() -> None:
    """Fit, print, draw."""
    folder = output_folder(__doc__)
    rng = np.random.default_rng(0)
    X, y = points(rng)
    error = LinearObjective(X, y, SquaredError())
    start = rng.standard_normal(2)  # W and b

    options = Options(learning_rate=LEARNING_RATE, summed=False)
    trace = Trace(parameters=True)
    steps = open_solver("gradient-descent", error, start, options)
    result = run(steps, max_iter=ITERATIONS, observers=[report], trace=trace)

    W, b = result.x
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y)[0]
    print(f"\nline found:    y = {b:.6f} + {W:.6f} x   ({result.message})")
    print(f"least squares: y = {exact[1]:.6f} + {exact[0]:.6f} x")

    figure, (left, middle, right) = plotting.panels(3)
    plotting.regression_lines(X, y, trace, ax=left)
    left.set_title("the line as it learns")
    plotting.loss_curve(trace, ax=middle)
    middle.set_ylabel("mean squared error")
    middle.set_title("the error over the iterations")
    plotting.contour(error.value, trace, ax=right, names=("slope W", "intercept b"), minimum=exact)
    right.set_title("the way through the error's landscape")
    figure.savefig(folder / "line_by_gradient_descent.png")


if __name__ == "__main__":
    main()
