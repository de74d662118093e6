"""Small kernels with names, and images to try them on."""

from pathlib import Path

import numpy as np

from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.typing import Array
from steepest.validation import check_choice

NAMED: dict[str, list[list[float]]] = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "box": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "sobel": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "edges": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
SAMPLES = ("china", "flower", "digit")


def named_kernel(name: str) -> Array:
    """Return a kernel (kH, kW) by name, or read it from a file of numbers, one row a line.

    Parameters
    ----------
    name : {"identity", "blur", "box", "sharpen", "sobel", "sobel-y", "edges", "emboss"} or path
        "sobel" answers to changes from left to right, "sobel-y" from top to bottom, "edges" (Laplace) to both.

    Examples
    --------
    >>> named_kernel("sharpen")
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]])
    """
    if name in NAMED:
        return np.array(NAMED[name], dtype=np.float64)
    if not Path(name).is_file():
        check_choice("kernel", name, [*NAMED])
    try:
        lines = Path(name).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FileFormatError(f"{name}: not a text file; must hold rows of numbers, as many in each row") from None
    rows = [line.replace(",", " ").replace(";", " ").split() for line in lines]
    rows = [row for row in rows if row]
    try:
        kernel = np.array([[float(cell) for cell in row] for row in rows], dtype=np.float64)
    except ValueError:
        raise FileFormatError(f"{name}: must hold rows of numbers, as many in each row") from None
    if kernel.ndim != 2 or not np.all(np.isfinite(kernel)):
        raise FileFormatError(f"{name}: must hold rows of finite numbers")
    return kernel


def sample_image(name: str) -> Array:
    """Return an image (H, W) or (H, W, 3) of scikit-learn's, with values from 0 to 1.

    Parameters
    ----------
    name : {"china", "flower", "digit"}
        Two colour photographs, and a handwritten zero of 8 x 8 grey values.

    Examples
    --------
    >>> sample_image("digit").shape
    (8, 8)
    """
    from sklearn.datasets import load_digits, load_sample_image

    if name not in SAMPLES:
        raise InvalidInputError(f"image {name!r}: must be one of {', '.join(map(repr, SAMPLES))}")
    if name == "digit":
        return np.asarray(load_digits().images[0] / 16.0)
    return np.asarray(load_sample_image(f"{name}.jpg") / 255.0)
