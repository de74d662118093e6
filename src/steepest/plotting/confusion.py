"""Which classes are taken for which."""

import numpy as np
from matplotlib.axes import Axes

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import INK, literal, own_or, sequential
from steepest.typing import ArrayLike

DARK = 0.5
ROOM = 160.0  # points for the numbers of a row
MOST_ZEROS = 12  # classes, beyond which a zero is left blank
LEVEL, STEEP = 45, 12  # letters in all that fit level; classes that fit slanted
LONGEST_NAME = 20


def confusion_matrix(y: ArrayLike, predicted: ArrayLike, *, ax: Axes | None = None, rows: str = "") -> Axes:
    """Draw how many rows of each class were predicted as which class; right answers are on the diagonal.

    Parameters
    ----------
    y, predicted : array (n_samples,)
        True and predicted classes.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    rows : str, optional
        What the rows are, such as "test".

    Examples
    --------
    >>> ax = confusion_matrix(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '0', '1', '1']
    """
    ax = own_or(ax)
    actual, guess = np.asarray(y), np.asarray(predicted)
    if actual.shape != guess.shape or actual.ndim != 1 or not len(actual):
        raise InvalidInputError(f"y has shape {actual.shape}, predicted {guess.shape}: both must be (n_samples,)")
    classes, codes = np.unique(np.concatenate([actual, guess]), return_inverse=True)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (codes[: len(actual)], codes[len(actual) :]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap=sequential, vmin=0.0, vmax=1.0)
    size = float(np.clip(ROOM / len(classes), 4, 10))
    for i, j in np.ndindex(counts.shape):
        if counts[i, j] or len(classes) <= MOST_ZEROS:
            colour = "white" if shares[i, j] > DARK else INK
            ax.text(j, i, f"{counts[i, j]}", ha="center", va="center", color=colour, fontsize=size)
    names = [literal(str(name), LONGEST_NAME) for name in classes]
    longest, slant = max(map(len, names)) * len(names), {"ha": "right", "rotation_mode": "anchor"}
    turned = {} if longest <= LEVEL else {"rotation": 45, **slant} if len(names) <= STEEP else {"rotation": 90}
    ax.set_xticks(range(len(classes)), names, fontsize=size, **turned)
    ax.set_yticks(range(len(classes)), names, fontsize=size)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("predicted class", color=INK)
    ax.set_ylabel(f"actual class ({rows} rows)" if rows else "actual class", color=INK)
    right = int(np.trace(counts))
    ax.set_title(f"{right} of {counts.sum()} right", fontsize=10, color=INK)
    return ax
