"""How others train the same network: each function returns a training that returns the flat parameters."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.compare import Contender
from benchmarks.networks_settings import RATES, Setting
from steepest.neural_network import Network

LARGE = 50_000  # parameters from which a second thread can help a step of PyTorch


def peers(setting: Setting, network: Network, X: Any, y: Any, orders: Any, rule: str) -> Iterator[Contender]:
    """Yield whoever can train this network."""
    if not setting.image:
        rows = orders[0]
        yield Contender("scikit-learn", sklearn_training(setting, network, X[rows], y[rows], orders, rule))
    for kind in ("", "foreach", "fused", *(["compiled"] if shutil.which("c++") else [])):
        for threads in (1, 2) if network.theta.size > LARGE else (1,):
            name = f"torch{kind and ', ' + kind}, {threads} thread{'s' * (threads > 1)}"
            yield Contender(name, torch_training(setting, network, X, y, orders, rule, kind=kind, threads=threads))
    if find_spec("jax"):
        yield Contender("JAX, jit", jax_training(setting, network, X, y, orders, rule), beside=True)


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


# ---------------------------------------------------------------------- JAX: the whole training is one compiled call


def jax_training(setting: Setting, network: Network, X: Any, y: Any, orders: Any, rule: str) -> Callable[[], Any]:
    """Return JAX's training: steps of equal batches scanned, a last smaller one after them, passes scanned."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # arrays of single precision stay so
    inputs, targets = jnp.asarray(X), jnp.asarray(y)
    start = [jnp.asarray(value) for value in network.parameters.values()]
    whole = setting.n // setting.batch * setting.batch

    def step(state: Any, rows: Any) -> tuple[Any, None]:
        slopes = jax.grad(partial(_jax_loss, setting))(state[0], inputs[rows], targets[rows])
        return _jax_update(rule, state, slopes), None

    def one_pass(state: Any, order: Any) -> tuple[Any, None]:
        state, _ = jax.lax.scan(step, state, order[:whole].reshape(-1, setting.batch))
        return (state if whole == setting.n else step(state, order[whole:])[0]), None

    @jax.jit
    def train(order: Any) -> Any:
        zeros = [jnp.zeros_like(value) for value in start]
        (parameters, *_), _ = jax.lax.scan(one_pass, (start, zeros, zeros, 0), order)
        return jnp.concatenate([value.ravel() for value in parameters])

    return lambda: np.asarray(train(orders))


def _jax_loss(setting: Setting, parameters: list[Any], X: Any, y: Any) -> Any:
    """Return the mean loss of a batch."""
    import jax
    import jax.numpy as jnp

    if setting.image:
        W, b, *parameters = parameters
        maps = jax.nn.relu(jax.lax.conv_general_dilated(X, W, (1, 1), "VALID") + b[:, None, None])
        window = (1, 1, 2, 2)
        X = jax.lax.reduce_window(maps, -jnp.inf, jax.lax.max, window, window, "VALID").reshape(len(X), -1)
    activation = jnp.tanh if setting.activation == "tanh" else jax.nn.relu
    for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        X = activation(X @ W + b)
    z = X @ parameters[-2] + parameters[-1]
    if setting.loss == "cross_entropy":
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
    if setting.loss == "logistic":
        return (jax.nn.softplus(z[:, 0]) - y * z[:, 0]).mean()
    return 0.5 * ((z[:, 0] - y) ** 2).mean()


def _jax_update(rule: str, state: Any, slopes: list[Any]) -> Any:
    """Return parameters, running means and the number of steps after one more."""
    import jax.numpy as jnp

    parameters, means, squares, t = state
    t = t + 1
    if rule == "sgd":
        return [p - RATES[rule] * g for p, g in zip(parameters, slopes, strict=True)], means, squares, t
    means = [0.9 * m + 0.1 * g for m, g in zip(means, slopes, strict=True)]
    squares = [0.999 * s + 0.001 * g * g for s, g in zip(squares, slopes, strict=True)]
    single = means[0].dtype  # a power of a Python number by a counter is in double precision
    first, second = (1.0 - 0.9**t).astype(single), (1.0 - 0.999**t).astype(single)
    moved = [
        p - RATES[rule] * (m / first) / (jnp.sqrt(s / second) + 1e-8)
        for p, m, s in zip(parameters, means, squares, strict=True)
    ]
    return moved, means, squares, t
