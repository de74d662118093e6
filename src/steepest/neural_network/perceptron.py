"""What ``MLPRegressor`` and ``MLPClassifier`` share."""

import warnings
from collections.abc import Callable
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from steepest.estimator import Estimator
from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.kernels.blas import one_blas_thread
from steepest.kernels.threads import map_blocks
from steepest.layers import Dense, Identity, Layer, ReLU, Sequential, Sigmoid, Tanh
from steepest.losses import Loss
from steepest.neural_network.divergence import ended_high, growth, rate_advice, told
from steepest.neural_network.incremental import check_one_pass
from steepest.neural_network.notices import notices
from steepest.neural_network.rates import safe_rate
from steepest.neural_network.rows import RowOrders, narrated
from steepest.objectives.dense_stack import dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.objectives.whole import WholeDenseStack
from steepest.penalties import SquaredL2
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent, initial_memory
from steepest.solvers.lbfgs import lbfgs
from steepest.solvers.loop import Steps
from steepest.solvers.memory import Memory
from steepest.solvers.plateau import Plateau
from steepest.solvers.schedules import Schedule
from steepest.solvers.stopping import GradientTolerance, Reason, StoppingRule, ValueTolerance
from steepest.solvers.updates import Adam, Momentum, Nesterov, Update
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_features, check_positive

ACTIVATIONS: dict[str, Layer] = {"identity": Identity(), "logistic": Sigmoid(), "tanh": Tanh(), "relu": ReLU()}
STOCHASTIC = ("sgd", "adam")
WORK_BETWEEN_STEPS = 2_000_000  # multiplications made in one compiled call while nobody watches
SHARED_FROM = 1 << 16  # outputs of the widest layer: for fewer, setting up threads takes longer than they save
LEAST_BLOCK, BLOCK_NUMBERS = 256, 1 << 15  # rows taken through all layers together, and such outputs
LBFGS_CHANGE = 2.220446049250313e-09  # relative change of the value at which L-BFGS has arrived


def has_passes(model: Any) -> bool:
    """Say whether the solver makes passes over batches, which ``partial_fit`` needs."""
    if model.solver not in STOCHASTIC:
        raise AttributeError(f"partial_fit needs solver='sgd' or 'adam'; solver={model.solver!r} sees all rows at once")
    return True


