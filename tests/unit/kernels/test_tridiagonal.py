"""Quadratic forms of inverses of tridiagonal matrices equal their reference."""

import numpy as np
import pytest

from steepest.kernels.tridiagonal import inverse_forms, reference_inverse_forms


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (200, 40), (7, 130)])
@pytest.mark.parametrize("shifts", [[0.5], [1e-3, 1.0, 1e4]])
def test_inverse_forms_equal_their_reference(n, m, shifts):
    rng = np.random.default_rng(n + m)
    Q, beside, shifts = rng.standard_normal((n, m)), rng.standard_normal(m - 1), np.array(shifts)
    diagonal = np.abs(np.r_[beside, 0.0]) + np.abs(np.r_[0.0, beside]) + rng.random(m)
    expected = reference_inverse_forms(Q, diagonal, beside, shifts)
    np.testing.assert_allclose(inverse_forms(Q, diagonal, beside, shifts), expected, rtol=1e-11)
