"""Follow a two-layer network through one step of gradient descent: forward, seven gradients, update, all by hand.

The numbers are small enough to check on paper. Every equation is printed with the numbers in it, on the terminal and
as Markdown with LaTeX, and drawn: the loss along the step.
"""

from pathlib import Path

import numpy as np
from gallery import output_folder

from steepest import plotting
from steepest.layers import Dense, ReLU
from steepest.neural_network import Network

RATE = 0.1
X = np.array([[1.0, 2.0], [3.0, 1.0]])
y = np.array([1.0, 3.0])
START = {
    "W1": [[1.0, -1.0], [0.0, 1.0]],
    "b1": [0.0, 1.0],
    "W2": [[1.0], [2.0]],
    "b2": [-2.0],
}


def draw(network: Network, start: np.ndarray, step: np.ndarray, folder: Path) -> None:
    """Draw the loss along the direction of the step, and the slope that the gradient promises."""
    objective = network.objective(X, y)
    shares = np.linspace(-0.5, 3.0, 200)
    value, gradient = objective.value_and_gradient(start)
    figure, (ax,) = plotting.panels(1)
    ax.plot(shares * RATE, [objective.value(start + s * step) for s in shares], color=plotting.COLOURS[0], label="L")
    near = shares[np.abs(shares) < 1.0]
    ax.plot(near * RATE, value + near * (gradient @ step), "--", color=plotting.COLOURS[1], label="slope at the start")
    ax.plot([0.0, RATE], [value, objective.value(start + step)], "o", color="black", label="before and after")
    ax.legend(frameon=False)
    plotting.tidy(ax, x="learning rate", y="L")
    figure.savefig(folder / "network_step_by_step.png")


def main() -> None:
    """Print both passes, update, and draw the loss along the step."""
    folder = output_folder(__doc__)
    network = Network([Dense(2), ReLU(), Dense(1)], 2)
    for name, values in START.items():
        network.parameters[name][...] = values
    explanation = network.explain(X, y)
    print(explanation)
    print("\nThe same as Markdown, one equation:\n")
    print(explanation.backward[1].markdown())

    print(f"\nUpdate: theta = theta - {RATE} dL/dtheta\n")
    before, gradient = network.theta.copy(), network.value_and_gradient(X, y)[1]
    for name, parameter in network.parameters.items():
        old = parameter.copy()
        parameter -= RATE * gradient[name]
        texts = [np.array2string(a, precision=4).replace("\n", "") for a in (old, gradient[name], parameter)]
        print(f"{name}: {texts[0]} - {RATE} {texts[1]} = {texts[2]}")
    after = network.objective(X, y).value(network.theta)
    draw(network, before, network.theta - before, folder)
    print(f"\nL was {explanation['L']:.6g}, is {after:.6g}")


if __name__ == "__main__":
    main()
