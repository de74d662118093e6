"""Deconvolution: the filter between two signals."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from steepest.certificate import Certificate
from steepest.exceptions import DivergenceError, InvalidInputError, warn_user
from steepest.kernels.blas import length
from steepest.objectives.filter import FilterObjective
from steepest.signal.inputs import check_filtered, check_signals
from steepest.signal.units import Units
from steepest.solvers.exact_filter import FilterSystem, exact_filter, filter_system
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.loop import run
from steepest.solvers.normal_equations import NormalEquations
from steepest.solvers.result import Result
from steepest.solvers.stopping import GradientTolerance, Reason
from steepest.step import Step
from steepest.trace import Trace
from steepest.typing import Array, ArrayLike
from steepest.validation import check_choice, check_count, check_flag, check_positive

Solver = Literal["auto", "exact", "gradient-descent"]
CERTIFIED = 1e-8  # of the gradient at zero


class IllConditionedWarning(UserWarning):
    """The data determine the solution only to few digits, or not at all.

    Examples
    --------
    >>> import numpy as np
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     found = deconvolve(np.zeros(5), np.ones(7), 3)
    >>> caught[0].category.__name__
    'IllConditionedWarning'
    """


@dataclass
class Deconvolution:
    """A filter and a bias estimated from signals.

    Attributes
    ----------
    filter : array (k,)
        The estimate of w.
    bias : float
        The estimate of b; 0 if none was fitted.
    fitted : array, like y
        ``w * x + b``.
    residual : array, like y
        ``y - w * x - b``.
    value : float
        The objective there.
    certificate : Certificate
        The length of the gradient, computed from the data: 0 exactly at the optimum.
    trace : Trace
        The record of the run.
    result : Result
        How the run ended; ``result.message`` says it in words.
    how : str
        What was solved.

    Examples
    --------
    >>> import numpy as np
    >>> found = deconvolve(np.arange(1.0, 10.0), [1, 5, 2, 3, 4, 5, 6, 7, 8, 9, 5.5], 3)
    >>> found.filter_standard_errors.round(3)
    array([0.152, 0.182, 0.152])
    >>> print(f"{found.condition_number:.1f}, {found.how}")
    17.1, normal equations (Toeplitz, bordered by the bias)
    """

    filter: Array
    bias: float
    fitted: Array
    residual: Array
    value: float
    certificate: Certificate
    trace: Trace = field(repr=False)
    result: Result = field(repr=False)
    how: str
    _framed: FilterObjective = field(repr=False)
    _units: Units = field(repr=False)
    _system: FilterSystem | None = field(repr=False)

    @cached_property
    def _solved(self) -> FilterSystem:
        return filter_system(self._framed) if self._system is None else self._system

    @cached_property
    def condition_number(self) -> float:
        """Condition number of the data matrix [X, 1]: relative errors of y can grow by this factor in the filter.

        Where the numbers of x are far from one, above a million or below a millionth, x is measured in their own size.
        Within a percent or so after the normal equations and singular values; a lower bound after conjugate gradients.
        """
        return self._solved.condition_number()

    @cached_property
    def _standard_errors(self) -> Array:
        variances, parameters = self._solved.variances()
        freedom = self.residual.size - parameters
        if freedom < 0.5:  # as many parameters as samples: nothing is left to tell the noise from
            return np.full(len(variances), np.nan)
        residual = np.ldexp(self.residual.astype(np.float64), -self._units.y)
        noise = float(np.sum(np.square(residual))) / freedom
        with np.errstate(invalid="ignore"):  # no noise and an undetermined entry: 0 * infinity
            return self._units.outside(self._framed, np.sqrt(noise * variances))

    @property
    def filter_standard_errors(self) -> Array:
        """Standard errors of the filter (k,), for independent noise of equal variance.

        NaN where there are no more samples than parameters, and where no inverse is at hand; infinite for what the data
        leave undetermined.
        """
        return self._standard_errors[: len(self.filter)]

    @property
    def bias_standard_error(self) -> float:
        """Standard error of the bias; NaN if none was fitted."""
        return float(self._standard_errors[-1]) if self._framed.fit_bias else float("nan")


def deconvolve(
    x: ArrayLike,
    y: ArrayLike,
    filter_length: int,
    *,
    fit_bias: bool = True,
    solver: Solver = "auto",
    ridge: float = 0.0,
    shared: bool = True,
    learning_rate: float | Literal["auto"] = "auto",
    max_iter: int = 100_000,
    tol: float = 1e-10,
    trace: Trace | None = None,
    observers: Iterable[Callable[[Step], bool | None]] = (),
) -> Any:
    r"""Estimate the filter w and the bias b in ``y = w * x + b + noise``.

    Minimises ``J = 1/2 ||y - w * x - b||^2 + ridge/2 ||w||^2``, with the full convolution.

    Parameters
    ----------
    x : array (d,) or (n_signals, d)
        What was sent.
    y : array (n,) or (n_signals, n), n = d + filter_length - 1
        What came out. With one x and several y, all answer the same x.
    filter_length : int
        The length k of w.
    fit_bias : bool, default True
        Whether to fit b.
    solver : {"auto", "exact", "gradient-descent"}, default "auto"
        "auto" is "exact".
    ridge : float, default 0.0
        Strength of the penalty on w.
    shared : bool, default True
        Several signals: one filter for all of them, or one for each.
    learning_rate : float or "auto"
        Of gradient descent; "auto" is one over the largest curvature.
    max_iter : int, default 100000
        The most iterations of gradient descent.
    tol : float, default 1e-10
        Gradient descent stops when the gradient is shorter than ``tol`` times the first.
    trace : Trace, optional
        The record to write, such as ``Trace(parameters=True)``; not with several filters, each of which leaves its own.
    observers : iterable of callables
        Each sees every step; a true return value stops the run.

    Returns
    -------
    Deconvolution
        Filter, bias, residual, standard errors, certificate, trace. With ``shared=False``, a list of one a signal.

    Raises
    ------
    InvalidInputError
        Where lengths do not fit, or an option is not one of those allowed.
    DivergenceError
        Where the learning rate is too large; the text names the largest stable one.

    Warns
    -----
    IllConditionedWarning
        Where the normal equations are too ill-conditioned; the solution is then found on the data itself, and the
        text gives the condition number.

    Notes
    -----
    The gradients are ``dJ/dw_i = -sum_j e_j x_{j-i+1} + ridge w_i`` (indices from 1) and ``dJ/db = -sum_j e_j`` with
    ``e = y - w * x - b``; derived in `steepest.objectives.filter`. Both zero is a Toeplitz system bordered by the bias,
    whose solution is derived in `steepest.solvers.normal_equations`: with ``G = X^T X + ridge I``, ``s = sum x``,
    ``v = G^-1 1``, ``u = G^-1 X^T y``::

        b = (sum y - s 1^T u) / (n - s^2 1^T v),    w = u - s b v

    G comes from the autocorrelation of x by transforms, G^-1 in O(k^2) (or, for large k, O(k log k)) operations from
    its first column (`steepest.solvers.toeplitz`).

    Examples
    --------
    >>> import numpy as np
    >>> found = deconvolve(np.arange(1.0, 10.0), [1, 1, 1, 1, 1, 1, 1, 1, 1, -9], 2)
    >>> found.filter.round(12), abs(round(found.bias, 12))
    (array([ 1., -1.]), 0.0)
    """
    x, y = check_signals("x", x), check_signals("y", y)
    check_count("filter_length", filter_length)
    check_choice("solver", solver, ("auto", "exact", "gradient-descent"))
    check_positive("ridge", ridge, zero=True)
    check_positive("tol", tol, zero=True)
    check_count("max_iter", max_iter)
    check_flag("fit_bias", fit_bias)
    check_flag("shared", shared)
    if learning_rate != "auto":
        check_positive("learning_rate", learning_rate)
        if solver != "gradient-descent":
            raise InvalidInputError(
                f"learning_rate={learning_rate!r}: solver={solver!r} takes no steps; 'gradient-descent' does"
            )
    signals, responses = check_filtered(x, y, filter_length)
    if trace is not None and not shared and len(responses) > 1:
        raise InvalidInputError("trace: with shared=False each signal leaves a trace of its own; leave it out")

    def estimate(x: Array, y: Array, form: tuple[int, ...]) -> Deconvolution:
        objective = FilterObjective(
            x.astype(np.float64), y.astype(np.float64), filter_length, fit_bias=fit_bias, ridge=ridge
        )
        units = Units.of(objective)
        framed = units.framed(objective)
        record = Trace.begun(trace)
        record.about |= {"model": "deconvolution", "objective": objective.words, "solver": solver}
        if solver == "gradient-descent":
            result = _descend(objective, learning_rate, max_iter, tol, record, observers)
            return _finish(objective, framed, units, result, None, form, np.result_type(x, y))
        system = filter_system(framed)
        steps = exact_filter(objective, lambda: units.outside(framed, system.solution(framed.target)))
        result = run(steps, max_iter=2, trace=record, observers=observers)
        if result.reason is Reason.DIVERGED:
            raise InvalidInputError("x is so small beside y that the filter overflows: scale x up, or y down")
        if not isinstance(system, NormalEquations):
            _warn(system)
        return _finish(objective, framed, units, result, system, form, np.result_type(x, y))

    if shared:
        return estimate(signals, responses, y.shape)
    return [estimate(signals[i : i + 1], responses[i : i + 1], y.shape[-1:]) for i in range(len(responses))]


def _descend(
    objective: FilterObjective, learning_rate: Any, max_iter: int, tol: float, trace: Trace, observers: Iterable[Any]
) -> Result:
    rate = 1.0 / (objective.lipschitz() or 1.0) if learning_rate == "auto" else learning_rate
    result = run(
        gradient_descent(objective, objective.start(), learning_rate=rate),
        max_iter=max_iter,
        stopping=[GradientTolerance(tol, relative=True)],
        observers=observers,
        trace=trace,
        stable_rate=lambda: 2.0 / objective.lipschitz(),
    )
    if result.reason is Reason.DIVERGED:
        raise DivergenceError(f"deconvolve {result.message}", result)
    if result.reason is Reason.MAX_ITER:
        norm = result.last.gradient_norm
        text = f"deconvolve did not converge in {result.n_iter} iterations: the gradient is {norm:.1e}"
        warn_user(f"{text}; raise max_iter, or use solver='exact'")
    return result


def _warn(system: FilterSystem) -> None:
    condition = system.condition_number()
    at_least = "" if system.words.startswith("singular") else "at least "
    text = f"deconvolve: the data have condition number {at_least}{condition:.2g}"
    if np.isinf(condition):
        text = "deconvolve: the data do not determine the solution; of all that fit equally well, the shortest is given"
    text += f"; the normal equations, which square it, were replaced by {system.words}"
    warn_user(f"{text}; ridge > 0 or a shorter filter would help", IllConditionedWarning)


def _finish(
    objective: FilterObjective,
    framed: FilterObjective,
    units: Units,
    result: Result,
    system: FilterSystem | None,
    form: tuple[int, ...],
    dtype: Any,
) -> Deconvolution:
    theta = result.theta
    relative = length(framed.gradient(units.inside(framed, theta))) / (length(framed.target) or 1.0)
    result.certificate = Certificate("gradient norm", result.last.gradient_norm, relative, CERTIFIED)
    residual = objective.residual(theta)
    return Deconvolution(
        filter=objective.filter(theta).astype(dtype),
        bias=objective.bias(theta),
        fitted=(objective.y - residual).reshape(form).astype(dtype),
        residual=residual.reshape(form).astype(dtype),
        value=result.value,
        certificate=result.certificate,
        trace=result.trace,
        result=result,
        how="gradient descent" if system is None else system.words,
        _framed=framed,
        _units=units,
        _system=system,
    )
