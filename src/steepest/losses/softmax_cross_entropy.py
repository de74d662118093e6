"""Softmax followed by the cross-entropy."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax, xlogy

from steepest.losses.protocol import Target
from steepest.typing import Array


class SoftmaxCrossEntropy:
    r"""Cross-entropy of softmax probabilities for a class ``y`` in 0 ... K-1 (multinomial logistic loss).

    Notes
    -----
    Shapes: ``y`` and the value are ``(n_samples,)``, ``z`` and the gradient ``(n_samples, K)``.
    With p_k = e^{z_k} / sum_j e^{z_j}::

        l(z)       = -log p_y = log sum_j e^{z_j} - z_y
        dl/dz_k    = e^{z_k} / sum_j e^{z_j} - [k = y] = p_k - [k = y]
        d2l/dz_k dz_j = p_k ([k = j] - p_j)       the Hessian H = diag(p) - p p^T

    H is positive semidefinite, and v^T H v = Var_p(v) <= (max v - min v)^2 / 4 <= |v|^2 / 2, hence the smoothness 1/2
    (reached by K = 2, p = 1/2, v = (1, -1)). ``curvature`` returns the whole Hessian, ``(n_samples, K, K)``.

    The conjugate sup over z of <u, z> - l(z) is finite where s = u + onehot(y) is a probability vector (u = dl/dz is
    then solved by p = s)::

        l*(u) = sum_k s_k log s_k

    The largest score is subtracted before exponentiating (inside ``logsumexp``), so no score overflows.

    Examples
    --------
    >>> import numpy as np
    >>> SoftmaxCrossEntropy().gradient(np.array([0]), np.array([[0.0, 0.0]]))
    array([[-0.5,  0.5]])
    """

    target: ClassVar[Target] = "class"
    words: ClassVar[str] = "the softmax cross-entropy"
    smoothness = 0.5

    def value(self, y: NDArray[Any], z: Array) -> Array:
        r"""Return ``log sum_j e^{z_j} - z_y``."""
        rows = np.arange(len(z))
        return np.asarray(logsumexp(z - z[rows, y.astype(np.intp)][:, None], axis=1))

    def gradient(self, y: NDArray[Any], z: Array) -> Array:
        r"""Return ``p - onehot(y)``; for the class y, ``p_y - 1`` is taken as minus the sum of the others."""
        p = np.asarray(softmax(z, axis=1))
        rows, y = np.arange(len(z)), y.astype(np.intp)
        p[rows, y] = 0.0
        p[rows, y] = -p.sum(axis=1)
        return p

    def curvature(self, y: NDArray[Any], z: Array) -> Array:
        r"""Return the Hessian ``diag(p) - p p^T`` of every sample, ``(n_samples, K, K)``."""
        p = softmax(z, axis=1)
        return np.asarray(p[:, :, None] * (np.eye(z.shape[1], dtype=z.dtype) - p[:, None, :]))

    def conjugate(self, y: NDArray[Any], u: Array) -> Array:
        r"""Return ``l*(u)``, (n_samples,); infinite where ``u + onehot(y)`` is no probability vector."""
        s = u.copy()
        s[np.arange(len(s)), y.astype(np.intp)] += 1
        tolerance = 64 * np.finfo(u.dtype).eps
        inside = (s >= -tolerance).all(axis=1) & (np.abs(u.sum(axis=1)) <= tolerance)
        s = np.clip(s, 0.0, 1.0)
        return np.where(inside, xlogy(s, s).sum(axis=1), np.inf).astype(u.dtype)
