"""A dense linear system between vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.signal.inputs import check_signals
from steepest.typing import Array, ArrayLike


@dataclass(frozen=True)
class LinearSystem:
    """A matrix and a bias estimated from pairs of vectors.

    Attributes
    ----------
    matrix : array (n, d)
        The estimate of W.
    bias : array (n,)
        The estimate of b; zeros if none was fitted.
    residual : array, like y
        ``y - W x - b``.
    rank : int
        How many of the pairs are independent, a bias counting as an input that is always 1.
    unique : bool
        Whether the pairs determine W and b.
    message : str
        The same in words.

    Examples
    --------
    >>> linear_system([[1.0], [2.0]], [[3.0], [5.0]]).message
    '2 pairs of rank 2 determine the 2 unknowns of each output'
    """

    matrix: Array
    bias: Array
    residual: Array
    rank: int
    unique: bool
    message: str


def linear_system_gradients(W: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike) -> tuple[float, Array, Array]:
    r"""Return ``J = 1/2 sum_m ||y_m - W x_m - b||^2`` and its gradients by W (n, d) and b (n,).

    Notes
    -----
    Shapes: x (d,) or (n_pairs, d), y (n,) or (n_pairs, n). With ``e_i = y_i - sum_j W_ij x_j - b_i``,
    ``de_i/dW_kl = -x_l`` if i = k, else 0, and ``de_i/db_k = -1`` if i = k, else 0; the chain rule gives::

        dJ/dW_kl = -e_k x_l        dJ/dW = -e x^T
        dJ/db_k  = -e_k            dJ/db = -e

    and sums of these over several pairs. One pair has a gradient of rank 1.

    Examples
    --------
    >>> import numpy as np
    >>> J, dW, db = linear_system_gradients(np.zeros((1, 2)), np.zeros(1), [1.0, 2.0], [3.0])
    >>> J, dW, db
    (4.5, array([[-3., -6.]]), array([-3.]))
    """
    W, b, x, y = (np.asarray(value, dtype=np.float64) for value in (W, b, x, y))
    e = np.atleast_2d(y - x @ W.T - b)
    return 0.5 * float(np.sum(e * e)), -e.T @ np.atleast_2d(x), -e.sum(axis=0)


def linear_system(x: ArrayLike, y: ArrayLike, *, fit_bias: bool = True) -> LinearSystem:
    r"""Estimate W and b in ``y = W x + b``.

    Minimises ``1/2 sum_m ||y_m - W x_m - b||^2``; of all W and b that do, gives the ones with the least
    ``||W||^2 + ||b||^2``.

    Parameters
    ----------
    x : array (d,) or (n_pairs, d)
        One input, or several.
    y : array (n,) or (n_pairs, n)
        The outputs.
    fit_bias : bool, default True
        Whether to fit b.

    Notes
    -----
    One pair gives n equations for n d + n unknowns: each row of W may change by any vector orthogonal to x, and the
    rest be made up by b, without a change in ``W x + b``. So the pair cannot determine W. With z = (x, 1), every
    solution of ``V z = y`` for V = (W, b) splits into a part along z and a part across, of which only the first meets
    z; the shortest has no second part: ``V = y z^T / |z|^2``, that is ``W = y x^T / (1 + |x|^2)`` and ``b = y / (1 +
    |x|^2)``. At it e = 0, so both gradients vanish.

    Several pairs Z (n_pairs, d+1) give the normal equations ``Z^T Z V^T = Z^T Y``; they have one solution if the
    inputs, with a 1 appended, span all d+1 dimensions, and otherwise the shortest is ``V^T = Z^+ Y`` (pseudo-inverse).

    Examples
    --------
    >>> found = linear_system([1.0, 2.0], [6.0])
    >>> found.matrix, found.bias, found.unique
    (array([[1., 2.]]), array([1.]), False)
    """
    x, y = check_signals("x", x), check_signals("y", y)
    X, Y = np.atleast_2d(x).astype(np.float64), np.atleast_2d(y).astype(np.float64)
    if len(X) != len(Y):
        raise InvalidInputError(f"x has {len(X)} vectors, y has {len(Y)}: must be as many")
    Z = np.hstack([X, np.ones((len(X), 1))]) if fit_bias else X
    V, _, rank, _ = np.linalg.lstsq(Z, Y, rcond=None)
    matrix, bias = V[: X.shape[1]].T, V[-1] if fit_bias else np.zeros(Y.shape[1])
    residual = (Y - X @ matrix.T - bias).reshape(y.shape)
    unique = int(rank) == Z.shape[1]
    return LinearSystem(matrix, bias, residual, int(rank), unique, _message(int(rank), Z.shape, unique))


def _message(rank: int, shape: tuple[Any, ...], unique: bool) -> str:
    pairs, unknowns = shape
    count = "1 pair" if pairs == 1 else f"{pairs} pairs"
    if unique:
        return f"{count} of rank {rank} determine the {unknowns} unknowns of each output"
    return (
        f"{count} of rank {rank} cannot determine the {unknowns} unknowns of each output: "
        "of all solutions that fit equally well, the one of least norm is given"
    )
