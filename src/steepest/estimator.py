"""What all estimators share: scikit-learn's conventions around a run of the one loop."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature
from typing import Any, TypeVar, cast

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import DivergenceError, InvalidInputError, warn_user
from steepest.solvers.loop import Steps, run
from steepest.solvers.result import Result
from steepest.solvers.stopping import Reason, StoppingRule
from steepest.step import Step
from steepest.trace import Trace
from steepest.typing import Array
from steepest.validation import check_flag, check_seed, check_shown

__all__ = ["CallbackBridge", "Estimator", "fitting"]

Attributes = Callable[[Array], dict[str, Any]]
Fit = TypeVar("Fit", bound=Callable[..., Any])
SEEN = ("n_features_in_", "feature_names_in_")


@cache
def flags_of(estimator_class: type) -> tuple[str, ...]:
    """Return the names of the parameters that are True or False: those annotated so.

    Examples
    --------
    >>> from steepest.linear_model import Ridge
    >>> flags_of(Ridge)
    ('fit_intercept', 'copy_X', 'positive')
    """
    parameters = signature(estimator_class).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.annotation is bool)


def fitting(fit: Fit) -> Fit:
    """Have a ``fit`` let go of its callbacks whatever happens, and forget the features of data that it refuses.

    Flags are looked at before, as any text, "False" too, would be as good as True; so are ``random_state``, ``verbose``
    and ``n_jobs``, also where they have no effect. NaN and infinity may be noticed only by the first pass over the
    data; the features are recorded before that.
    """
    managed = with_callbacks(fit)

    @wraps(fit)
    def attempt(self: Any, *args: Any, **kwargs: Any) -> Any:
        for name in flags_of(self.__class__):
            check_flag(name, getattr(self, name))
        check_seed(getattr(self, "random_state", None))
        check_shown(getattr(self, "verbose", False), getattr(self, "n_jobs", None))
        if sum(isinstance(callback, Trace) for callback in getattr(self, "_skl_callbacks", [])) > 1:
            raise InvalidInputError(
                "callbacks: a fit writes one Trace; give one, with parameters=True if you want them"
            )
        before = {name: vars(self)[name] for name in SEEN if name in vars(self)}
        try:
            return managed(self, *args, **kwargs)
        except ValueError:
            for name in SEEN:
                vars(self).pop(name, None)
            vars(self).update(before)
            raise

    return cast(Fit, attempt)


class Estimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Base of every estimator here.

    Attributes
    ----------
    n_iter_ : int
        Iterations done.
    trace_ : Trace
        The scalars of every step; parameters too if a ``Trace(parameters=True)`` was among the callbacks.
    stopping_reason_ : Reason
        Why the run stopped; ``stopping_reason_.sentence`` says it in words.
    certificate_ : Certificate
        For convex objectives, the proof that the fit is optimal.
    """

    @property
    def _watched(self) -> bool:
        """Whether a callback sees single steps, so that a solver must not advance several at a time."""
        return bool(getattr(self, "_skl_callbacks", []))

    def _drive(
        self,
        steps: Steps,
        attributes: Attributes,
        *,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        max_iter: int,
        stopping: Iterable[StoppingRule] = (),
        stable_rate: Callable[[], float] | None = None,
        about: dict[str, Any] | None = None,
        warn: bool = True,
    ) -> Result:
        """Run a solver and set what the run leaves: the fitted attributes, ``trace_``, ``n_iter_``, the reason.

        ``attributes`` turns flat parameters into the fitted attributes. A diverged run raises, an interrupted or
        unfinished one warns; in each case the trace is kept.
        """
        trace = next((c for c in getattr(self, "_skl_callbacks", []) if isinstance(c, Trace)), Trace())
        fit = CallbackBridge(self, self._init_callback_context(max_subtasks=max_iter), attributes, X, y, sample_weight)
        fit.begin()
        trace.about |= {"estimator": type(self).__name__, **(about or {})}
        observers = [fit.iteration] if self._watched else []
        result = run(
            steps, max_iter=max_iter, stopping=stopping, observers=observers, trace=trace, stable_rate=stable_rate
        )
        self.trace_, self.n_iter_, self.stopping_reason_ = trace, result.n_iter, result.reason
        if result.reason is Reason.DIVERGED:
            raise DivergenceError(f"{type(self).__name__} {result.message}", result)
        for name, value in attributes(result.theta).items():
            setattr(self, name, value)
        fit.end()
        self._warn(result, unfinished=warn)
        return result

    def _warn(self, result: Result, *, unfinished: bool = True) -> None:
        """Warn of a run that was interrupted, and of one that stopped before it converged if that was not asked for."""
        name = type(self).__name__
        if result.reason is Reason.MAX_ITER and unfinished:
            text = f"{name} did not converge in {result.n_iter} iterations"
            warn_user(f"{text}; raise max_iter, loosen tol, or scale the data", ConvergenceWarning)
        elif result.reason is Reason.NO_DESCENT:
            warn_user(f"{name}: {result.message}", ConvergenceWarning)
        elif result.reason is Reason.INTERRUPTED:
            warn_user(f"{name}: {result.message}")


@dataclass
class CallbackBridge:
    """Bridge from the loop's steps to scikit-learn's callback protocol; ``last`` is the latest step it was shown."""

    estimator: Estimator
    context: Any
    attributes: Attributes
    X: Any
    y: Any
    sample_weight: Any
    last: Step | None = None

    def _hand_over(self, step: Step | None) -> dict[str, Any]:
        metadata = None if self.sample_weight is None else {"sample_weight": self.sample_weight}
        state = None if step is None else (lambda: self.attributes(step.theta))
        return {
            "estimator": self.estimator,
            "X": self.X,
            "y": self.y,
            "metadata": metadata,
            "reconstruction_attributes": state,
        }

    def begin(self) -> None:
        """Tell the callbacks that the fit begins."""
        self.context.call_on_fit_task_begin(**self._hand_over(None))

    def iteration(self, step: Step) -> bool:
        """Tell the callbacks of one iteration; return whether one of them asks to stop."""
        previous, self.last = self.last, step
        if previous is None:  # the start is no iteration
            return False
        context = self.context.subcontext(task_name="iteration")
        context.call_on_fit_task_begin(**self._hand_over(previous))
        return bool(context.call_on_fit_task_end(**self._hand_over(step)))

    def end(self) -> bool:
        """Tell the callbacks that the fit has ended; return whether one of them asks to stop what it is a part of."""
        return bool(self.context.call_on_fit_task_end(**self._hand_over(self.last)))
