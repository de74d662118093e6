"""Mistakes of the chain rule: activations, factors, outputs, and sums over the batch, layer by layer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from steepest.checking.activations import ACTIVATIONS, Activation
from steepest.checking.chain import Chain, Layer, find_chain
from steepest.checking.hypotheses.candidate import Candidate, counts_of
from steepest.checking.outputs import exchanged_slopes, find_output, other_errors
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose"]


@dataclass(frozen=True)
class WrongErrors:
    """Errors ``dJ/dZ`` of one layer after a mistake in it or behind it."""

    code: str
    errors: Sequence[Array]
    said: str
    remedy: str
    hint: str


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Gradients of block ``i`` that follow from a mistake in its layer or in a later one."""
    chain = find_chain(scene)
    k = chain.layer_of(i) if chain else None
    if chain is None or k is None:
        return
    yield from _sums_over_batch(scene, chain, k, i)
    for wrong in _wrong_errors(chain, k):
        yield Candidate(
            wrong.code,
            _gradient(scene, chain.layers[k], i, chain.layers[k].inputs, wrong.errors),
            f"what follows {wrong.said}",
            wrong.remedy,
            hint=wrong.hint,
        )
    yield from _other_losses(scene, chain, k, i)


def _other_losses(scene: Scene, chain: Chain, k: int, i: int) -> Iterator[Candidate]:
    """Propose the derivative of another loss than the value's, or of the same with its slopes exchanged."""
    if not chain.complete:
        return
    layer, last = chain.layers[k], len(chain.layers) - 1
    exchanged = exchanged_slopes(chain.layers[-1].errors)
    if exchanged is not None:
        said = "from the output with the slopes for positive and negative residuals exchanged"
        wrong = _carried(chain, WrongErrors("slopes-swapped", exchanged, said, "", ""), last, k)
        yield Candidate(
            "slopes-swapped",
            _gradient(scene, layer, i, layer.inputs, wrong.errors),
            f"what follows {said}",
            "Exchange them: the slope must be the value's on the same side.",
            hint="look at which slope belongs to which side",
        )
    for name, errors in other_errors(chain):
        wrong = _carried(chain, WrongErrors("other-loss", errors, name, "", ""), last, k)
        summed = _gradient(scene, layer, i, layer.inputs, wrong.errors)
        for how, scale in (("mean", 1.0 / scene.n_samples), ("summed", 1.0)):
            yield Candidate(
                "other-loss",
                [scale * part for part in summed],
                f"the derivative of the {how} {name} loss, which is not the loss in the value",
                "Value and gradient must belong to the same loss.",
                natural=(0.5, 2.0),
                hint="value and gradient belong to different losses",
            )


def _gradient(scene: Scene, layer: Layer, i: int, inputs: Sequence[Array], errors: Sequence[Array]) -> list[Array]:
    like = scene.at(0)[i]
    if i == layer.bias:
        return [e.sum(axis=0).reshape(like.shape) for e in errors]
    return [layer.gradient_of_weight(H, e, like) for H, e in zip(inputs, errors, strict=True)]


def _sums_over_batch(scene: Scene, chain: Chain, k: int, i: int) -> Iterator[Candidate]:
    """Residual and input pulled apart, shifted against each other, or not summed."""
    layer, like, name = chain.layers[k], scene.at(0)[i], scene.names[i]
    hint = "look at the sum over the samples"
    if i == layer.bias:
        apart, joined = layer.errors, [e.sum(axis=1) for e in layer.errors]
        for said, tensors in (("of each sample by itself", apart), ("of the outputs summed", joined)):
            yield Candidate(
                "not-summed",
                [_squeezed(e, scene.claims(i)[0].shape) for e in tensors],
                f"the error {said}",
                f"Sum over the batch: d{name} = dZ.sum(axis=0).",
                natural=counts_of(scene),
                hint=hint,
            )
        return
    pulled = [
        layer.gradient_of_weight(H.sum(0)[None], e.sum(0)[None], like)
        for H, e in zip(layer.inputs, layer.errors, strict=True)
    ]
    yield Candidate(
        "sum-product",
        pulled,
        "the sum of the inputs times the sum of the residuals",
        f"Multiply first, then sum: d{name} = sum_i x_i r_i, not (sum_i x_i)(sum_i r_i).",
        natural=counts_of(scene),
        hint=hint,
    )
    apart = [_squeezed(H * e.sum(), scene.claims(i)[0].shape) for H, e in zip(layer.inputs, layer.errors, strict=True)]
    yield Candidate(
        "sum-product",
        apart,
        "every x times the sum of all residuals",
        f"Multiply first, then sum: d{name} = sum_i x_i r_i, not x times sum_i r_i.",
        natural=counts_of(scene),
        hint=hint,
    )
    for edge, where in ((-1, "last"), (0, "first")):
        yield Candidate(
            "sum-product",
            [
                layer.gradient_of_weight(H[[edge]], e.sum(0)[None], like)
                for H, e in zip(layer.inputs, layer.errors, strict=True)
            ],
            f"the {where} input times the sum of the residuals",
            f"Multiply first, then sum: d{name} = sum_i x_i r_i.",
            natural=counts_of(scene),
            hint=hint,
        )
    yield from _shifted_rows(scene, layer, i)
    yield from _other_inputs(scene, chain, k, i)


