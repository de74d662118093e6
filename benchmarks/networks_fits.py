"""Fits of networks on small data, as a user calls them: a whole ``fit``, with its checks, its trace and its notices.

The quality of an answer is how far its loss in the last pass is above scikit-learn's.
"""

from collections.abc import Callable
from typing import Any

from sklearn import datasets, neural_network
from sklearn.preprocessing import StandardScaler

import steepest.neural_network
from benchmarks.compare import Contender, Contest, Regime

FITS: list[tuple[str, str, dict[str, Any]]] = [
    ("iris, default settings", "iris", {}),
    ("iris, one pass", "iris", {"max_iter": 1}),
    ("iris, early stopping", "iris", {"early_stopping": True}),
    ("iris, adaptive SGD", "iris", {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1}),
    ("iris, L-BFGS", "iris", {"solver": "lbfgs"}),
    ("breast cancer, default settings", "breast_cancer", {}),
    ("breast cancer, early stopping", "breast_cancer", {"early_stopping": True}),
    ("diabetes, default settings", "diabetes", {}),
    ("diabetes, early stopping", "diabetes", {"early_stopping": True}),
    ("digits, 30 passes", "digits", {"max_iter": 30}),
    ("digits, early stopping", "digits", {"early_stopping": True, "max_iter": 30}),
    ("digits, L-BFGS, 30 steps", "digits", {"solver": "lbfgs", "max_iter": 30}),
]


def regime(name: str, data: str, options: dict[str, Any]) -> Regime:
    """Return the contest on one data set."""

    def prepare() -> Contest:
        X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
        X = StandardScaler().fit_transform(X)
        y = (y - y.mean()) / y.std() if data == "diabetes" else y
        kind = "MLPRegressor" if data == "diabetes" else "MLPClassifier"

        def training(module: Any) -> Callable[[], Any]:
            return lambda: getattr(module, kind)(random_state=0, **options).fit(X, y)

        reference = training(neural_network)().loss_
        contenders = [
            Contender("steepest", training(steepest.neural_network)),
            Contender("scikit-learn", training(neural_network)),
        ]
        return Contest(contenders, lambda model: max(0.0, model.loss_ - reference), allowed=1e-2)

    return Regime(f"fit, {name}", prepare)


def regimes() -> list[Regime]:
    """Return all contests."""
    return [regime(*fit) for fit in FITS]
