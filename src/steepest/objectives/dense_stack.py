"""A network objective as the compiled kernel takes it."""

from typing import Any

import numpy as np

from steepest.kernels import activations as kernel_activations
from steepest.kernels import output_losses as kernel_losses
from steepest.kernels.dense_stack import Data, Stack
from steepest.kernels.products import panel_size
from steepest.kernels.scratch import LINE, aligned
from steepest.layers import (
    ELU,
    GELU,
    Dense,
    HardSigmoid,
    HardTanh,
    Identity,
    Layer,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from steepest.losses import HalfPoissonDeviance, HalfSquaredError, LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.network import NetworkObjective
from steepest.typing import Array, IntArray

SHARED_FROM = 200_000  # multiplications of a forward pass from which two threads gain more than they wait
SHARED_BY_MORE = 10_000_000  # and from which more threads do
MANY_LINES = 16
ACTIVATIONS: dict[type[Layer], int] = {
    Identity: kernel_activations.IDENTITY,
    ReLU: kernel_activations.LINE,
    HardTanh: kernel_activations.LINE,
    HardSigmoid: kernel_activations.LINE,
    LeakyReLU: kernel_activations.LEAKY,
    ELU: kernel_activations.ELU,
    Sigmoid: kernel_activations.SIGMOID,
    Tanh: kernel_activations.TANH,
    Softplus: kernel_activations.SOFTPLUS,
    SiLU: kernel_activations.SILU,
    GELU: kernel_activations.GELU,
}
LINES: dict[type[Layer], tuple[float, float, float, float]] = {  # a, b, low, high: a (z + b), clipped
    ReLU: (1.0, 0.0, 0.0, np.inf),
    HardTanh: (1.0, 0.0, -1.0, 1.0),
    HardSigmoid: (1.0 / 6.0, 3.0, 0.0, 1.0),
}
LOSSES: dict[type, int] = {
    HalfPoissonDeviance: kernel_losses.POISSON,
    HalfSquaredError: kernel_losses.HALF_SQUARED,
    LogisticLoss: kernel_losses.LOGISTIC,
    SoftmaxCrossEntropy: kernel_losses.SOFTMAX,
}


def dense_stack(objective: NetworkObjective, batch_size: int) -> tuple[Data, Stack] | None:
    """Return what the kernel needs to train on batches of up to ``batch_size`` rows, or None if it cannot.

    The rule: dense layers with at most one elementwise activation after each, none after the last; a loss with a twin;
    no penalty but the squared L2. Everything else trains by the layers themselves; so do leaky ReLUs and ELUs of a
    negative setting, where the sign of the value does not tell that of the score.

    Examples
    --------
    >>> from steepest.layers import BatchNorm, Sequential
    >>> X, y = np.zeros((5, 3)), np.zeros(5)
    >>> data, stack = dense_stack(NetworkObjective(Sequential([Dense(4), Tanh(), Dense(1)], (3,)), X, y), batch_size=2)
    >>> stack.sizes.tolist()
    [3, 4, 1]
    >>> dense_stack(NetworkObjective(Sequential([Dense(4), BatchNorm(), Dense(1)], (3,)), X, y), batch_size=2) is None
    True
    """
    following = _activations_after_dense(objective.network.layers)
    penalty = objective.penalty
    plain_penalty = penalty.l1 == 0 and not penalty.positive and np.ndim(penalty.l2) == 0
    if following is None or type(objective.loss) not in LOSSES or not plain_penalty:
        return None
    sizes = np.array([objective.network.input_shape[0], *(dense.units for dense, _ in following)])
    activations = np.array([ACTIVATIONS[type(activation)] for _, activation in following])
    settings = np.array([activation_setting(activation) for _, activation in following])
    batch_size = min(batch_size, objective.n_samples)
    return _data(objective, float(penalty.l2)), _stack(sizes, activations, settings, batch_size, objective.X.dtype)


def _stack(sizes: IntArray, activations: IntArray, settings: Array, batch_size: int, dtype: Any) -> Stack:
    """Lay out the buffers; every block begins with a line of the cache."""
    line = LINE // dtype.itemsize
    n_tasks = tasks_of(sizes, batch_size)
    pitches = np.array([pitch(int(size), line) for size in sizes])
    lengths = -(-pitches * batch_size // line) * line
    n_parameters = int(np.sum((sizes[:-1] + 1) * sizes[1:]))
    # two tasks share gradients by rows of the batch if so fewer numbers go from one core to another
    apart = n_tasks == 2 and batch_size * int(np.sum(sizes[:-1] // 2 + sizes[1:])) > n_parameters
    panel = max(-(-panel_size(int(sizes[1:].max())) // line) * line, 2 * kernel_losses.STRETCH)
    ends = np.cumsum([*lengths, *lengths[1:-1], *[panel] * n_tasks])
    starts, n_layers = np.concatenate([[0], ends]), len(activations)
    work = aligned(int(ends[-1]), dtype)
    work[...] = 0
    kept = ends[-1] if np.any(activations >= kernel_activations.KEEPS_SLOPE) else 0
    zeros = 2 * int(sizes.max()) + panel_size(0)
    return Stack(
        sizes=sizes,
        activations=activations,
        settings=settings,
        pitches=pitches,
        values_at=starts[: n_layers + 1],
        slopes_at=np.array([0, *starts[n_layers + 1 : 2 * n_layers], starts[n_layers]]),
        panels_at=int(starts[2 * n_layers]),
        panel=panel,
        work=work,
        kept=np.empty(kept, dtype),
        fixed=np.concatenate([np.zeros(zeros, dtype), np.ones(1, dtype)]),
        n_tasks=n_tasks,
        other=aligned(n_parameters if apart else 0, dtype),
    )


def tasks_of(sizes: IntArray, batch_size: int) -> int:
    """Return into how many tasks each phase of a training step is cut: that many threads can share it.

    The rule does not ask how many threads there are, so that any number of them computes the same.

    Examples
    --------
    >>> [tasks_of(np.array(sizes), 32) for sizes in ((2, 16, 16, 1), (64, 128, 10), (784, 512, 512, 10))]
    [1, 2, 4]
    """
    products = batch_size * int(np.sum(sizes[1:] * sizes[:-1]))
    return 1 if products < SHARED_FROM else 2 if products < SHARED_BY_MORE else 4


def pitch(size: int, line: int) -> int:
    """Return the length of a row with ``size`` entries.

    Rows that are not short begin with a line of the cache; long ones take an odd number of lines, since rows a power of
    two apart would crowd the same places of it.

    Examples
    --------
    >>> pitch(2, 16), pitch(10, 16), pitch(512, 16)
    (2, 16, 528)
    """
    if 2 * size <= line:
        return size
    lines = -(-size // line)
    return line * (lines + (lines >= MANY_LINES and lines % 2 == 0))


def activation_setting(layer: Layer) -> tuple[float, float, float, float]:
    """Return the four numbers by which the kernel knows an activation.

    Examples
    --------
    >>> activation_setting(HardTanh())
    (1.0, 0.0, -1.0, 1.0)
    """
    first = float(getattr(layer, "slope", getattr(layer, "alpha", 0.0)))
    return LINES.get(type(layer), (first, 0.0, 0.0, 0.0))


def _data(objective: NetworkObjective, l2: float) -> Data:
    """Return the rows as the kernel takes them."""
    dtype = objective.X.dtype
    weights = objective.reduction.weights
    return Data(
        X=np.ascontiguousarray(objective.X),
        targets=np.ascontiguousarray(objective.y.reshape(objective.n_samples, -1), dtype=dtype),
        weights=np.empty(0, dtype) if weights is None else weights.astype(dtype),
        loss=LOSSES[type(objective.loss)],
        factor=1.0 if objective.own_batches else float(objective.reduction.factor),
        l2=l2,
        own_mean=objective.own_batches,
    )


def _activations_after_dense(layers: list[Layer]) -> list[tuple[Dense, Layer]] | None:
    """Pair every dense layer with what follows it, the identity if nothing does; None for any other network."""
    pairs: list[tuple[Dense, Layer]] = []
    activated = True  # an activation may come only right after a dense layer
    for layer in layers:
        if isinstance(layer, Dense):
            pairs.append((layer, Identity()))
            activated = False
        elif not activated and type(layer) in ACTIVATIONS and activation_setting(layer)[0] >= 0:
            pairs[-1] = (pairs[-1][0], layer)
            activated = True
        else:
            return None
    scores_last = bool(pairs) and isinstance(pairs[-1][1], Identity)
    return pairs if scores_last else None
