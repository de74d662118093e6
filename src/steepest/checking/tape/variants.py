"""Wrong rules for products, quotients, sums and moved entries, as people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from steepest.checking.tape.graph import Change
from steepest.checking.tape.matrix_variants import of_matrices
from steepest.checking.tape.node import Node, contracted, unbroadcast
from steepest.checking.tape.variant import Variant
from steepest.typing import Array

__all__ = ["variants_of"]


def variants_of(node: Node, k: int) -> Iterator[Variant]:
    """Yield wrong rules for argument ``k`` of a step."""
    if node.operation == "contract" and len(node.arguments) == 2:
        yield from _of_products(node, k)
    elif node.operation == "gather":
        yield from _of_moves(node, k)
    elif node.operation in ("multiply", "divide"):
        yield from _of_factors(node, k)
    elif node.operation in ("power", "float_power") and k == 0:
        yield from _of_powers()
    elif node.operation == "square":
        yield Variant("power-rule", _times(lambda n: 2.0 * n.value), "with 2 z^2, the exponent not lowered, in {}",
                      "The derivative of z^2 is 2 z.", "look at the derivative of the power")  # fmt: skip
    elif node.operation in ("sqrt", "log", "exp", "log1p", "reciprocal", "cos", "sin", "absolute"):
        yield from _of_functions(node.operation)
    elif "pulls" in node.details:
        yield from of_matrices(node, k)
    if "slopes" in node.details and node.arguments[k].shape != node.value.shape:
        yield from _of_repeated(node, k)


def _times(factor: Callable[[Node], Array]) -> Change:
    return lambda node, k, g: unbroadcast(g * factor(node), node.arguments[k].shape)


def _of_factors(node: Node, k: int) -> Iterator[Variant]:
    other = node.arguments[1 - k]
    if node.operation == "multiply":
        if other.size > 1 or 1 - k in node.parents:
            yield Variant("factor-missing", _times(lambda n: np.ones(())), "without the factor `{other}` of {}",
                          "Multiply by `{other}`.")  # fmt: skip
            yield Variant("factor-twice", _times(lambda n: n.arguments[1 - k] ** 2),
                          "with the factor `{other}` of {} twice", "Multiply by `{other}` once.")  # fmt: skip
        if other.shape == node.arguments[k].shape and other.ndim:
            yield from _of_flipped_factor(other.ndim)
    elif k == 0 and (other.size > 1 or 1 in node.parents):
        yield Variant("factor-missing", _times(lambda n: np.ones(())), "without the division in {}",
                      "Divide as in {}.")  # fmt: skip
        yield Variant("factor-twice", _times(lambda n: 1.0 / n.arguments[1] ** 2), "divided twice as in {}",
                      "Divide once as in {}.")  # fmt: skip
        yield Variant("factor-inverse", _times(lambda n: n.arguments[1]),
                      "with a product in place of the division in {}", "Divide as in {}.")  # fmt: skip
    elif k == 1:
        rule = "The derivative of a / b with respect to b is -a / b^2."
        for said, factor in (
            ("with -1 / b^2 for the derivative of a / b with respect to b in {}", lambda n: -1.0 / n.arguments[1] ** 2),
            ("with -a / b for the derivative of a / b with respect to b in {}", lambda n: -n.value),
            ("with -1 / b for the derivative of a / b with respect to b in {}", lambda n: -1.0 / n.arguments[1]),
            ("with a for the derivative of a / b with respect to b in {}", lambda n: -n.arguments[0]),
        ):
            yield Variant("quotient-rule", _times(factor), said, rule, "look at the quotient rule")


def _of_flipped_factor(ndim: int) -> Iterator[Variant]:
    for axes in _sets_of_axes(ndim):
        yield Variant(
            "reversed",
            lambda n, k, g, axes=axes: g * np.flip(n.arguments[1 - k], axes),  # type: ignore[misc]
            "with the factor `{other}` of {} reversed",
            "Do not reverse it: the derivative of a product is the other factor as it stands.",
            "look at the direction in which the index runs: convolution or correlation",
        )


def _of_powers() -> Iterator[Variant]:
    rule = "The derivative of z^p is p z^(p - 1)."
    for said, factor in (
        ("with p z^p, the exponent not lowered, in {}", lambda n: n.arguments[1] * n.value),
        ("with z^(p - 1) without the factor p in {}", lambda n: n.value / n.arguments[0]),
        ("without the derivative of the power in {}", lambda n: np.ones(())),
        ("with the exponent lowered twice in {}", lambda n: n.arguments[1] * n.value / n.arguments[0] ** 2),
    ):
        yield Variant("power-rule", _times(factor), said, rule, "look at the derivative of the power")


FUNCTIONS: dict[str, tuple[tuple[str, Callable[[Node], Array]], ...]] = {
    "sqrt": (
        ("without the derivative 1 / (2 sqrt(z)) of the root in {}", lambda n: np.ones(())),
        ("with 2 sqrt(z) for the derivative of the root in {}", lambda n: 2.0 * n.value),
        ("with 1 / (2 z) for the derivative of the root in {}", lambda n: 0.5 / n.arguments[0]),
    ),
    "log": (
        ("without the derivative 1 / z of the logarithm in {}", lambda n: np.ones(())),
        ("with log(z) for the derivative 1 / z of the logarithm in {}", lambda n: n.value),
        ("with z for the derivative 1 / z of the logarithm in {}", lambda n: n.arguments[0]),
    ),
    "log1p": (
        ("without the derivative 1 / (1 + z) of the logarithm in {}", lambda n: np.ones(())),
        ("with 1 / z for the derivative 1 / (1 + z) of the logarithm in {}", lambda n: 1.0 / n.arguments[0]),
    ),
    "exp": (
        ("without the derivative of the exponential in {}", lambda n: np.ones(())),
        ("with z e^z for the derivative of e^z in {}", lambda n: n.arguments[0] * n.value),
        ("with z for the derivative of e^z in {}", lambda n: n.arguments[0]),
        ("with e^z twice for the derivative of e^z in {}", lambda n: n.value**2),
    ),
    "reciprocal": (("without the derivative -1 / z^2 in {}", lambda n: np.ones(())),),
    "cos": (("with cos for the derivative -sin of the cosine in {}", lambda n: n.value),),
    "sin": (("with sin for the derivative cos of the sine in {}", lambda n: n.value),),
    "absolute": (
        ("without the sign, the derivative of the absolute value, in {}", lambda n: np.ones(())),
        ("with z in place of its sign for the derivative of the absolute value in {}", lambda n: n.arguments[0]),
    ),
}


def _of_functions(name: str) -> Iterator[Variant]:
    for said, factor in FUNCTIONS[name]:
        yield Variant("activation-missing" if "without" in said else "activation-other", _times(factor), said,
                      "Multiply by the derivative of the function in {}.", "look at the inner derivatives")  # fmt: skip


def _of_repeated(node: Node, k: int) -> Iterator[Variant]:
    """Rules for an argument that is repeated along an axis, over which its derivative must be summed."""
    remedy = "What is repeated along an axis gets the sum over that axis: in {}."
    hint = "look at the sums over the batch"
    missing = node.value.ndim - node.arguments[k].ndim
    sizes = (*(1 for _ in range(missing)), *node.arguments[k].shape)
    for axis, size in enumerate(node.value.shape):
        if size == sizes[axis]:
            continue
        for said, at in (("last", -1), ("first", 0)):
            yield Variant("not-summed", lambda n, k, g, at=at, a=axis: _one_of(n, k, g, at, a),  # type: ignore[misc]
                          f"with the {said} entry in place of the sum over the repeated axis {axis} in {{}}",
                          remedy, hint)  # fmt: skip
    yield Variant("summed", lambda n, k, g: np.broadcast_to(n.pull(k, g).sum(), n.arguments[k].shape),
                  "with the sum over every axis in {}", remedy, hint)  # fmt: skip


def _one_of(node: Node, k: int, g: Array, at: int, axis: int) -> Array:
    part = np.broadcast_to(g * node.details["slopes"][k](*node.arguments, node.value), node.value.shape)
    return unbroadcast(_alone(part, at, axis), node.arguments[k].shape)


def _of_products(node: Node, k: int) -> Iterator[Variant]:
    letters, output = node.details["subscripts"]
    mine, theirs, other = letters[k], letters[1 - k], node.arguments[1 - k]
    shape = other.shape
    for a, b in combinations(range(len(shape)), 2):
        if shape[a] == shape[b] > 1:
            yield Variant("chain-transposed", _with_other(lambda part, a=a, b=b: np.swapaxes(part, a, b)),
                          "with the factor `{other}` of {} transposed", "Transpose it the other way.",
                          "look at the order of the axes")  # fmt: skip
    summed = [theirs.index(c) for c in theirs if c in output and c not in mine]
    passed = [theirs.index(c) for c in theirs if c in mine and c not in output]
    for axes, code, hint in (
        (passed, "reversed", "look at the direction in which the index runs: convolution or correlation"),
        (summed, "reversed", "look at the direction in which the index runs: convolution or correlation"),
    ):
        for some in _subsets([a for a in axes if shape[a] > 1]):
            yield Variant(code, _with_other(lambda part, some=some: np.flip(part, some)),
                          "with the factor `{other}` of {} reversed", "Do not reverse it.", hint)  # fmt: skip
    yield Variant("chain-factor-missing", _without_other, "without the factor `{other}` of {}",
                  "Multiply by `{other}`, transposed where the shapes want it.",
                  "a factor of the chain rule is missing")  # fmt: skip
    yield from _of_sums(summed, shape)
    yield from _of_errors(node, k)


def _of_sums(summed: list[int], shape: tuple[int, ...]) -> Iterator[Variant]:
    """Rules for the axis over which both factors are summed together, such as that of the samples."""
    for axis in summed:
        if shape[axis] < 3:
            continue
        rows = "Pair every entry of one factor with its own of the other, in {}."
        for said, step in (("late", 1), ("early", -1)):
            yield Variant("off-by-one-rows", _with_other(lambda part, s=step, a=axis: np.roll(part, s, a)),
                          f"with the rows of the other factor one {said} in {{}}", rows,
                          "rows are paired wrongly")  # fmt: skip
        yield Variant("sum-product", _with_other(lambda part, a=axis: part.sum(a, keepdims=True) + 0.0 * part),
                      "with the sums of both factors multiplied in {}", "Multiply first, then sum, in {}.",
                      "look at the sum over the samples")  # fmt: skip
        for said, at in (("last", -1), ("first", 0)):
            yield Variant("missing-sum", _with_other(lambda part, at=at, a=axis: _alone(part, at, a)),
                          f"with the {said} term alone of the sum in {{}}", "Sum over all of them, in {}.",
                          "a sum over the samples is incomplete")  # fmt: skip


def _of_errors(node: Node, k: int) -> Iterator[Variant]:
    """Rules with two equal axes of the derivative behind the product exchanged."""
    shape = node.value.shape
    for a, b in combinations(range(len(shape)), 2):
        if shape[a] == shape[b] > 1:
            yield Variant("chain-transposed", lambda n, k, g, a=a, b=b: n.pull(k, np.swapaxes(g, a, b)),  # type: ignore[misc]
                          "with the error behind {} transposed", "Do not transpose it, or do, as the product wants.",
                          "look at the order of the axes")  # fmt: skip


def _alone(part: Array, at: int, axis: int) -> Array:
    kept = np.zeros_like(part)
    where = [slice(None)] * part.ndim
    where[axis] = slice(-1, None) if at < 0 else slice(0, 1)
    kept[tuple(where)] = part[tuple(where)]
    return kept


def _with_other(change: Callable[..., Array]) -> Change:
    def pulled(node: Node, k: int, g: Array) -> Array:
        arguments = list(node.arguments)
        arguments[1 - k] = change(arguments[1 - k])
        return contracted(node.details["subscripts"], arguments, k, g)

    return pulled


def _without_other(node: Node, k: int, g: Array) -> Array:
    """``g`` itself where it has the argument's shape, else the product with ones in place of the other factor."""
    if g.shape == node.arguments[k].shape:
        return g
    return _with_other(np.ones_like)(node, k, g)


