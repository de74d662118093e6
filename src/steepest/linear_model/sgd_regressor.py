"""Linear regression by stochastic gradient descent."""

from typing import Any

from sklearn.base import RegressorMixin
from sklearn.model_selection import ShuffleSplit
from sklearn.utils import check_random_state

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.linear_model.classifier import SparseCoefficients
from steepest.linear_model.stochastic import MAX_INT, REGRESSION_LOSSES, StochasticModel, Task
from steepest.measures import r_squared
from steepest.typing import Array
from steepest.validation import check_supervised


class SGDRegressor(SparseCoefficients, RegressorMixin, StochasticModel):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Linear regression by SGD: ``mean_i s_i l(y_i, w^T x_i + b) + alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|^2/2)``.

    The same updates as scikit-learn's estimator of this name makes, in the same order for the same ``random_state``:
    ``coef_`` agrees to rounding. ``steepest.solvers.stochastic_reference.reference_pass`` derives them.

    Parameters
    ----------
    loss : {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}, default "squared_error"
        ``squared_error`` is halved: (y - z)^2 / 2.
    penalty : {"l2", "l1", "elasticnet"} or None, default "l2"
        Which l1_ratio: 0, 1, the one given, or no penalty.
    alpha : float, default 0.0001
        Strength of the penalty; also what the "optimal" rate is computed from.
    l1_ratio : float, default 0.15
        Share of the absolute values, for ``penalty="elasticnet"``.
    fit_intercept : bool, default True
        Whether to learn ``b``; it is not penalised. On sparse data it moves at 0.01 times the rate.
    max_iter : int, default 1000
        The most passes over the data.
    tol : float or None, default 1e-3
        A pass counts as an improvement if it lowers the mean objective (as the samples met it, each before its own
        update) by this much; None makes ``max_iter`` passes.
    shuffle : bool, default True
        Rearrange the rows before every pass.
    verbose : int, default 0
        Accepted; use scikit-learn's callbacks to watch a run.
    epsilon : float, default 0.1
        Width of the insensitive tube, or where Huber's loss becomes linear.
    random_state : int, RandomState or None
        Decides the order of the rows.
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, default "invscaling"
        See :class:`steepest.solvers.stochastic_reference.Rates`.
    eta0 : float, default 0.01
        The initial rate.
    power_t : float, default 0.25
        Exponent of "invscaling".
    early_stopping : bool, default False
        Hold out a part of the data, and stop when its score (R^2) does not grow any more.
    validation_fraction : float, default 0.1
        The part held out.
    n_iter_no_change : int, default 5
        Passes in a row without improvement before the run stops.
    warm_start : bool, default False
        Begin ``fit`` where the last one ended.
    average : bool or int, default False
        Take the mean of the parameters of all updates, or of those from this one on.
    batch_size : int, default 1
        Samples in an update, which uses the mean of their gradients; the rates count updates.

    Attributes
    ----------
    coef_ : array (n_features,)
        The weights.
    intercept_ : array (1,)
        The intercept.
    n_iter_ : int
        Passes over the data.
    t_ : float
        Number of the next update, counted from 1.
    trace_ : Trace
        The scalars of every pass; ``value`` is the mean objective that the samples met.

    Notes
    -----
    No certificate is left: a fixed number of noisy steps proves nothing about the optimum.

    **A weight w is w copies.** A row of weight w >= 2 is visited floor(w) times in a pass, each time with the weight
    w / floor(w), a row of weight 0 never; and where a row is repeated, by its weight or in ``X`` itself, the rows are
    brought into an order that their content decides before they are shuffled
    (``steepest.solvers.visits.plan_visits``). So weights and copies give the same coefficients, bit by bit, which
    scikit-learn's estimator, stepping once w times as far, does not promise. Rows that are all distinct, with weights
    above 0 and below 2, are visited in scikit-learn's order; other data in an order that differs from it for the same
    ``random_state``. With ``shuffle=False`` the order of the rows is always kept.

    Where else this differs from scikit-learn 1.9, on purpose: with ``early_stopping`` and an L2 penalty the held-out
    data are scored with the weights themselves (there, with weights not yet multiplied by the weight scale); with
    ``average`` and an L1 penalty the mean is that of the weights after the L1 charge (there, earlier weights are
    charged again by later charges); ``warm_start`` with ``average`` begins a new mean. On sparse data, the norms in
    the monitored objective cover the features of the latest row only, as they do there: this affects when a run stops.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(8.0).reshape(8, 1) / 8
    >>> model = SGDRegressor(alpha=0.0, eta0=0.1, learning_rate="constant", tol=None, random_state=0)
    >>> model = model.fit(X, 3 * X[:, 0] + 1)
    >>> model.coef_.round(6), model.intercept_.round(6)
    (array([3.]), array([1.]))
    """

    losses = REGRESSION_LOSSES
    passive_aggressive_loss = "epsilon_insensitive"

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
        batch_size: int = 1,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size

    @fitting
    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> "SGDRegressor":
        """Learn until the objective (or the held-out score) stops improving."""
        self._check_options()
        X, y, sample_weight = check_supervised(self, X, y, sample_weight, accept_sparse="csr", order="C")
        if self.warm_start and hasattr(self, "_working"):
            coef_init = self._working[:, :-1] if coef_init is None else coef_init
            intercept_init = self._working[:, -1] if intercept_init is None else intercept_init
        self._begin((1, X.shape[1]), X.dtype, coef_init, intercept_init)
        self._pass(X, y, sample_weight, max_iter=self.max_iter, patient=True)
        self._warn_of_negative_power()
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "SGDRegressor":
        """Make one pass over the data given, from where the last call ended."""
        first = not hasattr(self, "_working")
        self._check_options()
        if self.early_stopping:
            raise InvalidInputError("early_stopping=True: partial_fit makes one pass and holds nothing out; use fit")
        X, y, sample_weight = check_supervised(self, X, y, sample_weight, accept_sparse="csr", order="C", reset=first)
        if first:
            self._begin((1, X.shape[1]), X.dtype, None, None)
        self._pass(X, y, sample_weight, max_iter=1, patient=False)
        return self

    def _pass(self, X: Any, y: Array, sample_weight: Array | None, *, max_iter: int, patient: bool) -> None:
        """Learn the one score."""
        held_out, score = None, None
        if self.early_stopping:
            split = ShuffleSplit(test_size=self.validation_fraction, random_state=self.random_state)
            held_out = self._mask(split, y, sample_weight)
            weight = None if sample_weight is None else sample_weight[held_out]
            score = self._score_function(X[held_out], y[held_out], weight)
        seed = int(check_random_state(self.random_state).randint(0, MAX_INT))
        task = Task(y, sample_weight, seed, held_out, score)
        self._learn(X, y, y, sample_weight, [task], max_iter=max_iter, patient=patient)

    def _score_function(self, X: Any, y: Array, weight: Array | None) -> Any:
        return lambda w, b: r_squared(y, X @ w + b, weight)

    def _attributes(self, theta: Array) -> dict[str, Any]:
        return {"coef_": theta[:-1].copy(), "intercept_": theta[-1:].copy()}

    def predict(self, X: Any) -> Array:
        """Return ``X coef_ + intercept_``."""
        return self._scores(X).ravel()

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
