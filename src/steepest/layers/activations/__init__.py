"""Activations: each with its derivative and why it is that."""

from steepest.layers.activations.elu import ELU
from steepest.layers.activations.gelu import GELU
from steepest.layers.activations.identity import Identity
from steepest.layers.activations.relu import LeakyReLU, ReLU
from steepest.layers.activations.sigmoid import HardSigmoid, Sigmoid
from steepest.layers.activations.silu import SiLU
from steepest.layers.activations.softmax import Softmax
from steepest.layers.activations.softplus import Softplus
from steepest.layers.activations.tanh import HardTanh, Tanh

__all__ = [
    "ELU",
    "GELU",
    "HardSigmoid",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
