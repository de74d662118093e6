"""The Durbin recursion for symmetric positive definite Toeplitz systems."""

from steepest.kernels.compile import compiled
from steepest.typing import Array


@compiled
def durbin(r: Array, a: Array, b: Array) -> float:
    """Write to ``a`` (k,) the vector with ``T a = (e, 0, ..., 0)``, ``a[0] = 1``, and return e, for ``T_ij = r_|i-j|``.

    ``b`` (k,) is work space: ``a`` backwards, so that both are read in order. Returns the first e that is not above 0
    if T is not positive definite, with ``a`` unfinished.
    Reference: ``scipy.linalg.solve_toeplitz(r, unit vector)``, scaled to ``a[0] = 1``.
    """
    k = len(r)
    a[:] = 0
    b[:] = 0
    a[0] = 1
    b[k - 1] = 1
    error = r[0]
    for i in range(1, k):
        if not error > 0:
            return float(error)
        reverse = b[k - 1 - i :]  # reverse[j] = a[i - j]
        correlation = 0.0
        for j in range(1, i + 1):
            correlation += reverse[j] * r[j]
        reflection = -correlation / error
        for j in range(i + 1):
            forward = a[j]
            backward = reverse[j]
            a[j] = forward + reflection * backward
            reverse[j] = backward + reflection * forward
        error *= 1 - reflection * reflection
    return float(error)
