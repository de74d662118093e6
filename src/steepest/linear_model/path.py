"""Lasso and elastic-net paths: the coefficients as functions of alpha."""

from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_consistent_length, check_random_state

from steepest.exceptions import InvalidInputError, warn_user
from steepest.objectives.linear import LinearObjective
from steepest.solvers.coordinate_descent import prepare
from steepest.solvers.multitask import follow_multitask_path
from steepest.solvers.path import Path, follow_path
from steepest.solvers.subproblem import Orders, Strength, cyclic, shuffled
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_gram, check_positive, check_share

N_ALPHAS = 100
WIDE_GRAM = 4096  # on a path the Gram matrix of so many columns still pays, as all alphas share it


def alpha_grid(c: Array, l1_ratio: float, eps: float, n_alphas: int, positive: bool) -> Array:
    r"""Return alphas, evenly spaced on a log scale, from the smallest at which w = 0 down to ``eps`` of it.

    ``w = 0`` is optimal where the gradient ``-c`` of the data term there is a subgradient of the penalty,
    ``|c_j| <= alpha l1_ratio`` for all j (``c_j <= alpha l1_ratio`` if only ``w >= 0`` is allowed).
    """
    check_positive("eps", eps)
    if l1_ratio == 0.0:
        raise InvalidInputError(
            "l1_ratio=0: no alpha makes all coefficients zero, so there is no grid of alphas; give alphas=[...]"
        )
    largest = max(float(np.max(c if positive else np.abs(c), initial=0.0)), 0.0) / l1_ratio
    smallest = float(np.finfo(np.float64).resolution)
    if largest <= smallest:
        return np.full(n_alphas, smallest)
    return np.geomspace(largest, largest * eps, n_alphas)


def strengths(alphas: Array, l1_ratio: float, positive: bool) -> list[Strength]:
    """Return the penalties of the alphas."""
    return [Strength(float(a) * l1_ratio, float(a) * (1.0 - l1_ratio), positive) for a in alphas]


def pays_on_a_path(n_samples: int, n_features: int) -> bool | None:
    """Return whether to work on the Gram matrix of all columns; None if the solver is to decide."""
    return True if n_samples >= n_features and n_features <= WIDE_GRAM else None


def order_of(selection: str, random_state: Any) -> Orders:
    """Return the rule that orders the coordinates of an epoch."""
    if check_choice("selection", selection, ("cyclic", "random")) == "cyclic":
        return cyclic
    return shuffled(np.random.default_rng(check_random_state(random_state).randint(2**31 - 1)))


def unfinished(path: Path, alphas: Array, tolerance: float, whole: float) -> Array:
    """Return the strengths at which the gap is still larger than asked: than ``tolerance`` of ``whole``."""
    return alphas[~(path.gaps <= tolerance * whole)] if tolerance > 0 else alphas[:0]


def warn_unfinished(left: Array, n_alphas: int, kind: str = "alphas") -> None:
    """Warn of the strengths that are left, if any is, of so many."""
    if len(left):
        text = f"{len(left)} of {n_alphas} {kind} did not converge, the first is {left[0]:.4g}"
        warn_user(f"{text}; raise max_iter, loosen tol, or scale the data", ConvergenceWarning)


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = None,
    alphas: Any = None,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    max_iter: int = 1000,
    tol: float = 1e-4,
    selection: str = "cyclic",
    random_state: Any = None,
    sample_weight: Any = None,
) -> tuple[Any, ...]:
    r"""Elastic-net path: minimisers of ``||y - X w||^2 / (2 n) + alpha (rho ||w||_1 + (1 - rho) ||w||_2^2 / 2)``.

    There is no intercept: centre X and y first, or use the estimators.

    Parameters
    ----------
    X : array or sparse matrix (n_samples, n_features)
        The data.
    y : array (n_samples,) or (n_samples, n_targets)
        The target, or several. These are coupled: the lengths of the coefficients of a feature, over all targets, take
        the place of absolute values, so that a feature is used for all of them or none
        (:mod:`steepest.solvers.multitask`).
    l1_ratio : float, default 0.5
        Share ``rho`` of the L1 part.
    eps : float, default 1e-3
        The smallest alpha relative to the largest.
    n_alphas : int, default 100
        How many alphas; scikit-learn's older spelling of an integer ``alphas``.
    alphas : int or array, default 100
        How many alphas, or which.
    precompute : bool, "auto" or array (n_features, n_features), default "auto"
        Whether to work on the Gram matrix, or that matrix.
    Xy, copy_X, verbose
        Without effect: ``X^T y`` comes with the first pass, X is never changed, and nothing is printed.
    coef_init : array (n_features,) or (n_targets, n_features), optional
        Start of the first alpha; of the shape of its coefficients.
    return_n_iter : bool, default False
        Whether to return the epochs too.
    positive : bool, default False
        Whether to forbid negative coefficients.
    check_input : bool, default True
        False if X and y are sure to be checked already.
    max_iter, tol, selection, random_state
        As for the estimators.
    sample_weight : array (n_samples,), optional
        Weights of the samples.

    Returns
    -------
    alphas : array (n_alphas,)
        Largest first.
    coefs : array (n_features, n_alphas) or (n_targets, n_features, n_alphas)
        The coefficients.
    dual_gaps : array (n_alphas,)
        Duality gaps.
    n_iters : list of int
        Epochs of each alpha, if asked for.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.eye(2)
    >>> alphas, coefs, gaps = enet_path(X, np.array([4.0, 2.0]), l1_ratio=1.0, alphas=[0.5, 1.5])
    >>> alphas, coefs        # columns of X are orthogonal: y, soft-thresholded at n alpha
    (array([1.5, 0.5]), array([[1., 3.],
           [0., 1.]]))
    """
    check_positive("tol", tol, zero=True)
    check_count("max_iter", max_iter)
    check_share("l1_ratio", l1_ratio)
    if check_input:
        X, y = _checked(X, y)
    shape = (*y.shape[1:], X.shape[1])
    y = y[:, 0] if y.shape[1:] == (1,) else y
    start, gram = _start(coef_init, shape), _gram(precompute, *X.shape)
    objective = LinearObjective(X, y, sample_weight=sample_weight, fit_intercept=False)
    given = next((a for a in (alphas, n_alphas) if a is not None and not isinstance(a, str)), N_ALPHAS)
    how: dict[str, Any] = {"tolerance": tol, "max_epochs": max_iter, "orders": order_of(selection, random_state)}
    if y.ndim == 1:
        problem = prepare(objective, start.reshape(-1).astype(X.dtype), gram)[0]
        grid, whole = _alphas(given, problem.c, l1_ratio, eps, positive), problem.squared_target
        path = follow_path(problem, strengths(grid, l1_ratio, positive), **how)
    else:
        Z, Y = _scaled(objective, positive)
        grid = _alphas(given, np.linalg.norm(Z.T @ Y, axis=1), l1_ratio, eps, positive)
        whole = float(np.sum(Y**2))
        path = follow_multitask_path(Z, Y, np.ascontiguousarray(start.T), strengths(grid, l1_ratio, positive), **how)
    warn_unfinished(unfinished(path, grid, tol, whole), len(grid))
    coefs = np.asfortranarray(np.moveaxis(path.coefficients, 0, -1).astype(X.dtype).reshape(*shape, len(grid)))
    if return_n_iter:
        return grid, coefs, path.gaps, path.epochs.tolist()
    return grid, coefs, path.gaps


