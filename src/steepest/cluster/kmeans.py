"""k-means."""

from contextlib import nullcontext
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from steepest.cluster.base import KMeansBase, Starts
from steepest.estimator import CallbackBridge, fitting
from steepest.exceptions import DivergenceError, InvalidInputError, warn_user
from steepest.kernels.blas import SMALL, one_blas_thread
from steepest.objectives.clustering import ClusteringObjective
from steepest.solvers.centre_descent import centre_descent
from steepest.solvers.lloyd import CentreShift, LabelsSettled, lloyd
from steepest.solvers.loop import Observer, Steps, run
from steepest.solvers.result import Result
from steepest.solvers.stopping import Reason, StoppingRule
from steepest.step import Step
from steepest.trace import Trace
from steepest.typing import Array, IntArray
from steepest.validation import check_choice, check_positive

SOLVERS = ("lloyd", "gradient-descent")
ALGORITHMS = ("lloyd", "elkan")


@dataclass
class _Run:
    """What one start led to."""

    result: Result
    centres: Array
    labels: IntArray
    inertia: float
    n_found: int  # clusters that have samples

    def better_than(self, other: "_Run | None") -> bool:
        """Whether this run is worth taking instead: a lower SSE by another clustering, not by rounding."""
        if other is None:
            return True
        if not self.inertia < other.inertia:
            return False
        partner = np.zeros(len(self.centres), dtype=np.int64)
        partner[self.labels] = other.labels
        return not np.array_equal(partner[self.labels], other.labels)


