"""Layers: each a forward and the backward that pulls ``dL/dY`` back."""

from steepest.layers.activations import (
    ELU,
    GELU,
    HardSigmoid,
    HardTanh,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from steepest.layers.batch_norm import BatchNorm
from steepest.layers.dense import Dense
from steepest.layers.dropout import Dropout
from steepest.layers.flatten import Flatten
from steepest.layers.layer import Layer
from steepest.layers.layer_norm import LayerNorm
from steepest.layers.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Flatten",
    "HardSigmoid",
    "HardTanh",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
