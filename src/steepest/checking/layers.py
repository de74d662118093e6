"""``check_layers``: the backward pass of every layer against its own forward pass."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from steepest.checking.gradient import check_gradient
from steepest.checking.report import GradientReport
from steepest.checking.structure import argument_names
from steepest.exceptions import InvalidInputError
from steepest.validation import check_count

__all__ = ["check_layers"]

Pair = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]


def check_layers(layers: Mapping[str, Pair], *, seed: int = 0, n_points: int = 3) -> dict[str, GradientReport]:
    """Hold each layer's backward pass against its forward pass, so that a fault is found in its own layer.

    Parameters
    ----------
    layers : dict
        Name -> ``(forward, backward, inputs)``. ``forward(*inputs)`` returns ``Y`` or ``(Y, cache)``;
        ``backward(dY, cache)``, or ``backward(dY, *inputs)`` where there is no cache, returns one derivative
        for each of the inputs.
    seed : int
        Seed of dY and of the random points.
    n_points : int
        Random points besides the given inputs.

    Returns
    -------
    dict
        Name -> GradientReport.

    Notes
    -----
    The backward pass is the derivative of ``J = <dY, forward(inputs)>`` for any dY; a random one makes every
    entry of the layer's Jacobian count.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_layers
    >>> relu = lambda X: np.maximum(X, 0)
    >>> pair = (relu, lambda dY, X: dY, (np.array([[1.0, -2.0]]),))
    >>> bool(check_layers({"relu": pair})["relu"])
    False
    """
    check_count("seed", seed, minimum=0)
    return {name: _check_layer(name, *pair, seed=seed, n_points=n_points) for name, pair in layers.items()}


def _check_layer(
    name: str,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: tuple[Any, ...],
    *,
    seed: int,
    n_points: int,
) -> GradientReport:
    first = forward(*inputs)
    cached = isinstance(first, tuple)
    output = np.asarray(first[0] if cached else first)
    if output.dtype.kind not in "f":
        raise InvalidInputError(f"layer {name}: forward returned dtype {output.dtype}; must return real numbers")
    dY = np.asarray(np.random.default_rng(seed).standard_normal(output.shape), dtype=output.dtype)
    names = argument_names(forward, len(inputs))

    def value(params: dict[str, Any], dY: Any) -> Any:
        result = forward(*params.values())
        return np.sum(dY * (result[0] if cached else result))

    def gradient(params: dict[str, Any], dY: Any) -> dict[str, Any]:
        arguments = tuple(params.values())
        found = backward(dY, forward(*arguments)[1]) if cached else backward(dY, *arguments)
        parts = found if isinstance(found, tuple | list) else (found,)
        if len(parts) != len(names):
            raise InvalidInputError(f"layer {name}: backward returned {len(parts)} derivatives for {len(names)} inputs")
        return dict(zip(names, parts, strict=True))

    params = dict(zip(names, inputs, strict=True))
    return check_gradient(
        value, gradient, params, data={"dY": dY}, seed=seed, n_points=n_points, what=f"backward pass of {name}"
    )
