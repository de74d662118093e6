"""Stochastic gradient descent against scikit-learn: the same passes, sample by sample or in mini-batches."""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.compare import OURS, Contender, Contest, Regime, run_regimes

CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("squared error", "SGDRegressor", {}),
    ("squared error, L1", "SGDRegressor", {"penalty": "l1"}),
    ("squared error, averaged", "SGDRegressor", {"average": True}),
    ("hinge", "SGDClassifier", {}),
    ("log loss", "SGDClassifier", {"loss": "log_loss"}),
)


def contest(name: str, options: dict[str, Any], n: int, d: int, n_passes: int, batch_size: int) -> Contest:
    """Return ours and scikit-learn; sample by sample, quality is the distance of the coefficients.

    The peer has no mini-batches: there the same number of passes is compared, and quality is the misfit in excess of
    the peer's, relative to the peer's.
    """
    import sklearn.linear_model as sk

    import steepest.linear_model as ours

    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y: Any = X @ rng.standard_normal(d) + rng.standard_normal(n)
    y = y if name == "SGDRegressor" else (y > 0).astype(int)
    settings = {"max_iter": n_passes, "tol": None, "random_state": 0, **options}
    theirs = partial(getattr(sk, name), **settings)
    mine = partial(getattr(ours, name), **settings, **({"batch_size": batch_size} if batch_size > 1 else {}))
    reference = theirs().fit(X, y)

    def distance(model: Any) -> float:
        if batch_size == 1:
            return float(np.linalg.norm(model.coef_ - reference.coef_) / np.linalg.norm(reference.coef_))
        return max(0.0, (1 - model.score(X, y)) / (1 - reference.score(X, y)) - 1)

    contenders = [Contender(OURS, lambda: mine().fit(X, y)), Contender("scikit-learn", lambda: theirs().fit(X, y))]
    return Contest(contenders, distance, 1e-8 if batch_size == 1 else 0.02)


def regimes(quick: bool) -> list[Regime]:
    """Return the regimes; small ones with ``quick``."""
    n = 20_000 if quick else 1_000_000
    found = [
        Regime(f"SGD 1 pass 1M x 20, {label}", partial(contest, name, options, n, 20, 1, 1), 2.0, repeats=5)
        for label, name, options in CASES
    ]
    found.append(
        Regime("SGD 5 passes 1M x 20, squared error", partial(contest, *CASES[0][1:], n, 20, 5, 1), 2.0, repeats=3)
    )
    found.append(
        Regime(
            "SGD mini-batches of 32, 1M x 20, squared error",
            partial(contest, "SGDRegressor", {}, n, 20, 1, 32),
            2.0,
            repeats=5,
        )
    )
    return found


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
