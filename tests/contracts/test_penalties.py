"""Every exported penalty: gradient, prox and conjugate belong to its value."""

from typing import Any

import numpy as np
import pytest

import steepest.penalties
from tests.contracts.derivatives import assert_gradient, breaks
from tests.contracts.samples import exported_classes, penalties_of

PENALTIES = [penalty for cls in exported_classes(steepest.penalties) for penalty in penalties_of(cls)]
PER_OUTPUT = steepest.penalties.SquaredL2(np.array([0.5, 2.0]))


def smooth_point(penalty: Any, seed: int, shape: tuple[int, ...] = (6,)) -> np.ndarray:
    """A point at which the penalty has no kink nearby."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.1, 2.0, shape)
    return size if penalty.positive else size * rng.choice([-1.0, 1.0], shape)


def check_gradient(penalty: Any, shape: tuple[int, ...] = (6,)) -> None:
    w = smooth_point(penalty, 0, shape)
    assert_gradient(penalty.value, penalty.gradient(w), w)


def check_prox(penalty: Any, shape: tuple[int, ...] = (6,)) -> None:
    """No point near or far is better than the prox for ``|v - w|^2 / 2 + step P(v)``."""
    rng = np.random.default_rng(1)
    for step in (0.1, 1.0, 3.0):
        w = 2 * rng.standard_normal(shape)
        best = penalty.prox(w, step)

        def cost(v: np.ndarray, w: np.ndarray = w, step: float = step) -> float:
            return float(0.5 * np.sum((v - w) ** 2)) + step * penalty.value(v)

        assert np.isfinite(cost(best))
        for size in (1e-4, 1e-2, 1.0):
            for _ in range(30):
                assert cost(best) <= cost(best + size * rng.standard_normal(shape)) + 1e-12
            for i in range(best.size):
                shift = np.zeros(best.size)
                shift[i] = size
                assert cost(best) <= min(cost(best + shift.reshape(shape)), cost(best - shift.reshape(shape))) + 1e-12


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
class TestPenalty:
    def test_gradient_is_that_of_the_value(self, penalty: Any) -> None:
        check_gradient(penalty)
        check_gradient(penalty, (3, 2))

    def test_prox_is_optimal(self, penalty: Any) -> None:
        check_prox(penalty)
        check_prox(penalty, (3, 2))

    def test_conjugate_bounds_and_touches(self, penalty: Any) -> None:
        rng = np.random.default_rng(2)
        w = smooth_point(penalty, 3)
        v = penalty.gradient(w)
        assert penalty.conjugate(v) == pytest.approx(float(v @ w) - penalty.value(w), abs=1e-12)
        for _ in range(50):
            other = smooth_point(penalty, int(rng.integers(1_000_000)))
            assert penalty.conjugate(v) >= float(v @ other) - penalty.value(other) - 1e-12

    def test_zero_is_stationary_from_the_vanishing_alpha_on(self, penalty: Any) -> None:
        gradient = np.array([0.3, -2.0, 1.5, 0.0])
        alpha = penalty.vanishing_alpha(gradient)
        assert alpha >= 0
        if np.isfinite(alpha) and penalty.l1 > 0:
            strong = type(penalty)(**{**settings(penalty), "alpha": alpha})
            weak = type(penalty)(**{**settings(penalty), "alpha": 0.99 * alpha})
            assert not np.any(strong.prox(-gradient, 1.0))
            assert np.any(weak.prox(-gradient, 1.0))

    def test_mutated_gradient_and_prox_break_the_contract(self, penalty: Any) -> None:
        class Mutant(type(penalty)):  # type: ignore[misc]
            def gradient(self, w: Any) -> Any:
                return -super().gradient(w) + 0.5

            def prox(self, w: Any, step: float) -> Any:
                return super().prox(w, 2 * step) + 0.01

        mutant = Mutant(**settings(penalty))
        assert breaks(lambda: check_gradient(mutant))
        assert breaks(lambda: check_prox(mutant))

    def test_single_precision_stays_single(self, penalty: Any) -> None:
        w = smooth_point(penalty, 4).astype(np.float32)
        assert penalty.gradient(w).dtype == np.float32
        assert penalty.prox(w, 0.5).dtype == np.float32


def settings(penalty: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {f.name: getattr(penalty, f.name) for f in fields(penalty) if f.init}


def test_one_strength_an_output() -> None:
    check_gradient(PER_OUTPUT, (3, 2))
    check_prox(PER_OUTPUT, (3, 2))


@pytest.mark.parametrize(
    ("cls", "arguments", "text"),
    [
        (steepest.penalties.L1, {"alpha": -1}, "alpha=-1: must be a finite number not below 0"),
        (steepest.penalties.L1, {"alpha": float("nan")}, "alpha=nan: must be a finite number not below 0"),
        (steepest.penalties.ElasticNet, {"l1_ratio": 1.5}, "l1_ratio=1.5: must lie between 0 and 1"),
        (steepest.penalties.SquaredL2, {"alpha": [-1.0, 1.0]}, "must be finite numbers not below 0"),
        (steepest.penalties.L1, {"alpha": "strong"}, "alpha='strong': must be a finite number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(cls: type, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        cls(**arguments)
