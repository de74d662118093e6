"""A network objective as the compiled kernel takes it."""

import numpy as np

from steepest.kernels import activations as kernel_activations
from steepest.kernels import output_losses as kernel_losses
from steepest.kernels.activations import Activation
from steepest.kernels.dense_plan import Data, Stack
from steepest.kernels.procedures import Procedure
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
from steepest.objectives.dense_plan import plan
from steepest.objectives.network import NetworkObjective

ACTIVATIONS: dict[type[Layer], Activation | None] = {
    Identity: None,
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
LOSSES: dict[type, Procedure] = {
    HalfPoissonDeviance: kernel_losses.poisson,
    HalfSquaredError: kernel_losses.half_squared,
    LogisticLoss: kernel_losses.logistic,
    SoftmaxCrossEntropy: kernel_losses.softmax,
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
    >>> stack.layers["k"].tolist(), stack.layers["m"].tolist()
    ([[3, 4]], [[4, 1]])
    >>> dense_stack(NetworkObjective(Sequential([Dense(4), BatchNorm(), Dense(1)], (3,)), X, y), batch_size=2) is None
    True
    """
    following = _activations_after_dense(objective.network.layers)
    penalty = objective.penalty
    plain_penalty = penalty.l1 == 0 and not penalty.positive and np.ndim(penalty.l2) == 0
    if following is None or type(objective.loss) not in LOSSES or not plain_penalty:
        return None
    sizes = np.array([objective.network.input_shape[0], *(dense.units for dense, _ in following)])
    activations = [ACTIVATIONS[type(activation)] for _, activation in following]
    settings = np.array([activation_setting(activation) for _, activation in following])
    batch_size = min(batch_size, objective.n_samples)
    return _data(objective, float(penalty.l2)), plan(sizes, activations, settings, batch_size, objective.X.dtype)


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
    weights, loss = objective.reduction.weights, LOSSES[type(objective.loss)]
    if loss is kernel_losses.logistic and objective.network.output_shape == (1,):
        loss = kernel_losses.logistic_column
    return Data(
        X=np.ascontiguousarray(objective.X),
        targets=np.ascontiguousarray(objective.y.reshape(objective.n_samples, -1), dtype=dtype),
        weights=np.empty(0) if weights is None else weights.astype(np.float64),
        loss=loss.address(dtype),
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
