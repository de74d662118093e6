"""The front doors: what they visit, what they say, what they refuse."""

import re

import numpy as np
import pytest
from scipy.optimize import Bounds, rosen, rosen_der

import steepest
from steepest import maximize, minimize
from steepest.exceptions import InvalidInputError
from steepest.solvers.schedules import Cosine
from steepest.solvers.stopping import Patience, Reason, StepTolerance, TimeBudget, ValueTolerance
from steepest.solvers.updates import Momentum
from steepest.trace import Trace


def square(x):
    return x**2


def double(x):
    return 2 * x


def saddle(x):
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4


def test_the_lectures_parabola():
    result = minimize(square, -1.0, double, learning_rate=0.25, max_iter=4)
    np.testing.assert_array_equal(result.trace.parameters.ravel(), [-1.0, -0.5, -0.25, -0.125, -0.0625])
    assert (result.x.shape, result.fun, result.nit, result.reason) == ((), 0.0625**2, 4, Reason.MAX_ITER)


def test_a_rate_too_large_is_named_with_the_largest_stable_one():
    result = minimize(square, -1.0, double, learning_rate=10)
    np.testing.assert_array_equal(result.trace.parameters.ravel(), [-1.0, 19.0, -361.0, 6859.0])
    assert result.message == (
        "diverged at step 3: the objective grew to 4.7e+07; it was 1.3e+05 at step 2; "
        "step size 10 is too large here: the largest stable learning rate is about 1"
    )
    assert (result.success, result.fun) == (False, 361.0**2)
    assert result.trace.about["message"] == result.message
    assert minimize(square, -1.0, double, learning_rate=0.99).success
    with_momentum = minimize(square, -1.0, double, learning_rate=10, update=Momentum(0.5)).message
    assert with_momentum.endswith("the largest stable learning rate is about 1.5")


def test_maximize_is_the_mirror_image():
    def hill(x):
        return 3.0 - float(np.sum((x - 1.0) ** 2))

    up, down = maximize(hill, [0.0, 5.0]), minimize(lambda x: -hill(x), [0.0, 5.0])
    np.testing.assert_array_equal(up.x, down.x)
    assert up.fun == -down.fun == pytest.approx(3.0)
    np.testing.assert_array_equal(up.trace["value"], -down.trace["value"])
    assert np.all(np.diff(up.trace["value"]) >= 0)
    diverged = maximize(lambda x: -(x**2), -1.0, learning_rate=10).message
    assert diverged == (
        "diverged at step 3: the objective fell to -4.7e+07; it was -1.3e+05 at step 2; "
        "step size 10 is too large here: the largest stable learning rate is about 1"
    )


def test_maximize_with_its_own_gradient():
    assert maximize(lambda x: -(x**2), 3.0, lambda x: -2 * x).x == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("order", [("maximize", "minimize"), ("multi_start", "minimize")])
def test_names_are_functions_whatever_is_used_first(order):
    for name in order:
        assert callable(getattr(steepest, name))


@pytest.mark.parametrize("x0", [2.0, [2.0], [[1.0, 2.0], [3.0, 4.0]], np.float32(2.0), 3])
def test_x_keeps_its_shape(x0):
    result = minimize(lambda x: float(np.sum(x**2)), x0)
    assert result.x.shape == np.shape(x0)
    np.testing.assert_allclose(result.x, 0.0, atol=1e-8)


def test_the_start_is_not_written_into():
    x0 = np.array([1.0, 2.0])
    minimize(lambda x: float(x @ x), x0)
    np.testing.assert_array_equal(x0, [1.0, 2.0])


# ---------------------------------------------------------------------- starts that are none


def test_a_maximum_is_noticed():
    result = minimize(lambda x: -(x**2), 0.0)
    assert (result.reason, result.nit, result.success) == (Reason.STATIONARY_START, 0, False)
    assert result.message == (
        "the gradient vanishes at the start, which is a maximum: along some direction the curvature is -2; "
        "start elsewhere, or let kick=True move it"
    )
    assert len(result.trace) == 1
    assert "which is a minimum: along some direction the curvature is 2" in maximize(square, 0.0).message


def test_a_saddle_is_noticed_and_left_by_a_kick():
    assert "which is a saddle: along some direction the curvature is -2" in minimize(saddle, [0.0, 0.0]).message
    result = minimize(saddle, [0.0, 0.0], kick=True)
    np.testing.assert_allclose(np.abs(result.x), [0.0, 0.5**0.5], atol=1e-7)
    sides = {float(np.sign(minimize(saddle, [0.0, 0.0], kick=0.1, random_state=seed).x[1])) for seed in range(8)}
    assert sides == {-1.0, 1.0}