def _checked(X: Any, y: Any) -> tuple[Any, Array]:
    X = check_array(X, accept_sparse="csc", dtype=[np.float64, np.float32])
    y = check_array(y, dtype=X.dtype.type, ensure_2d=False)
    check_consistent_length(X, y)
    return X, y


def _start(coef_init: Any, shape: tuple[int, ...]) -> Array:
    """Return a copy of the coefficients to start at, in double precision; zeros, if none are given."""
    if coef_init is None:
        return np.zeros(shape)
    start = np.array(coef_init, dtype=np.float64)
    if start.shape != shape:
        raise InvalidInputError(f"coef_init has shape {start.shape}: must be {shape}")
    return start


def _scaled(objective: LinearObjective, positive: bool) -> tuple[Array, Array]:
    """Return X and Y of several targets, in double precision, with the weights and the 1/n multiplied in."""
    if positive:
        raise InvalidInputError("positive=True: is for one target; call the path once for each column of y")
    if issparse(objective.X):
        raise InvalidInputError("X is sparse: a path of several targets takes a dense one; use X.toarray()")
    weights = np.ones(objective.n_samples) if objective.reduction.weights is None else objective.reduction.weights
    root = np.sqrt(objective.reduction.factor * weights.astype(np.float64))[:, None]
    return root * objective.X, root * objective.y


def _gram(precompute: Any, n_samples: int, n_features: int) -> Any:
    if isinstance(precompute, str):
        check_choice("precompute", precompute, ("auto",))
        return pays_on_a_path(n_samples, n_features)
    if isinstance(precompute, bool | np.bool_):
        return bool(precompute)
    return check_gram("precompute", precompute, n_features) / n_samples


def _alphas(alphas: Any, c: Array, l1_ratio: float, eps: float, positive: bool) -> Array:
    if isinstance(alphas, Integral):
        return alpha_grid(c, l1_ratio, eps, check_count("alphas", alphas), positive)
    given = [check_positive(f"alphas[{i}]", alpha, zero=True) for i, alpha in enumerate(alphas)]
    return np.sort(given)[::-1]


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = 1e-3,
    n_alphas: Any = None,
    alphas: Any = None,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    max_iter: int = 1000,
    tol: float = 1e-4,
    selection: str = "cyclic",
    random_state: Any = None,
    sample_weight: Any = None,
) -> tuple[Any, ...]:
    r"""Lasso path: minimisers of ``||y - X w||^2 / (2 n) + alpha ||w||_1`` for many alphas.

    Takes the parameters of :func:`enet_path` except ``l1_ratio``, which is 1, and returns the same.

    Examples
    --------
    >>> import numpy as np
    >>> lasso_path(np.eye(2), np.array([4.0, 2.0]), alphas=[0.5])[1]
    array([[3.],
           [1.]])
    """
    return enet_path(l1_ratio=1.0, **locals())
