"""Solvers by name: what "auto" means, what is refused, and when the rows are summed up."""

from itertools import islice
from math import inf, isnan

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.losses import AbsoluteError, HalfSquaredError, LogisticLoss, SquaredError
from steepest.objectives.function import FunctionObjective
from steepest.objectives.linear import LinearObjective
from steepest.penalties import L1, NonNegative, SquaredL2
from steepest.solvers.catalogue import SOLVERS, Options, open_solver, stable_rate
from steepest.solvers.loop import run
from steepest.solvers.stopping import GradientTolerance, Reason
from steepest.solvers.updates import Adam, Momentum
from tests.unit.solvers.problems import Rosenbrock, classification, parabola, regression


def solve(name, objective, theta=None, max_iter=5000, tol=1e-9, **options):
    theta = objective.start() if theta is None else theta
    return run(
        open_solver(name, objective, theta, Options(**options)), max_iter=max_iter, stopping=[GradientTolerance(tol)]
    )


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("make", [regression, classification])
def test_every_solver_finds_the_same_minimum(name, make):
    objective = make(SquaredL2(0.1))
    expected = solve("newton", objective).theta
    np.testing.assert_allclose(solve(name, objective).theta, expected, atol=1e-7)


# ---------------------------------------------------------------------- rates


def first_rate(name, objective, theta=None, **options):
    theta = objective.start() if theta is None else theta
    return list(islice(open_solver(name, objective, theta, Options(**options)), 2))[1].step_size


def test_auto_is_one_over_the_curvature_of_all_of_it():
    objective = regression(SquaredL2(50.0))
    largest = np.linalg.eigvalsh(regression().hessian(objective.start()))[-1]
    np.testing.assert_allclose(first_rate("gradient-descent", objective), 1 / (largest + 50.0), rtol=1e-6)
    np.testing.assert_allclose(first_rate("fista", objective), 1 / largest, rtol=1e-6)
    assert np.all(np.diff(solve("gradient-descent", objective, max_iter=50).trace["value"]) <= 1e-12)


def test_auto_without_a_known_curvature_searches():
    rates = solve("gradient-descent", Rosenbrock(), np.array([-1.2, 1.0]), max_iter=50).trace["step_size"][1:]
    assert len(np.unique(rates)) > 1


def test_auto_takes_an_update_rules_usual_rate():
    assert first_rate("gradient-descent", regression(), update="adam") == Adam.usual_rate


def test_auto_falls_where_there_are_kinks():
    for objective in (regression(L1(0.1)), regression(loss=AbsoluteError())):
        rates = solve("gradient-descent", objective, max_iter=20).trace["step_size"][1:]
        np.testing.assert_allclose(rates, rates[0] / np.sqrt(np.arange(1, 21)), rtol=1e-12)


def test_auto_for_batches_is_safe():
    objective = regression()
    result = solve("gradient-descent", objective, batch_size=1, random_state=0, max_iter=10)
    assert result.reason is Reason.MAX_ITER
    assert result.value < 0.5 * objective.value(objective.start())


@pytest.mark.parametrize("update", ["plain", "momentum", "nesterov"])
def test_stable_rate_is_where_stability_ends(update):
    objective, options = regression(SquaredL2(1.0)), {"update": update}
    limit = stable_rate("gradient-descent", objective, Options(**options))
    below = solve("gradient-descent", objective, learning_rate=0.99 * limit, max_iter=3000, **options)
    above = solve("gradient-descent", objective, learning_rate=1.03 * limit, max_iter=3000, **options)
    # the penalty bends the intercept not at all: the bound is a little below the limit
    assert below.reason is not Reason.DIVERGED
    assert above.reason is Reason.DIVERGED or update != "plain"


def test_stable_rate_of_a_parabola():
    objective = parabola(4.0, 1.0)
    assert stable_rate("gradient-descent", objective) == 0.5
    assert stable_rate("gradient-descent", objective, Options(update=Momentum(0.5))) == 0.75
    assert stable_rate("proximal-gradient", objective) == 0.5
    np.testing.assert_allclose(stable_rate("fista", objective), 1 / 3)
    assert isnan(stable_rate("newton", objective))
    assert isnan(stable_rate("gradient-descent", objective, Options(update="adam")))


def test_stable_rate_is_measured_where_the_curvature_is_not_known():
    objective = Rosenbrock()
    theta = np.array([1.0, 1.0])
    expected = 2 / np.linalg.eigvalsh(objective.hessian(theta))[-1]
    np.testing.assert_allclose(stable_rate("gradient-descent", objective, theta=theta), expected, rtol=1e-5)
    assert isnan(stable_rate("gradient-descent", objective))


def test_stable_rate_of_batches_is_smaller():
    objective = regression()
    assert stable_rate("gradient-descent", objective, Options(batch_size=1)) < 0.8 * stable_rate(
        "gradient-descent", objective
    )


# ---------------------------------------------------------------------- rows summed up


