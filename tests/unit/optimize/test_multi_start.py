"""Many starts: spread well, ranked rightly, honest about those that did not arrive."""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from steepest import multi_start
from steepest.exceptions import InvalidInputError
from steepest.optimize.multistart import spread
from steepest.solvers.stopping import Patience
from steepest.trace import Trace


def double_well(x):
    return (x[0] ** 2 - 1) ** 2 + 0.1 * x[0]


def test_both_wells_are_found_and_ranked():
    found = multi_start(double_well, [(-2, 2)], 16, random_state=0)
    roots = np.sort(np.roots([4.0, 0.0, -4.0, 0.1]))
    assert [float(m.x[0]) for m in found.minima] == pytest.approx([roots[0], roots[2]], abs=1e-7)
    assert sum(m.n_starts for m in found.minima) == 16
    assert found.minima[0].fun < found.minima[1].fun
    assert (found.fun, found.x) == (found.minima[0].fun, found.minima[0].x)
    assert found.success
    assert str(found).splitlines()[0] == "16 starts found 2 distinct optima"
    assert len(str(found).splitlines()) == 4
    # each start to the left of the hill belongs to the left well
    assert found.minima[0].n_starts == np.sum(found.starts[:, 0] < roots[1])


def test_the_grid_of_minima_of_a_wavy_bowl():
    def rastrigin(x):
        return np.sum(x**2 - 10 * np.cos(2 * np.pi * x) + 10)

    # a rate below the stable one keeps each run in the basin where it starts; a line search may leap out of it
    found = multi_start(rastrigin, [(-1.4, 1.4)] * 2, 60, random_state=0, learning_rate=0.002)
    np.testing.assert_allclose(found.x, 0.0, atol=1e-7)
    inner = [m for m in found.minima if np.all(np.abs(m.x) < 1.2)]
    assert {tuple(np.round(m.x).astype(int)) for m in inner} == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert len(inner) == 9


def test_maximize():
    found = multi_start(lambda x: np.sin(x[0]), (-6.0, 6.0), 12, maximize=True, random_state=1)
    assert found.fun == pytest.approx(1.0)
    assert [m.fun for m in found.minima] == sorted((m.fun for m in found.minima), reverse=True)


def test_other_methods_with_the_box_only_for_the_starts():
    found = multi_start(rosen, [(-2, 2)] * 3, 10, gradient=rosen_der, method="lbfgs", keep_bounds=False, random_state=1)
    assert len(found.minima) == 1
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)


def test_runs_stay_in_the_box():
    found = multi_start(lambda x: x[0], (2.0, 3.0), 4, random_state=0)
    np.testing.assert_array_equal(found.x, [2.0])


@pytest.mark.parametrize("method", ["newton", "lbfgs", "gradient-descent", "fista"])
def test_every_method_finds_the_same_minima_within_the_box(method):
    wells = multi_start(double_well, [(-2, 2)], 16, method=method, random_state=0)
    roots = np.sort(np.roots([4.0, 0.0, -4.0, 0.1]))
    assert [float(m.x[0]) for m in wells.minima[:1]] == pytest.approx([roots[0]], abs=1e-6)
    edge = multi_start(lambda x: np.sum(x**2), [(1, 3), (-3, 2)], 5, method=method, random_state=0)
    np.testing.assert_allclose(edge.x, [1.0, 0.0], atol=1e-6)
    assert [m.n_starts for m in edge.minima] == [5]
    top = multi_start(lambda x: x[0] * x[1], [(0, 2), (0, 3)], 5, method=method, maximize=True, random_state=0)
    np.testing.assert_array_equal(top.x, [2.0, 3.0])
    assert top.fun == 6.0


def test_runs_of_newton_that_leave_the_box_are_seen_to_by_the_observers_given():
    seen = []
    found = multi_start(
        lambda x: x[0] ** 2, [(1, 3)], 2, method="newton", observers=[lambda s: seen.append(s.theta[0])]
    )
    np.testing.assert_array_equal(found.x, [1.0])
    assert min(seen) == pytest.approx(0.0, abs=1e-6)  # the step out of the box, which is not the result