def _shifted_rows(scene: Scene, layer: Layer, i: int) -> Iterator[Candidate]:
    pairs: tuple[tuple[str, Callable[[Array], Array], Callable[[Array], Array]], ...] = (
        ("one row late", lambda H: H[1:], lambda e: e[:-1]),
        ("one row early", lambda H: H[:-1], lambda e: e[1:]),
        ("one row late, the last one first", lambda H: H, lambda e: np.roll(e, 1, 0)),
        ("one row early, the first one last", lambda H: H, lambda e: np.roll(e, -1, 0)),
        ("in reverse order", lambda H: H, lambda e: e[::-1]),
    )
    for said, of_inputs, of_errors in pairs:
        yield Candidate(
            "off-by-one-rows" if "row" in said else "reversed",
            _gradient(scene, layer, i, [of_inputs(H) for H in layer.inputs], [of_errors(e) for e in layer.errors]),
            f"the sum of inputs times residuals taken {said}",
            f"Pair every sample with its own residual: d{scene.names[i]} = sum_i x_i r_i.",
            hint="rows are paired wrongly",
        )


def _other_inputs(scene: Scene, chain: Chain, k: int, i: int) -> Iterator[Candidate]:
    layer = chain.layers[k]
    if layer.errors[0].shape[0] == chain.weight(k, 0).shape[0]:
        shape = scene.claims(i)[0].shape
        yield Candidate(
            "weight-for-input",
            [_squeezed(chain.weight(k, p).T @ e, shape) for p, e in enumerate(layer.errors)],
            f"{scene.names[i]}^T times the errors",
            f"Put the inputs there: d{scene.names[i]} = X^T R.",
            natural=counts_of(scene),
            hint="look at what the errors are multiplied by",
        )
    if k:
        yield Candidate(
            "activation-missing",
            _gradient(scene, chain.layers[k], i, chain.layers[k - 1].scores, chain.layers[k].errors),
            f"what follows from the scores of layer {k} in place of their activations",
            f"The input of layer {k + 1} is the activation's output.",
            hint="look at what enters this layer",
        )


def _squeezed(tensor: Array, shape: tuple[int, ...]) -> Array:
    return tensor.reshape(shape) if tensor.size == int(np.prod(shape)) and tensor.ndim != len(shape) else tensor


def _wrong_errors(chain: Chain, k: int) -> Iterator[WrongErrors]:
    """Errors of layer ``k`` after every mistake in its activation or behind it."""
    for m in range(k, len(chain.layers) - 1):
        for wrong in _at_activation(chain, m):
            yield _carried(chain, wrong, m, k)
    yield from _everywhere(chain, k)
    output = find_output(chain)
    if output is None:
        return
    found, targets, constants = output
    last = len(chain.layers) - 1
    for mistake in found.wrong:
        with np.errstate(all="ignore"):
            errors = [
                c * mistake.error(z, y) for c, z, y in zip(constants, chain.layers[-1].scores, targets, strict=True)
            ]
        wrong = WrongErrors(
            mistake.code,
            errors,
            f"from the output {mistake.said}",
            mistake.remedy,
            "look at the derivative of the output",
        )
        yield _carried(chain, wrong, last, k)


def _carried(chain: Chain, wrong: WrongErrors, m: int, k: int) -> WrongErrors:
    """Pull wrong errors of layer ``m`` back to layer ``k`` by the right rules."""
    errors = wrong.errors
    for layer in range(m - 1, k - 1, -1):
        errors = [_back(chain, layer, p, e) * _slope(chain, layer, p) for p, e in enumerate(errors)]
    return WrongErrors(wrong.code, errors, wrong.said, wrong.remedy, wrong.hint)


