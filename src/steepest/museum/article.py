"""An article's line fit: a sum pulled apart, and two names exchanged."""

from typing import Any

import numpy as np

from steepest.museum.exhibit import Case, Exhibit, Figure
from steepest.typing import Array

__all__ = ["EXHIBITS"]


def _value(A: float, B: float, x: Array, y: Array) -> Any:
    return np.mean((y - (A * x + B)) ** 2)


def _published(A: float, B: float, x: Array, y: Array) -> tuple[Array, float]:
    residual = y - (A * x + B)
    return -2 / len(x) * x * residual.sum(), -2 / len(x) * residual.sum()


def _right(A: float, B: float, x: Array, y: Array) -> Any:
    residual = y - (A * x + B)
    return -2 / len(x) * np.sum(x * residual), -2 / len(x) * residual.sum()


def _case() -> Case:
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 4, size=8)
    return Case(_value, _published, _right, {"A": 0.5, "B": 0.1}, {"x": x, "y": 2 * x - 1 + rng.normal(size=8)})


def _sum_figures() -> list[Figure]:
    case = _case()
    arguments = {**case.parameters, **case.data}
    wrong, right = case.published(**arguments), case.right(**arguments)
    return [
        Figure("shape of dE/dA", str(np.shape(wrong[0])), str(np.shape(right[0]))),
        Figure("dE/dA", f"{wrong[0][0]:.6g}, {wrong[0][1]:.6g}, ...", f"{right[0]:.6g}"),
        Figure("dE/dB", f"{wrong[1]:.6g}", f"{right[1]:.6g}"),
    ]


def _shrunk(solve: str, z: Array) -> str:
    soft = np.sign(z) * np.maximum(np.abs(z) - 1.0, 0.0)
    shown = soft if solve == "L1" else z / 2.0
    return ", ".join(f"{v:g}" for v in np.asarray(shown) + 0.0)


def _name_figures() -> list[Figure]:
    z = np.array([3.0, 0.8, -0.4])
    return [
        Figure("ridge penalises", "the sum of |w_j| (L1)", "the sum of w_j^2 (L2)"),
        Figure("lasso penalises", "the sum of w_j^2 (L2)", "the sum of |w_j| (L1)"),
        Figure("lasso of (3, 0.8, -0.4), alpha 1", _shrunk("L2", z), _shrunk("L1", z)),
        Figure("ridge of (3, 0.8, -0.4), alpha 1", _shrunk("L1", z), _shrunk("L2", z)),
    ]


EXHIBITS = (
    Exhibit(
        "residual-sum",
        "The sum of the residuals, times x",
        "an article that derives linear regression",
        "dE/dA = -2/n * x * sum(residual)",
        "dE/dA = -2/n * sum(x * residual)",
        "x differs from sample to sample and cannot stand outside the sum. The formula for B has no x and is right, "
        "which makes the other look right too. The shape gives it away: A is a number, its derivative must be one.",
        _case,
        {"A": ("sum-product",)},
        _sum_figures,
    ),
    Exhibit(
        "ridge-and-lasso",
        "L1 called ridge and L2 called lasso",
        "the same article",
        "ridge: alpha * sum |w_j|; lasso: alpha * sum w_j^2",
        "lasso: alpha * sum |w_j|; ridge: alpha * sum w_j^2",
        "The lasso sets coefficients to zero exactly, ridge only makes them smaller: with orthonormal columns the "
        "lasso moves each by alpha towards zero and stops there, ridge divides each by 1 + alpha.",
        figures=_name_figures,
    ),
)
