"""What ``MLPRegressor`` and ``MLPClassifier`` share."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from steepest.exceptions import DivergenceError, InvalidInputError, warn_user
from steepest.kernels.blas import one_blas_thread
from steepest.layers import Sequential
from steepest.losses import Loss
from steepest.neural_network.divergence import ended_high, growth, rate_advice, told
from steepest.neural_network.held_out import split_rows
from steepest.neural_network.incremental import check_one_pass
from steepest.neural_network.notices import notices
from steepest.neural_network.perceptron_network import PerceptronNetwork
from steepest.neural_network.perceptron_options import STOCHASTIC, schedule_of, update_of
from steepest.neural_network.rates import safe_rate
from steepest.neural_network.rows import RowOrders, narrated
from steepest.neural_network.stride import passes_between_steps
from steepest.objectives.dense_stack import dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.objectives.whole import WholeDenseStack
from steepest.penalties import SquaredL2
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent, initial_memory
from steepest.solvers.lbfgs import lbfgs
from steepest.solvers.loop import Steps
from steepest.solvers.memory import Memory
from steepest.solvers.plateau import Plateau
from steepest.solvers.stopping import GradientTolerance, Reason, StoppingRule, ValueTolerance
from steepest.solvers.updates import Update
from steepest.typing import Array

MOST_PASSES = 100  # between two steps
LBFGS_CHANGE = 2.220446049250313e-09  # relative change of the value at which L-BFGS has arrived


class Perceptron(PerceptronNetwork):
    """A network of dense layers that is trained in passes over batches, or on all rows at once.

    Attributes
    ----------
    loss_, loss_curve_, best_loss_ : float, list of float, float or None
        The objective in the last pass, in each, and the lowest; None with early stopping.
    validation_scores_, best_validation_score_ : list of float and float, or None
        Of the held-out rows, with early stopping.
    t_ : int
        Samples seen in training.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        The input counts as a layer.
    """

    _rule: Update | None  # what ``_memory`` belongs to
    out_activation_: str
    t_: int

    # ------------------------------------------------------------------ what subclasses say

    def _loss_function(self) -> Loss:
        raise NotImplementedError

    def _score_of(self, X: Array, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        """Return the score on held-out rows as a function of the parameters."""
        raise NotImplementedError

    # ------------------------------------------------------------------ fit

    def _begin(self, network: Sequential, random_state: Any, dtype: Any) -> Array:
        """Forget earlier fits; return the start."""
        self.t_, self.n_outputs_ = 0, network.output_shape[0]
        self.n_layers_ = 1 + len(network.parameters) // 2
        for name in (
            "_memory",
            "_rule",
            "_plateau",
            "loss_curve_",
            "best_loss_",
            "validation_scores_",
            "best_validation_score_",
        ):
            if hasattr(self, name):
                delattr(self, name)
        if self.solver in STOCHASTIC:
            self.loss_curve_: list[float] = []
        return self._draw(network, random_state, dtype)

    def _learn(self, X: Any, y: Array, n_outputs: int, sample_weight: Array | None, *, incremental: bool) -> None:
        """Begin or go on, and train."""
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        random_state = check_random_state(self.random_state)
        X = np.ascontiguousarray(X.toarray() if sparse.issparse(X) else X)
        network = self._network(X.shape[1], n_outputs)
        theta = self._begin(network, random_state, X.dtype) if first else self._flat(X.dtype)
        if len(theta) != network.n_parameters:
            raise InvalidInputError(
                f"the network has {network.n_parameters} parameters, the fitted one {len(theta)}: "
                "go on with the same hidden_layer_sizes, or set warm_start=False"
            )
        if self.solver == "lbfgs":
            self._fit_whole(network, theta, X, y, sample_weight)
        else:
            self._fit_batches(network, theta, X, y, sample_weight, random_state, incremental=incremental)

    def _objective(self, network: Sequential, X: Array, y: Array, sample_weight: Array | None) -> NetworkObjective:
        penalty = SquaredL2(float(self.alpha))
        loss = self._loss_function()
        return NetworkObjective(network, X, y, loss, penalty, sample_weight=sample_weight, own_batches=True)

    def _fit_whole(self, network: Sequential, theta: Array, X: Array, y: Array, sample_weight: Array | None) -> None:
        """Train by L-BFGS."""
        objective = self._objective(network, X, y, sample_weight)
        whole = WholeDenseStack(objective)
        rules: list[StoppingRule] = [GradientTolerance(self.tol), ValueTolerance(LBFGS_CHANGE)]
        rules.append(lambda step: Reason.MAX_ITER if whole.n_evaluations >= self.max_fun else None)
        self._rule = None  # what an update rule remembers is of another place
        result = self._run(lbfgs(whole, theta), objective, sample_weight, self.max_iter, rules)
        self.loss_ = float(result.value)

    def _fit_batches(
        self,
        network: Sequential,
        theta: Array,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        random_state: Any,
        *,
        incremental: bool,
    ) -> None:
        """Train in passes over batches."""
        check_one_pass(incremental and self.early_stopping)
        score = None
        if self.early_stopping:
            X, y, sample_weight, score = self._hold_out(network, X, y, sample_weight, random_state)
        fresh = self._remember(theta, incremental=incremental)
        plateau = self._patience(score, fresh)
        objective, batch_size = self._objective(network, X, y, sample_weight), self._batch(len(X))
        orders = RowOrders(len(X), random_state if self.shuffle else None)
        before, limit = len(self._memory.values), 1 if incremental else self.max_iter
        steps = self._passes(objective, theta, batch_size, orders, plateau, incremental=incremental)
        try:
            # scores and notices would leave threads waiting on cores that the steps need; a part has none of them
            with nullcontext() if incremental else one_blas_thread():
                result = self._run(steps, objective, sample_weight, limit, warn=not incremental)
        except DivergenceError as error:
            values = [*error.result.trace["value"][:1], *self._memory.values[before:]]
            raise DivergenceError(told(str(error), self._since(objective, values)), error.result) from None
        finally:
            self._take_over(before, len(X), plateau, orders)
        if plateau.best_theta is not None:
            for name, value in self._attributes(network, plateau.best_theta).items():
                setattr(self, name, value)
        elif not incremental:
            self._look_for_runaway(objective, [*result.trace["value"][:1], *self._memory.values[before:]])

    def _remember(self, theta: Array, *, incremental: bool) -> bool:
        """Go on with what the last call's update rule remembers; return whether to begin anew instead."""
        update = update_of(self)
        fresh = not (incremental and getattr(self, "_rule", None) == update)
        if fresh:  # what one rule remembers means nothing to another
            self._memory, self._rule = Memory(initial_memory(update, theta)), update
        return fresh

    def _passes(
        self,
        objective: NetworkObjective,
        theta: Array,
        batch_size: int,
        orders: RowOrders,
        plateau: Plateau,
        *,
        incremental: bool,
    ) -> Steps:
        """Return the solver: one pass between two steps where somebody watches, else up to a hundred short ones."""
        prepared = dense_stack(objective, batch_size)
        if prepared is None:
            raise TypeError("every activation and loss of a perceptron has a compiled twin")
        n_rows, watched = objective.n_samples, self._watched or bool(self.verbose)
        stride = passes_between_steps(n_rows, objective.n_parameters, MOST_PASSES)
        steps = compiled_mini_batch_descent(
            objective,
            prepared,
            theta,
            learning_rate=schedule_of(self, n_rows, fresh=not incremental),
            batch_size=batch_size,
            update=update_of(self),
            orders=orders,
            stride=1 if watched or incremental else stride,
            max_iter=1 if incremental else self.max_iter,
            memory=self._memory,
            plateau=plateau,
            rate_in_velocity=self.solver == "sgd",
            parts={p.key: p.span for p in objective.network.parameters},
            start=not incremental,
        )
        return narrated(steps) if self.verbose else steps

    def _since(self, objective: NetworkObjective, values: list[float]) -> str:
        """Say in which pass the loss, at the start and in each pass, began to grow, and which rate is safe."""
        advice = rate_advice(objective, self._start_of(objective), update_of(self), "learning_rate_init")
        return told(growth(range(len(values)), values), advice)

    def _look_for_runaway(self, objective: NetworkObjective, values: list[float]) -> None:
        """Warn of a run that diverged without overflowing; its coefficients mean nothing."""
        if not ended_high(values):
            return
        ignorant = objective.value(np.zeros(objective.n_parameters, objective.X.dtype))
        if not ended_high([ignorant, values[-1]]):  # a start that knew nearly all was left
            return
        grown = f"diverged: the loss ended at {values[-1]:.3g}, and was {values[0]:.3g} at the start"
        message = told(grown, self._since(objective, values))
        self.stopping_reason_ = Reason.DIVERGED
        self.trace_.about |= {"reason": Reason.DIVERGED.name, "message": message}
        warn_user(f"{type(self).__name__} {message}", ConvergenceWarning)

    def _run(
        self,
        steps: Steps,
        objective: NetworkObjective,
        sample_weight: Array | None,
        max_iter: int,
        stopping: Any = (),
        *,
        warn: bool = True,
    ) -> Any:
        """Drive the steps; say what is wrong with the network reached."""
        network, name = objective.network, "L-BFGS" if self.solver == "lbfgs" else f"mini-batches, {self.solver}"
        result = self._drive(
            steps,
            lambda theta: self._attributes(network, theta),
            X=objective.X,
            y=objective.y,
            sample_weight=sample_weight,
            max_iter=max_iter,
            stopping=stopping,
            stable_rate=lambda: safe_rate(objective, self._start_of(objective), update_of(self)),
            about={"objective": objective.words, "solver": name},
            warn=warn,
        )
        if not np.all(np.isfinite(result.theta)):
            raise DivergenceError(f"{type(self).__name__}: the parameters are not finite; scale the data", result)
        self.trace_.about["notices"] = notices(objective, result.theta, result.trace) if warn else []
        return result

    def _start_of(self, objective: NetworkObjective) -> Array:
        """Return parameters like those at the start: where a diverged run ended says little about a safe rate."""
        return self._draw(objective.network, np.random.RandomState(0), objective.X.dtype)

    def _batch(self, n_rows: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warn_user(f"batch_size={self.batch_size}: only {n_rows} rows are there, all are taken")
        return min(int(self.batch_size), n_rows)

    def _patience(self, score: Callable[[Array], float] | None, fresh: bool) -> Plateau:
        """Return what counts passes without improvement; it goes on counting over several fits."""
        adaptive = self.solver == "sgd" and self.learning_rate == "adaptive"
        plateau: Plateau = getattr(self, "_plateau", None) or Plateau()
        new = Plateau(self.tol, self.n_iter_no_change, score, 5.0 if adaptive else 1.0)
        new.counts[:2], new.scores = plateau.counts[:2], plateau.scores
        new.best_score, new.best_theta = plateau.best_score, plateau.best_theta
        new.factor = 1.0 if fresh else plateau.factor
        self._plateau = new
        return new

    def _hold_out(
        self, network: Sequential, X: Array, y: Array, sample_weight: Array | None, random_state: Any
    ) -> tuple[Array, Array, Array | None, Callable[[Array], float]]:
        """Return the rows to learn from, and the score on the others."""
        stratify = y if self.out_activation_ == "logistic" and self.n_outputs_ == 1 else None
        learn, held = split_rows(len(X), self.validation_fraction, random_state, stratify)
        weight = None if sample_weight is None else sample_weight[held]
        score = self._score_of(X[held], y[held], weight)

        def score_of(theta: Array) -> float:
            named = self._attributes(network, theta)
            scores = self._outputs(X[held], zip(named["coefs_"], named["intercepts_"], strict=True))
            return score(scores) if np.all(np.isfinite(scores)) else np.nan

        return X[learn], y[learn], None if sample_weight is None else sample_weight[learn], score_of

    def _take_over(self, before: int, n_rows: int, plateau: Plateau, orders: RowOrders) -> None:
        """Set what is known after the passes."""
        values = self._memory.values[before:]
        orders.settle(len(values))
        self.loss_curve_ = [*getattr(self, "loss_curve_", []), *values]
        self.t_ += len(values) * n_rows
        if values:
            self.loss_ = values[-1]
        early, plateau.score = self.early_stopping, None  # what scores held rows is not kept with the model
        self.best_loss_ = None if early else float(plateau.counts[0])
        self.validation_scores_ = list(plateau.scores) if early else None
        self.best_validation_score_ = float(plateau.best_score) if early else None
