"""The models of ``steepest fit`` by name, and how options of the command become parameters of an estimator."""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from steepest.exceptions import InvalidInputError
from steepest.validation import check_choice, did_you_mean


@dataclass(frozen=True)
class Entry:
    """Where a model is, and what it predicts."""

    path: str
    classifies: bool = False


MODELS = {
    "linear": Entry("steepest.linear_model:LinearRegression"),
    "ridge": Entry("steepest.linear_model:Ridge"),
    "ridge-cv": Entry("steepest.linear_model:RidgeCV"),
    "lasso": Entry("steepest.linear_model:Lasso"),
    "lasso-cv": Entry("steepest.linear_model:LassoCV"),
    "elastic-net": Entry("steepest.linear_model:ElasticNet"),
    "elastic-net-cv": Entry("steepest.linear_model:ElasticNetCV"),
    "logistic": Entry("steepest.linear_model:LogisticRegression", classifies=True),
    "sgd": Entry("steepest.linear_model:SGDRegressor"),
    "sgd-classifier": Entry("steepest.linear_model:SGDClassifier", classifies=True),
    "mlp": Entry("steepest.neural_network:MLPRegressor"),
    "mlp-classifier": Entry("steepest.neural_network:MLPClassifier", classifies=True),
}
OPTIONS = (
    "hidden",
    "activation",
    "alpha",
    "l1_ratio",
    "solver",
    "learning_rate",
    "batch_size",
    "update",
    "max_iter",
    "tol",
)
WORDS = {"true": True, "false": False, "none": None, "null": None}
TEACHING = ("learning_rate", "batch_size", "update")


def build(name: str, options: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Any:
    """Return an estimator, not yet fitted.

    Parameters
    ----------
    name : str
        A key of ``MODELS``.
    options : mapping
        Options of the command by name; those that are None were not given.
    settings : mapping
        Parameters of the estimator given as such.
    seed : int
        Becomes ``random_state`` where the estimator has one.
    """
    estimator = _load(name)
    allowed = list(inspect.signature(estimator.__init__).parameters)[1:]
    given = {option: value for option, value in options.items() if value is not None}
    if any(option in given for option in TEACHING) and {"solver", "update"} <= set(allowed):
        given.setdefault("solver", "gradient-descent")  # the default solver would not look at them
    parameters: dict[str, Any] = {"random_state": seed} if "random_state" in allowed else {}
    for option, value in given.items():
        parameters |= _translated(name, option, value, allowed)
    for parameter, value in settings.items():
        if parameter not in allowed:
            hint = did_you_mean(parameter, allowed, otherwise=f"it has {', '.join(allowed)}")
            raise InvalidInputError(f"--set {parameter}: model {name} has no such parameter; {hint}")
        kind = inspect.signature(estimator).parameters[parameter].annotation
        if kind in (bool, "bool") and not isinstance(value, bool):
            raise InvalidInputError(f"--set {parameter}={value}: must be true or false")
        parameters[parameter] = value
    _check_heard(given, parameters, allowed)
    return estimator(**parameters)


def _check_heard(given: Mapping[str, Any], parameters: Mapping[str, Any], allowed: list[str]) -> None:
    """Refuse options of gradient descent that the solver asked for would not look at."""
    from steepest.solvers.catalogue import SOLVERS

    listening = list(SOLVERS) if "update" in allowed else ["sgd", "adam"] if "hidden_layer_sizes" in allowed else []
    solver = parameters.get("solver")
    option = next((option for option in TEACHING if option in given), None)
    if not option or not listening or solver is None or solver in listening:
        return
    hint = did_you_mean(str(solver), listening, otherwise=f"leave it out, or take one of {', '.join(listening)}")
    raise InvalidInputError(f"--{option.replace('_', '-')}: solver {solver} does not look at it; {hint}")


def _load(name: str) -> Any:
    module, _, attribute = MODELS[check_choice("model", name, MODELS)].path.partition(":")
    return getattr(import_module(module), attribute)


def _translated(name: str, option: str, value: Any, allowed: list[str]) -> dict[str, Any]:
    """Return the parameters that an option stands for; refuse an option that the model does not have."""
    if option == "alpha" and "alpha" not in allowed and "C" in allowed:
        if value <= 0:
            raise InvalidInputError(f"--alpha {value:g}: must be above 0 for model {name}, whose C is 1 / alpha")
        return {"C": 1.0 / value}
    if option == "learning_rate" and "eta0" in allowed:
        return {"eta0": value, "learning_rate": "constant"}
    if option == "learning_rate" and "learning_rate_init" in allowed:
        return {"learning_rate_init": value}
    if option == "hidden" and "hidden_layer_sizes" in allowed:
        return {"hidden_layer_sizes": _sizes(value)}
    if option in allowed:
        return {option: value}
    known = [f"--{parameter.replace('_', '-')}" for parameter in allowed if parameter in OPTIONS]
    flag = f"--{option.replace('_', '-')}"
    hint = f"it has {', '.join(known)}" if known else f"--set reaches its {', '.join(allowed)}"
    raise InvalidInputError(f"{flag}: model {name} has no such option; {hint}")


def _sizes(text: str) -> tuple[int, ...]:
    """Return ``64,64`` as numbers of units."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InvalidInputError(f"--hidden {text}: must be numbers of units, one a hidden layer, as in --hidden 64,64")
    return tuple(map(int, parts))


def in_options(text: str) -> str:
    """Return what an estimator says with its parameter for the learning rate as the option that stands for it.

    Examples
    --------
    >>> in_options("Adam is safe to begin with at learning_rate_init=0.001")
    'Adam is safe to begin with at --learning-rate 0.001'
    """
    return re.sub(r"\b(learning_rate_init|eta0)=", "--learning-rate ", text)


def parse_settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return ``NAME=VALUE`` pairs as parameters; a value is JSON where it reads as such, else text.

    True, False and None may be written as in Python too, and in any case.

    Examples
    --------
    >>> parse_settings(("positive=true", "selection=random"))
    {'positive': True, 'selection': 'random'}
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidInputError(f"--set {pair}: must be NAME=VALUE, as in --set fit_intercept=false")
        try:
            settings[name] = WORDS[text.lower()] if text.lower() in WORDS else json.loads(text)
        except ValueError:
            settings[name] = text
    return settings
