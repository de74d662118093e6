"""Training of neural networks: the time of many steps, against PyTorch, scikit-learn and, where it is installed, JAX.

Every contender trains the same architecture from the same initial weights, in batches of the same rows in the same
order, by the same update rule. The quality of an answer is how far its loss on all rows is from the reference's (the
readable layers and solver), in shares of that: whoever does other steps arrives elsewhere and does not count.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import networks_fits
from benchmarks.compare import Contender, Contest, Regime, run_regimes
from benchmarks.networks_peers import peers
from benchmarks.networks_settings import RATES, SETTINGS, Setting, data
from steepest.neural_network import Network
from steepest.objectives.dense_stack import dense_stack
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.updates import Adam, Plain


def compiled(setting: Setting, network: Network, objective: Any, orders: Any, rule: str) -> Callable[[], Any]:
    """Return our training."""
    update = Adam() if rule == "adam" else Plain()
    how: dict[str, Any] = {"learning_rate": RATES[rule], "batch_size": setting.batch, "update": update}
    prepared = dense_stack(objective, setting.batch)

    def run() -> Any:
        if prepared is None:
            steps = mini_batch_descent(
                objective, network.theta, generator=_Ready(orders), whole_value=False, start=False, **how
            )  # fmt: skip
            return [step.theta for _, step in zip(range(setting.passes + 1), steps, strict=False)][-1]
        steps = compiled_mini_batch_descent(
            objective,
            prepared,
            network.theta,
            orders=lambda n_passes: orders,
            stride=setting.passes,
            max_iter=setting.passes,
            start=False,
            **how,
        )
        next(steps)
        return next(steps).theta

    return run


class _Ready:
    """A generator whose permutations are drawn already."""

    def __init__(self, orders: Any) -> None:
        self.orders = iter(orders)

    def permutation(self, n: int) -> Any:
        """Return the next."""
        return next(self.orders)


def regime(setting: Setting, dtype: Any, rule: str) -> Regime:
    """Return the contest on one network."""

    def prepare() -> Contest:
        X, y, orders = data(setting, dtype)
        network = Network(setting.layers(), setting.input_shape, loss=setting.loss, random_state=0, dtype=dtype)
        objective = network.objective(X, y)
        update = Adam() if rule == "adam" else Plain()
        how: dict[str, Any] = {"learning_rate": RATES[rule], "batch_size": setting.batch, "update": update}
        steps = mini_batch_descent(objective, network.theta, generator=_Ready(orders), whole_value=False, **how)
        reference = [step.theta for _, step in zip(range(setting.passes + 1), steps, strict=False)][-1]
        loss = objective.value(reference)

        def quality(theta: Any) -> float:
            return abs(objective.value(theta) - loss) / abs(loss)

        contenders = [
            Contender("steepest", compiled(setting, network, objective, orders, rule)),
            *peers(setting, network, X, y, orders, rule),
        ]
        return Contest(contenders, quality, allowed=1e-3 if dtype == np.float32 else 1e-4)

    return Regime(f"{setting.name}, {rule}, {np.dtype(dtype).name}", prepare, goal=setting.goal, repeats=5)


def regimes(quick: bool) -> list[Regime]:
    """Return all contests; ``quick`` takes the small networks alone."""
    settings = SETTINGS[:2] if quick else SETTINGS
    steps = [regime(s, dtype, rule) for s in settings for dtype in (np.float32, np.float64) for rule in ("adam", "sgd")]
    return steps + networks_fits.regimes()


def main(argv: list[str]) -> int:
    """Run the contests."""
    return run_regimes(argv, regimes)
