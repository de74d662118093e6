"""The fit behind ``steepest fit``: split, fill in, scale, fit, report."""

import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from steepest.cli.info import kernels
from steepest.cli.notes import noted
from steepest.cli.progress import LiveTrace
from steepest.exceptions import InvalidInputError
from steepest.report.advice import Penalty, advice
from steepest.report.fit import FitReport, Scaling
from steepest.report.scores import classification_scores, regression_scores
from steepest.tables import Dataset
from steepest.trace import Trace


@dataclass(frozen=True)
class Fitted:
    """A model with the data it was fitted to, scaled as it saw them."""

    model: Any
    train: Dataset
    test: Dataset
    scaling: Scaling
    classifies: bool
    seconds: float

    @property
    def parts(self) -> dict[str, Dataset]:
        """The training set and, where rows were held out, the test set."""
        parts = {"training": self.train, "test": self.test}
        return parts if len(self.test.y) else {"training": self.train}


def split(dataset: Dataset, test_size: float, seed: int, *, by_class: bool) -> tuple[Dataset, Dataset]:
    """Return a training and a test set without missing values: the training set's means stand in for them."""
    if not 0 <= test_size < 1:
        raise InvalidInputError(f"--test-size {test_size:g}: must be at least 0 and below 1")
    train, test = dataset.split(test_size, seed, by_class=by_class)
    if len(train.y) < 2:
        left = f"leaves {len(train.y)} of {len(dataset.y)} rows to learn from, at least 2 are needed"
        raise InvalidInputError(f"--test-size {test_size:g}: {left}; take a smaller share, or --test-size 0")
    lacking = np.isnan(train.X)
    n_filled = int(lacking.sum() + np.isnan(test.X).sum())
    if not n_filled:
        return train, test
    if lacking.all(axis=0).any():
        name = train.features[int(np.argmax(lacking.all(axis=0)))]
        raise InvalidInputError(f"column {name!r} holds no value in the training set: --drop {name}")
    means = np.nanmean(train.X, axis=0)
    note = f"{n_filled} missing values replaced by the mean of their column in the training set"
    return _filled(train, means, note), _filled(test, means, note)


def _filled(part: Dataset, means: Any, note: str) -> Dataset:
    return replace(part, X=np.where(np.isnan(part.X), means, part.X), notes=[*part.notes, note])


def fit(
    estimator: Any,
    train: Dataset,
    test: Dataset,
    *,
    standardize: bool,
    classifies: bool,
    live: bool = False,
    watch: bool = False,
) -> Fitted:
    """Scale by what the training set says, and fit.

    With ``live``, a bar on a terminal shows long runs. With ``watch``, every single step is in the trace; otherwise
    a solver may take many between two of them.
    """
    scaling = Scaling.of(train.X, standardize=standardize)
    train_scaled = replace(train, X=scaling.apply(train.X))
    bar = LiveTrace(getattr(estimator, "max_iter", None)) if live and _on_a_terminal() else None
    if bar is not None or watch:
        estimator.set_callbacks(Trace() if bar is None else bar)
    compiled_before = kernels()["cached"]
    started = perf_counter()
    with noted(type(estimator).__name__) as notes, bar or nullcontext():
        estimator.fit(train_scaled.X, train_scaled.y)
    seconds = perf_counter() - started
    constant = [name for name, spread in zip(train.features, np.ptp(train.X, axis=0), strict=True) if spread == 0]
    if kernels()["cached"] > compiled_before:
        notes.append("the time includes compiling kernels for this machine, which happens once")
    if constant:
        notes.append(f"without influence, as constant in the training set: {', '.join(constant)}")
    train_scaled = replace(train_scaled, notes=[*train.notes, *notes])
    return Fitted(estimator, train_scaled, replace(test, X=scaling.apply(test.X)), scaling, classifies, seconds)


def _on_a_terminal() -> bool:
    return sys.stderr.isatty()


def report(fitted: Fitted, *, data: str, seed: int, standardized: bool) -> FitReport:
    """Return what the fit achieved."""
    model, train, test = fitted.model, fitted.train, fitted.test
    about = model.trace_.about
    none = np.empty((0, len(train.features)))  # a network has no coefficients
    coefficients = np.atleast_2d(getattr(model, "coef_", none))
    intercept = np.broadcast_to(np.atleast_1d(getattr(model, "intercept_", 0.0)), len(coefficients))
    original, original_intercept = fitted.scaling.undo(coefficients, intercept)
    score = classification_scores if fitted.classifies else regression_scores
    scores = score(model, (train.X, train.y), (test.X, test.y))
    baseline = "the commonest class" if fitted.classifies else "the mean"
    converged = model.stopping_reason_.converged
    return FitReport(
        model=type(model).__name__,
        data=data,
        target=train.target,
        features=train.features,
        outputs=_outputs(model, train.target, fitted.classifies),
        n_train=len(train.y),
        n_test=len(test.y),
        seed=seed,
        standardized=standardized,
        objective=about.get("objective", ""),
        solver=about.get("solver", ""),
        stopped=about.get("message", ""),
        converged=converged,
        n_iter=int(np.max(model.n_iter_)) if model.n_iter_ is not None else 0,
        seconds=fitted.seconds,
        scores=scores,
        baseline=baseline,
        coefficients=coefficients,
        intercept=intercept,
        original=original,
        original_intercept=original_intercept,
        certificate=getattr(model, "certificate_", None),
        parameters={name: _shown(value) for name, value in (model.get_params() | _found(model)).items()},
        notes=[
            *train.notes,
            *_network(model),
            *advice(
                scores,
                baseline,
                converged=converged,
                coefficients=coefficients,
                penalty=_penalty(model),
                levers=_levers(model),
            ),
        ],
    )


def _outputs(model: Any, target: str, classifies: bool) -> list[str]:
    """Return what each row of coefficients speaks for; of two classes, the second."""
    if not classifies:
        return [target]
    classes = [str(value) for value in model.classes_]
    return classes[1:] if len(classes) == 2 else classes


def _network(model: Any) -> list[str]:
    """Return what is to be said of a network: its size, and what is wrong with it."""
    if not hasattr(model, "coefs_"):
        return []
    sizes = [len(model.coefs_[0]), *(len(b) for b in model.intercepts_)]
    n_parameters = sum(W.size + b.size for W, b in zip(model.coefs_, model.intercepts_, strict=True))
    text = f"a network of {'-'.join(map(str, sizes))} units, {n_parameters} parameters"
    return [text, *model.trace_.about.get("notices", [])]


def _found(model: Any) -> dict[str, Any]:
    """Return the parameters that a cross-validation found."""
    return {name: getattr(model, name) for name in ("alpha_", "l1_ratio_") if hasattr(model, name)}


def _penalty(model: Any) -> Penalty:
    """Tell whether the model has a penalty, and who chose its strength."""
    if hasattr(model, "alpha_"):
        return "chosen"
    parameters = model.get_params()
    free = parameters.get("penalty", "") is None or parameters.get("C") == np.inf or parameters.get("alpha") == 0
    return "none" if free or not {"C", "alpha"} & set(parameters) else "given"


def _levers(model: Any) -> list[str]:
    """Return the options of the command that let a run go further."""
    levers = ["--max-iter"] if "max_iter" in model.get_params() else []
    solver = model.trace_.about.get("solver", "").replace("-", " ")
    return [*levers, "--learning-rate"] if "gradient descent" in solver or "mini batch" in solver else levers


def _shown(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
