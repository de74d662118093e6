"""The lasso."""

from typing import Any

from steepest.linear_model.elastic_net import ElasticNet
from steepest.linear_model.path import enet_path


class Lasso(ElasticNet):
    r"""Least squares with an L1 penalty: ``||y - X w - b||^2 / (2 n) + alpha ||w||_1``.

    The elastic net with ``l1_ratio=1``; parameters, attributes and notes are described at
    :class:`~steepest.linear_model.ElasticNet`.

    Parameters
    ----------
    alpha : float, default 1.0
        Strength of the penalty: the larger, the fewer coefficients differ from zero.
    fit_intercept, precompute, copy_X, max_iter, tol, warm_start, positive, random_state, selection, solver
        As for the elastic net.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> model = Lasso(alpha=0.1).fit(X, 2.0 * X[:, 0] + 1.0)
    >>> model.coef_.round(3), float(model.intercept_.round(3))
    (array([1.92, 0.  ]), 1.12)
    """

    path = staticmethod(enet_path)
    l1_ratio = 1.0

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        learning_rate: Any = "auto",
        batch_size: int | None = None,
        update: Any = "plain",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.update = update
