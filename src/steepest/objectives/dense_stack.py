"""A network objective as the compiled kernel takes it."""

import numpy as np

from steepest.kernels import activations as kernel_activations
from steepest.kernels import output_losses as kernel_losses
from steepest.kernels.dense_stack import Data, Stack
from steepest.layers import Dense, Identity, Layer, ReLU, Sigmoid, Tanh
from steepest.losses import HalfPoissonDeviance, HalfSquaredError, LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.network import NetworkObjective

TILE = 512  # activations whose exponentials are computed together
ACTIVATIONS: dict[type[Layer], int] = {
    Identity: kernel_activations.IDENTITY,
    ReLU: kernel_activations.RELU,
    Sigmoid: kernel_activations.SIGMOID,
    Tanh: kernel_activations.TANH,
}
LOSSES: dict[type, int] = {
    HalfPoissonDeviance: kernel_losses.POISSON,
    HalfSquaredError: kernel_losses.HALF_SQUARED,
    LogisticLoss: kernel_losses.LOGISTIC,
    SoftmaxCrossEntropy: kernel_losses.SOFTMAX,
}


def dense_stack(objective: NetworkObjective, batch_size: int) -> tuple[Data, Stack] | None:
    """Return what the kernel needs to train on batches of up to ``batch_size`` rows, or None if it cannot.

    The rule: dense layers with at most one elementwise activation that has a compiled twin after each, none after the
    last; a loss with a twin; no penalty but the squared L2. Everything else trains by the layers themselves.

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
    dtype = objective.X.dtype
    sizes = np.array([objective.network.input_shape[0], *(dense.units for dense, _ in following)])
    starts = np.concatenate([[0], np.cumsum(sizes) * batch_size])
    stack = Stack(
        sizes=sizes,
        activations=np.array([ACTIVATIONS[type(activation)] for _, activation in following]),
        starts=starts,
        work=np.empty(starts[-1] + sizes.max() * batch_size, dtype=dtype),
        exponents=np.empty(TILE),
        bits=np.empty(TILE, dtype=np.int64),
    )
    weights = objective.reduction.weights
    data = Data(
        X=np.ascontiguousarray(objective.X),
        targets=np.ascontiguousarray(objective.y.reshape(objective.n_samples, -1), dtype=dtype),
        weights=np.empty(0, dtype) if weights is None else weights.astype(dtype),
        loss=LOSSES[type(objective.loss)],
        factor=1.0 if objective.own_batches else float(objective.reduction.factor),
        l2=float(penalty.l2),
        own_mean=objective.own_batches,
    )
    return data, stack


def _activations_after_dense(layers: list[Layer]) -> list[tuple[Dense, Layer]] | None:
    """Pair every dense layer with what follows it, the identity if nothing does; None for any other network."""
    pairs: list[tuple[Dense, Layer]] = []
    activated = True  # an activation may come only right after a dense layer
    for layer in layers:
        if isinstance(layer, Dense):
            pairs.append((layer, Identity()))
            activated = False
        elif not activated and type(layer) in ACTIVATIONS:
            pairs[-1] = (pairs[-1][0], layer)
            activated = True
        else:
            return None
    scores_last = bool(pairs) and isinstance(pairs[-1][1], Identity)
    return pairs if scores_last else None
