"""The linear objective with every loss, several penalties, weights, intercept, outputs and kinds of X."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import steepest.losses
from steepest.losses import HalfSquaredError, LogisticLoss, SoftmaxCrossEntropy, SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.objectives.reduction import Reduction
from steepest.penalties import L1, ElasticNet, NonNegative, NoPenalty, SquaredL2
from tests.contracts.derivatives import assert_gradient, breaks
from tests.contracts.samples import away_from_kinks, exported_classes, targets

LOSSES = exported_classes(steepest.losses)
PENALTIES = [NoPenalty(), SquaredL2(0.7), ElasticNet(0.4, 0.3)]
N, D = 25, 4


def make(
    loss: Any, penalty: Any = None, *, weights: bool = False, outputs: int | None = None, seed: int = 0, **how: Any
) -> tuple[LinearObjective, np.ndarray]:
    """An objective and a point at which every sample's loss is smooth."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D))
    y = targets(loss.target, N, rng)
    if outputs is not None and loss.target != "class":
        y = np.column_stack([targets(loss.target, N, rng) for _ in range(outputs)])
    n_outputs = 3 if loss.target == "class" else outputs
    if how.pop("sparse", False):
        X = sparse.csr_array(np.where(np.abs(X) > 0.5, X, 0.0))
    sample_weight = rng.uniform(0.0, 2.0, N) if weights else None
    for attempt in range(200):
        objective = LinearObjective(X, y, loss, penalty, sample_weight=sample_weight, n_outputs=n_outputs, **how)
        theta = np.random.default_rng(1000 + attempt).standard_normal(objective.n_parameters)
        if away_from_kinks(loss, y, objective.scores(theta)).all():
            return objective, theta
    raise AssertionError("no smooth point found")


def check_gradient(objective: LinearObjective, theta: np.ndarray) -> None:
    value, gradient = objective.value_and_gradient(theta)
    assert value == pytest.approx(objective.value(theta), rel=1e-14)
    np.testing.assert_array_equal(gradient, objective.gradient(theta))
    assert_gradient(objective.value, gradient, theta)


@pytest.mark.parametrize(
    ("penalty", "weights", "fit_intercept", "reduction", "outputs"),
    list(itertools.product(PENALTIES, [False, True], [False, True], ["mean", "sum"], [None, 2])),
    ids=str,
)
@pytest.mark.parametrize("loss", [cls() for cls in LOSSES], ids=lambda loss: type(loss).__name__)
def test_gradient_is_that_of_the_value(
    loss: Any, penalty: Any, weights: bool, fit_intercept: bool, reduction: str, outputs: int | None
) -> None:
    how = {"fit_intercept": fit_intercept, "reduction": reduction, "scale": 1.3}
    check_gradient(*make(loss, penalty, weights=weights, outputs=outputs, **how))


