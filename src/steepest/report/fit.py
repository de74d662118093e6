"""A fit as a record that people and machines can read."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steepest.certificate import Certificate
from steepest.report.record import as_record
from steepest.report.scores import Score
from steepest.typing import Array

SHAPING = ("alpha", "l1_ratio", "C", "learning_rate", "eta0", "batch_size")


@dataclass(frozen=True)
class Scaling:
    """What was subtracted from every feature and what it was divided by.

    Notes
    -----
    With ``x' = (x - mean) / scale``::

        w'^T x' + b' = sum_j (w'_j / scale_j) x_j + b' - sum_j w'_j mean_j / scale_j

    so that a coefficient per unit of the data is ``w'_j / scale_j``.
    """

    mean: Array
    scale: Array

    @classmethod
    def of(cls, X: Array, *, standardize: bool) -> "Scaling":
        """Return the scaling to mean 0 and standard deviation 1, or the one that changes nothing."""
        if not standardize:
            return cls(np.zeros(X.shape[1]), np.ones(X.shape[1]))
        largest = np.abs(X).max(axis=0)
        largest[largest == 0] = 1.0
        shares = X / largest  # whose squares neither overflow nor vanish
        spread = shares.std(axis=0)
        constant = spread <= 1e-12  # of a constant column, rounding leaves about 1e-16
        return cls(shares.mean(axis=0) * largest, np.where(constant, 1.0, spread * largest))

    def apply(self, X: Array) -> Array:
        """Return the scaled features."""
        scaled: Array = (X - self.mean) / self.scale
        return scaled

    def undo(self, coefficients: Array, intercept: Array) -> tuple[Array, Array]:
        """Return coefficients (n_outputs, n_features) and intercepts (n_outputs,) in the units of the data."""
        original = coefficients / self.scale
        return original, intercept - original @ self.mean


@dataclass(frozen=True)
class FitReport:
    """What ``steepest fit`` says.

    Attributes
    ----------
    outputs : list of str
        The target, or for several classes the class that each row of coefficients speaks for.
    coefficients, original : array (n_outputs, n_features)
        As the objective sees them, and in the units of the data.
    """

    model: str
    data: str
    target: str
    features: list[str]
    outputs: list[str]
    n_train: int
    n_test: int
    seed: int
    standardized: bool
    objective: str
    solver: str
    stopped: str
    converged: bool
    n_iter: int
    seconds: float
    scores: list[Score]
    baseline: str
    coefficients: Array
    intercept: Array
    original: Array
    original_intercept: Array
    certificate: Certificate | None
    parameters: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def order(self) -> list[int]:
        """The features by the largest size of their coefficients, those of zero last."""
        size = np.abs(self.coefficients).max(axis=0, initial=0.0)
        return sorted(range(len(self.features)), key=lambda j: (-size[j], j))

    @property
    def chosen(self) -> dict[str, str]:
        """The parameters that shape the result: as given, or as cross-validation found them."""
        mixed = self.parameters.get("penalty", "elasticnet") == "elasticnet"
        shown = {}
        for name in SHAPING:
            found = self.parameters.get(f"{name}_")
            value = self.parameters.get(name) if found is None else found
            if value is None or value == "auto" or (name == "l1_ratio" and not mixed):
                continue
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            shown[name] = text if found is None else f"{text} (by cross-validation)"
        return shown

    @property
    def n_nonzero(self) -> int:
        """How many features have a coefficient other than zero."""
        return int(np.count_nonzero(np.abs(self.coefficients).max(axis=0, initial=0.0)))

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it; a number that is not finite is null."""
        record: dict[str, Any] = as_record(self)
        return record
