"""Linear classification by stochastic gradient descent."""

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.linear_model.class_weights import class_weights
from steepest.linear_model.classifier import LinearClassifier
from steepest.linear_model.stochastic import CLASSIFICATION_LOSSES, MAX_INT, StochasticModel, Task
from steepest.measures import accuracy
from steepest.typing import Array, IntArray
from steepest.validation import check_supervised


def _gives_probabilities(model: Any) -> bool:
    if model.loss not in ("log_loss", "modified_huber"):
        raise AttributeError(f"loss={model.loss!r} gives no probabilities: use 'log_loss' or 'modified_huber'")
    return True


class SGDClassifier(LinearClassifier, StochasticModel):
    r"""Linear classifier by SGD: ``mean_i s_i l(y_i, w^T x_i + b) + alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|^2/2)``.

    The same updates as scikit-learn's estimator of this name makes, in the same order for the same ``random_state``:
    ``coef_`` agrees to rounding. ``steepest.solvers.stochastic_reference.reference_pass`` derives them. With more than
    two classes, one score a class is learned against all others, in threads.

    Parameters
    ----------
    loss : str, default "hinge"
        "hinge" (linear support vector machine), "log_loss" (logistic regression), "modified_huber", "squared_hinge",
        "perceptron" (hinge without margin), or a regression loss of the labels -1 and 1: "squared_error" (halved),
        "huber", "epsilon_insensitive", "squared_epsilon_insensitive".
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
    n_jobs : int or None
        Accepted; the number of threads is set by the environment (``STEEPEST_NUM_THREADS``).
    random_state : int, RandomState or None
        Decides the order of the rows.
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, default "optimal"
        See :class:`steepest.solvers.stochastic_reference.Rates`.
    eta0 : float, default 0.01
        The initial rate.
    power_t : float, default 0.5
        Exponent of "invscaling".
    early_stopping : bool, default False
        Hold out a part of the data, and stop when its score (accuracy) does not grow any more.
    validation_fraction : float, default 0.1
        The part held out.
    n_iter_no_change : int, default 5
        Passes in a row without improvement before the run stops.
    class_weight : dict, "balanced" or None
        Weights of the classes, by label.
    warm_start : bool, default False
        Begin ``fit`` where the last one ended.
    average : bool or int, default False
        Take the mean of the parameters of all updates, or of those from this one on.
    batch_size : int, default 1
        Samples in an update, which uses the mean of their gradients; the rates count updates.

    Attributes
    ----------
    coef_ : array (1, n_features) or (n_classes, n_features)
        The weights.
    intercept_ : array (1,) or (n_classes,)
        The intercepts.
    classes_ : array (n_classes,)
        The labels.
    n_iter_ : int
        Passes over the data; with several classes, the most that one of them needed.
    t_ : float
        Number of the next update, counted from 1.
    trace_ : Trace
        The scalars of every pass; ``value`` is the mean objective that the samples met, summed over the scores.

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

    Where else this differs from scikit-learn 1.9, on purpose: with ``early_stopping`` the held-out data are scored with
    the weights themselves (there, with weights not yet multiplied by the weight scale) and, for "log_loss", against
    their labels (there, labels 0 and 1 are compared with predictions -1 and 1); with ``average`` and an L1 penalty
    the mean is that of the weights after the L1 charge (there, earlier weights are charged again by later charges);
    with ``average``, ``partial_fit`` goes on from the intercept it had reached (there, from an earlier one).
    On sparse data, the norms in the monitored objective cover the features of the latest row only, as they do there:
    this affects when a run stops.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-1.0, -1.0], [-2.0, -1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> SGDClassifier(random_state=0).fit(X, ["left", "left", "right", "right"]).predict([[-0.8, -1.0]])
    array(['left'], dtype='<U5')
    """

    losses = CLASSIFICATION_LOSSES
    passive_aggressive_loss = "hinge"

    def __init__(
        self,
        loss: str = "hinge",
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
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size

    @fitting
    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> "SGDClassifier":
        """Learn until the objective (or the held-out score) stops improving."""
        self._check_options()
        X, numbers, sample_weight = self._validate(X, y, sample_weight)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self._begin((self._n_learners, X.shape[1]), X.dtype, coef_init, intercept_init)
        self._pass(X, y, numbers, sample_weight, max_iter=self.max_iter, patient=True)
        self._warn_of_negative_power()
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> "SGDClassifier":
        """Make one pass over the data given, from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight
            Some of the data; ``y`` need not hold every class.
        classes : array (n_classes,), optional
            All classes of all calls; needed at the first.
        """
        first = not hasattr(self, "_working")
        self._check_options()
        self._check_partial_fit(first, classes)
        X, y, sample_weight = check_supervised(
            self, X, y, sample_weight, accept_sparse="csr", order="C", y_numeric=False, reset=first
        )
        if first:
            self.classes_ = np.unique(classes)
            self._begin((self._n_learners, X.shape[1]), X.dtype, None, None)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise InvalidInputError(f"y holds {unknown.tolist()[0]!r}: not among the classes {self.classes_.tolist()}")
        self._pass(X, y, np.searchsorted(self.classes_, y), sample_weight, max_iter=1, patient=False)
        return self

    def _check_partial_fit(self, first: bool, classes: Any) -> None:
        """Refuse what needs more than one call's data."""
        if self.early_stopping:
            raise InvalidInputError("early_stopping=True: partial_fit makes one pass and holds nothing out; use fit")
        if isinstance(self.class_weight, str):
            text = "partial_fit sees a part of the data; compute the weights from all of it and give them as a dict"
            raise InvalidInputError(f"class_weight={self.class_weight!r}: {text}")
        if first and classes is None:
            raise InvalidInputError("classes=None: classes must be passed on the first call to partial_fit.")
        if first and len(np.unique(classes)) < 2:
            raise InvalidInputError(f"classes={classes!r}: a classifier needs at least 2 classes")
        if not first and classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise InvalidInputError(f"classes={classes!r}: not the same as on last call, {self.classes_.tolist()}")

    @property
    def _n_learners(self) -> int:
        return 1 if len(self.classes_) == 2 else len(self.classes_)

    def _pass(
        self, X: Any, y: Any, numbers: IntArray, sample_weight: Array | None, *, max_iter: int, patient: bool
    ) -> None:
        """Learn the score of the second class, or one a class."""
        class_weight = class_weights(self.class_weight, self.classes_, self.classes_[numbers])
        positive = [1] if self._n_learners == 1 else range(self._n_learners)
        generator = check_random_state(self.random_state)
        if self._n_learners == 1:
            generator.randint(1, MAX_INT)  # a number that scikit-learn draws and does not use; so are those below
        held_out = self._held_out(numbers, sample_weight) if self.early_stopping else None
        if self._n_learners == 1:
            seeds = [int(generator.randint(MAX_INT))]
        else:
            generators = map(np.random.RandomState, generator.randint(MAX_INT, size=self._n_learners))
            seeds = [int(g.randint(1, MAX_INT) and g.randint(MAX_INT)) for g in generators]
        other = [class_weight[0]] if self._n_learners == 1 else [1.0] * self._n_learners
        tasks = [
            self._task(X, numbers == k, sample_weight, (class_weight[k], rest), seed, held_out)
            for k, rest, seed in zip(positive, other, seeds, strict=True)
        ]
        self._learn(X, y, numbers, sample_weight, tasks, max_iter=max_iter, patient=patient)

    def _task(
        self, X: Any, is_class: Any, sample_weight: Array | None, weights: Any, seed: int, held_out: Array | None
    ) -> Task:
        """Return the task of telling one class from the rest."""
        low = 0.0 if self.loss == "log_loss" else -1.0
        target = np.where(is_class, X.dtype.type(1), X.dtype.type(low))
        weight = sample_weight
        if weights != (1.0, 1.0):
            by_class = np.where(is_class, *map(X.dtype.type, weights))
            weight = by_class if sample_weight is None else by_class * sample_weight
        score = None
        if held_out is not None:
            X_held, truth = X[held_out], is_class[held_out]
            counts = None if sample_weight is None else sample_weight[held_out]

            def score(w: Array, b: float) -> float:
                return accuracy(truth, X_held @ w + b > 0, counts)

        return Task(target, weight, seed, held_out, score)

    def _held_out(self, numbers: IntArray, sample_weight: Array | None) -> Array:
        split = StratifiedShuffleSplit(test_size=self.validation_fraction, random_state=self.random_state)
        mask: Array = self._mask(split, numbers, sample_weight)
        return mask

    def _attributes(self, theta: Array) -> dict[str, Any]:
        rows = theta.reshape(self._n_learners, -1)
        return {"coef_": np.ascontiguousarray(rows[:, :-1]), "intercept_": rows[:, -1].copy()}

    # ------------------------------------------------------------------ probabilities

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def predict_proba(self, X: Any) -> Array:
        """Return probabilities, (n_samples, n_classes), in the order of ``classes_``.

        Per score z: the logistic function of z for "log_loss"; (clip(z, -1, 1) + 1) / 2, where the modified Huber
        loss has its minimum, for "modified_huber". With several classes they are divided by their sum (uniform where
        all are 0).
        """
        z = self.decision_function(X)
        p = expit(z) if self.loss == "log_loss" else (np.clip(z, -1.0, 1.0) + 1.0) / 2.0
        if p.ndim == 1:
            return np.column_stack([1.0 - p, p])
        total = p.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, p / np.where(total > 0, total, 1.0), 1.0 / p.shape[1]))

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of :meth:`predict_proba`; minus infinity where that is 0."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms
