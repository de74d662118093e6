"""A model recognised as a chain of dense layers, from nothing but its value: inputs, scores, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from steepest.checking.activations import ACTIVATIONS, Activation
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["Chain", "Layer", "find_chain"]

MOST_SLOPES = 20_000  # samples x outputs x points for which errors are computed


@dataclass
class Layer:
    """One dense layer ``Z = H W + b`` with what flows through it, at every point of the scene.

    Attributes
    ----------
    weight, bias : int, int or None
        Positions of its blocks.
    turned : bool
        Whether the weight is kept as (outputs, inputs).
    inputs, scores, errors : lists of arrays
        ``H`` (n, d), ``Z`` (n, k) and ``dJ/dZ`` (n, k) at every point.
    activation : Activation or None
        What comes after, if a layer follows.
    """

    weight: int
    bias: int | None
    turned: bool
    inputs: list[Array] = field(default_factory=list)
    scores: list[Array] = field(default_factory=list)
    errors: list[Array] = field(default_factory=list)
    activation: Activation | None = None

    def matrix(self, block: Array) -> Array:
        """Weight as (inputs, outputs)."""
        if block.ndim < 2:
            return block.reshape(-1, 1)
        return block.T if self.turned else block

    def gradient_of_weight(self, inputs: Array, errors: Array, like: Array) -> Array:
        """``H^T dZ`` in the shape of the weight."""
        product: Array = inputs.T @ errors
        return product.T if self.turned and like.ndim == 2 else product.reshape(like.shape)


@dataclass
class Chain:
    """Layers from the input on, as far as they could be verified.

    ``complete`` tells whether the last layer found uses the last weight.
    """

    scene: Scene
    layers: list[Layer]
    complete: bool

    def layer_of(self, i: int) -> int | None:
        """Position of the layer that block ``i`` belongs to."""
        return next((k for k, layer in enumerate(self.layers) if i in (layer.weight, layer.bias)), None)

    def weight(self, k: int, p: int) -> Array:
        """Weight of layer ``k`` as (inputs, outputs) at the p-th point of the scene."""
        return self.layers[k].matrix(self.scene.at(self.scene.points[p])[self.layers[k].weight])


def find_chain(scene: Scene) -> Chain | None:
    """Recognise the model, or return None; computed once for a scene."""
    return scene.remember("chain", lambda: _search(scene))  # type: ignore[no-any-return]


def _search(scene: Scene) -> Chain | None:
    if not scene.problem.uses_data or scene.n_samples < 2:
        return None
    best: Chain | None = None
    for name in scene.row_names:
        X = scene.by_sample(name)
        if X.ndim > 2 or X.dtype.kind not in "fiu":
            continue
        for turned in (False, True):
            chain = _build(scene, np.asarray(X, dtype=np.float64).reshape(len(X), -1), turned)
            if chain and chain.complete:
                return chain
            if chain and (best is None or len(chain.layers) > len(best.layers)):
                best = chain
    return best


def _build(scene: Scene, X: Array, turned: bool) -> Chain | None:
    plan = _plan(scene, X.shape[1], turned)
    if not plan:
        return None
    layers: list[Layer] = []
    inputs = [X for _ in scene.points]
    for k, layer in enumerate(plan):
        following = _verified(scene, layer, inputs) if k == 0 else _after(scene, layers[-1], layer)
        if not following:
            return Chain(scene, layers, False) if layers else None
        layers.append(layer)
    return Chain(scene, layers, True)


def _plan(scene: Scene, width: int, turned: bool) -> list[Layer]:
    """Weights and biases in the order in which they chain, or nothing if their shapes do not."""
    blocks = scene.problem.structure.blocks
    weights = [i for i, b in enumerate(blocks) if b.ndim == 2 and not (1 in b.shape and scene.is_bias(i))]
    if not weights:
        weights = [i for i, b in enumerate(blocks) if b.size == width and not scene.is_bias(i)][:1]
    if turned and blocks[weights[0] if weights else 0].ndim < 2:
        return []
    biases = [i for i in range(len(blocks)) if i not in weights]
    plan = []
    for i in weights:
        layer = Layer(i, None, turned)
        d, k = layer.matrix(blocks[i]).shape
        if d != width:
            return []
        layer.bias = _taken(scene, biases, k)
        plan.append(layer)
        width = k
    if biases and plan and blocks[weights[-1]].ndim == 2:
        last = next((j for j in biases if blocks[j].shape == (width,) and not scene.is_bias(j)), None)
        if last is not None:  # the weights of a single output, kept as a vector
            biases.remove(last)
            plan.append(Layer(last, _taken(scene, biases, 1), turned))
    return plan if not biases else []


def _taken(scene: Scene, biases: list[int], size: int) -> int | None:
    """Take a bias of this size from the list; one that is named so comes first."""
    fitting = [j for j in biases if scene.problem.structure.blocks[j].size == size]
    fitting.sort(key=lambda j: not scene.is_bias(j))
    if not fitting:
        return None
    biases.remove(fitting[0])
    return fitting[0]


def _after(scene: Scene, previous: Layer, layer: Layer) -> bool:
    """Find the activation between two layers; the next layer's derivative must follow from it."""
    for activation in ACTIVATIONS:
        inputs = [activation.value(z) for z in previous.scores]
        if _verified(scene, layer, inputs) and _joined(scene, previous, layer, activation):
            previous.activation = activation
            return True
    return False


