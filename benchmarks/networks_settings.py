"""The networks that are trained, and on which data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Tanh

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