def _of_moves(node: Node, k: int) -> Iterator[Variant]:
    shape = node.arguments[k].shape
    large = [a for a in range(len(shape)) if shape[a] > 1]
    if len(shape) > 4:
        return
    for a, b in combinations(large, 2):
        if shape[a] == shape[b]:
            yield Variant("transposed", lambda n, k, g, a=a, b=b: np.swapaxes(n.pull(k, g), a, b),  # type: ignore[misc]
                          "with the axes of what enters {} exchanged", "Exchange them back.",
                          "look at the order of the axes")  # fmt: skip
    for axis in large:
        for step in (1, -1):
            yield Variant("shifted", lambda n, k, g, s=step, a=axis: np.roll(n.pull(k, g), s, a),  # type: ignore[misc]
                          f"shifted by {step:+d} along axis {axis} of what enters {{}}",
                          "An index is off by one.", "an index is off by one")  # fmt: skip
    if len(shape) == node.value.ndim and all(a <= b for a, b in zip(shape, node.value.shape, strict=True)):
        for said, last in (("first", False), ("last", True)):
            yield Variant("shifted", lambda n, k, g, last=last: _cropped(g, n.arguments[k].shape, last),  # type: ignore[misc]
                          f"with the {said} entries kept in place of the padding cut off, where it enters {{}}",
                          "Cut off what was padded, at both ends.", "look at the padding")  # fmt: skip
    if len(large) > 1 or shape == node.value.shape:
        for some in _subsets(large[-2:]):
            yield Variant("reversed", lambda n, k, g, some=some: np.flip(n.pull(k, g), some),  # type: ignore[misc]
                          "reversed where it enters {}", "Do not reverse it.",
                          "look at the direction in which the index runs")  # fmt: skip


def _cropped(g: Array, shape: tuple[int, ...], last: bool) -> Array:
    return g[tuple(slice(b - a, b) if last else slice(a) for a, b in zip(shape, g.shape, strict=True))]


def _subsets(axes: list[int]) -> Iterator[tuple[int, ...]]:
    for count in range(len(axes), 0, -1):
        yield from combinations(axes, count)


def _sets_of_axes(ndim: int) -> Iterator[tuple[int, ...]]:
    yield from _subsets(list(range(max(ndim - 2, 0), ndim)))
