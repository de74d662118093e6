"""The multilayer perceptron for regression."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.losses import HalfPoissonDeviance, HalfSquaredError, Loss
from steepest.measures import r_squared
from steepest.neural_network.perceptron import Perceptron
from steepest.neural_network.perceptron_options import check_options, has_passes
from steepest.typing import Array
from steepest.validation import check_choice, check_supervised


class MLPRegressor(MultiOutputMixin, RegressorMixin, Perceptron):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Network of dense layers: ``(sum_i s_i l(y_i, f(x_i)) + alpha |W|^2 / 2) / sum_i s_i``, l half a squared error.

    The same updates as scikit-learn's estimator of this name makes, from the same weights, in the same order for the
    same ``random_state``.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}, default "squared_error"
        Half the squared error, or half the Poisson deviance of the prediction e^z for counts y >= 0.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer.
    activation : {"identity", "logistic", "tanh", "relu"}, default "relu"
        After each hidden layer.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
        Adam, or (Nesterov) momentum, on batches; or L-BFGS on all rows.
    alpha : float, default 0.0001
        Strength of the penalty on W; biases are free.
    batch_size : int or "auto", default "auto"
        Rows an update sees; "auto" is 200, or all if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        For "sgd": ``learning_rate_init``, or that over (samples seen + 1)^power_t, or that divided by 5 whenever
        ``n_iter_no_change`` passes bring no improvement.
    learning_rate_init : float, default 0.001
        The initial rate.
    power_t : float, default 0.5
        Exponent of "invscaling".
    max_iter : int, default 200
        The most passes (iterations, for "lbfgs").
    shuffle : bool, default True
        Rearrange the rows before every pass.
    random_state : int, RandomState or None
        Decides the initial weights, the order of the rows and the held-out share.
    tol : float, default 1e-4
        What counts as an improvement; for "lbfgs", the length of the gradient at which to stop.
    verbose : bool or int, default False
        Print every pass.
    warm_start : bool, default False
        Begin ``fit`` where the last one ended.
    momentum, nesterovs_momentum : float and bool, default 0.9 and True
        For "sgd".
    early_stopping : bool, default False
        Hold out a share of the rows, stop when their score no longer grows, and take the best weights.
    validation_fraction : float, default 0.1
        That share.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        For "adam".
    n_iter_no_change : int, default 10
        How many passes in a row may bring no improvement.
    max_fun : int, default 15000
        The most evaluations of the objective, for "lbfgs".

    Notes
    -----
    With several outputs, l is the sum of theirs, and that is what ``loss_``, ``loss_curve_`` and ``tol`` speak of: the
    objective whose gradient is followed. scikit-learn follows the same gradient but reports the squared error's mean
    over the outputs. Sparse rows are trained on as dense ones. ``trace_.about["notices"]`` says what is wrong with the
    network reached: dead units, vanishing gradients.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=10, activation="tanh", solver="lbfgs", random_state=0, max_iter=1000)
    >>> model = model.fit(X, X.ravel() ** 2)
    >>> bool(model.score(X, X.ravel() ** 2) > 0.99)
    True
    """

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train until the loss (or the held-out score) stops improving."""
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(has_passes)  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Make one pass over the rows given, from where the last call ended.

        Where ``set_params`` has changed the update rule since (solver, momentum, beta_1 ...), the new one begins with
        fresh memory, as what another remembers means nothing to it.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> "MLPRegressor":
        check_options(self)
        check_choice("loss", self.loss, ("squared_error", "poisson"))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y, sample_weight = check_supervised(
            self, X, y, sample_weight, accept_sparse=["csr", "csc"], multi_output=True, reset=first
        )
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        y = y[:, None] if y.ndim == 1 else y
        if self.loss == "poisson" and np.any(y < 0):
            raise InvalidInputError(f"y holds {y.min():g}: loss='poisson' is for counts, numbers not below 0")
        self.out_activation_ = "exp" if self.loss == "poisson" else "identity"
        self._learn(X, y, y.shape[1], sample_weight, incremental=incremental)
        return self

    def _loss_function(self) -> Loss:
        return HalfPoissonDeviance() if self.loss == "poisson" else HalfSquaredError()

    def _score_of(self, X: Array, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        return lambda scores: r_squared(y, self._predictions(scores), sample_weight)

    def _predictions(self, scores: Array) -> Array:
        means = np.exp(scores) if self.out_activation_ == "exp" else scores
        return means.ravel() if means.shape[1] == 1 else means

    def predict(self, X: Any) -> Array:
        """Return the predicted targets, (n_samples,) or (n_samples, n_outputs)."""
        return self._predictions(self._scores(X))
