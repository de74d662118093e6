"""Values that are rounding noise themselves show neither a right gradient nor a wrong one."""

from typing import Any

import numpy as np
import pytest

from steepest import check_gradient
from steepest.checking import Verdict
from steepest.checking.fitting import Precision, fit


def cancelling(x: Any) -> Any:
    return (1 - np.cos(x)) / x**2


@pytest.mark.parametrize("x", [1e-6, 1e-7])
@pytest.mark.parametrize("factor", [-1 / 12, 1 / 12])
def test_a_value_of_four_digits_or_less_cannot_tell(x: float, factor: float) -> None:
    report = check_gradient(cancelling, lambda x: factor * x, x)
    assert report.verdict is Verdict.CANNOT_TELL, str(report)
    assert "the value is so noisy here that its rounding errors explain the difference" in str(report)


@pytest.mark.parametrize("x", [1e-4, 1e-2, 1.0])
def test_where_it_keeps_digits_a_right_gradient_passes(x: float) -> None:
    def series(x: Any) -> Any:
        return -x / 12 + x**3 / 180 - x**5 / 6720 + x**7 / 453600 - x**9 / 47900160

    assert check_gradient(cancelling, series, x, n_points=0)


@pytest.mark.parametrize("x", [1e-2, 1.0])
def test_where_it_keeps_digits_a_wrong_one_does_not(x: float) -> None:
    assert check_gradient(cancelling, lambda x: x / 12, x).verdict is Verdict.DISAGREES


def test_a_large_constant_hides_no_wrong_gradient_that_complex_steps_show() -> None:
    report = check_gradient(lambda x: 1e6 + np.sum(1e-6 * x**2), lambda x: 2.02e-6 * x, np.array([1.0, -2.0, 0.5]))
    assert report.verdict is Verdict.DISAGREES


def test_two_constants_are_not_fitted_to_two_numbers() -> None:
    """Where the gradient does not depend on the point, any two columns would fit two entries."""
    claims = [np.array([1.0, 2.0])] * 5
    columns = [[np.array([0.3, 0.7])] * 5, [np.array([1.0, -1.0])] * 5]
    assert fit(claims, columns, [0.0] * 5, Precision(1e-8, 1e-10)) is None