@pytest.mark.parametrize("name", ["gradient-descent", "proximal-gradient", "fista"])
@pytest.mark.parametrize("penalty", [SquaredL2(0.3), L1(0.1), NonNegative()])
def test_summed_up_or_not_the_path_is_the_same(name, penalty):
    objective = regression(penalty, loss=SquaredError())
    summed, rows = (
        solve(name, objective, max_iter=30, summed=summed, learning_rate=0.02).trace for summed in (True, False)
    )
    for column in ("value", "gradient_norm", "step_norm"):
        np.testing.assert_allclose(summed[column], rows[column], rtol=1e-9)


class Counting(LinearObjective):
    """Counts how often the rows are gone through."""

    passes = 0

    def scores(self, theta):
        type(self).passes += 1
        return super().scores(theta)


@pytest.mark.parametrize(("shape", "summed"), [((100, 5), True), ((19, 5), False)])
def test_the_rule_for_summing_up_is_the_shape(shape, summed):
    rng = np.random.default_rng(0)
    objective = Counting(rng.normal(size=shape), rng.normal(size=shape[0]))
    Counting.passes = 0
    solve("gradient-descent", objective, max_iter=50, tol=0.0, learning_rate=0.1)
    assert (Counting.passes < 5) is summed


def test_other_losses_are_never_summed_up():
    objective = classification()
    assert objective.quadratic() is None
    assert solve("gradient-descent", objective, max_iter=5, summed=True).n_iter == 5


# ---------------------------------------------------------------------- the duality gap


def test_the_gap_is_computed_when_due():
    objective = regression(L1(0.1))
    gaps = solve("fista", objective, max_iter=10, tol=0.0, gap_every=4).trace["duality_gap"]
    assert np.flatnonzero(~np.isnan(gaps)).tolist() == [0, 4, 8]
    assert gaps[8] < gaps[0]
    assert np.all(np.isnan(solve("fista", objective, max_iter=10).trace["duality_gap"]))


def test_the_gap_passes_on_the_reason():
    objective = classification()
    assert solve("lbfgs", objective, tol=-1.0, gap_every=1).reason is Reason.ROUNDING


# ---------------------------------------------------------------------- what is refused

FUNCTION = FunctionObjective(lambda x: x @ x, shape=(2,))


@pytest.mark.parametrize(
    ("name", "objective", "options", "text"),
    [
        ("newtn", FUNCTION, {}, "solver='newtn': must be one of .* did you mean 'newton'?"),
        ("newton", regression(L1(0.1)), {}, "solver='newton': needs a smooth objective, .* use 'fista'"),
        ("lbfgs", regression(NonNegative()), {}, "solver='lbfgs': needs a smooth objective, .* use 'fista'"),
        ("lbfgs", FUNCTION, {"learning_rate": 0.1}, "finds its step by itself; leave learning_rate at 'auto'"),
        ("newton", FUNCTION, {"batch_size": 3}, "leave out batch_size and update"),
        ("fista", FUNCTION, {"update": "adam"}, "leave out batch_size and update"),
        ("fista", FUNCTION, {"learning_rate": lambda t: 0.1}, "takes a fixed learning_rate, .* no schedule"),
        ("fista", Rosenbrock(), {}, "solver='fista': needs an objective with a prox"),
        ("gradient-descent", FUNCTION, {"batch_size": 3}, "batch_size=3: the objective is no sum over rows"),
        ("gradient-descent", FUNCTION, {"update": "momentum"}, "a line search works with plain steps only"),
        (
            "gradient-descent",
            regression(),
            {"batch_size": 3, "learning_rate": "backtracking"},
            "learning_rate='backtracking' with batch_size=3: works with all rows only",
        ),
    ],
)
def test_contradictions_are_refused(name, objective, options, text):
    with pytest.raises(InvalidInputError, match=text):
        open_solver(name, objective, np.ones(2), Options(**options))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"learning_rate": "atuo"},
            "learning_rate='atuo': must be one of 'auto', 'backtracking'; did you mean 'auto'?",
        ),
        ({"learning_rate": -0.1}, "learning_rate=-0.1: must be a finite number above 0"),
        ({"learning_rate": inf}, "learning_rate=inf: must be a finite number above 0"),
        ({"batch_size": 0}, "batch_size=0: must be an integer of at least 1"),
        ({"stride": 0}, "stride=0: must be an integer of at least 1"),
        ({"memory": 0}, "memory=0: must be an integer of at least 1"),
        ({"gap_every": -1}, "gap_every=-1: must be an integer of at least 0"),
    ],
)
def test_options_that_nobody_could_use_are_refused(options, text):
    with pytest.raises(InvalidInputError) as caught:
        Options(**options)
    assert str(caught.value) == text


@pytest.mark.parametrize("update", ["Adm", Adam, 3])
def test_what_is_no_update_rule_is_refused(update):
    with pytest.raises(InvalidInputError, match="update="):
        open_solver("gradient-descent", parabola(1.0), np.ones(1), Options(update=update))


def test_losses_are_told_apart():
    assert regression(loss=HalfSquaredError()).quadratic() is not None
    assert regression(loss=LogisticLoss()).quadratic() is None
