"""What ``SGDRegressor`` and ``SGDClassifier`` share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from numbers import Real
from typing import Any, cast

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import InvalidInputError, warn_user
from steepest.kernels.sgd import fisher_yates
from steepest.linear_model.base import LinearModel
from steepest.losses import (
    EpsilonInsensitive,
    HalfSquaredError,
    Hinge,
    HuberLoss,
    LogisticLoss,
    Loss,
    ModifiedHuber,
    SquaredEpsilonInsensitive,
    SquaredHinge,
)
from steepest.solvers.stochastic import Learner, Plateau, make_settings, stochastic_gradient
from steepest.solvers.stochastic_reference import Rates
from steepest.solvers.stopping import Reason
from steepest.solvers.visits import plan_visits
from steepest.typing import Array, IntArray
from steepest.validation import check_choice, check_count, check_positive, check_share

MAX_INT = np.iinfo(np.int32).max
SPARSE_INTERCEPT_RATE = 0.01  # sparse columns move rarely, the intercept at every sample: it is slowed down
REGRESSION_LOSSES = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
CLASSIFICATION_LOSSES = ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", *REGRESSION_LOSSES)
SCHEDULES = ("constant", "optimal", "invscaling", "adaptive", "pa1", "pa2")


def loss_of(name: str, epsilon: float) -> Loss:
    """Return the loss that scikit-learn calls ``name``."""
    makers: dict[str, Callable[[], Loss]] = {
        "squared_error": HalfSquaredError,
        "huber": lambda: HuberLoss(epsilon),
        "epsilon_insensitive": lambda: EpsilonInsensitive(epsilon),
        "squared_epsilon_insensitive": lambda: SquaredEpsilonInsensitive(epsilon),
        "hinge": Hinge,
        "perceptron": lambda: Hinge(margin=0.0),
        "squared_hinge": SquaredHinge,
        "modified_huber": ModifiedHuber,
        "log_loss": LogisticLoss,
    }
    return makers[name]()


@dataclass
class Task:
    """What one learner has to learn: targets, weights, which rows are held out, how they are scored."""

    y: Array
    weight: Array | None
    seed: int
    held_out: Any = None
    score: Callable[[Array, float], float] | None = None


class StochasticModel(LinearModel):
    """A linear model learned by stochastic gradient descent, one learner a score.

    Attributes
    ----------
    t_ : float
        Number of the next update, counted from 1.
    """

    losses: tuple[str, ...] = ()
    passive_aggressive_loss = ""
    t_: float
    # one row (coefficients, intercept) a learner: where the updates are, and their running mean
    _working: Array
    _average: Array

    # ------------------------------------------------------------------ parameters

    def _check_options(self) -> None:
        """Check what the user asked for."""
        check_choice("loss", self.loss, self.losses)
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        if self.penalty is not None:
            check_choice("penalty", self.penalty, ("l2", "l1", "elasticnet"))
        check_positive("alpha", self.alpha, zero=True)
        check_positive("eta0", self.eta0)
        check_positive("epsilon", self.epsilon, zero=True)
        if not isinstance(self.power_t, Real) or not isfinite(self.power_t):
            raise InvalidInputError(f"power_t={self.power_t!r}: must be a finite number")
        for name in ("max_iter", "n_iter_no_change", "batch_size"):
            check_count(name, getattr(self, name))
        if self.tol is not None:
            check_positive("tol", self.tol, zero=True)
        if not isinstance(self.average, bool | np.bool_):
            check_count("average", self.average)
        self._check_combinations()

    def _check_combinations(self) -> None:
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise InvalidInputError("alpha=0: learning_rate='optimal' is computed from alpha, which must be above 0")
        if self.learning_rate in ("pa1", "pa2"):
            if self.loss != self.passive_aggressive_loss:
                text = f"learning_rate={self.learning_rate!r} works with loss={self.passive_aggressive_loss!r} only"
                raise InvalidInputError(f"loss={self.loss!r}: {text}")
            if self.batch_size > 1:
                text = f"learning_rate={self.learning_rate!r} is a step for single samples; it needs batch_size=1"
                raise InvalidInputError(f"batch_size={self.batch_size}: {text}")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise InvalidInputError("l1_ratio=None: penalty='elasticnet' needs a number between 0 and 1")
        if self.l1_ratio is not None:
            check_share("l1_ratio", self.l1_ratio)
        check_share("validation_fraction", self.validation_fraction, ends=False)

    @property
    def _penalty_weights(self) -> tuple[float, float]:
        """The weights of the absolute values and of half the squares."""
        share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}[self.penalty]
        strength = 0.0 if self.penalty is None else self.alpha
        return strength * share, strength * (1.0 - share)

    # ------------------------------------------------------------------ start

    def _begin(self, shape: tuple[int, int], dtype: Any, coef_init: Any, intercept_init: Any) -> None:
        """Set the start: what the user gave, zeros otherwise."""
        n_learners, n_features = shape
        self.t_ = 1.0
        self._working = np.zeros((n_learners, n_features + 1), dtype)
        self._average = np.zeros_like(self._working)
        for name, given, target in (
            ("coef_init", coef_init, self._working[:, :-1]),
            ("intercept_init", intercept_init, self._working[:, -1]),
        ):
            if given is None:
                continue
            values = np.asarray(given.toarray() if sparse.issparse(given) else given, dtype)
            if values.size != target.size:
                raise InvalidInputError(
                    f"{name} has shape {values.shape}: does not match dataset, {target.shape} needed"
                )
            target[...] = values.reshape(target.shape)

    def _mask(self, split: Any, y: Any, sample_weight: Array | None) -> Any:
        """Return which samples are held out by a splitter of scikit-learn."""
        train, held = next(split.split(np.zeros((len(y), 1)), y))
        if len(train) == 0 or len(held) == 0:
            text = f"leaves {len(train)} to learn from and {len(held)} to score; give more, or early_stopping=False"
            raise InvalidInputError(f"validation_fraction={self.validation_fraction!r} of {len(y)} samples {text}")
        if sample_weight is not None and not np.any(sample_weight[held]):
            raise InvalidInputError("the sample weights for the validation set are all zero: use another random_state")
        mask = np.zeros(len(y), dtype=bool)
        mask[held] = True
        return mask

    # ------------------------------------------------------------------ run

    def _learn(
        self,
        X: Any,
        y: Any,
        numbers: Array | IntArray,
        sample_weight: Array | None,
        tasks: Sequence[Task],
        *,
        max_iter: int,
        patient: bool,
    ) -> None:
        """Let one learner a task make passes; set the fitted attributes. ``numbers`` are the targets as numbers."""
        order, visits = plan_visits(X, numbers, sample_weight, shuffled=self.shuffle)
        if visits is not None:
            tasks = [replace(task, weight=np.divide(cast(Array, task.weight), visits)) for task in tasks]
        learners = [self._learner(X, task, order, i, patient) for i, task in enumerate(tasks)]
        start = self.t_
        try:
            self._drive(
                stochastic_gradient(learners),
                self._attributes,
                X=X,
                y=y,
                sample_weight=sample_weight,
                max_iter=max_iter,
                stable_rate=lambda: self._stable_rate(X),
                about={"objective": self._words, "solver": "stochastic gradient descent"},
                warn=patient and self.tol is not None,
            )
            self._warn_of_runaway(learners, X)
        finally:
            n_updates = -(-len(order) // self.batch_size)
            self.t_ = start + n_updates * max(learner.passes for learner in learners)
            for row, mean, learner in zip(self._working, self._average, learners, strict=True):
                row[:-1], row[-1] = learner.coefficients, learner.intercept
                mean[:-1], mean[-1] = (learner.average, learner.average_intercept) if self.average else (0.0, 0.0)

    def _learner(self, X: Any, task: Task, order: IntArray, i: int, patient: bool) -> Learner:
        l1, l2 = self._penalty_weights
        rate = SPARSE_INTERCEPT_RATE if sparse.issparse(X) else 1.0
        loss = loss_of(self.loss, self.epsilon)
        settings = make_settings(
            loss,
            Rates(self.learning_rate, self.eta0, self.power_t, self.alpha),
            l1=l1,
            l2=l2,
            intercept_rate=rate if self.fit_intercept else 0.0,
            average=int(self.average),
        )
        never = self.tol is None or not patient
        learner = Learner(
            X,
            task.y,
            task.weight,
            settings,
            coefficients=self._working[i, :-1].copy(),
            average=self._average[i, :-1].copy() if self.average else np.empty(0, X.dtype),
            order=order,
            permutation=fisher_yates(len(order), task.seed) if self.shuffle else None,
            plateau=Plateau(-inf if never else self.tol, self.n_iter_no_change),
            batch_size=self.batch_size,
            adaptive=self.learning_rate == "adaptive",
            score=task.score,
            held_out=task.held_out,
        )
        learner.state["t"] = self.t_
        learner.state["intercept"] = self._working[i, -1]
        learner.state["average_intercept"] = self._average[i, -1]
        return learner

    def _attributes(self, theta: Array) -> dict[str, Any]:
        """Return the fitted attributes for one row (coefficients, intercept) a learner."""
        raise NotImplementedError

    def _stable_rate(self, X: Any) -> float:
        """Return ``2 / (L max_i (|x_i|^2 + 1))``: up to here an update brings its own sample's score closer."""
        squares = X.multiply(X).sum(axis=1) if sparse.issparse(X) else np.einsum("ij,ij->i", X, X)
        curvature = loss_of(self.loss, self.epsilon).smoothness
        return 2.0 / (curvature * (float(np.max(squares)) + 1.0)) if np.isfinite(curvature) else inf

    @property
    def _words(self) -> str:
        l1, l2 = self._penalty_weights
        terms = [f" + {l1:g} |w|_1" if l1 > 0 else "", f" + {l2:g} |w|^2 / 2" if l2 > 0 else ""]
        return f"mean of {loss_of(self.loss, self.epsilon).words}{''.join(terms)}"

    def _warn_of_runaway(self, learners: Sequence[Learner], X: Any) -> None:
        """Warn of a run that diverged without overflowing; its coefficients mean nothing."""
        ran_away = next((learner.ran_away for learner in learners if learner.ran_away is not None), None)
        if ran_away is not None:
            message = f"{ran_away}: the largest stable learning rate is about {self._stable_rate(X):.3g}"
            self.stopping_reason_ = Reason.DIVERGED
            self.trace_.about |= {"reason": Reason.DIVERGED.name, "message": message}
            warn_user(f"{type(self).__name__} {message}", ConvergenceWarning)

    def _warn_of_negative_power(self) -> None:
        """Warn as scikit-learn does of rates that grow."""
        if self.power_t < 0:
            warn_user(
                f"power_t={self.power_t}: rates that grow are deprecated; use a number not below 0",
                FutureWarning,
            )
