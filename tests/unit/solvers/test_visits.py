"""Which rows a pass visits: a weight is a number of copies, wherever the copies stand."""

import numpy as np
import pytest
from scipy import sparse

from steepest.linear_model import SGDClassifier, SGDRegressor
from steepest.solvers.visits import LONGEST, has_repeats, plan_visits, reference_keys, row_keys


def rows(n=400):
    """Small integers, so that rows are repeated, with some zeros of both signs."""
    rng = np.random.default_rng(0)
    X = rng.integers(-2, 3, (n, 4)).astype(float)
    X[::7] *= -0.0
    X[::2] *= 1.5
    return X, rng.integers(0, 2, n).astype(float)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [np.ascontiguousarray, sparse.csr_array])
def test_keys_equal_their_reference(form, dtype):
    X, y = rows()
    np.testing.assert_array_equal(row_keys(form(X.astype(dtype)), y.astype(dtype)), reference_keys(X, y))


def test_rows_have_equal_keys_where_they_are_equal_and_only_there():
    X, y = rows(20_000)
    table = np.column_stack([X, y]) + 0.0  # a zero has no sign here
    assert len(np.unique(reference_keys(X, y))) == len(np.unique(table, axis=0)) < len(table)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_repeats_are_found(form):
    X, y = np.random.default_rng(3).standard_normal((500, 9)), np.zeros(500)
    X[:, :5] = 1.0  # the first columns tell nothing
    order = np.arange(500)
    assert not has_repeats(form(X), y, order)
    X[400] = X[7]
    assert has_repeats(form(X), y, order)
    assert not has_repeats(form(X), y, order[order != 7])
    X[[3, 5]] = 0.0
    assert has_repeats(form(X), y, np.array([3, 5]))


def test_distinct_rows_keep_their_order():
    X = np.arange(20.0).reshape(10, 2)
    order, visits = plan_visits(X, np.zeros(10), np.full(10, 1.5), shuffled=True)
    np.testing.assert_array_equal(order, np.arange(10))
    assert visits is None


def test_a_weight_is_a_number_of_visits():
    X, weight = np.arange(8.0).reshape(4, 2), np.array([0.0, 0.5, 2.0, 3.5])
    order, visits = plan_visits(X, np.zeros(4), weight, shuffled=False)
    np.testing.assert_array_equal(order, [1, 2, 2, 3, 3, 3])
    np.testing.assert_array_equal(weight / visits, [0.0, 0.5, 1.0, 3.5 / 3])


def test_huge_weights_scale_the_slope_instead():
    X = np.arange(8.0).reshape(4, 2)
    order, visits = plan_visits(X, np.zeros(4), np.full(4, LONGEST + 1.0), shuffled=False)
    np.testing.assert_array_equal(order, np.arange(4))
    assert visits is None


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("model", [SGDRegressor(), SGDClassifier(), SGDClassifier(average=True)], ids=str)
def test_weights_and_copies_in_any_order_give_the_same_bits(model, form):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 3))
    y, weight = np.digitize(X[:, 0] + 0.3 * rng.standard_normal(60), [-0.5, 0.5]), rng.integers(0, 4, 60)
    copies = rng.permutation(np.repeat(np.arange(60), weight))
    model.set_params(random_state=0, max_iter=50, tol=1e-2)
    weighted = model.fit(form(X), y, sample_weight=weight).coef_
    np.testing.assert_array_equal(weighted, model.fit(form(X[copies]), y[copies]).coef_)


def test_leaving_out_rows_is_giving_them_no_weight():
    rng = np.random.default_rng(2)
    X, kept = rng.standard_normal((50, 2)), rng.random(50) < 0.6
    y = X @ [1.0, 2.0]
    weighted = SGDRegressor(random_state=0).fit(X, y, sample_weight=kept.astype(float))
    fewer = SGDRegressor(random_state=0).fit(X[kept], y[kept])
    np.testing.assert_array_equal(weighted.coef_, fewer.coef_)
    assert weighted.t_ == fewer.t_
