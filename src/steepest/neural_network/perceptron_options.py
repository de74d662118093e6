"""What a perceptron can be asked for."""

from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers import Identity, Layer, ReLU, Sigmoid, Tanh
from steepest.solvers.schedules import Schedule
from steepest.solvers.updates import Adam, Momentum, Nesterov, Update
from steepest.validation import check_choice, check_count, check_positive

ACTIVATIONS: dict[str, Layer] = {"identity": Identity(), "logistic": Sigmoid(), "tanh": Tanh(), "relu": ReLU()}
STOCHASTIC = ("sgd", "adam")


def has_passes(model: Any) -> bool:
    """Say whether the solver makes passes over batches, which ``partial_fit`` needs."""
    if model.solver not in STOCHASTIC:
        raise AttributeError(f"partial_fit needs solver='sgd' or 'adam'; solver={model.solver!r} sees all rows at once")
    return True


def check_options(model: Any) -> None:
    """Check what the user asked for."""
    check_choice("activation", model.activation, ACTIVATIONS)
    check_choice("solver", model.solver, ("lbfgs", *STOCHASTIC))
    check_choice("learning_rate", model.learning_rate, ("constant", "invscaling", "adaptive"))
    for name in ("alpha", "power_t", "tol"):
        check_positive(name, getattr(model, name), zero=True)
    for name in ("learning_rate_init", "epsilon"):
        check_positive(name, getattr(model, name))
    for name in ("max_iter", "max_fun"):
        check_count(name, getattr(model, name))
    if model.n_iter_no_change != inf:
        check_count("n_iter_no_change", model.n_iter_no_change)
    if model.batch_size != "auto":
        check_count("batch_size", model.batch_size)
    for name, closed in (("momentum", True), ("beta_1", False), ("beta_2", False), ("validation_fraction", False)):
        _check_share(name, getattr(model, name), closed)
    hidden_sizes(model.hidden_layer_sizes)


def _check_share(name: str, value: Any, closed: bool) -> None:
    if not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0 or (value == 1.0 and not closed):
        raise InvalidInputError(f"{name}={value!r}: must be at least 0 and {'at most' if closed else 'below'} 1")


def hidden_sizes(given: Any) -> list[int]:
    """Return the sizes of the hidden layers.

    Examples
    --------
    >>> hidden_sizes(5), hidden_sizes((5, 3))
    ([5], [5, 3])
    """
    sizes = [given] if isinstance(given, Integral) else list(np.asarray(given).ravel().tolist())
    if any(not isinstance(k, Integral) or k <= 0 for k in sizes):
        raise InvalidInputError(f"hidden_layer_sizes={given!r}: must be > 0, positive integers, one a hidden layer")
    return [int(k) for k in sizes]


def update_of(model: Any) -> Update:
    """Return the update rule."""
    if model.solver == "adam":
        return Adam(model.beta_1, model.beta_2, model.epsilon, uncorrected_epsilon=True)
    beta = min(float(model.momentum), float(np.nextafter(1.0, 0.0)))
    return Nesterov(beta) if model.nesterovs_momentum else Momentum(beta)


def schedule_of(model: Any, n_rows: int, *, fresh: bool) -> float | Schedule:
    """Return the learning rate, or the rate as a function of the pass."""
    initial = float(model.learning_rate_init)
    if model.solver == "adam" or model.learning_rate != "invscaling":
        return initial
    seen = model.t_
    return lambda t: initial if fresh and t == 1 else initial / (seen + (t - 1) * n_rows + 1) ** model.power_t
