"""Lasso, elastic net and their cross-validation against scikit-learn, celer and skglm, at equal duality gap."""

import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.compare import OURS, Contender, Contest, Regime, run_regimes

GAP = 1e-6  # the gap to reach, relative to the mean square of the centred target
LADDER = (1e-2, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7, 1e-8, 1e-9)


def make(n: int, d: int, correlation: float, seed: int = 0) -> tuple[Any, Any]:
    """Return columns whose neighbours are correlated, in Fortran order, and a noisy target of 50 of them."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, d)))
    for j in range(1, d if correlation else 0):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1.0 - correlation**2) * X[:, j]
    w = np.zeros(d)
    w[rng.choice(d, min(50, d // 2), replace=False)] = rng.standard_normal(min(50, d // 2))
    y = X @ w
    return X, y + rng.standard_normal(n) * y.std() / 3.0 + 3.0


def relative_gap(X: Any, y: Any, l1: float, l2: float, model: Any) -> float:
    """Return the duality gap of the model's coefficients, by a residual computed here, relative to ``|y|^2 / n``."""
    n, w = len(y), model.coef_.astype(np.float64)
    y = y - y.mean()
    r = y - X @ w
    r -= r.mean()
    shifted = X.T @ r / n - l2 * w
    shrink = min(1.0, l1 / np.abs(shifted).max())
    primal = (r @ r / n + l2 * w @ w) / 2.0 + l1 * np.abs(w).sum()
    dual = shrink * (r @ y) / n - shrink**2 * (r @ r / n + l2 * w @ w) / 2.0
    return float((primal - dual) / (y @ y / n))


Maker = Callable[[float], Any]


def makers(name: str, alpha: float, tall: bool, **keywords: Any) -> list[tuple[str, Maker]]:
    """Return ours and the installed peers as functions of the tolerance."""
    import sklearn.linear_model

    import steepest.linear_model

    def of(module: Any, **more: Any) -> Maker:
        return lambda tol: getattr(module, name)(alpha, tol=tol, **keywords, **more)

    found = [
        (OURS, of(steepest.linear_model, max_iter=100_000)),
        ("scikit-learn", of(sklearn.linear_model, max_iter=100_000)),
    ]
    if tall:
        found.append(("scikit-learn, Gram", of(sklearn.linear_model, max_iter=100_000, precompute=True)))
    for peer in ("celer", "skglm"):
        if find_spec(peer):
            found.append((peer, of(__import__(peer), max_iter=200)))
    return found


def loosest(maker: Maker, X: Any, y: Any, gap: Callable[[Any], float]) -> Maker:
    """Return the maker held at the loosest tolerance whose answer is good enough, or at the tightest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tol in LADDER:
            try:
                if gap(maker(tol).fit(X, y)) <= GAP:
                    break
            except Exception:  # the harness reports it when it comes to the run
                break
    return partial(maker, tol)


def contest(name: str, n: int, d: int, correlation: float, fraction: float, ratio: float) -> Contest:
    """Return ours and the peers on one data set, each at the tolerance it needs for the gap asked."""
    X, y = make(n, d, correlation)
    largest = float(np.abs(X.T @ (y - y.mean())).max()) / n
    alpha = largest / fraction / ratio
    gap = partial(relative_gap, X, y, alpha * ratio, alpha * (1.0 - ratio))
    keywords = {} if name == "Lasso" else {"l1_ratio": ratio}
    contenders = []
    for label, maker in makers(name, alpha, n > d, **keywords):
        held = loosest(maker, X, y, gap)
        contenders.append(Contender(label, lambda held=held: held().fit(X, y)))
    return Contest(contenders, gap, GAP)


def cv_contest(n: int, d: int) -> Contest:
    """Return the choice among 100 alphas on 5 folds, at default tolerances; the errors must agree."""
    import sklearn.linear_model

    import steepest.linear_model

    X, y = make(n, d, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = steepest.linear_model.LassoCV(cv=5, tol=1e-8, max_iter=100_000).fit(X, y)

    def off(model: Any) -> float:
        return float(np.abs(model.mse_path_ / expected.mse_path_ - 1.0).max())

    found = [
        (OURS, lambda: steepest.linear_model.LassoCV(cv=5, tol=1e-4)),
        ("scikit-learn", lambda: sklearn.linear_model.LassoCV(cv=5, tol=1e-4)),
    ]
    contenders = [Contender(label, lambda maker=maker: maker().fit(X, y)) for label, maker in found]
    return Contest(contenders, off, 0.1)  # at default tolerances the errors of the smallest alphas differ that much


def regimes(quick: bool) -> list[Regime]:
    """Return the regimes; small ones with ``quick``."""
    shrink = 10 if quick else 1
    found = []
    for n, d in ((1_000, 10_000), (200, 20_000)):
        for correlation in (0.0, 0.9):
            for fraction in (2, 10, 100):
                task = partial(contest, "Lasso", n, d // shrink, correlation, fraction, 1.0)
                title = f"Lasso wide {n} x {d}, correlation {correlation:g}, alpha_max/{fraction}"
                found.append(Regime(title, task, 1.5, repeats=3))
    task = partial(contest, "ElasticNet", 1_000, 10_000 // shrink, 0.9, 10, 0.5)
    found.append(Regime("ElasticNet wide 1000 x 10000, correlation 0.9, alpha_max/10", task, 1.5, repeats=3))
    for name, ratio in (("Lasso", 1.0), ("ElasticNet", 0.5)):
        task = partial(contest, name, 100_000 // shrink, 100, 0.5, 100, ratio)
        found.append(Regime(f"{name} tall 100k x 100, alpha_max/100", task, 5.0, repeats=3))
    found.append(
        Regime("LassoCV tall 100k x 100, 100 alphas", partial(cv_contest, 100_000 // shrink, 100), 3.0, repeats=3)
    )
    found.append(
        Regime("LassoCV wide 200 x 2000, 100 alphas", partial(cv_contest, 200, 2_000 // shrink), 3.0, repeats=3)
    )
    return found


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
