"""The learning-rate range test: which rates a network learns at, found in a few dozen updates."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.mini_batch import batches
from steepest.solvers.updates import Update, open_update
from steepest.typing import Array
from steepest.validation import check_count, check_generator, check_positive

if TYPE_CHECKING:
    from steepest.neural_network.network import Network

SMOOTHING = 0.7
HOPELESS = 4.0  # times the lowest loss: from here on it only grows


@dataclass(frozen=True)
class RangeTest:
    """What a range test saw.

    Attributes
    ----------
    rates, values, smoothed : array (n_updates,)
        The rate of each update, the batch's loss before it, and a running mean of the losses.
    suggestion : float
        A tenth of the rate at which the running mean was lowest: learning is fast there, and diverging still far.

    Examples
    --------
    >>> import numpy as np
    >>> RangeTest(np.array([0.01, 0.1, 1.0]), np.array([3.0, 1.0, 9.0]), np.array([3.0, 1.0, 9.0]), suggestion=0.01)
    RangeTest(suggestion=0.01)
    """

    rates: Array = field(repr=False)
    values: Array = field(repr=False)
    smoothed: Array = field(repr=False)
    suggestion: float


def learning_rate_range_test(
    network: "Network",
    X: Any,
    y: Any,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    n_updates: int = 100,
    batch_size: int = 32,
    update: str | Update = "adam",
    random_state: int | np.random.Generator | None = None,
) -> RangeTest:
    r"""Train a copy of the network while the rate grows from ``low`` to ``high``; see where the loss falls and grows.

    Notes
    -----
    The rate of update k is ``low (high / low)^(k / (n - 1))``. The loss stays where the rate is too small to matter,
    falls where it suits, and grows without bound beyond; the test ends there. The network itself is left alone.

    Source: L. N. Smith, Cyclical learning rates for training neural networks, WACV (2017), section 3.3; there the rate
    grows linearly.

    Examples
    --------
    >>> from steepest.layers import Dense, Tanh
    >>> from steepest.neural_network import Network
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 3))
    >>> network = Network([Dense(8), Tanh(), Dense(1)], 3, random_state=0)
    >>> test = learning_rate_range_test(network, X, X[:, 0], random_state=0)
    >>> bool(1e-4 < test.suggestion < 1.0)
    True
    """
    low, high = check_positive("low", low), check_positive("high", high)
    if low >= high:
        raise InvalidInputError(f"low={low:g}, high={high:g}: low must be below high")
    check_count("n_updates", n_updates, minimum=10)
    check_count("batch_size", batch_size)
    generator = np.random.default_rng(check_generator(random_state))
    state = [{name: s.copy() for name, s in named.items()} for named in network.state]
    objective = network.objective(X, y, generator=generator)
    objective.state = state
    rule, theta = open_update(update), network.theta.copy()
    memory = rule.start(theta)
    rates: list[float] = []
    values: list[float] = []
    smoothed: list[float] = []
    rows: Any = iter(())
    for k in range(n_updates):
        batch = next(rows, None)
        if batch is None:
            rows = batches(objective.n_samples, min(batch_size, objective.n_samples), generator)
            batch = next(rows)
        rate = low * (high / low) ** (k / (n_updates - 1))
        with np.errstate(all="ignore"):
            value, gradient = objective.batch(batch).value_and_gradient(theta)
            delta, memory = rule.delta(theta, gradient, memory, rate, k + 1)
        mean = value if not smoothed else SMOOTHING * smoothed[-1] + (1.0 - SMOOTHING) * value
        if not np.isfinite(mean) or (k > 10 and mean > HOPELESS * min(smoothed)):
            break
        theta = theta + delta
        rates.append(rate)
        values.append(value)
        smoothed.append(mean)
    lowest = rates[int(np.argmin(smoothed))]
    return RangeTest(np.array(rates), np.array(values), np.array(smoothed), lowest / 10.0)
