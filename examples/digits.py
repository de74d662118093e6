"""Read handwritten digits by a perceptron and by a small convolutional network, and look inside.

1797 digits of 8 x 8 pixels, a quarter of them held out. Drawn: how both learn, what the filters of the convolutional
network look like, and what they make of one digit.
"""

from time import perf_counter

import numpy as np
from gallery import output_folder
from matplotlib.axes import Axes
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from steepest import plotting
from steepest.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU
from steepest.neural_network import MLPClassifier, Network
from steepest.solvers.schedules import Cosine

PASSES = 12


def tiles(images: np.ndarray, columns: int = 8) -> np.ndarray:
    """Return small images (n, h, w) as one, side by side with a gap between."""
    n, h, w = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (h + 1) - 1, columns * (w + 1) - 1), np.nan)
    for k, image in enumerate(images):
        i, j = divmod(k, columns)
        sheet[i * (h + 1) : i * (h + 1) + h, j * (w + 1) : j * (w + 1) + w] = image
    return sheet


def show(ax: Axes, images: np.ndarray, title: str, *, signed: bool) -> None:
    """Draw images as tiles."""
    largest = float(np.abs(images).max())
    ax.imshow(tiles(images), cmap="RdBu_r" if signed else "gray_r", vmin=-largest if signed else 0.0, vmax=largest)
    ax.set_axis_off()
    ax.set_title(title, fontsize=10)


def main() -> None:
    """Train both, report, draw."""
    folder = output_folder(__doc__)
    X, y = load_digits(return_X_y=True)
    X = (X / 16.0).astype(np.float32)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)

    started = perf_counter()
    perceptron = MLPClassifier((128,), learning_rate_init=0.003, batch_size=32, tol=0.003, random_state=0)
    perceptron.fit(X, y)
    right = perceptron.score(X_test, y_test)
    print(f"perceptron 64-128-10: {right:.2%} of {len(y_test)} held-out digits right", end="")
    print(f", {perf_counter() - started:.1f} s")

    layers = [Conv2D(16, 3, padding="same"), ReLU(), Conv2D(32, 3, padding="same"), ReLU(), MaxPool2D(2)]
    layers += [Flatten(), Dropout(0.25), Dense(64), ReLU(), Dense(10)]
    network = Network(layers, (1, 8, 8), loss="cross_entropy", random_state=0, dtype=np.float32)
    print(f"\n{network.summary()}\n")
    images, images_test = X.reshape(-1, 1, 8, 8), X_test.reshape(-1, 1, 8, 8)
    started = perf_counter()
    result = network.fit(images, y, max_iter=PASSES, batch_size=32, learning_rate=Cosine(0.004, PASSES), random_state=0)
    right = float((network.predict(images_test) == y_test).mean())
    print(f"convolutional network: {right:.2%} of {len(y_test)} held-out digits right", end="")
    print(f", {perf_counter() - started:.1f} s")
    for text in result.trace.about["notices"]:
        print(f"  {text}")

    figure, axes = plotting.panels(4)
    plotting.loss_curve({"perceptron": perceptron.trace_, "convolutional": result.trace}, ax=axes[0])
    axes[0].set_title("mean loss in each pass", fontsize=10)
    passes = list(network.forward_passes(images_test[:1]))
    show(axes[1], network.parameters["W1"][:, 0], "16 filters of the first layer", signed=True)
    show(axes[2], passes[1].result[0], "what they make of a digit (after ReLU)", signed=False)
    show(axes[3], passes[4].result[0], "after the second layer and pooling", signed=False)
    figure.savefig(folder / "digits.png")


if __name__ == "__main__":
    main()