def test_a_flat_start_is_noticed():
    message = minimize(lambda x: max(0.0, float(x) - 1.0), -3.0).message
    assert message.startswith("gradient and curvature vanish at the start in every direction looked at: it is flat")


def test_a_minimum_is_a_fine_start():
    for f in (square, lambda x: x**4):
        result = minimize(f, 0.0)
        assert (result.reason, result.nit) == (Reason.GRADIENT_TOLERANCE, 0)


# ---------------------------------------------------------------------- bounds


def test_bounds_in_every_form():
    def f(x):
        return float(x @ x)

    for bounds in ([(1, 5), (-1, None)], Bounds([1, -1], [5, np.inf])):
        np.testing.assert_allclose(minimize(f, [3.0, 4.0], bounds=bounds).x, [1.0, 0.0], atol=1e-7)
    result = minimize(f, [3.0, 4.0], bounds=(1, 2))
    np.testing.assert_array_equal(result.x, [1.0, 1.0])
    assert result.trace["value"][0] == 8.0  # the start was moved inside
    assert minimize(square, 3.0, bounds=(1, 2)).x == 1.0


def test_bounds_on_rosenbrock():
    result = minimize(rosen, [-1.0, -1.0], rosen_der, method="fista", bounds=(-2, 0.5))
    np.testing.assert_allclose(result.x, [0.5, 0.25], atol=1e-7)
    assert result.success


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ([(5, 1), (0, 1)], "bounds of parameter 0 are (5.0, 1.0): low must not exceed high"),
        ([(0, 1)] * 3, "bounds: 3 pairs for 2 parameters: give one pair (low, high) for all, or 2 of them"),
        (
            "ab",
            "bounds='ab': must be a pair (low, high), or one pair a parameter; None is no bound",
        ),
        (7, "bounds=7: must be a pair (low, high), or one pair a parameter; None is no bound"),
        ([(0, np.nan), (0, 1)], "bounds of parameter 0 are (0.0, nan): low must not exceed high"),
    ],
)
def test_bounds_that_are_none(bounds, text):
    with pytest.raises(InvalidInputError) as caught:
        minimize(rosen, [0.0, 0.0], bounds=bounds)
    assert str(caught.value) == text


def test_methods_without_bounds_say_so():
    with pytest.raises(InvalidInputError, match=r"'lbfgs': needs a smooth objective, .* kinks or bounds"):
        minimize(rosen, [0.0, 0.0], method="lbfgs", bounds=(0, 1))


# ---------------------------------------------------------------------- data


def mean_square(x, A, b):
    return np.mean((A @ x - b) ** 2)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(100, 3))
    return A, A @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=100)


def test_data_whole_and_in_batches(rows):
    expected = np.linalg.lstsq(*rows)[0]
    np.testing.assert_allclose(minimize(mean_square, np.zeros(3), data=rows).x, expected, atol=1e-7)
    options = {"data": rows, "batch_size": 10, "learning_rate": Cosine(0.2, n_steps=40), "max_iter": 40}
    one, two = (minimize(mean_square, np.zeros(3), random_state=3, **options) for _ in range(2))
    np.testing.assert_allclose(one.x, expected, atol=2e-3)
    np.testing.assert_array_equal(one.x, two.x)
    other = minimize(mean_square, np.zeros(3), random_state=4, **options)
    assert not np.array_equal(one.x, other.x)


def test_one_array_may_come_bare():
    sample = np.array([1.0, 2.0, 6.0])
    assert minimize(lambda x, y: np.mean((x - y) ** 2), 0.0, data=sample).x == pytest.approx(3.0)


def test_a_batch_needs_data_and_a_rate(rows):
    with pytest.raises(InvalidInputError, match="batch_size=10: the objective is no sum over rows"):
        minimize(square, 1.0, batch_size=10, learning_rate=0.1)
    with pytest.raises(InvalidInputError, match="no curvature is known; give a number"):
        minimize(mean_square, np.zeros(3), data=rows, batch_size=10)
    with pytest.raises(InvalidInputError, match=r"data\[0\] has shape \(0,\): must have at least one row"):
        minimize(mean_square, np.zeros(3), data=[[], []])


# ---------------------------------------------------------------------- watching and stopping


def test_callbacks_in_scipys_styles():
    seen = []

    def whole(intermediate_result):
        seen.append((intermediate_result.nit, intermediate_result.fun))
        if intermediate_result.nit == 3:
            raise StopIteration

    result = minimize(square, 1.0, learning_rate=0.25, callback=whole)
    assert (result.reason, seen) == (Reason.CALLBACK, [(1, 0.25), (2, 0.0625), (3, 0.015625)])
    visited = []
    minimize(square, 1.0, double, learning_rate=0.25, max_iter=2, callback=lambda x: visited.append(float(x)))
    assert visited == [0.5, 0.25]
    assert minimize(square, 1.0, learning_rate=0.25, callback=lambda x: bool(x < 0.3)).nit == 2
    with pytest.raises(InvalidInputError, match="callback=3: must be a function of x"):
        minimize(square, 1.0, callback=3)


