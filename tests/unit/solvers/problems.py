"""Objectives that the tests of several solvers share."""

import numpy as np
from scipy.optimize import rosen, rosen_der, rosen_hess

from steepest.losses import HalfSquaredError, LogisticLoss
from steepest.objectives.linear import LinearObjective
from steepest.objectives.quadratic import QuadraticObjective


class Rosenbrock:
    """A curved valley; its minimum is 0 at all ones."""

    def value(self, theta):
        return float(rosen(theta))

    def gradient(self, theta):
        return rosen_der(theta)

    def value_and_gradient(self, theta):
        return self.value(theta), self.gradient(theta)

    def hessian(self, theta):
        return rosen_hess(theta)


def parabola(*curvatures):
    """Return half the weighted sum of squares."""
    return QuadraticObjective(np.diag(np.array(curvatures, dtype=float)))


def regression(penalty=None, n=200, d=6, seed=0, loss=None, **options):
    """Return a linear objective on random data."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(0.5, 2.0, d) + 0.5
    y = X @ rng.normal(size=d) + 1.0 + 0.3 * rng.normal(size=n)
    return LinearObjective(X, y, HalfSquaredError() if loss is None else loss, penalty, **options)


def classification(penalty=None, n=200, d=6, seed=0):
    """Return a logistic objective on random data that no plane separates."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = (X[:, 0] - 0.5 * X[:, 1] + rng.logistic(size=n) > 0).astype(float)
    return LinearObjective(X, y, LogisticLoss(), penalty)
