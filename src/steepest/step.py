"""One step of a run: what a solver yields."""

from dataclasses import dataclass, field
from math import nan

from steepest.typing import Array


@dataclass(slots=True)
class Step:
    """The state after an iteration, and the scalars the solver computed anyway.

    Attributes
    ----------
    index : int
        Iterations done so far; the start is step 0. One iteration of a stochastic solver is one pass over the data.
    theta : array (n_parameters,)
        All parameters, flat. Later steps never write into it.
    value : float
        The whole objective at ``theta``; NaN where the solver does not compute it.
    gradient_norm : float
        Euclidean norm of the gradient at ``theta`` (of the prox-gradient map where the penalty has kinks).
    step_size : float
        The learning rate that was used to come here.
    step_norm : float
        Euclidean length of the way come.
    duality_gap : float
        Upper bound on ``value`` minus the optimal value.
    curvature : float
        Curvature of the objective along the step, ``<change of gradient, step> / <step, step>``.
    updates : array (n_updates, n_parameters) or None
        Parameters after every update within this iteration, where there are several and someone watches.
    notes : dict of str to float
        Further scalars that only this solver knows, under their own names: columns of the trace too.
    reached : float
        When it was reached, by ``time.perf_counter``, if several steps were taken at once; NaN means just now.
    """

    index: int
    theta: Array
    value: float = nan
    gradient_norm: float = nan
    step_size: float = nan
    step_norm: float = nan
    duality_gap: float = nan
    curvature: float = nan
    updates: Array | None = None
    notes: dict[str, float] = field(default_factory=dict)
    reached: float = nan


SCALARS = ("index", "value", "gradient_norm", "step_size", "step_norm", "duality_gap", "curvature")
