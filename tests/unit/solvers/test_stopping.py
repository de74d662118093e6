"""Each stopping rule speaks when it should, and not a step before."""

from math import inf, nan

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.solvers import stopping
from steepest.solvers.stopping import (
    Divergence,
    DualityGapTolerance,
    GradientTolerance,
    MaxIterations,
    Patience,
    Reason,
    StepTolerance,
    TimeBudget,
    ValueTolerance,
)
from steepest.step import Step


def at(index=0, theta=(1.0,), **scalars):
    return Step(index, np.array(theta), **scalars)


def first_reason(rule, steps):
    """Return the index of the step at which the rule speaks, and what it says."""
    return next(((step.index, reason) for step in steps if (reason := rule(step)) is not None), None)


def values(*numbers):
    return [at(index, value=number) for index, number in enumerate(numbers)]


def test_max_iterations():
    assert first_reason(MaxIterations(3), values(*range(6))) == (3, Reason.MAX_ITER)
    assert MaxIterations(0)(at(0)) is Reason.MAX_ITER


def test_gradient_tolerance_includes_its_bound():
    rule = GradientTolerance(0.5)
    assert rule(at(gradient_norm=0.5)) is Reason.GRADIENT_TOLERANCE
    assert rule(at(gradient_norm=0.5000001)) is None
    assert rule(at(gradient_norm=nan)) is None


def test_step_tolerance_is_relative_for_long_parameters_and_absolute_for_short_ones():
    rule = StepTolerance(0.1)
    assert rule(at(2, theta=[30.0, 40.0], step_norm=5.0)) is Reason.STEP_TOLERANCE
    assert rule(at(2, theta=[30.0, 40.0], step_norm=5.1)) is None
    assert rule(at(2, theta=[0.0], step_norm=0.1)) is Reason.STEP_TOLERANCE
    assert rule(at(2, theta=[0.0], step_norm=0.11)) is None


@pytest.mark.parametrize("rule", [StepTolerance(1.0), ValueTolerance(1.0)])
def test_a_tiny_first_step_is_no_convergence(rule):
    steps = [at(index, value=1.0, step_norm=0.0) for index in range(4)]
    assert first_reason(rule, steps)[0] == 2


def test_value_tolerance_compares_with_the_step_before():
    assert first_reason(ValueTolerance(0.01), values(900.0, 500.0, 400.0, 396.1, 396.0)) == (3, Reason.VALUE_TOLERANCE)
    assert first_reason(ValueTolerance(0.01), values(9.0, 5.0, 0.02, 0.0, 0.0)) == (4, Reason.VALUE_TOLERANCE)
    assert first_reason(ValueTolerance(0.01), values(5.0, nan, nan, nan)) is None


def test_duality_gap():
    rule = DualityGapTolerance(1e-3)
    assert rule(at(duality_gap=1e-3)) is Reason.DUALITY_GAP
    assert rule(at(duality_gap=2e-3)) is None
    assert rule(at(duality_gap=nan)) is None


def test_patience_counts_steps_without_improvement():
    assert first_reason(Patience(2), values(5, 4, 4, 3, 3, 3, 3)) == (5, Reason.PATIENCE)
    assert first_reason(Patience(2), values(5, 4, 3, 2, 1)) is None
    assert first_reason(Patience(2), values(5, 4.5, 4.2, 4.1)) is None
    assert first_reason(Patience(2, min_improvement=1.0), values(5, 4.5, 4.2, 4.1)) == (2, Reason.PATIENCE)
    assert first_reason(Patience(2), values(5, nan, nan)) == (2, Reason.PATIENCE)


def test_time_budget(monkeypatch):
    clock = iter([100.0, 100.5, 101.99, 102.0])
    monkeypatch.setattr(stopping, "perf_counter", lambda: next(clock))
    rule = TimeBudget(2.0)
    monkeypatch.setattr(rule, "_started", 100.0)
    clock = iter([100.5, 101.99, 102.0])
    assert first_reason(rule, values(1, 2, 3)) == (2, Reason.TIME_BUDGET)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1.0, 10.0, 1e3, 1.1e6), (3, Reason.DIVERGED)),  # three rises in a row, beyond a million times the first
        ((1.0, 10.0, 1e3, 0.9e6), None),  # not yet
        ((1.0, 1e7, 1e8, 1.0), None),  # up, and down again
        ((1.0, inf), (1, Reason.DIVERGED)),
        ((1.0, nan), (1, Reason.DIVERGED)),
        ((1.0, -1e9, -1e12, -1e15, -1e18), None),  # falling is no divergence while it is finite
        ((1.0, -inf), (1, Reason.DIVERGED)),
        ((nan, 1.0, 0.5), None),  # a solver may leave out the value at the start
        ((0.0, 1e-9, 2e-9, 3e-9), None),  # noise about a start at 0
        ((0.0, 1e-9, 1.0, 2.0, 3.0), (3, Reason.DIVERGED)),
        ((-5.0, -4.0, -3.0, -2.0), None),  # rising, but lower than it was large
    ],
)
def test_divergence(numbers, expected):
    assert first_reason(Divergence(), values(*numbers)) == expected


def test_growth_under_a_falling_rate_is_no_divergence_yet():
    values = [1.0, 1e7, 1e8, 1e9, 1e10]
    falling = [at(i, value=value, step_size=1.0 / (i + 1)) for i, value in enumerate(values)]
    constant = [at(i, value=value, step_size=1.0) for i, value in enumerate(values)]
    assert first_reason(Divergence(), falling) is None
    assert first_reason(Divergence(), constant) == (3, Reason.DIVERGED)


def test_parameters_that_overflow_are_divergence():
    assert Divergence()(at(1, theta=[1.0, inf], value=1.0)) is Reason.DIVERGED


def test_every_reason_has_a_sentence():
    sentences = [reason.sentence for reason in Reason]
    assert len(set(sentences)) == len(list(Reason))
    for reason in Reason:
        assert reason.sentence.startswith("converged") <= reason.converged


def test_a_confirmed_rule_waits_for_its_proof():
    asked = []

    def proof(theta):
        asked.append(float(theta[0]))
        return theta[0] < 0.3

    rule = stopping.Confirmed(GradientTolerance(0.5), proof)
    steps = [at(i, theta=(1.0 / (i + 1),), gradient_norm=1.0 / (i + 1)) for i in range(6)]
    assert first_reason(rule, steps) == (3, Reason.GRADIENT_TOLERANCE)
    assert asked == [1 / 2, 1 / 3, 1 / 4]  # only where the rule has spoken


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Patience(0), "patience=0: must be an integer of at least 1"),
        (lambda: TimeBudget("1"), "seconds='1': must be a finite number not below 0"),
        (lambda: StepTolerance(-1.0), "tol=-1.0: must be a finite number not below 0"),
        (lambda: ValueTolerance(nan), "tol=nan: must be a finite number not below 0"),
        (lambda: DualityGapTolerance(None), "tol=None: must be a finite number not below 0"),
    ],
)
def test_rules_that_are_none(make, text):
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert str(caught.value) == text
