"""Line searches return points that keep their conditions."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steepest.solvers.line_search import CURVATURE, SUFFICIENT, Point, backtrack, decreases, why_none, wolfe
from steepest.solvers.stopping import Reason
from tests.unit.solvers.problems import Rosenbrock, parabola


@given(x=st.floats(-3, 3), y=st.floats(-3, 3), step=st.floats(1e-8, 1e8))
def test_wolfe_conditions_hold(x, y, step):
    objective, theta = Rosenbrock(), np.array([x, y])
    here = Point.at(objective, theta)
    if here.norm < 1e-6:
        return
    found = wolfe(objective, here, -here.gradient, step)
    assert found is not None
    there, accepted = found
    slope = -(here.norm**2)
    np.testing.assert_array_equal(there.theta, theta - accepted * here.gradient)
    assert there.value <= here.value + SUFFICIENT * accepted * slope
    assert float(there.gradient @ -here.gradient) >= CURVATURE * slope


@given(x=st.floats(-3, 3), y=st.floats(-3, 3), step=st.floats(1e-8, 1e8))
def test_backtracking_gives_a_decrease_by_halving(x, y, step):
    objective, theta = Rosenbrock(), np.array([x, y])
    here = Point.at(objective, theta)
    if here.norm < 1e-6:
        return
    there, accepted, _ = backtrack(objective, here, -here.gradient, step)
    assert there.value <= here.value - SUFFICIENT * accepted * here.norm**2
    assert np.log2(step / accepted) % 1 == 0


@pytest.mark.parametrize("search", [backtrack, wolfe])
def test_no_step_uphill(search):
    objective = parabola(1.0)
    here = Point.at(objective, np.array([1.0]))
    assert search(objective, here, here.gradient, 1.0) is None


class Holes:
    """Minus the logarithm of 1 - x, not defined from 1 on."""

    def value_and_gradient(self, theta):
        with np.errstate(all="ignore"):
            return float(-np.log(1 - theta[0]) - 3 * theta[0]), 1 / (1 - theta) - 3


@pytest.mark.parametrize("search", [backtrack, wolfe])
def test_points_where_the_objective_is_not_defined_are_left(search):
    here = Point.at(Holes(), np.array([0.0]))
    there = search(Holes(), here, np.array([1.0]), 64.0)[0]
    assert there.value < here.value
    assert 0 < there.theta[0] < 1


class Down:
    """A value that falls for ever."""

    def value_and_gradient(self, theta):
        return (-inf if theta[0] > 100 else -float(theta[0])), np.array([-1.0])


@pytest.mark.parametrize("search", [backtrack, wolfe])
def test_minus_infinity_is_a_decrease(search):
    here = Point.at(Down(), np.array([0.0]))
    assert search(Down(), here, np.array([1.0]), 1000.0)[0].value == -inf


def test_in_the_noise_the_gradient_decides():
    theta = np.zeros(1)
    here = Point(theta, 1.0, np.array([1e-9]))
    equal_but_flatter = Point(theta, 1.0 + 2e-16, np.array([0.5e-9]))
    equal_and_steeper = Point(theta, 1.0 + 2e-16, np.array([2e-9]))
    higher_but_flatter = Point(theta, 1.0 + 1e-13, np.array([0.5e-9]))
    assert decreases(here, equal_but_flatter, 1e-18)
    assert not decreases(here, equal_and_steeper, 1e-18)
    assert not decreases(here, higher_but_flatter, 1e-18)


def test_in_the_noise_a_step_that_only_turns_round_is_no_decrease():
    here = Point(np.zeros(1), 1.0, np.array([-1e-9]))
    barely_flatter = Point(np.array([1e-9]), 1.0, np.array([0.95e-9]))
    assert decreases(here, barely_flatter, 1e-18)
    assert not decreases(here, barely_flatter, 1e-18, share=0.25)


def test_why_there_is_no_step():
    flat = Point(np.zeros(1), 1.0, np.array([1e-9]))
    steep = Point(np.zeros(1), 1.0, np.array([1.0]))
    assert why_none(flat, -flat.gradient, 1.0) is Reason.ROUNDING
    assert why_none(steep, -steep.gradient, 1.0) is Reason.NO_DESCENT
