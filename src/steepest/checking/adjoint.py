"""``check_adjoint``: is one map the adjoint of another."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.report import BlockReport, GradientReport, Verdict, Worst
from steepest.checking.tensors import compare_tensors
from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import length
from steepest.typing import Array
from steepest.validation import check_count, check_positive

__all__ = ["check_adjoint"]

MOST_ENTRIES = 1_000_000  # up to this size a map is written out as a matrix for the diagnosis


def check_adjoint(
    A: Any,
    At: Any,
    shape: int | tuple[int, ...],
    *,
    n_trials: int = 5,
    seed: int = 0,
    rtol: float = 1e-9,
) -> GradientReport:
    """Hold a linear map against its claimed adjoint by ``<A u, v> = <u, At v>``.

    Parameters
    ----------
    A, At : callable or matrix
        The map and its claimed adjoint.
    shape : int or tuple of int
        Shape of what ``A`` takes.
    n_trials : int
        Pairs of random u and v.
    seed : int
        Their seed.
    rtol : float
        Difference of the two inner products that passes, relative to ``|A u| |v|``.

    Returns
    -------
    GradientReport
        With a single block called ``At``; entry 0 of its worst pair is ``<u, At v>``, claimed, against
        ``<A u, v>``, true.

    Raises
    ------
    InvalidInputError
        If ``A`` is not linear, a result has a wrong shape, or a setting is out of its range.

    Notes
    -----
    The identity defines the adjoint; for random u and v a wrong At fails it with probability 1.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_adjoint
    >>> A = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]])
    >>> bool(check_adjoint(A, A.T, 3)), check_adjoint(A, -2 * A.T, 3).diagnoses[0].codes
    (True, ('sign', 'factor'))
    """
    forward, back = _as_map(A), _as_map(At)
    axes = (shape,) if isinstance(shape, Integral) or not np.iterable(shape) else tuple(shape)
    shape = tuple(check_count("shape", n) for n in axes)
    check_count("n_trials", n_trials)
    check_count("seed", seed, minimum=0)
    check_positive("rtol", rtol, zero=True)
    rng = np.random.default_rng(seed)
    image = forward(np.zeros(shape))
    _check_linear(forward, shape, rng)
    worst, largest = None, 0.0
    for trial in range(n_trials):
        u, v = rng.standard_normal(shape), rng.standard_normal(image.shape)
        Au, Atv = forward(u), back(v)
        if Atv.shape != shape:
            block = BlockReport(
                "At", shape, Verdict.DISAGREES, float("inf"), problem=f"At v has shape {Atv.shape}, u has {shape}"
            )
            return GradientReport(
                Verdict.DISAGREES, (block,), seed=seed, what="adjoint", method="inner products", points=trial + 1
            )
        true, claimed = float(np.sum(Au * v)), float(np.sum(u * Atv))
        size = length(Au) * length(v) + length(u) * length(Atv)
        gap = abs(true - claimed) / max(size, 1e-300)
        if not gap <= largest:
            largest = gap
            worst = Worst((), claimed, true, trial + 1) if not gap <= rtol else worst
    if worst is not None and int(np.prod(shape)) * image.size <= MOST_ENTRIES:
        return _diagnosed(forward, back, shape, image.shape, seed)
    verdict = Verdict.DISAGREES if worst is not None else Verdict.AGREES
    block = BlockReport("At", image.shape, verdict, largest, worst)
    return GradientReport(verdict, (block,), method="inner products", points=n_trials, seed=seed, what="adjoint")


def _as_map(A: Any) -> Callable[[Array], Array]:
    if isinstance(A, np.ndarray) or not callable(A):
        if hasattr(A, "matvec"):
            return lambda u: np.asarray(A.matvec(u), dtype=np.float64)
        return lambda u: np.asarray(A @ u, dtype=np.float64)
    return lambda u: np.asarray(A(u), dtype=np.float64)


def _check_linear(A: Callable[[Array], Array], shape: tuple[int, ...], rng: np.random.Generator) -> None:
    u, v = rng.standard_normal(shape), rng.standard_normal(shape)
    apart, together = 2.0 * A(u) - 3.0 * A(v), A(2.0 * u - 3.0 * v)
    if not np.isfinite(apart).all():
        raise InvalidInputError("A returns NaN or infinity for finite arguments: nothing can be said of its adjoint")
    if not np.allclose(apart, together, rtol=1e-7, atol=1e-7 * float(np.max(np.abs(together), initial=0.0))):
        raise InvalidInputError(
            "A is not linear: A(2 u - 3 v) differs from 2 A(u) - 3 A(v); only linear maps have an adjoint"
        )


def _diagnosed(
    A: Callable[[Array], Array], At: Callable[[Array], Array], shape: tuple[int, ...], image: tuple[int, ...], seed: int
) -> GradientReport:
    true = _matrix(A, shape).T
    claimed = _matrix(At, image)
    more = [
        Candidate("other-map", [_inverse(true.T)], "the inverse of A",
                  "The adjoint is the transposed matrix, not the inverse.", whole=True, hint="adjoint, not inverse"),
        Candidate("reversed", [true[::-1, ::-1]], "the adjoint with both axes reversed",
                  "Reverse it: the adjoint of a convolution is a correlation.", whole=True,
                  hint="the direction of an index"),
    ]  # fmt: skip
    return compare_tensors(
        "At", [claimed], [true], [1e-14 * float(np.max(np.abs(true)))],
        what="adjoint", method="all entries of both matrices", seed=seed, relative=1e-9, more=more,
    )  # fmt: skip


def _matrix(A: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    size = int(np.prod(shape))
    return np.stack([A(unit.reshape(shape)).ravel() for unit in np.eye(size)], axis=1)


def _inverse(matrix: Array) -> Array:
    if matrix.shape[0] != matrix.shape[1] or np.linalg.matrix_rank(matrix) < len(matrix):
        return np.zeros((matrix.shape[1], matrix.shape[0]))
    return np.linalg.inv(matrix)
