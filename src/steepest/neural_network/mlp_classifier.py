"""The multilayer perceptron for classification."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.losses import LogisticLoss, Loss, SoftmaxCrossEntropy
from steepest.measures import accuracy
from steepest.neural_network.incremental import check_labels, check_named
from steepest.neural_network.perceptron import Perceptron
from steepest.neural_network.perceptron_options import check_options, has_passes
from steepest.typing import Array
from steepest.validation import check_supervised, encode_labels


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Network of dense layers: ``(sum_i s_i l(y_i, f(x_i)) + alpha |W|^2 / 2) / sum_i s_i``, l the cross-entropy.

    The same updates as scikit-learn's estimator of this name makes, from the same weights, in the same order for the
    same ``random_state``. The cross-entropy is that of the softmax for more than two classes, of the sigmoid for two,
    and the sum of the labels' own for multi-label targets (n_samples, n_labels) of 0 and 1.

    Parameters
    ----------
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
    Sparse rows are trained on as dense ones. ``trace_.about["notices"]`` says what is wrong with the network reached:
    dead units, vanishing gradients.

    Examples
    --------
    >>> X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array(["same", "other", "other", "same"])
    >>> model = MLPClassifier((8,), "tanh", solver="lbfgs", random_state=0, max_iter=1000).fit(X, y)
    >>> model.predict(X).tolist()
    ['same', 'other', 'other', 'same']
    """

    classes_: Any
    _multilabel: bool

    def __init__(
        self,
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
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPClassifier":
        """Train until the loss (or the held-out accuracy) stops improving."""
        return self._fit(X, y, sample_weight, None, incremental=False)

    @available_if(has_passes)  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Make one pass over the rows given, from where the last call ended; the first call names all classes.

        Where ``set_params`` has changed the update rule since (solver, momentum, beta_1 ...), the new one begins with
        fresh memory, as what another remembers means nothing to it.
        """
        check_named(classes, self.classes_ if hasattr(self, "coefs_") else None)
        return self._fit(X, y, sample_weight, classes, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any, *, incremental: bool) -> "MLPClassifier":
        check_options(self)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y, sample_weight = check_supervised(
            self,
            X,
            y,
            sample_weight,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=False,
            reset=first,
        )
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        targets = self._targets(y, classes, X.dtype, first)
        n_outputs = 1 if self.out_activation_ == "logistic" and not self._multilabel else len(self.classes_)
        self._learn(X, targets, n_outputs, sample_weight, incremental=incremental)
        return self

    def _targets(self, y: Any, classes: Any, dtype: Any, first: bool) -> Any:
        """Return the targets as the loss takes them: class numbers, or columns of 0 and 1."""
        multilabel = y.ndim == 2
        given, numbers = _columns_of_labels(y, dtype) if multilabel else encode_labels(y)
        if first:
            self._multilabel = multilabel
            self.classes_ = given if multilabel or classes is None else np.unique(np.asarray(classes))
            self.out_activation_ = "softmax" if not multilabel and len(self.classes_) > 2 else "logistic"
        elif self._multilabel != multilabel:
            now, was = ("several labels", "one") if multilabel else ("one label", "several")
            raise InvalidInputError(f"y holds {now} a sample: the network has learned {was}")
        self._check_classes(given)
        if multilabel:
            return numbers
        numbers = np.searchsorted(self.classes_, given)[numbers]
        return numbers if self.out_activation_ == "softmax" else numbers.astype(dtype)[:, None]

    def _check_classes(self, given: Any) -> None:
        """Refuse labels that the network has no output for, and columns that are not as many as its outputs."""
        if self._multilabel and len(given) != len(self.classes_):
            raise InvalidInputError(f"y has {len(given)} columns: the network has learned {len(self.classes_)} labels")
        check_labels(given, self.classes_)
        if self.warm_start and hasattr(self, "coefs_") and len(given) != len(self.classes_):
            text = "warm_start can only be used where `y` has the same classes as in the previous call to fit"
            raise InvalidInputError(f"y holds {given.tolist()}, not all of {self.classes_.tolist()}: {text}")

    def _loss_function(self) -> Loss:
        return SoftmaxCrossEntropy() if self.out_activation_ == "softmax" else LogisticLoss()

    def _score_of(self, X: Array, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
        return lambda scores: accuracy(y, self._chosen(scores), sample_weight)

    # ------------------------------------------------------------------ predictions

    def _chosen(self, scores: Array) -> Any:
        """Return class numbers, or rows of 0 and 1 for several labels."""
        if self.out_activation_ == "softmax":
            return scores.argmax(axis=1)
        positive = (scores > 0).astype(np.intp)
        return positive if self._multilabel else positive.ravel()

    def predict(self, X: Any) -> Any:
        """Return the most probable class, or 0 and 1 for each of several labels."""
        chosen = self._chosen(self._scores(X))
        if self._multilabel:
            return chosen
        return self.classes_[np.minimum(chosen, len(self.classes_) - 1)]

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class (n_samples, n_classes), or of each label."""
        scores = self._scores(X)
        if self.out_activation_ == "softmax":
            return np.asarray(softmax(scores, axis=1))
        p = np.asarray(expit(scores))
        return p if self._multilabel else np.column_stack([expit(-scores), p])[:, : max(len(self.classes_), 1)]

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities."""
        return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _columns_of_labels(y: Any, dtype: Any) -> tuple[Any, Array]:
    """Return the numbers of the labels and, for each sample and label, 0 or 1; other targets are refused."""
    kind = type_of_target(y)
    if kind != "multilabel-indicator":
        raise InvalidInputError(f"y has {y.shape[1]} columns of kind {kind}: several labels are columns of 0 and 1")
    return np.arange(y.shape[1]), np.asarray(y.toarray() if hasattr(y, "toarray") else y).astype(dtype)
