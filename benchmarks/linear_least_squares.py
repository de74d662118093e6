"""Least squares and ridge regression against scikit-learn and scikit-learn-intelex."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.compare import OURS, Contender, Contest, Regime, run_regimes

# name, rows, columns, goal: the sizes the tall, square and wide goals are stated for, and tall data of more columns
SHAPES = (
    ("tall 1M x 20", 1_000_000, 20, 2.5),
    ("tall 200k x 200", 200_000, 200, 2.5),
    ("tall 100k x 500", 100_000, 500, 2.5),
    ("square 5k x 2k", 5_000, 2_000, 1.3),
    ("wide 500 x 5k", 500, 5_000, 1.3),
)


def make(n: int, d: int, dtype: type, seed: int = 0) -> tuple[Any, Any]:
    """Return Gaussian columns with means around 3, and a noisy linear target."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d), dtype=np.float32).astype(dtype)
    X += rng.normal(3.0, 1.0, d).astype(dtype)
    y = X @ rng.standard_normal(d).astype(dtype) + rng.standard_normal(n, dtype=np.float32)
    return X, y.astype(dtype)


def excess(X: Any, y: Any, alpha: float, reference: tuple[Any, float]) -> Callable[[Any], float]:
    """Return how far a model's ``coef_`` are from the reference, relative to their length."""
    w = reference[0]

    def measure(model: Any) -> float:
        return float(np.linalg.norm(np.ravel(model.coef_) - w) / np.linalg.norm(w))

    return measure


def reference(X: Any, y: Any, alpha: float) -> tuple[Any, float]:
    """Return the answer in double precision, by way of the smaller Gram matrix and one refinement."""
    X, y = X.astype(np.float64), y.astype(np.float64)
    mean, y_mean = X.mean(axis=0), y.mean()
    X -= mean
    y = y - y_mean
    n, d = X.shape
    wide = n < d
    G = X @ X.T + 1.0 if wide else X.T @ X  # the ones close the null space that centring leaves in the wide case
    G[np.diag_indices(len(G))] += alpha
    w, a = np.zeros(d), np.zeros(n)
    for _ in range(2):
        if wide:
            a += np.linalg.solve(G, y - X @ w - alpha * a)
            w = X.T @ a
        else:
            w += np.linalg.solve(G, X.T @ (y - X @ w) - alpha * w)
    return w, float(y_mean - mean @ w)


def peers(name: str, keywords: dict[str, Any], wide: bool) -> list[tuple[str, Callable[[], Any]]]:
    """Return the peers' models of one name that are installed, each with what it calls its solvers.

    On wide data scikit-learn-intelex forms the d x d matrix and takes seconds to minutes: it is not asked.
    """
    import sklearn.linear_model

    found = [("scikit-learn", partial(getattr(sklearn.linear_model, name), **keywords))]
    if name == "Ridge":
        for solver in ("cholesky", "lsqr", "sparse_cg"):
            tight = {} if solver == "cholesky" else {"tol": 1e-10}
            model = partial(sklearn.linear_model.Ridge, solver=solver, **tight, **keywords)
            found.append((f"scikit-learn {solver}", model))
    if find_spec("sklearnex") and not wide:
        import sklearnex.linear_model

        found.append(("scikit-learn-intelex", partial(getattr(sklearnex.linear_model, name), **keywords)))
    return found


def contest(name: str, n: int, d: int, dtype: type, alpha: float) -> Contest:
    """Return ours and the peers on one data set."""
    import steepest.linear_model

    X, y = make(n, d, dtype)
    alpha = alpha if name == "Ridge" else 0.0
    keywords = {"alpha": alpha} if name == "Ridge" else {}
    models = [(OURS, partial(getattr(steepest.linear_model, name), **keywords)), *peers(name, keywords, n < d)]
    contenders = [Contender(label, lambda model=model: model().fit(X, y)) for label, model in models]
    tolerance = 2e-3 if dtype is np.float32 else 1e-8
    return Contest(contenders, excess(X, y, alpha, reference(X, y, alpha)), tolerance)


def cv_contest(n: int, d: int, n_alphas: int) -> Contest:
    """Return leave-one-out selection of alpha; the answers are compared with scikit-learn's."""
    import sklearn.linear_model

    import steepest.linear_model

    X, y = make(n, d, np.float64)
    alphas = np.logspace(-3, 3, n_alphas)
    expected = sklearn.linear_model.RidgeCV(alphas=alphas).fit(X, y)
    contenders = [
        Contender(OURS, lambda: steepest.linear_model.RidgeCV(alphas=alphas).fit(X, y)),
        Contender("scikit-learn", lambda: sklearn.linear_model.RidgeCV(alphas=alphas).fit(X, y)),
    ]
    return Contest(
        contenders,
        lambda m: float(np.linalg.norm(m.coef_ - expected.coef_) / np.linalg.norm(expected.coef_)),
        1e-8,
    )


def path_contest(n: int, d: int, n_alphas: int) -> Contest:
    """Return one ridge fit for each of many alphas."""
    from sklearn.linear_model import ridge_regression as peer

    from steepest.linear_model import ridge_path

    X, y = make(n, d, np.float64)
    X, y = X - X.mean(axis=0), y - y.mean()
    alphas = np.logspace(-3, 3, n_alphas)
    expected = np.array([peer(X, y, alpha=a, solver="cholesky") for a in alphas])

    def off(path: Any) -> float:
        return float(np.linalg.norm(path - expected) / np.linalg.norm(expected))

    contenders = [
        Contender(OURS, lambda: ridge_path(X, y, alphas=alphas, fit_intercept=False)[1]),
        Contender("scikit-learn", lambda: np.array([peer(X, y, alpha=a, solver="cholesky") for a in alphas])),
    ]
    return Contest(contenders, off, 1e-8)


def regimes(quick: bool) -> list[Regime]:
    """Return the regimes; small ones with ``quick``."""
    shrink = 20 if quick else 1
    found = [
        Regime(
            f"{name} {shape} {dtype.__name__}",
            partial(contest, name, n // shrink, d // (2 if quick else 1), dtype, 1.0),
            goal,
        )
        for name in ("LinearRegression", "Ridge")
        for shape, n, d, goal in SHAPES
        for dtype in (np.float64, np.float32)
    ]
    sizes = ((20_000, 50), (5_000, 500), (500, 5_000)) if not quick else ((1_000, 50), (100, 200))
    found += [Regime(f"RidgeCV {n} x {d}, 20 alphas", partial(cv_contest, n, d, 20), 5.0) for n, d in sizes]
    paths = ((100_000, 100), (5_000, 500)) if not quick else ((1_000, 50),)
    found += [Regime(f"ridge path {n} x {d}, 20 alphas", partial(path_contest, n, d, 20), 5.0) for n, d in paths]
    return found


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
