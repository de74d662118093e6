"""Quadratic forms of the inverse of a shifted tridiagonal matrix."""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.threads import map_blocks
from steepest.typing import Array

_VECTORS = 128  # taken together: their partial sums stay in the first cache


def reference_inverse_forms(Q: Array, diagonal: Array, beside: Array, shifts: Array) -> Array:
    """Return the same as :func:`inverse_forms`: the formula as it is read."""
    T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    inverses = [np.linalg.inv(T + shift * np.eye(len(T))) for shift in shifts]
    return np.stack([np.einsum("ij,jk,ik->i", Q, inverse, Q) for inverse in inverses], axis=1)


def inverse_forms(Q: Array, diagonal: Array, beside: Array, shifts: Array) -> Array:
    r"""Return ``q_i^T (T + shift I)^-1 q_i`` for the rows q_i of ``Q`` (n, m) and every shift, (n, n_shifts).

    T (m, m) has ``diagonal`` and, beside it, ``beside``; with every shift it must be positive definite.

    Notes
    -----
    ``T + shift I = L D L^T`` with ones on the diagonal of L and l_j below, by ``D_1 = t_1`` and ``l_j = b_j / D_j``,
    ``D_j+1 = t_j+1 - l_j b_j``. With ``z = L^-1 q``, that is ``z_1 = q_1`` and ``z_j+1 = q_j+1 - l_j z_j``, the form is
    ``sum_j z_j^2 / D_j``: five operations for each number of Q.
    """
    columns = np.ascontiguousarray(Q.T)
    forms = np.zeros((len(shifts), len(Q)))
    map_blocks(lambda start, stop: _add_forms(columns, diagonal, beside, shifts, start, stop, forms), len(Q), _VECTORS)
    return forms.T


@compiled
def _add_forms(columns: Any, diagonal: Any, beside: Any, shifts: Any, start: Any, stop: Any, forms: Any) -> None:
    """Do it for the vectors ``start`` to ``stop``, the columns of ``columns``; twin of the reference above."""
    z = np.empty(stop - start)
    for k in range(len(shifts)):
        form = forms[k, start:stop]
        z[:] = 0.0
        ratio, pivot = 0.0, diagonal[0] + shifts[k]
        for j in range(len(diagonal)):
            q, inverse = columns[j, start:stop], 1.0 / pivot
            for i in range(len(z)):
                z[i] = q[i] - ratio * z[i]
                form[i] += z[i] * z[i] * inverse
            if j + 1 < len(diagonal):
                ratio = beside[j] * inverse
                pivot = diagonal[j + 1] + shifts[k] - ratio * beside[j]