def _back(chain: Chain, m: int, p: int, errors: Array) -> Array:
    """Pull errors of layer ``m + 1`` back to the activations before it."""
    return errors @ chain.weight(m + 1, p).T


def _slope(chain: Chain, m: int, p: int) -> Array:
    activation = chain.layers[m].activation
    assert activation is not None, "every layer but the last has one"
    return activation.derivative(chain.layers[m].scores[p])


def activation_slopes(activation: Activation) -> Iterator[tuple[str, Callable[[Array], Array], str, str]]:
    """Wrong factors for the derivative of an activation, as functions of its input."""
    name = activation.name
    yield (
        "activation-missing",
        np.ones_like,
        f"without the derivative of {name}",
        f"Multiply by the derivative of {name}",
    )
    yield (
        "activation-at-output",
        lambda z: activation.derivative(activation.value(z)),
        f"with the derivative of {name} taken at its output",
        f"Take the derivative of {name} at its input z",
    )
    from_output = activation.from_output
    if from_output is not None:
        yield (
            "activation-at-input",
            lambda z: from_output(z),
            f"with the formula for the derivative of {name} in terms of its output applied to its input",
            f"Put the output a of {name} into the formula",
        )
    for other in ACTIVATIONS[1:]:
        if other.name != name:
            yield (
                "activation-other",
                other.derivative,
                f"with the derivative of {other.name} in place of that of {name}",
                f"Use the derivative of {name}",
            )
    yield (
        "activation-other",
        activation.value,
        f"with {name} itself in place of its derivative",
        f"Use the derivative of {name}",
    )
    yield (
        "activation-twice",
        lambda z: activation.derivative(z) ** 2,
        f"with the derivative of {name} twice",
        f"Multiply by the derivative of {name} once",
    )


def _at_activation(chain: Chain, m: int) -> Iterator[WrongErrors]:
    layer, n_points = chain.layers[m], range(len(chain.layers[m].scores))
    activation = layer.activation
    assert activation is not None, "every layer but the last has one"
    following = chain.layers[m + 1].errors
    names = chain.scene.names
    weight = names[chain.layers[m + 1].weight]
    where = f"in layer {m + 1}"
    for code, slope, said, remedy in activation_slopes(activation):
        errors = [_back(chain, m, p, following[p]) * slope(layer.scores[p]) for p in n_points]
        yield WrongErrors(code, errors, f"{said} {where}", f"{remedy} {where}.", f"look at the activation {where}")
    rule = f"The chain rule {where} is dZ = (dZ_next {weight}^T) * activation'(z)."
    hint = f"a factor of the chain rule is missing {where}"
    for p in n_points[:1]:
        width, out = layer.scores[p].shape[1], following[p].shape[1]
        if out in (1, width):
            errors = [np.broadcast_to(following[q], layer.scores[q].shape) * _slope(chain, m, q) for q in n_points]
            yield WrongErrors("chain-factor-missing", errors, f"without the factor {weight}^T {where}", rule, hint)
        if out == width:
            errors = [following[q] @ chain.weight(m + 1, q) * _slope(chain, m, q) for q in n_points]
            yield WrongErrors(
                "chain-transposed",
                errors,
                f"with {weight} in place of {weight}^T {where}",
                rule,
                f"look at the order of the axes {where}",
            )
    errors = [np.ones_like(following[q]) @ chain.weight(m + 1, q).T * _slope(chain, m, q) for q in n_points]
    yield WrongErrors("chain-factor-missing", errors, f"without the error from behind {where}", rule, hint)


def _everywhere(chain: Chain, k: int) -> Iterator[WrongErrors]:
    """Make the same mistake in the activations of all layers from ``k`` on, where that is more than one."""
    last = len(chain.layers) - 1
    if last - k < 2:
        return
    kinds = {
        "activation-missing": "without the derivatives of the activations",
        "activation-at-output": "with the derivatives of the activations taken at their outputs",
        "activation-at-input": "with the formulas in terms of the outputs applied to the inputs",
    }
    for code, said in kinds.items():
        errors = list(chain.layers[-1].errors)
        for m in range(last - 1, k - 1, -1):
            activation = chain.layers[m].activation
            assert activation is not None, "every layer but the last has one"
            slopes = [s for c, s, _, _ in activation_slopes(activation) if c == code]
            if not slopes:
                return
            errors = [_back(chain, m, p, e) * slopes[0](chain.layers[m].scores[p]) for p, e in enumerate(errors)]
        yield WrongErrors(
            code,
            errors,
            f"{said} in every layer",
            "Use each activation's derivative at its input.",
            "look at the activations",
        )