def _joined(scene: Scene, previous: Layer, layer: Layer, activation: Activation) -> bool:
    for p, point in enumerate(scene.points):
        back = layer.errors[p] @ layer.matrix(scene.at(point)[layer.weight]).T
        if not _equal(back * activation.derivative(previous.scores[p]), previous.errors[p]):
            return False
    return True


def _verified(scene: Scene, layer: Layer, inputs: Sequence[Array]) -> bool:
    """Fill in scores and errors; true if ``H^T dZ`` is the derivative of the weight at every point."""
    layer.inputs = list(inputs)
    layer.scores = []
    for H, point in zip(inputs, scene.points, strict=True):
        blocks = scene.at(point)
        bias = 0.0 if layer.bias is None else blocks[layer.bias].reshape(1, -1)
        layer.scores.append(H @ layer.matrix(blocks[layer.weight]) + bias)
    n, k = layer.scores[0].shape
    if n * k * len(scene.points) > MOST_SLOPES:
        return False
    try:
        raw = _errors_of(scene, layer, inputs)
    except Exception:  # the user's function, called with a single sample, which it may well refuse
        return False
    truth = scene.data_truth(layer.weight)
    products = [layer.gradient_of_weight(H, e, t) for H, e, t in zip(inputs, raw, truth, strict=True)]
    size = sum(float(np.sum(q * q)) for q in products)
    if not np.isfinite(size) or size == 0.0:
        return False
    scale = sum(float(np.sum(q * t)) for q, t in zip(products, truth, strict=True)) / size
    layer.errors = [scale * e for e in raw]
    return all(_equal(scale * q, t) for q, t in zip(products, truth, strict=True))


def _errors_of(scene: Scene, layer: Layer, inputs: Sequence[Array]) -> list[Array]:
    """Row errors at every point; with a bias they do not depend on the inputs and are computed once."""

    def compute() -> list[Array]:
        return [_row_errors(scene, layer, H, point) for H, point in zip(inputs, scene.points, strict=True)]

    if layer.bias is None:
        return compute()
    return scene.remember(("row errors", layer.bias, layer.turned), compute)  # type: ignore[no-any-return]


def _row_errors(scene: Scene, layer: Layer, H: Array, point: int) -> Array:
    """Return the derivative of each sample's own value with respect to its scores.

    Notes
    -----
    For one sample, ``dV/dW = h dz^T``, so its derivative along ``h e_k^T / |h|^2`` is ``dz_k``; along
    ``e_k`` of the bias it is ``dz_k`` too.
    """
    blocks = scene.at(point)
    i = layer.weight if layer.bias is None else layer.bias
    shape = blocks[i].shape
    n, k = len(H), layer.matrix(blocks[layer.weight]).shape[1]
    penalty = sum(
        (term.coefficient * scene.kind(i, term.kind)[scene.points.index(point)] for term in scene.terms(i) or ()),
        start=np.zeros(shape),
    )
    errors = np.empty((n, k))
    for row in range(n):
        data = scene.rows(slice(row, row + 1))
        for output in range(k):
            unit = np.zeros(k)
            unit[output] = 1.0
            if layer.bias is None:
                h = H[row] / max(float(H[row] @ H[row]), 1e-300)
                direction = layer.gradient_of_weight(h[None, :], unit[None, :], blocks[i])
            else:
                direction = unit.reshape(shape)
            slope = scene.reference.along(blocks, i, direction, data).value
            errors[row, output] = slope - float(np.sum(penalty * direction))
    return errors


def _equal(a: Array, b: Array) -> bool:
    return bool(np.max(np.abs(a - b)) <= 1e-7 * max(float(np.max(np.abs(b))), 1e-300))
