"""Softmax over the last axis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from steepest.layers.layer import Layer, Parameters
from steepest.typing import Array


@dataclass(frozen=True)
class Softmax(Layer):
    r"""Probabilities ``H_k = e^{Z_k} / sum_j e^{Z_j}`` over the last axis.

    Notes
    -----
    Every output depends on every input of its row: with S = sum_j e^{Z_j}, the quotient rule gives the Jacobian::

        dH_k/dZ_j = ([k = j] e^{Z_k} S - e^{Z_k} e^{Z_j}) / S^2 = H_k ([k = j] - H_j)

    so the backward needs all of it, not its diagonal alone::

        dZ_j = sum_k dH_k H_k ([k = j] - H_j) = H_j (dH_j - sum_k dH_k H_k)

    For training, ``losses.SoftmaxCrossEntropy`` on the scores is stable where a softmax layer followed by a logarithm
    is not. The largest score is subtracted before exponentiating, so nothing overflows.

    Examples
    --------
    >>> H, cache = Softmax().forward(np.array([[0.0, 0.0]]), {})
    >>> H, Softmax().backward(np.array([[1.0, 0.0]]), cache)[0]
    (array([[0.5, 0.5]]), array([[ 0.25, -0.25]]))
    """

    formula: ClassVar[str] = "H_k = exp(Z_k) / sum_j exp(Z_j)"
    latex: ClassVar[str] = r"H_k = e^{Z_k} / \sum_j e^{Z_j}"

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, Array]:
        """Return the probabilities; they are the cache too."""
        H: Array = softmax(X, axis=-1)
        return H, H

    def backward(self, dY: Array, cache: Array) -> tuple[Array, dict[str, Array]]:
        """Return ``H (dY - <dY, H>)``, row by row."""
        return cache * (dY - np.sum(dY * cache, axis=-1, keepdims=True)), {}