class Perceptron(Estimator):
    """A network of dense layers with one activation after all but the last.

    Attributes
    ----------
    coefs_, intercepts_ : list of array
        W (inputs, outputs) and b (outputs,) of each layer.
    loss_, loss_curve_, best_loss_ : float, list of float, float or None
        The objective in the last pass, in each, and the lowest; None with early stopping.
    validation_scores_, best_validation_score_ : list of float and float, or None
        Of the held-out rows, with early stopping.
    t_ : int
        Samples seen in training.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        The input counts as a layer.
    """

    coefs_: list[Array]
    _rule: Update | None  # what ``_memory`` belongs to
    intercepts_: list[Array]
    out_activation_: str
    t_: int

    # ------------------------------------------------------------------ what subclasses say

    def _loss_function(self) -> Loss:
        raise NotImplementedError

    def _score_of(self, X: Array, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        """Return the score on held-out rows as a function of the parameters."""
        raise NotImplementedError

    # ------------------------------------------------------------------ parameters

    def _check_options(self) -> None:
        """Check what the user asked for."""
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("solver", self.solver, ("lbfgs", *STOCHASTIC))
        check_choice("learning_rate", self.learning_rate, ("constant", "invscaling", "adaptive"))
        for name in ("alpha", "power_t", "tol"):
            check_positive(name, getattr(self, name), zero=True)
        for name in ("learning_rate_init", "epsilon"):
            check_positive(name, getattr(self, name))
        for name in ("max_iter", "max_fun"):
            check_count(name, getattr(self, name))
        if self.n_iter_no_change != inf:
            check_count("n_iter_no_change", self.n_iter_no_change)
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        for name, closed in (("momentum", True), ("beta_1", False), ("beta_2", False), ("validation_fraction", False)):
            _check_share(name, getattr(self, name), closed)
        self._hidden()

    def _hidden(self) -> list[int]:
        """Return the sizes of the hidden layers."""
        given = self.hidden_layer_sizes
        sizes = [given] if isinstance(given, Integral) else list(np.asarray(given).ravel().tolist())
        if any(not isinstance(k, Integral) or k <= 0 for k in sizes):
            raise InvalidInputError(f"hidden_layer_sizes={given!r}: must be > 0, positive integers, one a hidden layer")
        return [int(k) for k in sizes]

    def _update(self) -> Update:
        if self.solver == "adam":
            return Adam(self.beta_1, self.beta_2, self.epsilon, uncorrected_epsilon=True)
        beta = min(float(self.momentum), float(np.nextafter(1.0, 0.0)))
        return Nesterov(beta) if self.nesterovs_momentum else Momentum(beta)

    def _schedule(self, n_rows: int, *, fresh: bool) -> float | Schedule:
        """Return the learning rate, or the rate as a function of the pass."""
        initial = float(self.learning_rate_init)
        if self.solver == "adam" or self.learning_rate != "invscaling":
            return initial
        seen = self.t_
        return lambda t: initial if fresh and t == 1 else initial / (seen + (t - 1) * n_rows + 1) ** self.power_t

    # ------------------------------------------------------------------ the network

    def _network(self, n_features: int, n_outputs: int) -> Sequential:
        layers: list[Layer] = []
        for k in self._hidden():
            layers += [Dense(k), ACTIVATIONS[self.activation]]
        return Sequential([*layers, Dense(n_outputs)], (n_features,))

    def _draw(self, network: Sequential, random_state: Any, dtype: Any) -> Array:
        r"""Draw W and b of each layer from [-a, a], ``a^2 = 6 / (fan_in + fan_out)``, or a third of it for the sigmoid.

        Notes
        -----
        The sigmoid's slope is at most 1/4 where that of the others is 1: smaller weights keep it from saturating.
        """
        theta, factor = np.empty(network.n_parameters, dtype), 2.0 if self.activation == "logistic" else 6.0
        for layer in {p.layer for p in network.parameters}:
            W, b = (p for p in network.parameters if p.layer == layer)
            limit = np.sqrt(factor / sum(W.shape))
            for part in (W, b):
                theta[part.span] = random_state.uniform(-limit, limit, part.shape).ravel()
        return theta

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

    def _flat(self, dtype: Any) -> Array:
        """Return the fitted parameters as one vector."""
        parts = [part.ravel() for pair in zip(self.coefs_, self.intercepts_, strict=True) for part in pair]
        return np.concatenate(parts).astype(dtype)

    def _attributes(self, network: Sequential, theta: Array) -> dict[str, Any]:
        """Return ``coefs_`` and ``intercepts_`` for flat parameters."""
        theta = theta.copy()
        named = [theta[p.span].reshape(p.shape) for p in network.parameters]
        return {"coefs_": named[0::2], "intercepts_": named[1::2]}

    def _outputs(self, X: Any, pairs: Any = None) -> Array:
        """Return the scores of the last layer, before its activation: many rows in blocks that stay in the cache."""
        pairs = list(zip(self.coefs_, self.intercepts_, strict=True) if pairs is None else pairs)
        widest = max(len(b) for _, b in pairs)
        if X.shape[0] * widest < SHARED_FROM or sparse.issparse(X):
            return self._forward(X, pairs)
        block_rows = max(LEAST_BLOCK, BLOCK_NUMBERS // widest)
        with one_blas_thread():
            return np.concatenate(map_blocks(lambda i, j: self._forward(X[i:j], pairs), len(X), block_rows))

    def _forward(self, X: Any, pairs: list[tuple[Array, Array]]) -> Array:
        activation: Any = ACTIVATIONS[self.activation]
        H: Array = X
        for number, (W, b) in enumerate(pairs):
            H = np.asarray((activation.value(H) if number else H) @ W)
            H += b
        return H

    def _scores(self, X: Any) -> Array:
        return self._outputs(check_features(self, X, accept_sparse=["csr", "csc"]))

    # ------------------------------------------------------------------ fit

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
        update = self._update()
        fresh = not (incremental and getattr(self, "_rule", None) == update)
        if fresh:  # what one rule remembers means nothing to another
            self._memory, self._rule = Memory(initial_memory(update, theta)), update
        plateau = self._patience(score, fresh)
        objective, batch_size = self._objective(network, X, y, sample_weight), self._batch(len(X))
        prepared = dense_stack(objective, batch_size)
        if prepared is None:
            raise TypeError("every activation and loss of a perceptron has a compiled twin")
        watched = self._watched or bool(self.verbose)
        passes = WORK_BETWEEN_STEPS // max(1, len(X) * (network.n_parameters + 20))
        orders = RowOrders(len(X), random_state if self.shuffle else None)
        before = len(self._memory.values)
        steps = compiled_mini_batch_descent(
            objective,
            prepared,
            theta,
            learning_rate=self._schedule(len(X), fresh=not incremental),
            batch_size=batch_size,
            update=update,
            orders=orders,
            stride=1 if watched or incremental else int(np.clip(passes, 1, 100)),
            max_iter=1 if incremental else self.max_iter,
            memory=self._memory,
            plateau=plateau,
            rate_in_velocity=self.solver == "sgd",
            parts={p.key: p.span for p in network.parameters},
            start=not incremental,
        )
        steps = narrated(steps) if self.verbose else steps
        try:
            limit = 1 if incremental else self.max_iter
            with one_blas_thread():  # scores and notices would leave threads waiting on cores that the steps need
                result = self._run(steps, objective, sample_weight, limit, warn=not incremental)
        except DivergenceError as error:
            values = [*error.result.trace["value"][:1], *self._memory.values[before:]]
            raise DivergenceError(told(str(error), self._since(objective, values)), error.result) from None
        finally:
            self._take_over(before, len(X), plateau, orders)
        if plateau.best_theta is not None:
            for name, value in self._attributes(network, plateau.best_theta).items():
                setattr(self, name, value)
        values = [*result.trace["value"][:1], *self._memory.values[before:]]
        if not incremental and plateau.best_theta is None and ended_high(values):
            ignorant = objective.value(np.zeros_like(theta))
            if ended_high([ignorant, values[-1]]):  # not where a start that knew nearly all was left
                self._warn_of_runaway(values, self._since(objective, values))

    def _since(self, objective: NetworkObjective, values: list[float]) -> str:
        """Say in which pass the loss, at the start and in each pass, began to grow, and which rate is safe."""
        advice = rate_advice(objective, self._start_of(objective), self._update(), "learning_rate_init")
        return told(growth(range(len(values)), values), advice)

    def _warn_of_runaway(self, values: list[float], since: str) -> None:
        """Warn of a run that diverged without overflowing; its coefficients mean nothing."""
        message = told(f"diverged: the loss ended at {values[-1]:.3g}, and was {values[0]:.3g} at the start", since)
        self.stopping_reason_ = Reason.DIVERGED
        self.trace_.about |= {"reason": Reason.DIVERGED.name, "message": message}
        warnings.warn(f"{type(self).__name__} {message}", ConvergenceWarning, stacklevel=5)

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
            stable_rate=lambda: safe_rate(objective, self._start_of(objective), self._update()),
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
            warnings.warn(f"batch_size={self.batch_size}: only {n_rows} rows are there, all are taken", stacklevel=5)
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
        rows = np.arange(len(X))
        share = self.validation_fraction
        learn, held = train_test_split(rows, random_state=random_state, test_size=share, stratify=stratify)
        if len(held) < 2:
            text = f"holds out {len(held)} of {len(X)} rows: the validation set is too small"
            raise InvalidInputError(f"validation_fraction={share!r} {text}; raise it, or give more data")
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

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _check_share(name: str, value: Any, closed: bool) -> None:
    if not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0 or (value == 1.0 and not closed):
        raise InvalidInputError(f"{name}={value!r}: must be at least 0 and {'at most' if closed else 'below'} 1")
