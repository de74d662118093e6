"""A lesson: differentiate the ridge objective. Also the file that docs/audit.md audits."""

import numpy as np

rng = np.random.default_rng(0)
parameters = {"w": rng.normal(size=3), "b": 0.2}
data = {"X": rng.normal(size=(50, 3)), "y": rng.normal(size=50), "alpha": 0.1}
weights = {"w": 3, "b": 1}
credit = {"sign": 0.5}


def value(w, b, X, y, alpha):
    """Mean squared error plus ``alpha |w|^2``."""
    return np.mean((X @ w + b - y) ** 2) + alpha * w @ w