def test_observers_see_the_start_too():
    seen = []
    minimize(square, 1.0, learning_rate=0.25, max_iter=2, observers=[lambda step: seen.append(step.index)])
    assert seen == [0, 1, 2]


def test_further_stopping_rules():
    assert minimize(square, 1.0, learning_rate=1.0, stopping=[Patience(5)]).reason is Reason.PATIENCE
    assert minimize(square, 1.0, learning_rate=1e-6, stopping=[TimeBudget(0.0)]).reason is Reason.TIME_BUDGET


def test_restore_best():
    result = minimize(square, 1.0, double, learning_rate=1.2, max_iter=3, restore_best=True)
    assert (result.x, result.nit) == (1.0, 3)


def test_a_given_trace_is_filled():
    trace = Trace()
    assert minimize(square, 1.0, learning_rate=0.25, max_iter=3, trace=trace).trace is trace
    assert len(trace) == 4
    assert trace.about["solver"] == "gradient-descent"
    minimize(square, 2.0, method="lbfgs", max_iter=1, trace=trace)
    assert trace["value"].tolist()[0] == 4.0
    assert len(trace) == 2


def test_no_tolerance():
    assert minimize(square, 1.0, double, learning_rate=0.5, tol=None, max_iter=7).nit == 7


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        ((square, "abc"), {}, "x0 has dtype <U3: must be real numbers"),
        ((square, [np.nan]), {}, "x0 holds NaN or infinity: must be finite"),
        ((square, []), {}, "x0 has shape (0,): must hold at least one number"),
        ((square, [1j]), {}, "x0 has dtype complex128: must be real numbers"),
        ((np.log, -1.0), {}, "f(x0)=nan: must be finite at the start; choose another x0"),
        ((np.log, 0.0), {"maximize": True}, "f(x0)=-inf: must be finite at the start; choose another x0"),
        (
            (square, 1.0, lambda x: x * np.nan),
            {},
            "the gradient at x0 holds NaN or infinity: must be finite; choose another x0",
        ),
        ((square, 1.0), {"max_iter": -1}, "max_iter=-1: must be an integer of at least 0"),
        ((square, 1.0), {"tol": -1.0}, "tol=-1.0: must be a finite number not below 0"),
        ((square, 1.0), {"learning_rate": 0.0}, "learning_rate=0.0: must be a finite number above 0"),
        (
            (square, 1.0),
            {"learning_rate": None},
            "learning_rate=None: must be a number above 0, 'auto', 'backtracking', or a schedule such as "
            "Cosine(0.1, n_steps=100)",
        ),
        (
            (square, 1.0),
            {"stopping": [lambda step: True]},
            "a stopping rule returned True: must return a Reason or None; what returns true to stop is an observer",
        ),
        (
            (square, 1.0),
            {"stopping": [Patience]},
            "stopping: Patience is a class: make one of it, as in stopping=[Patience(10)]",
        ),
        ((square, 1.0), {"trace": True}, "trace=True: must be a Trace, such as Trace(parameters=True), or None"),
        ((square, 1.0), {"kick": "hard"}, "kick='hard': must be a finite number above 0"),
        ((square, 1.0), {"restore_best": "yes"}, "restore_best='yes': must be True or False"),
        ((square, 1.0), {"observers": [1]}, "observers=[1]: must be a list, as in observers=[print]"),
        ((square, 1.0), {"stopping": "soon"}, "stopping='soon': must be a list, as in stopping=[Patience(10)]"),
        (
            (square, 1.0),
            {"stopping": StepTolerance(1e-3)},
            "stopping=StepTolerance(tol=0.001): must be a list, as in stopping=[Patience(10)]",
        ),
        (
            (square, 1.0),
            {"random_state": "a"},
            "random_state='a': must be an integer not below 0, a numpy Generator or None",
        ),
        (
            (square, 1.0),
            {"method": "bfgs"},
            "method='bfgs': must be one of 'gradient-descent', 'proximal-gradient', 'fista', 'newton', 'lbfgs'; "
            "did you mean 'lbfgs'?",
        ),
    ],
)
def test_what_is_refused(arguments, options, text):
    with pytest.raises(InvalidInputError) as caught:
        minimize(*arguments, **options)
    assert str(caught.value) == text


def test_errors_in_f_go_through():
    def f(x):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        minimize(f, 1.0)


