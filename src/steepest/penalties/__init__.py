"""Penalties on coefficients: value, gradient and prox beside each other."""

from steepest.penalties.elastic_net import ElasticNet
from steepest.penalties.l1 import L1
from steepest.penalties.no_penalty import NonNegative, NoPenalty
from steepest.penalties.protocol import Penalty
from steepest.penalties.squared_l2 import SquaredL2

__all__ = ["L1", "ElasticNet", "NoPenalty", "NonNegative", "Penalty", "SquaredL2"]
