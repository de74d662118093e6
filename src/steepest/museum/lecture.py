"""A lecture on linear regression: the wrong factor, the wrong product, the wrong algorithm."""

from typing import Any

import numpy as np

from steepest.foundations.vectors import cross, dot
from steepest.museum.exhibit import Case, Exhibit, Figure
from steepest.typing import Array

__all__ = ["EXHIBITS"]


def _value(W: Array, X: Array, y: Array) -> Any:
    return np.mean((y - X @ W) ** 2)


def _published(W: Array, X: Array, y: Array) -> Array:
    R = y - X @ W
    return -2 / len(y) * W.T @ R


def _right(W: Array, X: Array, y: Array) -> Any:
    R = y - X @ W
    return -2 / len(y) * X.T @ R


def _case() -> Case:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(4, 4))
    return Case(_value, _published, _right, {"W": rng.normal(size=(4, 1))}, {"X": X, "y": rng.normal(size=(4, 1))})


def _product_figures() -> list[Figure]:
    u, v = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    return [
        Figure(
            "(1, 2, 3) and (4, 5, 6)",
            f"cross product: {cross(u, v)}, a vector",
            f"dot product: {dot(u, v):g}, a number",
        )
    ]


def _strassen_figures() -> list[Figure]:
    """Tell the algorithms apart by their rounding errors: Strassen's spoils small entries beside large ones.

    In the usual algorithm the entry (0, 0) of the product depends on row 0 and column 0 alone. Strassen's adds
    and subtracts sums over whole blocks, so that a 1 beside 1e8 comes back with the rounding error of 1e16.
    """
    A = np.array([[1.0, 0.0], [0.0, 1e12]])
    B = np.array([[1.0 / 3.0, 0.0], [0.0, 1e12]])
    usual, strassen = (A @ B)[0, 0], _strassen_2x2(A, B)[0, 0]
    return [
        Figure("entry (0, 0) of a product with 1/3 in it", f"Strassen: {strassen:.17g}", f"NumPy: {usual:.17g}"),
        Figure("multiplications for n = 1024", f"{7**10:,} (n^2.807)", f"{1024**3:,} (n^3)"),
    ]


def _strassen_2x2(A: Array, B: Array) -> Array:
    """Seven products in place of eight. Source: V. Strassen, Gaussian elimination is not optimal (1969)."""
    (a, b), (c, d) = A
    (e, f), (g, h) = B
    m1, m2, m3 = (a + d) * (e + h), (c + d) * e, a * (f - h)
    m4, m5, m6, m7 = d * (g - e), (a + b) * h, (c - a) * (e + f), (b - d) * (g + h)
    return np.array([[m1 + m4 - m5 + m7, m3 + m5], [m2 + m4, m1 - m2 + m3 + m6]])


EXHIBITS = (
    Exhibit(
        "weights-for-inputs",
        "The gradient with the weights where the inputs belong",
        "slides of a lecture",
        "dJ/dW = -2/n W^T R",
        "dJ/dW = -2/n X^T R",
        "R has one row a sample and W one row a feature: the product exists only if there are as many samples as "
        "features, and then it is a number, not a gradient. Writing the shapes beside a formula is a proof of sorts.",
        _case,
        {"W": ("weight-for-input",)},
    ),
    Exhibit(
        "cross-product",
        "A cross product where a number is wanted",
        "the same lecture",
        "the cross product of weights and inputs is the neuron's input",
        "their dot product is",
        "The cross product is a vector and exists in three dimensions only; a weighted sum is a dot product.",
        figures=_product_figures,
    ),
    Exhibit(
        "strassen",
        "NumPy said to multiply matrices by Strassen's algorithm",
        "the same lecture",
        "np.dot uses Strassen's algorithm and so takes n^2.807 multiplications",
        "np.dot calls a BLAS library, which does the usual n^3 of them in blocks that fit the cache",
        "It is fast because it waits for memory less often, not because it multiplies less. The results show it: "
        "Strassen's sums over blocks would lose the digits of small entries that stand beside large ones.",
        figures=_strassen_figures,
    ),
)
