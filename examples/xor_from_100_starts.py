"""Train a network with two ReLU units on XOR from 100 random starts: how many arrive, and why the others stall.

Two units are the fewest that can do it, and from many starts they do not: units die, or the network settles where the
gradient vanishes though points are still wrong. Each failure is named, counted and drawn.
"""

from collections import Counter

import numpy as np
from gallery import output_folder
from matplotlib.axes import Axes

from steepest import plotting
from steepest.layers import Dense, ReLU
from steepest.layers.initializers import he_normal
from steepest.neural_network import Network

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
N_STARTS, PASSES, RATE = 100, 5000, 0.1


def trained(seed: int) -> tuple[Network, float, float]:
    """Return a network trained from one random start, its loss and the length of its gradient."""
    network = Network([Dense(2, he_normal), ReLU(), Dense(1)], 2, random_state=seed)
    network.fit(X, Y, update="plain", learning_rate=RATE, batch_size=None, max_iter=PASSES, shuffle=False)
    value, gradient = network.objective(X, Y).value_and_gradient(network.theta)
    return network, value, float(np.linalg.norm(gradient))


def verdict(network: Network, value: float, slope: float) -> str:
    """Say how a run ended."""
    if value < 1e-3:
        return "solved"
    H = np.maximum(X @ network.parameters["W1"] + network.parameters["b1"], 0.0)
    alive = int(np.sum(H.any(axis=0)))
    if alive < 2:
        return f"{2 - alive} of 2 units dead: 0 on all four points, so no gradient ever reaches them again"
    if slope < 1e-3:
        return "a local minimum or saddle: both units alive, but the gradient has vanished"
    return "still on its way"


def draw(ax: Axes, network: Network, title: str) -> None:
    """Draw the network's output over the plane, and the four points."""
    side = np.linspace(-0.4, 1.4, 121)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    z = network.scores(grid).reshape(121, 121)
    drawn = ax.contourf(side, side, z, levels=np.linspace(-0.5, 1.5, 21), cmap="RdBu_r", extend="both")
    ax.contour(side, side, z, levels=[0.5], colors="black", linewidths=1.2)
    ax.scatter(X[:, 0], X[:, 1], c=Y, cmap="RdBu_r", vmin=-0.5, vmax=1.5, s=90, edgecolors="black", zorder=3)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="output")
    plotting.tidy(ax, x="first input", y="second input", grid="")
    ax.set_title(title, fontsize=10)


def main() -> None:
    """Train from all starts, count how they end, draw one of each kind."""
    folder = output_folder(__doc__)
    runs = [trained(seed) for seed in range(N_STARTS)]
    verdicts = [verdict(*run) for run in runs]
    counts = Counter(verdicts).most_common()
    print(f"{counts and dict(counts).get('solved', 0)} of {N_STARTS} starts reach XOR\n")
    for text, n in counts:
        losses = [value for (_, value, _), said in zip(runs, verdicts, strict=True) if said == text]
        print(f"{n:4d}  {text}; loss {min(losses):.3g} to {max(losses):.3g}")
    shown = [text for text, _ in counts][:3]
    figure, axes = plotting.panels(len(shown))
    for ax, text in zip(axes, shown, strict=True):
        draw(ax, runs[verdicts.index(text)][0], f"{dict(counts)[text]} of {N_STARTS}: {text.partition(':')[0]}")
    figure.savefig(folder / "xor_from_100_starts.png")
    network = runs[verdicts.index("solved")][0]
    print("\nA solution, in its own words:\n")
    print("\n\n".join(str(line) for line in network.explain(X, Y).forward))


if __name__ == "__main__":
    main()
