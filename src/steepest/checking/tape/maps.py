"""Maps that are known by name whatever code computes them, with right and wrong ways to pull derivatives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from steepest.typing import Array

__all__ = ["ROW_MAPS", "RowMap", "Way"]

Pull = Callable[[Array, Array, Array, int], Array]  # input, value, derivative at the value, axis


@dataclass(frozen=True)
class Way:
    """A wrong way to pull a derivative back through a map."""

    code: str
    pull: Pull
    said: str
    remedy: str


@dataclass(frozen=True)
class RowMap:
    """A map along one axis.

    ``value`` gives what the map makes of an input, kept with length 1 along an axis that is summed away; it may
    look at the value met for a constant that the map leaves open.
    """

    name: str
    value: Callable[[Array, Array, int], Array]
    pull: Pull
    ways: tuple[Way, ...]


def _softmax(u: Array, axis: int) -> Array:
    e = np.exp(u - u.max(axis=axis, keepdims=True))
    p: Array = e / e.sum(axis=axis, keepdims=True)
    return p


def _total(part: Array, axis: int) -> Array:
    total: Array = np.sum(part, axis=axis, keepdims=True)
    return total


def _other_total(part: Array, axis: int) -> Array:
    """Sum over the neighbouring axis in place of the right one."""
    other = axis - 1 if axis else (1 if part.ndim > 1 else 0)
    total: Array = part.sum(axis=other, keepdims=True)
    return total


def _first_largest(u: Array, axis: int) -> Array:
    hit: Array = np.moveaxis(np.eye(u.shape[axis])[u.argmax(axis=axis)], -1, axis)
    return hit


def _mean(part: Array, axis: int) -> Array:
    mean: Array = _total(part, axis) / part.shape[axis]
    return mean


def _other_mean(part: Array, axis: int) -> Array:
    """Mean over the neighbouring axis in place of the right one."""
    other = axis - 1 if axis else (1 if part.ndim > 1 else 0)
    mean: Array = _other_total(part, axis) / part.shape[other]
    return mean


def _centred(u: Array, axis: int) -> Array:
    return u - _mean(u, axis)


def _inverse_deviation(u: Array, v: Array, axis: int) -> Array:
    """Ratio of a standardised value to the centred input, whatever was added to the variance."""
    if v.size != u.size:
        return np.zeros(())
    centred = _centred(u, axis)
    ratio: Array = _total(v.reshape(u.shape) * centred, axis) / _total(centred * centred, axis)
    return ratio


SOFTMAX_RULE = "The Jacobian is diag(p) - p p^T: dz = p (g - sum(p g))."
LOG_RULE = "dz = g - p sum(g), with p = softmax(z)."
LSE_RULE = "The derivative of log sum e^z is softmax(z)."
CENTRED_RULE = "The derivative of z - mean(z) is g - mean(g) over the same axis."
STANDARD_RULE = "dz = (g - mean(g) - v mean(g v)) / deviation, both means over the axis of the standardisation."
NORM_RULE = "The derivative of |z| is z / |z|."


def _extreme(name: str, which: str, sign: float) -> RowMap:
    """Maximum or minimum along an axis."""

    def hit(u: Array, axis: int) -> Array:
        return _first_largest(sign * u, axis)

    def first(u: Array, axis: int) -> Array:
        return _first_largest(-np.indices(u.shape)[axis].astype(np.float64), axis)

    rule = f"Only the {which} entry gets the derivative."
    opposite = "smallest" if sign > 0 else "largest"
    pulls: tuple[tuple[Pull, str], ...] = (
        (lambda u, v, g, a: np.broadcast_to(g, u.shape), f"with every entry taking part in the {name}"),
        (lambda u, v, g, a: np.broadcast_to(g, u.shape) / u.shape[a],
         f"with the derivative of a mean in place of a {name}"),
        (lambda u, v, g, a: g * _first_largest(-sign * u, a), f"with the {opposite} entry in place of the {which}"),
        (lambda u, v, g, a: g * first(u, a), f"with the first entry in place of the {which}"),
        (lambda u, v, g, a: g * np.roll(hit(u, a), 1, a), f"with the entry after the {which}"),
        (lambda u, v, g, a: g * np.roll(hit(u, a), -1, a), f"with the entry before the {which}"),
        (lambda u, v, g, a: g * hit(u, a) * u, f"with the {which} entry itself as a factor"),
    )  # fmt: skip
    ways = tuple(Way("extreme-elsewhere", pull, said, rule) for pull, said in pulls)
    return RowMap(
        name,
        lambda u, v, a: sign * (sign * u).max(axis=a, keepdims=True),
        lambda u, v, g, a: g * hit(u, a),
        ways,
    )


ROW_MAPS = (
    RowMap(
        "softmax",
        lambda u, v, a: _softmax(u, a),
        lambda u, v, g, a: v * (g - _total(g * v, a)),
        (
            Way("softmax-diagonal", lambda u, v, g, a: g * v * (1.0 - v),
                "with only the diagonal p (1 - p) of the softmax's Jacobian", SOFTMAX_RULE),
            Way("softmax-normaliser", lambda u, v, g, a: g * v,
                "with p g alone for the softmax, its normaliser taken for a constant", SOFTMAX_RULE),
            Way("activation-missing", lambda u, v, g, a: g, "without the softmax's Jacobian", SOFTMAX_RULE),
            Way("softmax-sum", lambda u, v, g, a: v * (g - _total(g, a)),
                "with sum(g) in place of sum(p g) in the softmax's Jacobian", SOFTMAX_RULE),
            Way("softmax-sum", lambda u, v, g, a: v * (g - _total(g * v, a) / v.shape[a]),
                "with the mean of p g in place of its sum in the softmax's Jacobian", SOFTMAX_RULE),
            Way("softmax-sum", lambda u, v, g, a: g - _total(g * v, a),
                "without the factor p in front of the softmax's Jacobian", SOFTMAX_RULE),
            Way("softmax-sum", lambda u, v, g, a: v * (g + _total(g * v, a)),
                "with a plus in the softmax's Jacobian", SOFTMAX_RULE),
            Way("wrong-axis", lambda u, v, g, a: v * (g - _other_total(g * v, a)),
                "with the sum in the softmax's Jacobian over the wrong axis", SOFTMAX_RULE),
        ),
    ),
    RowMap(
        "log-softmax",
        lambda u, v, a: u - logsumexp(u, axis=a, keepdims=True),
        lambda u, v, g, a: g - np.exp(v) * _total(g, a),
        (
            Way("softmax-normaliser", lambda u, v, g, a: g, "with the normaliser of the log-softmax taken for a "
                "constant", LOG_RULE),
            Way("softmax-diagonal", lambda u, v, g, a: g * (1.0 - np.exp(v)),
                "with only the diagonal of the log-softmax's Jacobian", LOG_RULE),
            Way("other-map", lambda u, v, g, a: np.exp(v) * (g - _total(g * np.exp(v), a)),
                "with the softmax's Jacobian in place of the log-softmax's", LOG_RULE),
            Way("output-for-error", lambda u, v, g, a: -np.exp(v) * _total(g, a),
                "with -p sum(g) alone for the log-softmax: what it is multiplied by, such as targets, is left out",
                LOG_RULE),
            Way("softmax-sum", lambda u, v, g, a: g - _total(g, a) / v.shape[a],
                "with the mean of g in place of p sum(g)", LOG_RULE),
            Way("wrong-axis", lambda u, v, g, a: g - np.exp(v) * _other_total(g, a),
                "with the sum in the log-softmax's Jacobian over the wrong axis", LOG_RULE),
        ),
    ),
    RowMap(
        "log-sum-exp",
        lambda u, v, a: logsumexp(u, axis=a, keepdims=True),
        lambda u, v, g, a: g * np.exp(u - v),
        (
            Way("other-map", lambda u, v, g, a: g * _first_largest(u, a),
                "with the derivative of the maximum in place of that of log-sum-exp", LSE_RULE),
            Way("softmax-normaliser", lambda u, v, g, a: g * np.exp(u),
                "with e^z in place of softmax(z): the derivative of the logarithm is missing", LSE_RULE),
            Way("softmax-normaliser", lambda u, v, g, a: g * np.exp(u - u.max(axis=a, keepdims=True)),
                "with e^(z - max z), not normalised, in place of softmax(z)", LSE_RULE),
            Way("activation-missing", lambda u, v, g, a: np.broadcast_to(g, u.shape),
                "with 1 in place of softmax(z)", LSE_RULE),
            Way("softmax-normaliser", lambda u, v, g, a: g * np.exp(-v) * np.ones_like(u),
                "with 1 / sum e^z in place of softmax(z)", LSE_RULE),
            Way("wrong-axis", lambda u, v, g, a: g * _softmax(u, a - 1 if a else u.ndim - 1),
                "with the softmax over the wrong axis", LSE_RULE),
        ),
    ),
    RowMap(
        "norm",
        lambda u, v, a: np.sqrt(_total(u * u, a)),
        lambda u, v, g, a: g * u / v,
        (
            Way("other-map", lambda u, v, g, a: g * 2.0 * u,
                "with 2 z, the derivative of the square of the norm", NORM_RULE),
            Way("other-map", lambda u, v, g, a: g * u, "with z, without the division by the norm", NORM_RULE),
            Way("other-map", lambda u, v, g, a: g * u / v**2, "with z divided by the square of the norm", NORM_RULE),
            Way("other-map", lambda u, v, g, a: g * np.sign(u), "with sign(z), the derivative of the L1 norm",
                NORM_RULE),
            Way("other-map", lambda u, v, g, a: g / v * np.ones_like(u), "with 1 / |z|, without z", NORM_RULE),
        ),
    ),
    RowMap(
        "normalised",
        lambda u, v, a: u / np.sqrt(_total(u * u, a)),
        lambda u, v, g, a: (g - v * _total(g * v, a)) / np.sqrt(_total(u * u, a)),
        (
            Way("path-missing", lambda u, v, g, a: g / np.sqrt(_total(u * u, a)),
                "as if the norm in z / |z| were constant", "The derivative of z / |z| is (g - v (v g)) / |z|."),
            Way("activation-missing", lambda u, v, g, a: g, "without the derivative of z / |z|",
                "The derivative of z / |z| is (g - v (v g)) / |z|."),
        ),
    ),
    RowMap(
        "centred",
        lambda u, v, a: u - u.mean(axis=a, keepdims=True),
        lambda u, v, g, a: g - _mean(g, a),
        (
            Way("wrong-axis", lambda u, v, g, a: g - _other_mean(g, a),
                "with the mean over the wrong axis in the derivative of z - mean(z)", CENTRED_RULE),
        ),
    ),
    RowMap(
        "standardised",
        lambda u, v, a: _centred(u, a) * _inverse_deviation(u, v, a),
        lambda u, v, g, a: _inverse_deviation(u, v, a) * (g - _mean(g, a) - v * _mean(g * v, a)),
        (
            Way("wrong-axis", lambda u, v, g, a: _inverse_deviation(u, v, a)
                * (g - _other_mean(g, a) - v * _mean(g * v, a)),
                "with the mean of the errors over the wrong axis", STANDARD_RULE),
            Way("wrong-axis", lambda u, v, g, a: _inverse_deviation(u, v, a)
                * (g - _other_mean(g, a) - v * _other_mean(g * v, a)),
                "with the means of the errors over the wrong axis", STANDARD_RULE),
            Way("wrong-axis", lambda u, v, g, a: _inverse_deviation(u, v, a)
                * (g - _other_total(g, a) / v.shape[a] - v * _mean(g * v, a)),
                "with the sum of the errors over the wrong axis", STANDARD_RULE),
            Way("factor-twice", lambda u, v, g, a: _inverse_deviation(u, v, a) ** 2
                * (g - _mean(g, a) - v * _mean(g * v, a)),
                "divided by the variance in place of the deviation", STANDARD_RULE),
            Way("factor-missing", lambda u, v, g, a: g - _mean(g, a) - v * _mean(g * v, a),
                "without the division by the deviation", STANDARD_RULE),
            Way("path-missing", lambda u, v, g, a: (g - _mean(g, a)) * _inverse_deviation(u, v, a),
                "with the deviation taken for a constant", STANDARD_RULE),
            Way("path-missing", lambda u, v, g, a: g * _inverse_deviation(u, v, a),  # of a centred input: as above
                "with mean and deviation taken for constants", STANDARD_RULE),
            Way("activation-missing", lambda u, v, g, a: g, "as if nothing were standardised", STANDARD_RULE),
            Way("operand-other", lambda u, v, g, a: _inverse_deviation(u, v, a)
                * (g - _mean(g, a) - _centred(u, a) * _mean(g * v, a)),
                "with the centred input in place of the standardised one in the last term", STANDARD_RULE),
        ),
    ),
    _extreme("maximum", "largest", 1.0),
    _extreme("minimum", "smallest", -1.0),
)  # fmt: skip
