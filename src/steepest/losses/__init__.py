"""Losses: per-sample values with their derivatives beside them. Averaging happens in objectives."""

from steepest.losses.absolute_error import AbsoluteError
from steepest.losses.epsilon_insensitive import EpsilonInsensitive, SquaredEpsilonInsensitive
from steepest.losses.half_squared_error import HalfSquaredError
from steepest.losses.hinge import Hinge
from steepest.losses.huber import HuberLoss
from steepest.losses.logistic import LogisticLoss
from steepest.losses.modified_huber import ModifiedHuber
from steepest.losses.poisson import HalfPoissonDeviance
from steepest.losses.protocol import Loss
from steepest.losses.quantile import QuantileLoss
from steepest.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from steepest.losses.squared_error import SquaredError
from steepest.losses.squared_hinge import SquaredHinge

__all__ = [
    "AbsoluteError",
    "EpsilonInsensitive",
    "HalfPoissonDeviance",
    "HalfSquaredError",
    "Hinge",
    "HuberLoss",
    "LogisticLoss",
    "Loss",
    "ModifiedHuber",
    "QuantileLoss",
    "SoftmaxCrossEntropy",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredHinge",
]
