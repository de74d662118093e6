"""Small fits, of which practitioners make many: what a fit costs beside its arithmetic."""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.compare import OURS, Contender, Contest, Regime, run_regimes

FITS = 20  # in a run, as one alone is too short to be timed
ALLOWED = 1e-2  # relative distance of the coefficients from the optimum: both are at their default tolerances
MODELS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (  # and what makes the peer exact
    ("LinearRegression", {}, {}),
    ("Ridge", {"alpha": 1.0}, {}),
    ("Lasso", {"alpha": 0.1}, {"tol": 1e-12}),
    ("LogisticRegression", {}, {"tol": 1e-10, "solver": "newton-cholesky"}),
)
SHAPES = ((100, 5), (1_000, 10), (5_000, 20))


def contest(name: str, keywords: dict[str, Any], exact: dict[str, Any], n: int, d: int) -> Contest:
    """Return ours and scikit-learn on one small data set."""
    import sklearn.linear_model

    import steepest.linear_model

    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) + rng.standard_normal(n)
    if name == "LogisticRegression":
        y = (y > 0).astype(np.intp)
    expected = getattr(sklearn.linear_model, name)(**keywords, **exact).fit(X, y).coef_

    def fits(module: Any) -> Any:
        return [getattr(module, name)(**keywords).fit(X, y) for _ in range(FITS)][-1]

    def off(model: Any) -> float:
        return float(np.linalg.norm(model.coef_ - expected) / np.linalg.norm(expected))

    modules = ((OURS, steepest.linear_model), ("scikit-learn", sklearn.linear_model))
    return Contest([Contender(label, partial(fits, module)) for label, module in modules], off, ALLOWED)


def regimes(quick: bool) -> list[Regime]:
    """Return the regimes; fewer with ``quick``."""
    return [
        Regime(f"{FITS} small fits, {name} {n} x {d}", partial(contest, name, keywords, exact, n, d))
        for name, keywords, exact in MODELS
        for n, d in (SHAPES[:1] if quick else SHAPES)
    ]


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
