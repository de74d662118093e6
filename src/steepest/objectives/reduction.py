"""How per-sample numbers become one: the only place that averages or weights samples."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steepest.typing import Array, IntArray

Kind = Literal["mean", "sum"]


@dataclass(frozen=True)
class Reduction:
    r"""Weighted sum of per-sample numbers, ``factor * sum_i s_i v_i``.

    Parameters
    ----------
    factor : float
        What multiplies the sum.
    weights : array (n_samples,) or None
        The sample weights s; None for all ones.

    Notes
    -----
    With weights s and W = sum_i s_i (the number of samples where none are given)::

        mean:  factor = scale / W        so that multiplying all weights by a constant changes nothing
        sum:   factor = scale

    Being a sum, its gradient is the same reduction of the gradients: d/dz_i = factor s_i v_i'.
    A batch B of rows stands for all n: its factor is (n / |B|) times the whole's, so that its expectation over uniform
    random batches is the whole objective.
    """

    factor: float
    weights: Array | None = None

    @classmethod
    def of(cls, kind: Kind, n_samples: int, weights: Array | None = None, scale: float = 1.0) -> "Reduction":
        """Return the reduction of ``n_samples`` numbers to their weighted mean or sum, times ``scale``."""
        if kind == "sum":
            return cls(scale, weights)
        return cls(scale / (n_samples if weights is None else float(weights.sum())), weights)

    def total(self, values: Array) -> float:
        """Return the reduced number of ``values`` (n_samples,) or (n_samples, n_outputs), in double precision."""
        if self.weights is None:
            return self.factor * float(np.sum(values, dtype=np.float64))
        return self.factor * float(np.tensordot(self.weights, values, axes=(0, 0)).sum(dtype=np.float64))

    def weigh(self, values: Array) -> Array:
        """Return ``factor s_i v_i``: the derivative of ``total`` times ``values``, sample by sample."""
        if self.weights is None:
            return values * values.dtype.type(self.factor)
        weights = (self.factor * self.weights).astype(values.dtype)
        return values * weights.reshape(-1, *([1] * (values.ndim - 1)))

    def batch(self, rows: IntArray, n_samples: int) -> "Reduction":
        """Return the reduction of some of ``n_samples`` rows that stands for the whole."""
        weights = None if self.weights is None else self.weights[rows]
        return Reduction(self.factor * n_samples / len(rows), weights)
