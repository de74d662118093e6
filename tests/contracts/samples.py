"""Discovery of exported classes, and inputs that suit each of them."""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np


def exported_classes(module: ModuleType) -> list[type]:
    """Every concrete class in a module's ``__all__`` (protocols are not concrete)."""
    members = [getattr(module, name) for name in module.__all__]
    return [m for m in members if inspect.isclass(m) and not getattr(m, "_is_protocol", False)]


def penalties_of(cls: type) -> Iterator[Any]:
    """Instances of a penalty class with unlike settings: each strength, each ratio, each constraint it accepts."""
    accepted = [p for p in inspect.signature(cls).parameters]
    settings: list[dict[str, Any]] = [{}]
    for name, choices in {"alpha": (0.3, 1.7), "l1_ratio": (0.25, 0.9), "positive": (False, True)}.items():
        if name in accepted:
            settings = [{**s, name: choice} for s in settings for choice in choices]
    return (cls(**s) for s in settings)


def targets(kind: str, n: int, rng: np.random.Generator, n_classes: int = 3) -> np.ndarray:
    """Targets of the kind a loss asks for."""
    if kind == "real":
        return rng.standard_normal(n) * 2
    if kind == "count":
        return rng.poisson(2.0, n).astype(float)
    if kind == "binary":
        return rng.integers(0, 2, n).astype(float)
    if kind == "sign":
        return rng.choice([-1.0, 1.0], n)
    return rng.integers(0, n_classes, n).astype(float)


def scores_for(loss: Any, n: int, rng: np.random.Generator, n_classes: int = 3) -> np.ndarray:
    """Random scores: vectors for a loss of classes, otherwise numbers."""
    return rng.standard_normal((n, n_classes) if loss.target == "class" else n) * 2


def away_from_kinks(loss: Any, y: np.ndarray, z: np.ndarray, margin: float = 0.01) -> np.ndarray:
    """Which samples lie where the loss is smooth: its gradient has no jump and its curvature none within ``margin``."""
    shifts = np.linspace(-margin, margin, 9)
    slopes = np.array([loss.gradient(y, z + s) for s in shifts])
    curvatures = np.array([loss.curvature(y, z + s) for s in shifts])
    samples = tuple(range(2, slopes.ndim))
    jump = np.abs(np.diff(slopes, axis=0)).max(axis=(0, *samples)) > 0.1
    bend = np.abs(np.diff(curvatures, axis=0)).max(axis=(0, *range(2, curvatures.ndim))) > 0.1
    return ~(jump | bend)
