"""Right gradients on which the audit must not raise an alarm: easy, badly scaled, ill-conditioned, kinked."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .audit_models import Model, conv1d, conv2d, kmeans, linear, network
from .audit_mutants import NETWORKS

__all__ = ["Right", "right_gradients"]


@dataclass(frozen=True)
class Right:
    """A value and its right gradient at a point."""

    name: str
    value: Callable[..., Any]
    gradient: Callable[..., Any]
    params: tuple[Any, ...]
    data: dict[str, Any] = field(default_factory=dict)


def right_gradients() -> Iterator[Right]:
    """All of them, in a fixed order."""
    for seed in range(6):
        for model in _models(seed):
            yield _of(model, f"seed {seed}")
    for seed in range(2):
        for model in _models(50 + seed):
            yield _in_float32(model, seed)
    yield from _badly_scaled()
    yield from _ill_conditioned()
    yield from _kinked()
    yield from _classic()


def _models(seed: int) -> Iterator[Model]:
    for loss, penalty, outputs in (
        ("squared", "none", 0),
        ("squared-sum", "L2", 0),
        ("outputs", "L1", 3),
        ("squared", "elastic", 0),
        ("squared", "norm", 0),
        ("logistic", "L2", 0),
        ("logistic", "L1", 0),
        ("softmax", "L2", 3),
    ):
        yield linear(f"{loss} with {penalty}", loss, penalty, 100 + seed, outputs=outputs)
    for activation, head, widths, alpha in NETWORKS:
        name = f"{len(widths) - 1}-layer {activation} network, {head}"
        yield network(name, activation, head, widths, 200 + seed, alpha=alpha)[0]
    yield kmeans(300 + seed, mean=bool(seed % 2))
    yield conv1d(400 + seed, mean=bool(seed % 2), flipped=seed % 3 == 0)
    yield conv2d(500 + seed)


def _of(model: Model, what: str) -> Right:
    return Right(f"{model.name}, {what}", model.value, model.gradient, (model.params,), model.data)


def _in_float32(model: Model, seed: int) -> Right:
    def single(part: Any) -> Any:
        return np.asarray(part, dtype=np.float32) if np.ndim(part) else part

    params = {name: np.asarray(part, dtype=np.float32) for name, part in model.params.items()}
    data = {name: single(part) for name, part in model.data.items()}
    return _of(replace(model, params=params, data=data), f"float32, seed {seed}")


def _badly_scaled() -> Iterator[Right]:
    """Columns, targets and parameters over many powers of ten."""
    for seed, (low, high) in enumerate(((-6, 6), (-3, 3), (0, 8), (-8, 0), (-2, 10))):
        rng = np.random.default_rng(600 + seed)
        scale = np.logspace(low, high, 4)
        for loss, penalty in (
            ("squared", "none"),
            ("squared", "L2"),
            ("squared-sum", "none"),
            ("logistic", "none"),
            ("squared", "L1"),
        ):
            model = linear(f"{loss} with {penalty}", loss, penalty, 610 + seed)
            data = {**model.data, "X": model.data["X"] * scale}
            w = rng.normal(size=4) / scale
            yield _of(
                replace(model, data=data, params={"w": w, "b": 0.3}), f"columns 1e{low} to 1e{high}, weights to match"
            )
            if loss != "logistic":
                yield _of(replace(model, data=data), f"columns 1e{low} to 1e{high}")
        for size in (1e-8, 1e6, 1e12):
            model = linear("squared with none", "squared", "none", 620 + seed)
            yield _of(
                replace(model, data={**model.data, "y": model.data["y"] * size}), f"targets times {size:g}, seed {seed}"
            )


def _ill_conditioned() -> Iterator[Right]:
    """Hilbert matrices, collinear columns, and points at the optimum, where the gradient is all rounding."""
    for d in (4, 6, 8, 10, 12):
        H = 1.0 / (np.arange(1, d + 1)[:, None] + np.arange(d)[None, :])
        y = H @ np.ones(d)

        def value(w: Any, H: Any, y: Any) -> Any:
            return 0.5 * np.sum((H @ w - y) ** 2)

        def gradient(w: Any, H: Any, y: Any) -> Any:
            return H.T @ (H @ w - y)

        def normal_equations(w: Any, H: Any, y: Any) -> Any:
            return (H.T @ H) @ w - H.T @ y

        solution = np.linalg.lstsq(H, y, rcond=None)[0]
        for where, w in (("zero", np.zeros(d)), ("the optimum", solution), ("ones", np.ones(d))):
            yield Right(f"Hilbert {d} at {where}", value, gradient, (w,), {"H": H, "y": y})
            yield Right(f"Hilbert {d} at {where}, normal equations", value, normal_equations, (w,), {"H": H, "y": y})
    for seed in range(10):
        rng = np.random.default_rng(700 + seed)
        model = linear("squared with none", "squared", "none", 710 + seed)
        X = model.data["X"].copy()
        X[:, 1] = X[:, 0] + 1e-9 * rng.normal(size=len(X))
        yield _of(replace(model, data={**model.data, "X": X}), f"collinear columns, seed {seed}")
        design = np.column_stack([model.data["X"], np.ones(len(X))])
        best = np.linalg.lstsq(design, model.data["y"], rcond=None)[0]
        yield _of(replace(model, params={"w": best[:4], "b": best[4]}), f"at the optimum, seed {seed}")
    for power in (4, 8, 12):

        def offset(x: Any, power: int = power) -> Any:
            return 10.0**power + np.sum(x**2)

        yield Right(f"a value of 1e{power} on top", offset, lambda x: 2 * x, (np.array([0.5, -1.5]),))


def _kinked() -> Iterator[Right]:
    """Points on kinks: any slope between the one-sided ones is right."""
    for seed in range(6):
        model = linear("squared with L1", "squared", "L1", 800 + seed)
        w = model.params["w"].copy()
        w[seed % 4] = 0.0
        yield _of(replace(model, params={**model.params, "w": w}), f"a weight at zero, seed {seed}")
        yield _of(replace(model, params={**model.params, "w": 0.0 * w}), f"all weights at zero, seed {seed}")
        hidden = network("relu network", "relu", "squared", (3, 6, 2), 810 + seed)[0]
        dead = {name: part.copy() for name, part in hidden.params.items()}
        dead["W1"][:, seed % 6], dead["b1"][seed % 6] = 0.0, 0.0
        yield _of(replace(hidden, params=dead), f"a unit at zero, seed {seed}")
        yield _of(replace(hidden, params={k: 0.0 * v for k, v in dead.items()}), f"all parameters at zero, seed {seed}")
        X, y = model.data["X"], np.sign(model.data["y"])
        data = {"X": X, "y": y}

        yield from _kinked_losses(data, model.params["w"], seed)
    yield Right("max of entries, tied", lambda x: np.max(x), lambda x: np.eye(len(x))[np.argmax(x)], (np.ones(3),))
    yield Right(
        "relu(x) - relu(-x) at 0", lambda x: np.sum(np.maximum(x, 0) - np.maximum(-x, 0)),
        lambda x: (x > 0) * 1.0 + (x < 0) * 1.0, (np.zeros(2),),
    )  # fmt: skip


def _kinked_losses(data: dict[str, Any], w: Any, seed: int) -> Iterator[Right]:
    through = np.linalg.solve(data["X"][:4], data["y"][:4])
    for name, value, gradient in (
        ("absolute", absolute, absolute_slope),
        ("hinge", hinge, hinge_slope),
        ("quantile", quantile, quantile_slope),
        ("Huber", huber, huber_slope),
    ):
        yield Right(f"{name} loss at random, seed {seed}", value, gradient, (w,), data)
        yield Right(f"{name} loss at zero, seed {seed}", value, gradient, (np.zeros(4),), data)
        if name != "Huber":
            yield Right(f"{name} loss on four kinks, seed {seed}", value, gradient, (through,), data)


def absolute(w: Any, X: Any, y: Any) -> Any:
    """Sum of |r|."""
    return np.sum(np.abs(X @ w - y))


def absolute_slope(w: Any, X: Any, y: Any) -> Any:
    """Its gradient."""
    return X.T @ np.sign(X @ w - y)


def hinge(w: Any, X: Any, y: Any) -> Any:
    """Sum of the hinge losses."""
    return np.maximum(0, 1 - y * (X @ w)).sum()


def hinge_slope(w: Any, X: Any, y: Any) -> Any:
    """Its gradient."""
    return -X.T @ (y * (y * (X @ w) < 1))


def quantile(w: Any, X: Any, y: Any) -> Any:
    """Sum of the 0.8 quantile losses."""
    r = y - X @ w
    return np.sum(np.where(r > 0, 0.8 * r, -0.2 * r))


def quantile_slope(w: Any, X: Any, y: Any) -> Any:
    """Its gradient."""
    r = y - X @ w
    return -X.T @ np.where(r > 0, 0.8, -0.2)


def huber(w: Any, X: Any, y: Any) -> Any:
    """Sum of the Huber losses with threshold 1."""
    r = np.abs(X @ w - y)
    return np.sum(np.where(r <= 1.0, r * r / 2, r - 0.5))


def huber_slope(w: Any, X: Any, y: Any) -> Any:
    """Its gradient."""
    return X.T @ np.clip(X @ w - y, -1, 1)


def _classic() -> Iterator[Right]:
    """Functions of a few numbers, in every style of writing them."""
    rng = np.random.default_rng(900)
    A = rng.normal(size=(5, 5))

    def rosenbrock(x: Any) -> float:
        return float(sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1)))

    def rosenbrock_slope(x: Any) -> Any:
        g = np.zeros_like(x)
        for i in range(len(x) - 1):
            g[i] += -400 * x[i] * (x[i + 1] - x[i] ** 2) - 2 * (1 - x[i])
            g[i + 1] += 200 * (x[i + 1] - x[i] ** 2)
        return g

    yield Right("Rosenbrock", rosenbrock, rosenbrock_slope, (np.array([-1.2, 1.0, 0.7]),))
    yield Right("Rosenbrock at its minimum", rosenbrock, rosenbrock_slope, (np.ones(4),))
    yield Right(
        "with the math module",
        lambda x: math.sin(x) * math.exp(x),
        lambda x: math.exp(x) * (math.sin(x) + math.cos(x)),
        (0.7,),
    )
    yield Right(
        "absolute values in a list", lambda x: sum([abs(float(v)) for v in x]), np.sign, (np.array([1.0, -2.0]),)
    )
    yield Right("half-squared norm", lambda x: np.linalg.norm(x) ** 2 / 2, lambda x: x, (np.array([3.0, -4.0]),))
    yield Right("norm", np.linalg.norm, lambda x: x / np.linalg.norm(x), (np.array([3.0, -4.0]),))
    yield Right("norm at zero", lambda x: np.linalg.norm(x), lambda x: x / (np.linalg.norm(x) or 1.0), (np.zeros(3),))
    yield Right("logarithm on its domain", lambda x: -np.sum(np.log(x)), lambda x: -1 / x, (np.array([1e-3, 2.0]),))
    yield Right(
        "square root near 0", lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), (np.array([1e-6, 1.0]),)
    )
    yield Right("determinant", lambda M: np.linalg.slogdet(M)[1], lambda M: np.linalg.inv(M).T, (A @ A.T + np.eye(5),))
    yield Right("quadratic form", lambda x: x @ A @ x, lambda x: (A + A.T) @ x, (rng.normal(size=5),))
    yield Right("trace of a product", lambda M: np.trace(A @ M), lambda M: A.T, (rng.normal(size=(5, 5)),))
    yield Right("constant", lambda x: 3.0, lambda x: 0 * x, (np.ones(3),))
    yield Right("linear", lambda x: float(np.sum(x)), lambda x: np.ones_like(x), (np.ones(3),))
    yield Right(
        "log-sum-exp of large numbers",
        _log_sum_exp,
        lambda x: np.exp(x - _log_sum_exp(x)),
        (np.array([700.0, 710.0, 705.0]),),
    )
    yield Right(
        "steep exponential", lambda x: np.exp(50 * x).sum(), lambda x: 50 * np.exp(50 * x), (np.array([0.1, -0.3]),)
    )
    yield Right(
        "fast oscillation", lambda x: np.sin(300 * x).sum(), lambda x: 300 * np.cos(300 * x), (np.array([0.1, -0.3]),)
    )
    yield Right("tuple of blocks", lambda p: p[0] @ p[1], lambda p: (p[1], p[0]), ((np.ones(2), np.array([1.0, 2.0])),))
    yield Right(
        "several arguments",
        lambda a, b: np.sum(a * b**2),
        lambda a, b: (b**2, 2 * a * b),
        (np.ones(3), np.array([1.0, 2.0, 3.0])),
    )
    for seed in range(12):
        rng = np.random.default_rng(910 + seed)
        x = rng.normal(size=4) * 10.0 ** rng.integers(-4, 5)
        c = rng.normal(size=4)
        yield Right(
            f"Cauchy loss, seed {seed}",
            lambda x, c: np.sum(np.log1p((x - c) ** 2)),
            lambda x, c: 2 * (x - c) / (1 + (x - c) ** 2),
            (x,),
            {"c": c},
        )
        yield Right(
            f"quartic, seed {seed}",
            lambda x, c: np.sum(c * x**4 - x**2),
            lambda x, c: 4 * c * x**3 - 2 * x,
            (x,),
            {"c": c},
        )
        yield Right(
            f"bounded, seed {seed}",
            lambda x, c: np.sum(np.arctan(c * x)),
            lambda x, c: c / (1 + (c * x) ** 2),
            (x,),
            {"c": c},
        )


def _log_sum_exp(x: Any) -> Any:
    top = np.max(np.real(x))
    return top + np.log(np.sum(np.exp(x - top)))
