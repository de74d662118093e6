"""Logistic regression against every solver of scikit-learn and scikit-learn-intelex."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax

from benchmarks.compare import OURS, Contender, Contest, Regime, run_regimes

SHAPES = (("1M x 20", 1_000_000, 20), ("100k x 100", 100_000, 100), ("5k x 1k", 5_000, 1_000))
ALLOWED = 1e-7  # relative excess of the objective: looser answers have not solved the problem


def make(n: int, d: int, n_classes: int = 2, correlation: float = 0.0) -> tuple[Any, Any]:
    """Return Gaussian columns and labels drawn from the model; each column has that correlation with the last."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    for j in range(1, d if correlation else 0):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    scores = X @ rng.standard_normal((d, n_classes)) * (1.5 / np.sqrt(d))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def objective(X: Any, y: Any, l1_ratio: float, model: Any) -> float:
    """Return ``sum_i l_i + l1_ratio |w|_1 + (1 - l1_ratio) |w|^2 / 2`` of a fitted model, in double precision."""
    W = np.asarray(model.coef_, dtype=np.float64)
    z = X @ W.T + np.asarray(model.intercept_, dtype=np.float64)
    if z.shape[1] == 1:
        losses = -log_expit(np.where(y == 1, z[:, 0], -z[:, 0]))
    else:
        losses = -log_softmax(z, axis=1)[np.arange(len(y)), y]
    return float(losses.sum() + l1_ratio * np.abs(W).sum() + (1 - l1_ratio) / 2 * np.sum(W * W))


def peers(l1_ratio: float, n_classes: int) -> list[tuple[str, Callable[[], Any]]]:
    """Return the peers that can: each solver at its default tolerance and at a tight one."""
    import sklearn.linear_model as sk

    names = ("lbfgs", "newton-cholesky", "newton-cg") if l1_ratio == 0 else ("saga", "liblinear")
    found = []
    for name in names:
        if name == "liblinear" and n_classes > 2:
            continue
        for tol in (1e-4, 1e-6) if l1_ratio == 0 else (1e-4,):
            options = {"solver": name, "tol": tol, "max_iter": 1000, "l1_ratio": l1_ratio}
            if name == "liblinear":
                options["intercept_scaling"] = 1e3  # it penalises the intercept: this makes that negligible
            found.append((f"scikit-learn {name} {tol:g}", partial(sk.LogisticRegression, **options)))
    if find_spec("sklearnex") and l1_ratio == 0:
        from sklearnex.linear_model import LogisticRegression

        for name in ("lbfgs", "newton-cg"):
            model = partial(LogisticRegression, solver=name, max_iter=1000)
            found.append((f"scikit-learn-intelex {name}", model))
    return found


def contest(n: int, d: int, n_classes: int, l1_ratio: float, correlation: float) -> Contest:
    """Return ours and the peers on one data set; quality is the relative excess of the objective."""
    from steepest.linear_model import LogisticRegression

    X, y = make(n, d, n_classes, correlation)
    best = objective(X, y, l1_ratio, LogisticRegression(l1_ratio=l1_ratio, tol=1e-10, max_iter=1000).fit(X, y))
    models = [(OURS, partial(LogisticRegression, l1_ratio=l1_ratio)), *peers(l1_ratio, n_classes)]
    contenders = [Contender(label, lambda model=model: model().fit(X, y)) for label, model in models]
    return Contest(contenders, lambda model: objective(X, y, l1_ratio, model) / best - 1, ALLOWED)


def regimes(quick: bool) -> list[Regime]:
    """Return the regimes; small ones with ``quick``."""
    shrink = 20 if quick else 1
    found = []
    for name, n, d in SHAPES:
        shape = n // shrink, d // (4 if quick and d > 100 else 1)
        found.append(Regime(f"logistic {name}", partial(contest, *shape, 2, 0.0, 0.0), 2.0, repeats=5))
    found += [
        Regime("logistic correlated 100k x 100", partial(contest, 100_000 // shrink, 100, 2, 0.0, 0.9), 2.0, repeats=5),
        Regime("logistic 5 classes 100k x 50", partial(contest, 100_000 // shrink, 50, 5, 0.0, 0.0), 2.0, repeats=3),
        Regime("logistic L1 50k x 50", partial(contest, 50_000 // shrink, 50, 2, 1.0, 0.0), 2.0, repeats=3),
    ]
    return found


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
