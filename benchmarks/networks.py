"""Training of neural networks: the time of many steps, against PyTorch and scikit-learn.

Every contender trains the same architecture from the same initial weights, in batches of the same rows in the same
order, by the same update rule. The quality of an answer is how far its loss on all rows is from the reference's (the
readable layers and solver), in shares of that: whoever does other steps arrives elsewhere and does not count.
"""

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import networks_fits
from benchmarks.compare import Contender, Contest, Regime, run_regimes
from steepest.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Tanh
from steepest.neural_network import Network
from steepest.objectives.dense_stack import dense_stack
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.updates import Adam, Plain

LARGE = 50_000  # parameters from which a second thread can help a step of PyTorch
RATES = {"adam": 1e-3, "sgd": 1e-2}


@dataclass(frozen=True)
class Setting:
    """One network on data of one size."""

    name: str
    sizes: tuple[int, ...]
    n: int
    batch: int
    loss: str
    activation: str
    passes: int
    goal: float
    image: int = 0

    def layers(self) -> list[Layer]:
        """Return the network."""
        if self.image:
            return [Conv2D(8, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
        found: list[Layer] = []
        for units in self.sizes[1:-1]:
            found += [Dense(units), Tanh() if self.activation == "tanh" else ReLU()]
        return [*found, Dense(self.sizes[-1])]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return (1, self.image, self.image) if self.image else self.sizes[:1]


SETTINGS = [
    Setting("XOR 2-2-1, all 4 rows", (2, 2, 1), 4, 4, "logistic", "tanh", 2000, 200),
    Setting("2-16-16-1, batch 32", (2, 16, 16, 1), 500, 32, "logistic", "tanh", 60, 80),
    Setting("13-64-64-1, batch 128", (13, 64, 64, 1), 20_000, 128, "squared_error", "relu", 5, 9),
    Setting("64-128-10, batch 32", (64, 128, 10), 1797, 32, "cross_entropy", "relu", 10, 11),
    Setting("784-128-10, batch 128", (784, 128, 10), 6_400, 128, "cross_entropy", "relu", 2, 1.8),
    Setting("784-512-512-10, batch 256", (784, 512, 512, 10), 2_560, 256, "cross_entropy", "relu", 1, 1.2),
    Setting("784-512-512-10, batch 1024", (784, 512, 512, 10), 4_096, 1024, "cross_entropy", "relu", 1, 1.2),
    Setting("CNN 28 x 28, batch 64", (), 640, 64, "cross_entropy", "relu", 1, 1.3, image=28),
]


def data(setting: Setting, dtype: Any) -> tuple[Any, Any, Any]:
    """Return inputs, targets that can be learned, and the order of the rows in each pass."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((setting.n, *setting.input_shape)).astype(dtype)
    flat = X.reshape(len(X), -1)
    if setting.loss == "cross_entropy":
        y: Any = (flat @ rng.standard_normal((flat.shape[1], 10))).argmax(axis=1)
    elif setting.n == 4:
        X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype)
        y = np.array([0, 1, 1, 0], dtype)
    else:
        y = np.tanh(flat[:, 0]) * flat[:, 1]
        y = ((y > 0) if setting.loss == "logistic" else y).astype(dtype)
    whole = setting.batch >= setting.n
    order = np.arange(setting.n) if whole else rng.permutation(setting.n)  # of every pass, so that all can follow it
    return X, y, np.tile(order, (setting.passes, 1))


# ---------------------------------------------------------------------- the contenders: each returns flat parameters


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


def torch_training(
    setting: Setting, network: Network, X: Any, y: Any, orders: Any, rule: str, *, kind: str, threads: int
) -> Callable[[], Any]:
    """Return PyTorch's training: eager, with an optimiser of some kind, or compiled, with the fused one."""
    import torch

    modules: list[Any] = []
    activation = torch.nn.Tanh if setting.activation == "tanh" else torch.nn.ReLU
    dtype = torch.float32 if X.dtype == np.float32 else torch.float64
    if setting.image:
        side = (setting.image - 2) // 2
        modules = [torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
        modules.append(torch.nn.Linear(8 * side * side, 10))
    else:
        for before, after in zip(setting.sizes[:-2], setting.sizes[1:-1], strict=True):
            modules += [torch.nn.Linear(before, after), activation()]
        modules.append(torch.nn.Linear(*setting.sizes[-2:]))
    model = torch.nn.Sequential(*modules).to(dtype)
    kinds = {"squared_error": torch.nn.MSELoss, "logistic": torch.nn.BCEWithLogitsLoss}
    kinds["cross_entropy"] = torch.nn.CrossEntropyLoss
    loss_of = kinds[setting.loss]()
    share = 0.5 if setting.loss == "squared_error" else 1.0
    options = {"fused": True} if kind == "compiled" else {kind: True} if kind else {}

    def forward(rows: Any, targets: Any) -> Any:
        return share * loss_of(model(rows), targets)

    if kind == "compiled":
        forward = torch.compile(forward, dynamic=False)
    inputs, column = torch.from_numpy(X), torch.from_numpy(y if y.dtype.kind == "i" else y[:, None])
    index = [torch.from_numpy(order) for order in orders]

    def run() -> Any:
        torch.set_num_threads(threads)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), network.parameters.values(), strict=True):
                flip = value.ndim == 2
                parameter.copy_(torch.from_numpy(value.T.copy() if flip else value))
        make = torch.optim.Adam if rule == "adam" else torch.optim.SGD
        optimiser = make(model.parameters(), lr=RATES[rule], **options)
        for order in index:
            for start in range(0, setting.n, setting.batch):
                rows = order[start : start + setting.batch]
                optimiser.zero_grad()
                forward(inputs[rows], column[rows]).backward()
                optimiser.step()
        values = (p.detach().numpy() for p in model.parameters())
        return np.concatenate([(v.T if v.ndim == 2 else v).ravel() for v in values])

    return run


def sklearn_training(setting: Setting, network: Network, X: Any, y: Any, orders: Any, rule: str) -> Callable[[], Any]:
    """Return scikit-learn's training, on rows put in order beforehand: its own shuffling is switched off."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if setting.loss == "squared_error" else MLPClassifier
    solver = "adam" if rule == "adam" else "sgd"

    def run() -> Any:
        model = kind(
            hidden_layer_sizes=setting.sizes[1:-1],
            activation=setting.activation,
            solver=solver,
            alpha=0.0,
            batch_size=setting.batch,
            learning_rate_init=RATES[rule],
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
            max_iter=setting.passes,
            n_iter_no_change=setting.passes + 1,
        )
        model._init_coef = _Initial(network, X.dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
        return np.concatenate([p.ravel() for pair in zip(model.coefs_, model.intercepts_, strict=True) for p in pair])

    return run


class _Initial:
    """Hands out given initial weights, layer by layer."""

    def __init__(self, network: Network, dtype: Any) -> None:
        self.values = [value.astype(dtype) for value in network.parameters.values()]

    def __call__(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Any, Any]:
        """Return W and b of the next layer."""
        W, b = self.values[:2]
        del self.values[:2]
        return W.copy(), b.copy()


# ---------------------------------------------------------------------- the contests


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

        contenders = [Contender("steepest", compiled(setting, network, objective, orders, rule))]
        if not setting.image:
            rows = orders[0]
            contenders.append(
                Contender("scikit-learn", sklearn_training(setting, network, X[rows], y[rows], orders, rule))
            )
        contenders += [
            Contender(
                f"torch{kind and ', ' + kind}, {threads} thread{'s' * (threads > 1)}",
                torch_training(setting, network, X, y, orders, rule, kind=kind, threads=threads),
            )
            for kind in ("", "foreach", "fused", *(["compiled"] if shutil.which("c++") else []))
            for threads in ((1, 2) if network.theta.size > LARGE else (1,))
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
