"""Every exported loss: its gradient is its value's, its curvature its gradient's, its conjugate its own."""

from typing import Any

import numpy as np
import pytest

import steepest.losses
from tests.contracts.derivatives import assert_gradient, breaks
from tests.contracts.samples import away_from_kinks, exported_classes, scores_for, targets

LOSSES = exported_classes(steepest.losses)


def cases(loss: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, z = targets(loss.target, 60, rng), scores_for(loss, 60, rng)
    smooth = away_from_kinks(loss, y, z)
    assert smooth.sum() > 30, "hardly any sample lies where the loss is smooth"
    return y[smooth], z[smooth]


def check_gradient(loss: Any, seed: int) -> None:
    y, z = cases(loss, seed)
    assert_gradient(lambda z: float(loss.value(y, z).sum()), loss.gradient(y, z), z)


def check_curvature(loss: Any, seed: int) -> None:
    y, z = cases(loss, seed)
    curvature = loss.curvature(y, z)
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(z.shape)
    image = np.einsum("nij,nj->ni", curvature, u) if z.ndim == 2 else curvature * u
    assert_gradient(lambda z: float(np.sum(u * loss.gradient(y, z))), image, z)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("cls", LOSSES)
class TestDerivatives:
    def test_gradient_is_that_of_the_value(self, cls: type, seed: int) -> None:
        check_gradient(cls(), seed)

    def test_curvature_is_that_of_the_gradient(self, cls: type, seed: int) -> None:
        check_curvature(cls(), seed)

    @pytest.mark.parametrize("factor", [-1.0, 2.0, 0.5, 0.0])
    def test_contract_breaks_when_the_gradient_is_mutated(self, cls: type, seed: int, factor: float) -> None:
        class Mutant(cls):  # type: ignore[misc]
            def gradient(self, y: Any, z: Any) -> Any:
                return factor * super().gradient(y, z)

        assert breaks(lambda: check_gradient(Mutant(), seed))

    def test_contract_breaks_when_the_curvature_is_mutated(self, cls: type, seed: int) -> None:
        class Mutant(cls):  # type: ignore[misc]
            def curvature(self, y: Any, z: Any) -> Any:
                return 2.0 * super().curvature(y, z) + 0.1 * np.eye(z.shape[1] if z.ndim == 2 else 1).squeeze()

        assert breaks(lambda: check_curvature(Mutant(), seed))


@pytest.mark.parametrize("cls", LOSSES)
class TestShape:
    def test_value_is_not_negative_and_convex_along_segments(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(3)
        y = targets(loss.target, 400, rng)
        a, b = scores_for(loss, 400, rng) * 3, scores_for(loss, 400, rng) * 3
        middle = loss.value(y, (a + b) / 2)
        assert np.all(middle >= 0)
        assert np.all(middle <= (loss.value(y, a) + loss.value(y, b)) / 2 + 1e-12)

    def test_smoothness_bounds_the_curvature_and_is_reached_unless_there_are_kinks(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(4)
        y = targets(loss.target, 3000, rng, n_classes=2)
        z = scores_for(loss, 3000, rng, n_classes=2) * 0.2
        curvature = loss.curvature(y, z)
        largest = np.linalg.eigvalsh(curvature).max() if curvature.ndim == 3 else curvature.max()
        assert largest <= loss.smoothness * (1 + 1e-12)
        assert largest >= 0.99 * loss.smoothness or np.isinf(loss.smoothness)

    def test_kinked_losses_say_so(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(5)
        y = targets(loss.target, 500, rng)
        z = scores_for(loss, 500, rng)
        path = np.array([loss.gradient(y, z + s) for s in np.linspace(-4, 4, 4001)])
        jumps = np.abs(np.diff(path, axis=0)).max()
        assert np.isfinite(loss.smoothness) == (jumps < 0.1)

    def test_each_sample_has_its_own_loss(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(6)
        y, z = targets(loss.target, 10, rng), scores_for(loss, 10, rng)
        for rows in (np.array([3]), np.array([7, 1, 1])):
            np.testing.assert_array_equal(loss.value(y[rows], z[rows]), loss.value(y, z)[rows])
            np.testing.assert_array_equal(loss.gradient(y[rows], z[rows]), loss.gradient(y, z)[rows])

    def test_single_precision_stays_single(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(7)
        y = targets(loss.target, 10, rng).astype(np.float32)
        z = scores_for(loss, 10, rng).astype(np.float32)
        for result in (loss.value(y, z), loss.gradient(y, z), loss.curvature(y, z)):
            assert result.dtype == np.float32

    def test_huge_scores_stay_finite(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(8)
        size = 600.0 if np.isinf(cls.smoothness) and np.any(loss.curvature(np.ones(1), np.ones(1))) else 1e4
        y, z = targets(loss.target, 10, rng), size * np.sign(scores_for(loss, 10, rng))  # e^z itself ends at 709
        for result in (loss.value(y, z), loss.gradient(y, z), loss.curvature(y, z)):
            assert np.all(np.isfinite(result))


@pytest.mark.parametrize("cls", [c for c in LOSSES if hasattr(c, "conjugate")])
class TestConjugate:
    def test_fenchel_young_is_an_equality_at_the_gradient(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(9)
        y, z = targets(loss.target, 200, rng), scores_for(loss, 200, rng)
        u = loss.gradient(y, z)
        np.testing.assert_allclose(loss.conjugate(y, u), product(u, z) - loss.value(y, z), atol=1e-10)

    def test_fenchel_young_is_an_inequality_elsewhere(self, cls: type) -> None:
        loss, rng = cls(), np.random.default_rng(10)
        y = targets(loss.target, 200, rng)
        for _ in range(10):
            u, z = loss.gradient(y, scores_for(loss, 200, rng)), scores_for(loss, 200, rng)
            assert np.all(loss.conjugate(y, u) >= product(u, z) - loss.value(y, z) - 1e-10)


def product(u: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Sample by sample, the inner product of slopes and scores."""
    return (u * z).reshape(len(u), -1).sum(axis=1)