class KMeans(KMeansBase):
    r"""Minimise ``sum_i w_i min_j |x_i - c_j|^2`` over the centres c_j.

    A drop-in for scikit-learn's: from the same starting centres it takes the same steps. Its own draws differ, so the
    same ``random_state`` gives other starting centres; in return they do not depend on the order of the samples, and
    integer weights are the same as repeated samples.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of centres.
    init : {"k-means++", "random"}, callable or array (n_clusters, n_features), default "k-means++"
        Starting centres, or how to choose them: far apart, different samples at random, or
        ``init(X, n_clusters, random_state=...)``.
    n_init : "auto" or int, default "auto"
        Number of starts, the best of which is kept; "auto" is 1 for "k-means++" and an array, otherwise 10.
    max_iter : int, default 300
        The most iterations of a run.
    tol : float, default 1e-4
        Stop when the squared way of all centres in an iteration is at most ``tol`` times the mean variance of the
        features. Besides, a run stops when no label changes any more.
    verbose : int, default 0
        Whether to print every iteration.
    random_state : int, RandomState or None
        Source of the random starts.
    copy_x : bool, default True
        Without effect, for compatibility: the data are never written to, and never copied.
    algorithm : {"lloyd", "elkan"}, default "lloyd"
        Without effect, for compatibility: labels are exact and steps the same either way, and bounds are used where
        they save time.
    solver : {"lloyd", "gradient-descent"}, default "lloyd"
        "gradient-descent" is there for teaching: each centre goes ``learning_rate`` times the way to its mean.
    learning_rate : float, default 1.0
        Only for "gradient-descent", between 0 and 2: 1 is Lloyd's update.

    Attributes
    ----------
    cluster_centers_ : array (n_clusters, n_features)
        The centres.
    labels_ : int32 array (n_samples,)
        The nearest centre of each sample.
    inertia_ : float
        The sum of squared distances (SSE), weighted.
    n_iter_ : int
        Iterations of the best run.
    trace_ : Trace
        Of the best run: SSE, gradient, way of the centres, ``labels_changed`` and ``empty_clusters`` of every step,
        and the centres too if a ``Trace(parameters=True)`` is among the callbacks.
    stopping_reason_ : Reason
        Why the best run stopped.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = KMeans(n_clusters=2, init=[[0, 0], [9, 9]]).fit(X)
    >>> model.cluster_centers_
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> model.inertia_, model.stopping_reason_.sentence
    (16.0, 'converged: no sample changes its cluster any more')
    """

    _default_n_init = 10

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        solver: str = "lloyd",
        learning_rate: float = 1.0,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.solver = solver
        self.learning_rate = learning_rate

    @fitting
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "KMeans":
        """Find the centres of ``X`` (n_samples, n_features), dense or sparse."""
        self._check_parameters()
        check_choice("algorithm", self.algorithm, ALGORITHMS)
        check_choice("solver", self.solver, SOLVERS)
        if check_positive("learning_rate", self.learning_rate) != 1.0 and self.solver != "gradient-descent":
            text = f"solver={self.solver!r} goes all the way to the means; 'gradient-descent' has use for it"
            raise InvalidInputError(f"learning_rate={self.learning_rate!r}: {text}")
        X, weights = self._validate(X, sample_weight, finite=False)
        objective = ClusteringObjective(X, self.n_clusters, sample_weight=weights)
        small = objective.n_samples * objective.n_features < SMALL  # BLAS takes one thread by itself
        with nullcontext() if small else one_blas_thread():  # its threads would wait for more, on cores that ours need
            self._check_data(objective)
            given = self._given_centres(X)
            best = self._best_run(objective, given, self._number_of_runs(given is not None), y)
        self.cluster_centers_, self.labels_, self.inertia_ = best.centres, best.labels, best.inertia
        self.n_iter_, self.stopping_reason_ = best.result.n_iter, best.result.reason
        self._warn_of(best)
        return self

    # ------------------------------------------------------------------ runs

    def _best_run(self, objective: ClusteringObjective, given: Array | None, n_runs: int, y: Any) -> _Run:
        """Run from every start; tell the callbacks of each start and iteration (``y`` is for their scores alone)."""
        X, weights = objective.X, objective.sample_weight
        random_state = check_random_state(self.random_state)
        root = self._init_callback_context(max_subtasks=self.max_iter if n_runs == 1 else n_runs)
        whole = CallbackBridge(self, root, lambda theta: self._fitted(objective, theta), X, y, weights)
        whole.begin()
        recorder = next((c for c in getattr(self, "_skl_callbacks", []) if isinstance(c, Trace)), Trace())
        best: _Run | None = None
        starts = Starts(self, X, weights, given, n_runs)
        for number in range(n_runs):
            theta = starts.next(random_state).ravel()
            trace = Trace(recorder.keep_parameters, recorder.max_frames)
            part = whole
            if n_runs > 1:
                context = root.subcontext(task_name="start", max_subtasks=self.max_iter)
                part = CallbackBridge(self, context, whole.attributes, X, y, weights)
                part.begin()
            trace.about |= {"estimator": type(self).__name__, "objective": objective.words, "solver": self.solver}
            trace.about |= {"n_clusters": self.n_clusters, "n_features": objective.n_features, "start": number + 1}
            found = self._run(objective, theta, trace, part)
            if found.better_than(best):
                best = found
            if found.result.reason is Reason.INTERRUPTED or (n_runs > 1 and part.end()):
                break
        assert best is not None  # there is at least one run
        vars(recorder).update(vars(best.result.trace))  # the user's own recorder holds the best run
        self.trace_ = recorder
        whole.last = best.result.last
        whole.end()
        return best

    def _run(self, objective: ClusteringObjective, theta: Array, trace: Trace, part: CallbackBridge) -> _Run:
        """Run the solver from one start."""
        partition = objective.partition()
        tol = self.tol * float(objective.variance.mean())
        stopping: list[StoppingRule] = [CentreShift(tol)]
        if self.solver == "lloyd":
            at_once = 1 if self._watched or self.verbose else self.max_iter
            steps: Steps = lloyd(objective, theta, partition, at_once=at_once, tol=tol)
            stopping.insert(0, LabelsSettled())
        else:
            steps = centre_descent(objective, theta, learning_rate=self.learning_rate, partition=partition)
        observers: list[Observer] = [part.iteration] if self._watched else []
        if self.verbose:
            observers.append(_print_step)
        result = run(steps, max_iter=self.max_iter, stopping=stopping, observers=observers, trace=trace)
        if result.reason is Reason.DIVERGED:
            raise DivergenceError(f"{type(self).__name__} {result.message}", result)
        centres, value = np.ascontiguousarray(objective.centres(result.theta)), result.value
        if partition.centres is None or not np.array_equal(partition.centres, centres):  # broken off on the way
            partition, value = objective.partition(reuse=False), nan
            partition.assign(centres)
        n_found = int(np.count_nonzero(partition.masses))
        if n_found < self.n_clusters:  # samples without weight count, too
            n_found = int(np.count_nonzero(np.bincount(partition.labels, minlength=self.n_clusters)))
        return _Run(result, centres, partition.labels, objective.sse(partition, centres, value), n_found)

    def _fitted(self, objective: ClusteringObjective, theta: Array) -> dict[str, Any]:
        """Return what a model stopped at ``theta`` needs to predict."""
        return {"cluster_centers_": objective.centres(theta)}

    def _warn_of(self, best: _Run) -> None:
        """Warn of fewer clusters than asked for, and of a run that was interrupted."""
        if best.result.reason is Reason.INTERRUPTED:
            warn_user(f"{type(self).__name__}: {best.result.message}")
        if best.n_found < self.n_clusters:
            warn_user(
                f"only {best.n_found} of n_clusters={self.n_clusters} clusters have samples: "
                "are there fewer different samples than clusters?",
                ConvergenceWarning,
            )


def _print_step(step: Step) -> None:
    """Print a step, for ``verbose``."""
    print(f"iteration {step.index}: SSE {step.value:.6g}, {step.notes['labels_changed']:.0f} labels changed")
