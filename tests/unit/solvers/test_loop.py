"""The loop stops when asked, keeps what was reached, and says why."""

from math import inf, nan

import numpy as np
import pytest

from steepest.solvers.loop import run
from steepest.solvers.stopping import GradientTolerance, Patience, Reason
from steepest.step import Step
from steepest.trace import Trace


def steps_of(*values, end=None, closed=None):
    """Yield a step a value; an exception among them is raised."""
    try:
        for index, value in enumerate(values):
            if isinstance(value, BaseException):
                raise value
            yield Step(index, np.array([float(index)]), value, step_size=10.0, curvature=2.0)
        return end
    finally:
        if closed is not None:
            closed.append(True)


def test_stops_at_the_limit_and_keeps_every_step():
    closed = []
    result = run(steps_of(5.0, 4.0, 3.0, 2.0, closed=closed), max_iter=2)
    assert (result.reason, result.n_iter, result.value) == (Reason.MAX_ITER, 2, 3.0)
    assert result.message == "stopped: the maximum number of iterations is reached"
    assert not result.success
    np.testing.assert_array_equal(result.trace["value"], [5.0, 4.0, 3.0])
    assert closed == [True]


def test_the_solver_may_end_by_itself():
    result = run(steps_of(5.0, 4.0, end=Reason.EXACT), max_iter=9)
    assert (result.reason, result.n_iter, result.success) == (Reason.EXACT, 1, True)
    assert run(steps_of(5.0, 4.0), max_iter=9).reason is Reason.ROUNDING


def test_the_first_rule_that_speaks_is_heard_and_all_are_asked():
    seen = []

    def counting(step):
        seen.append(step.index)

    result = run(steps_of(5.0, 5.0, 5.0, 5.0), max_iter=2, stopping=[Patience(2), counting])
    assert result.reason is Reason.PATIENCE
    assert seen == [0, 1, 2]


def test_divergence_keeps_the_last_sound_step():
    result = run(steps_of(1.0, 10.0, inf), max_iter=9, stable_rate=lambda: 0.5)
    assert (result.reason, result.n_iter, result.value) == (Reason.DIVERGED, 2, 10.0)
    assert result.theta == [1.0]
    assert result.message == (
        "diverged at step 2: the objective is no longer finite; it was 10 at step 1; "
        "step size 10 is too large here: the largest stable learning rate is about 0.5"
    )
    assert result.trace.about == {"reason": "DIVERGED", "message": result.message}


def test_divergence_without_a_known_limit_uses_the_curvature_seen():
    assert run(steps_of(1.0, nan), max_iter=9).message == (
        "diverged at step 1: the objective is NaN (not defined there?); it was 1 at step 0; "
        "step size 10 is too large here: the largest stable learning rate is about 1"
    )


def test_no_limit_is_named_that_was_kept():
    message = run(steps_of(1.0, inf), max_iter=9, stable_rate=lambda: 20.0).message
    assert "stable" not in message


def test_falling_without_bound():
    message = run(steps_of(1.0, -1e300, -inf), max_iter=9).message
    assert message == "diverged at step 2: the objective passed every bound, -inf; it has no minimum"


def test_an_observer_stops_the_run():
    result = run(steps_of(3.0, 2.0, 1.0), max_iter=9, observers=[lambda step: step.index == 1])
    assert (result.reason, result.n_iter) == (Reason.CALLBACK, 1)


def test_an_observer_may_raise_stop_iteration():
    def observe(step):
        if step.index == 1:
            raise StopIteration

    assert run(steps_of(3.0, 2.0, 1.0), max_iter=9, observers=[observe]).reason is Reason.CALLBACK


def test_a_rule_goes_before_an_observer():
    result = run(steps_of(3.0), max_iter=0, observers=[lambda step: True])
    assert result.reason is Reason.MAX_ITER


def test_an_error_goes_through_and_closes_the_solver():
    closed = []
    with pytest.raises(ZeroDivisionError):
        run(steps_of(3.0, ZeroDivisionError(), closed=closed), max_iter=9)
    assert closed == [True]


def test_interrupt_in_the_solver_keeps_the_last_step():
    trace = Trace()
    result = run(steps_of(3.0, 2.0, KeyboardInterrupt()), max_iter=9, trace=trace)
    assert (result.reason, result.n_iter, result.value) == (Reason.INTERRUPTED, 1, 2.0)
    assert result.message == "interrupted; the last complete step is kept"
    assert len(trace) == 2


def test_interrupt_in_an_observer_keeps_the_step_it_saw():
    def observe(step):
        if step.index == 1:
            raise KeyboardInterrupt

    result = run(steps_of(3.0, 2.0, 1.0), max_iter=9, observers=[observe])
    assert (result.reason, result.n_iter, result.value, len(result.trace)) == (Reason.INTERRUPTED, 1, 2.0, 2)


def test_interrupt_before_the_first_step_goes_through():
    with pytest.raises(KeyboardInterrupt):
        run(steps_of(KeyboardInterrupt()), max_iter=9)


def test_restore_best():
    result = run(steps_of(3.0, 1.0, 2.0), max_iter=2, restore_best=True)
    assert (result.value, result.theta[0], result.n_iter) == (1.0, 1.0, 2)
    assert run(steps_of(3.0, 1.0, 2.0), max_iter=2).value == 2.0
    assert run(steps_of(nan, 1.0, 2.0), max_iter=2, restore_best=True).value == 1.0


def test_sign_turns_what_the_user_sees():
    seen = []
    result = run(steps_of(-3.0, -4.0), max_iter=1, sign=-1.0, observers=[lambda s: seen.append((s.value, s.curvature))])
    assert result.value == 4.0
    np.testing.assert_array_equal(result.trace["value"], [3.0, 4.0])
    assert seen == [(3.0, -2.0), (4.0, -2.0)]
    message = run(steps_of(1.0, 1e3, 1e6, 1e9), max_iter=9, sign=-1.0).message
    assert message.startswith("diverged at step 3: the objective fell to -1e+09; it was -1e+06 at step 2")
    assert message.endswith("largest stable learning rate is about 1")


def test_a_solver_without_steps_is_a_defect():
    with pytest.raises(RuntimeError, match="the solver yielded no step, not even its start"):
        run(steps_of(), max_iter=9)


def test_gradient_at_the_start_counts():
    def still():
        yield Step(0, np.zeros(1), 1.0, gradient_norm=0.0)

    assert run(still(), max_iter=9, stopping=[GradientTolerance(1e-9)]).reason is Reason.GRADIENT_TOLERANCE