def test_a_wrong_gradient_is_suspected():
    result = minimize(square, 1.0, lambda x: -2 * x, learning_rate=0.1)
    assert result.message.endswith("is the gradient right? steepest.check_gradient tells")
    assert minimize(square, 1.0, lambda x: -2 * x).reason is Reason.NO_DESCENT


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("x0", [0.0, 0.3])
@pytest.mark.parametrize("signs", [(-1, -1), (1, -1)])
def test_steps_too_short_to_be_noticed_are_no_convergence(offset, x0, signs):
    result = minimize(lambda x: offset + np.sum((x - 1) ** 2), [x0, x0], lambda x: 2 * (x - 1) * signs)
    assert not result.success


WALLS = {
    "NaN beyond": (lambda x: float(x @ x) if x[0] > 0.9 else np.nan, lambda x: 2 * x),
    "infinite beyond": (lambda x: float(x @ x) if x[0] > 0.9 else np.inf, lambda x: 2 * x),
    "no gradient beyond": (lambda x: float(x @ x), lambda x: 2 * x if x[0] > 0.9 else np.nan * x),
    "a root": (lambda x: float(np.sqrt(x[0] - 0.9)), None),
}


@pytest.mark.parametrize("method", ["gradient-descent", "lbfgs", "newton", "proximal-gradient", "fista"])
@pytest.mark.parametrize("name", WALLS)
def test_the_end_of_the_domain_is_no_convergence(name, method):
    f, gradient = WALLS[name]
    result = minimize(f, [2.0, 0.0], gradient, method=method)
    assert (result.reason, result.success) == (Reason.NO_DESCENT, False)
    assert result.x[0] >= 0.9
    assert "its domain's end" in result.message


@pytest.mark.parametrize("method", ["gradient-descent", "proximal-gradient", "fista"])
def test_a_wall_met_on_the_way_is_forgotten(method):
    def f(x):
        return float(x[0] - np.log(x[0])) if x[0] > 0 else np.nan

    result = minimize(f, [0.01], lambda x: 1 - 1 / x, method=method, tol=0.0)
    assert result.reason in (Reason.ROUNDING, Reason.GRADIENT_TOLERANCE)
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)


def test_rules_forget_the_run_before():
    rules = [Patience(3), ValueTolerance(1e-9)]
    once, again = (minimize(rosen, [-1.2, 1.0], rosen_der, learning_rate=1e-3, stopping=rules) for _ in range(2))
    assert once.nit == again.nit > 5


def test_no_minimum():
    for rate in (1.0, "backtracking"):
        message = minimize(lambda x: -(x**2), 1.0, learning_rate=rate).message
        assert message.endswith("the objective passed every bound, -inf; it has no minimum")
    assert maximize(square, 1.0, learning_rate=1.0).message.endswith("passed every bound, inf; it has no maximum")


ENDLESS = {
    "a parabola upside down": (lambda x: -np.sum(x**2), lambda x: -2 * x),
    "a cubic": (lambda x: -np.sum(x**3), lambda x: -3 * x**2),
    "a quartic": (lambda x: -np.sum(x**4), lambda x: -4 * x**3),
    "an exponential": (lambda x: -np.sum(np.exp(x)), lambda x: -np.exp(x)),
}


@pytest.mark.parametrize("method", ["gradient-descent", "lbfgs", "newton", "proximal-gradient", "fista"])
@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("own", [False, True])
def test_a_fall_without_end_is_no_convergence(name, method, own):
    f, gradient = ENDLESS[name]
    result = minimize(f, np.array([1.0, 2.0]), gradient if own else None, method=method)
    assert not result.success
    assert result.message.endswith("the objective passed every bound, -inf; it has no minimum")


@pytest.mark.parametrize("x0", [1.0, 1e20])
def test_a_slope_without_end_is_no_convergence(x0):
    result = minimize(lambda x: -x, x0, method="lbfgs")
    assert result.message.endswith("it has no minimum")


@pytest.mark.parametrize("method", ["gradient-descent", "lbfgs", "newton", "fista"])
def test_a_gradient_whose_square_overflows(method):
    result = minimize(lambda x: 1e200 * x**2, 1.0, lambda x: 2e200 * x, method=method)
    assert result.success
    assert abs(result.x) < 1e-100


@pytest.mark.parametrize("returned", [(1.0, np.ones(3)), [1, [2, 3]]])
def test_what_is_no_number_is_told_in_words(returned):
    what = re.escape(type(returned).__name__)
    with pytest.raises(
        InvalidInputError, match=rf"f returned the {what} .*: must be one real number \(hand a gradient"
    ):
        minimize(lambda x: returned, 1.0)
    with pytest.raises(
        InvalidInputError, match=rf"gradient returned the {what} .*: must be real numbers of shape \(\)"
    ):
        minimize(lambda x: x**2, 1.0, lambda x: returned)