@pytest.mark.parametrize("loss", [cls() for cls in LOSSES], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("weights", [False, True])
class TestEveryLoss:
    def test_hessian_is_that_of_the_gradient(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss, SquaredL2(0.7), weights=weights)
        hessian = objective.hessian(theta)
        np.testing.assert_allclose(hessian, hessian.T, atol=1e-14)
        u = np.random.default_rng(2).standard_normal(theta.size)
        assert_gradient(lambda t: float(u @ objective.gradient(t)), hessian @ u, theta)

    def test_sparse_data_give_the_same(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss, ElasticNet(0.4, 0.3), weights=weights, sparse=True)
        dense = LinearObjective(
            objective.X.toarray(),
            objective.y,
            loss,
            objective.penalty,
            reduction=objective.reduction,
            n_outputs=objective.output_shape[0] if objective.output_shape else None,
        )
        assert objective.value(theta) == pytest.approx(dense.value(theta), rel=1e-13)
        np.testing.assert_allclose(objective.gradient(theta), dense.gradient(theta), atol=1e-13)
        np.testing.assert_allclose(objective.hessian(theta), dense.hessian(theta), atol=1e-13)

    def test_batches_of_all_rows_add_up_to_the_whole(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss, SquaredL2(0.7), weights=weights)
        rows = np.random.default_rng(3).permutation(N).reshape(5, 5)
        batches = [objective.batch(r).value_and_gradient(theta) for r in rows]
        assert np.mean([value for value, _ in batches]) == pytest.approx(objective.value(theta), rel=1e-13)
        np.testing.assert_allclose(
            np.mean([gradient for _, gradient in batches], axis=0), objective.gradient(theta), atol=1e-13
        )

    def test_lipschitz_bounds_every_change_of_the_gradient(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss, weights=weights)
        limit, rng = objective.lipschitz(), np.random.default_rng(4)
        assert np.isinf(limit) == np.isinf(loss.smoothness)
        for size in (1e-3, 1.0):
            for _ in range(20):
                step = size * rng.standard_normal(theta.size)
                change = np.linalg.norm(objective.gradient(theta + step) - objective.gradient(theta))
                assert change <= limit * np.linalg.norm(step)

    def test_gap_bounds_the_distance_to_anything_better(self, loss: Any, weights: bool) -> None:
        for penalty in (SquaredL2(0.7), ElasticNet(0.4, 0.3), L1(0.2)):
            objective, theta = make(loss, penalty, weights=weights, fit_intercept=False)
            gap = objective.duality_gap(theta)
            assert np.isinf(gap) != hasattr(loss, "conjugate")
            better, step = theta, 0.1 / min(objective.lipschitz(), 10.0)
            for _ in range(300):
                better = objective.prox(better - step * objective.smooth_value_and_gradient(better)[1], step)
            assert gap >= objective.value(theta) - objective.value(better) - 1e-12

    def test_zero_weight_is_absence(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss)
        kept = np.arange(N) < N - 7
        outputs = objective.output_shape[0] if objective.output_shape else None
        data = {"loss": loss, "n_outputs": outputs}
        weighted = LinearObjective(objective.X, objective.y, sample_weight=kept.astype(float), **data)
        absent = LinearObjective(objective.X[kept], objective.y[kept], **data)
        assert weighted.value(theta) == pytest.approx(absent.value(theta), rel=1e-13)
        np.testing.assert_allclose(weighted.gradient(theta), absent.gradient(theta), atol=1e-14)

    def test_single_precision_stays_single(self, loss: Any, weights: bool) -> None:
        objective, theta = make(loss, ElasticNet(0.4, 0.3), weights=weights)
        single = LinearObjective(
            objective.X.astype(np.float32),
            objective.y.astype(np.float32),
            loss,
            objective.penalty,
            sample_weight=None if not weights else np.ones(N, np.float32),
            n_outputs=objective.output_shape[0] if objective.output_shape else None,
        )
        theta = theta.astype(np.float32)
        for result in (single.gradient(theta), single.hessian(theta), single.prox(theta, 0.3), single.scores(theta)):
            assert result.dtype == np.float32


@pytest.mark.parametrize(
    "loss", [HalfSquaredError(), SquaredError(), LogisticLoss(), SoftmaxCrossEntropy()], ids=lambda loss: loss.words
)
@pytest.mark.parametrize("penalty", [L1(0.05), ElasticNet(0.1, 0.5), L1(0.05, positive=True), SquaredL2(0.3)], ids=repr)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_gap_closes_at_the_optimum(loss: Any, penalty: Any, fit_intercept: bool) -> None:
    objective, theta = make(loss, penalty, fit_intercept=fit_intercept)
    assert objective.duality_gap(objective.start()) > 1e-3
    step = 1.0 / objective.lipschitz()
    for _ in range(5000):
        theta = objective.prox(theta - step * objective.smooth_value_and_gradient(theta)[1], step)
    assert objective.duality_gap(theta) < 1e-9
    certificate = objective.certificate(theta, tolerance=1e-6)
    assert certificate.optimal
    assert not objective.certificate(objective.start(), tolerance=1e-6).optimal


def test_intercept_is_never_penalised() -> None:
    for penalty in (*PENALTIES, L1(3.0), NonNegative()):
        objective, theta = make(HalfSquaredError(), penalty)
        moved = theta.copy()
        moved[-1] = -100.0
        assert objective.penalty_value(moved) == objective.penalty_value(theta)
        assert objective.penalty_gradient(theta)[-1] == 0.0
        assert objective.prox(moved, 5.0)[-1] == -100.0


def test_contract_breaks_when_the_objective_is_mutated() -> None:
    class TwiceThePenalty(LinearObjective):
        def penalty_gradient(self, theta: Any) -> Any:
            return 2.0 * super().penalty_gradient(theta)

    class NoMean(LinearObjective):
        def _pull_back(self, slopes: Any) -> Any:
            return self.n_samples * super()._pull_back(slopes)

    class InterceptForgotten(LinearObjective):
        def _pull_back(self, slopes: Any) -> Any:
            gradient = super()._pull_back(slopes)
            gradient[-1] = 0.0
            return gradient

    class WeightsForgotten(LinearObjective):
        def smooth_value_and_gradient(self, theta: Any) -> Any:
            value, _ = super().smooth_value_and_gradient(theta)
            slopes = self.loss.gradient(self.y, self.scores(theta)) * self.reduction.factor
            return value, self._pull_back(slopes)

    objective, theta = make(LogisticLoss(), SquaredL2(0.7), weights=True)
    check_gradient(objective, theta)
    for mutant in (TwiceThePenalty, NoMean, InterceptForgotten, WeightsForgotten):
        wrong = mutant(
            objective.X,
            objective.y,
            objective.loss,
            objective.penalty,
            sample_weight=objective.reduction.weights,
        )
        assert breaks(lambda wrong=wrong: check_gradient(wrong, theta)), mutant.__name__


def test_mean_does_not_change_when_all_weights_double() -> None:
    values = np.array([1.0, 5.0, 2.0])
    weights = np.array([1.0, 0.5, 2.0])
    once, twice = Reduction.of("mean", 3, weights), Reduction.of("mean", 3, 2 * weights)
    assert once.total(values) == pytest.approx(twice.total(values), rel=1e-15)
    assert once.total(values) == pytest.approx(np.average(values, weights=weights), rel=1e-15)
