"""The compiled passes of stochastic gradient descent against their references."""

import numpy as np
import pytest
from scipy import sparse

from steepest.kernels import sgd as kernel
from steepest.losses import (
    EpsilonInsensitive,
    HalfSquaredError,
    Hinge,
    HuberLoss,
    LogisticLoss,
    ModifiedHuber,
    SquaredEpsilonInsensitive,
    SquaredHinge,
)
from steepest.solvers.stochastic import KERNEL_LOSSES, KERNEL_SCHEDULES, kernel_parameter, make_settings
from steepest.solvers.stochastic_reference import Rates, reference_order, reference_pass, reference_rate

LOSSES = [
    HalfSquaredError(),
    HuberLoss(0.7),
    EpsilonInsensitive(0.3),
    SquaredEpsilonInsensitive(0.3),
    Hinge(),
    Hinge(margin=0.0),
    SquaredHinge(),
    ModifiedHuber(),
    LogisticLoss(),
]


def targets(loss, n, rng):
    """Targets of the kind a loss asks for."""
    if loss.target == "real":
        return rng.standard_normal(n)
    return rng.integers(0, 2, n) * 1.0 if loss.target == "binary" else rng.choice([-1.0, 1.0], n)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_every_kernel_loss_is_the_twin_of_its_class(loss):
    rng = np.random.default_rng(0)
    y = targets(loss, 400, rng)
    z = np.concatenate([rng.standard_normal(300) * 3, rng.standard_normal(50) * 50, np.zeros(25), y[375:]])
    kind, parameter = KERNEL_LOSSES[type(loss)], kernel_parameter(loss)
    pairs = np.array([kernel.loss_and_slope(kind, parameter, a, b) for a, b in zip(y, z, strict=True)])
    np.testing.assert_allclose(pairs[:, 0], loss.value(y, z), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(pairs[:, 1], loss.gradient(y, z), rtol=1e-14, atol=1e-300)


def test_every_kernel_loss_is_tested():
    assert {type(loss) for loss in LOSSES} == set(KERNEL_LOSSES)
    assert sorted(KERNEL_LOSSES.values()) == list(range(8))


@pytest.mark.parametrize("schedule", ["constant", "optimal", "invscaling"])
@pytest.mark.parametrize("power", [0.25, 0.5, 0.3])
def test_learning_rates_equal_their_reference(schedule, power):
    rates = Rates(schedule, 0.3, power, 1e-3)
    offset = rates.offset(Hinge())
    for t in (1.0, 2.0, 1000.0):
        rate = kernel.learning_rate(KERNEL_SCHEDULES[schedule], 0.3, power, 1e-3, offset, t)
        assert rate == pytest.approx(reference_rate(rates, offset, t), rel=1e-14)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31 - 2])
def test_shuffle_equals_its_reference(seed):
    for n in (1, 2, 7, 100):
        np.testing.assert_array_equal(kernel.fisher_yates(n, seed), reference_order(n, seed))


def run_kernel(X, y, weight, loss, rates, theta, *, l1, l2, batch_size, average):
    """Make one pass with the kernel; return the parameters and their mean."""
    settings = make_settings(loss, rates, l1=l1, l2=l2, intercept_rate=1.0, average=average)
    state = np.zeros(1, kernel.STATE)
    state["t"], state["intercept"] = 1.0, theta[-1]
    w, mean, paid = theta[:-1].copy(), np.zeros(len(theta) - 1 if average else 0, theta.dtype), np.zeros(len(theta) - 1)
    rows = (X.data, X.indices, X.indptr) if sparse.issparse(X) else X
    if batch_size == 1:
        kernel.single_pass(rows, y, weight, w, mean, paid, settings, state)
    else:
        kernel.batch_pass(rows, y, weight, batch_size, w, mean, paid, settings, state)
    mean = mean if average else np.zeros_like(w)
    return np.append(w, state["intercept"][0]), np.append(mean, state["average_intercept"][0])


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("average", [0, 1, 5])
@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.0, 0.2), (0.02, 0.0), (0.02, 0.3)])
@pytest.mark.parametrize(
    "loss", [HalfSquaredError(), LogisticLoss(), SquaredHinge()], ids=lambda loss: type(loss).__name__
)
def test_a_pass_equals_its_reference(loss, l1, l2, average, batch_size):
    rng = np.random.default_rng(1)
    X, y, weight = rng.standard_normal((60, 4)), targets(loss, 60, rng), rng.random(60)
    rates, theta = Rates("invscaling", 0.05, 0.25, 1e-3), rng.standard_normal(5)
    options = {"l1": l1, "l2": l2, "batch_size": batch_size, "average": average}
    expected = reference_pass(X, y, weight, loss, rates, theta, **options)
    for a, b in zip(run_kernel(X, y, weight, loss, rates, theta, **options), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_the_l1_charge_makes_exact_zeros_in_kernel_and_reference():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 6))
    y = X[:, 0] + 0.01 * rng.standard_normal(200)
    rates, options = Rates("constant", 0.01), {"l1": 0.3, "l2": 0.0, "batch_size": 1, "average": 0}
    theta, _ = run_kernel(X, y, np.ones(200), HalfSquaredError(), rates, np.zeros(7), **options)
    expected, _ = reference_pass(X, y, np.ones(200), HalfSquaredError(), rates, np.zeros(7), **options)
    assert np.count_nonzero(theta[1:-1] == 0.0) >= 3
    np.testing.assert_array_equal(theta == 0.0, expected == 0.0)


@pytest.mark.parametrize("average", [0, 3])
def test_sparse_rows_without_zeros_equal_dense_rows(average):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((40, 5)), rng.standard_normal(40)
    options = {"l1": 0.01, "l2": 0.1, "batch_size": 1, "average": average}
    arguments = y, np.ones(40), HalfSquaredError(), Rates("constant", 0.02), np.zeros(6)
    for a, b in zip(
        run_kernel(X, *arguments, **options), run_kernel(sparse.csr_matrix(X), *arguments, **options), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_float32_stays_near_float64():
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((50, 4)), rng.standard_normal(50)
    options = {"l1": 0.0, "l2": 0.1, "batch_size": 1, "average": 1}
    arguments = HalfSquaredError(), Rates("constant", 0.02)
    exact, _ = run_kernel(X, y, np.ones(50), *arguments, np.zeros(5), **options)
    single = [a.astype(np.float32) for a in (X, y, np.ones(50))]
    near, _ = run_kernel(*single, *arguments, np.zeros(5, np.float32), **options)
    np.testing.assert_allclose(near, exact, rtol=1e-4, atol=1e-5)


def test_the_weight_scale_is_folded_before_it_underflows():
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((400, 3)), rng.standard_normal(400)
    options = {"l1": 0.0, "l2": 5.0, "batch_size": 1, "average": 2}
    rates = Rates("constant", 0.1)  # the scale halves with every row: 2^-400 without folding
    arguments = X, y, np.ones(400), HalfSquaredError(), rates, np.zeros(4)
    for a, b in zip(run_kernel(*arguments, **options), reference_pass(*arguments, **options), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