def test_shape():
    found = multi_start(lambda x: np.sum(x**2), (-1, 1), 3, shape=(2, 2), random_state=0)
    assert found.x.shape == (2, 2)
    assert found.starts.shape == (3, 2, 2)


def test_unfinished_runs_are_no_minima():
    found = multi_start(rosen, [(-2, 2)] * 2, 5, max_iter=3, random_state=0)
    assert not found.success
    assert len(found.unfinished) == 5
    assert found.message.startswith("none of 5 starts converged; the best run: stopped: the maximum number")
    assert found.fun == min(result.fun for result in found.unfinished)


def test_rules_begin_anew_with_every_start():
    how = {"learning_rate": 0.01, "random_state": 0}
    found = multi_start(double_well, [(-2, 2)], 8, stopping=[Patience(3)], **how)
    assert [m.n_starts for m in found.minima] == [
        m.n_starts for m in multi_start(double_well, [(-2, 2)], 8, **how).minima
    ]


def test_starts_where_the_function_is_not_finite_lead_nowhere():
    def partial(x):
        return np.log(x[0]) ** 2

    found = multi_start(partial, [(-1, 3)], 8, keep_bounds=False, random_state=0)
    assert found.x == pytest.approx(1.0)
    undefined = int(np.sum(found.starts <= 0))
    assert undefined > 0
    assert found.message == f"8 starts found 1 distinct optimum; at {undefined} the function is not finite"
    with pytest.raises(InvalidInputError, match="f is not finite at any of the 4 starts: choose other bounds"):
        multi_start(partial, [(-3, -1)], 4)


def test_an_interrupt_ends_all_of_it():
    calls = []

    def interrupted(x):
        calls.append(x)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return np.sum(x**2)

    found = multi_start(interrupted, [(-2, 2)], 50, learning_rate=0.3, tol=1e-3, random_state=0)
    assert len(calls) == 40
    assert len(found.starts) < 10
    assert found.interrupted
    assert found.message.endswith("1 did not converge; interrupted")


def test_repeatable():
    one, two, other = (multi_start(double_well, [(-2, 2)], 5, random_state=seed).starts for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("sampling", ["sobol", "latin-hypercube", "uniform"])
@pytest.mark.parametrize("n_points", [1, 7, 8, 50])
def test_points_fill_the_cube(sampling, n_points):
    points = spread(sampling, n_points, 3, np.random.default_rng(0))
    assert points.shape == (n_points, 3)
    assert np.all((points >= 0) & (points <= 1))


def test_a_latin_hypercube_has_one_point_in_every_slice():
    points = spread("latin-hypercube", 9, 2, np.random.default_rng(0))
    for column in points.T:
        assert sorted((9 * column).astype(int)) == list(range(9))


@pytest.mark.parametrize(
    ("bounds", "options", "text"),
    [
        ([(0, None)], {}, "bounds: must all be finite, as the starts are spread between them"),
        ([(0, 1)], {"n_starts": 0}, "n_starts=0: must be an integer of at least 1"),
        ([(0, 1)], {"sampling": "sobl"}, "did you mean 'sobol'"),
        ([(0, 1)], {"same_within": 0}, "same_within=0: must be a finite number above 0"),
        ([(1, 0)], {}, "low must not exceed high"),
        (None, {}, "bounds=None: must be a pair"),
        ([(0, 1)], {"keep_bounds": "yes"}, "keep_bounds='yes': must be True or False"),
        ([(0, 1)], {"trace": Trace()}, r"trace: each run leaves its own, as minima\[0\].result.trace; leave it out"),
        ([(0, 1)], {"method": "lbgfs"}, "did you mean 'lbfgs'"),
    ],
)
def test_what_is_refused(bounds, options, text):
    with pytest.raises(InvalidInputError, match=text):
        multi_start(double_well, bounds, **options)
