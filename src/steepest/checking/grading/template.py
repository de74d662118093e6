"""A teacher's file: the value, the point, the data, and what each part is worth."""

import inspect
import runpy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steepest.checking.mistakes import check_code
from steepest.checking.problem import Problem
from steepest.checking.structure import Structure, argument_names
from steepest.exceptions import InvalidInputError
from steepest.validation import check_count, check_flag, check_positive, check_share

__all__ = ["Template"]


@dataclass(frozen=True)
class Template:
    """What a template defines.

    Attributes
    ----------
    value : callable
        The function whose gradient is asked for.
    parameters : dict
        Name -> the point.
    data : dict
        Name -> array or number.
    weights : dict
        Name of a parameter -> points; 1 each where the template says nothing.
    credit : dict
        Code of a mistake, such as ``sign``, out of ``MISTAKES`` -> share of the points that remain.
    show_answers : bool
        Whether learners see numbers and corrected formulas.
    seconds, memory_mb : float, int
        Limits for each call.
    """

    value: Callable[..., Any]
    parameters: dict[str, Any]
    data: dict[str, Any]
    weights: dict[str, float]
    credit: dict[str, float]
    show_answers: bool
    seconds: float
    memory_mb: int

    @classmethod
    def read(cls, path: str | Path) -> "Template":
        """Run the file and take its names."""
        try:
            names = runpy.run_path(str(path), run_name="template")
        except OSError as error:
            raise InvalidInputError(f"{path}: {error.strerror or error}") from None
        except (Exception, SystemExit) as error:  # a file may call sys.exit
            raise InvalidInputError(f"{path}: raised {type(error).__name__}: {error}") from error
        try:
            lesson = cls._of(names)
            lesson._check_value()
        except InvalidInputError as error:
            raise InvalidInputError(f"{path}: {error}") from None
        return lesson

    @classmethod
    def _of(cls, names: Mapping[str, Any]) -> "Template":
        """Check the names that the file defines."""
        if not callable(names.get("value")):
            raise InvalidInputError("must define value, a function")
        if not isinstance(names.get("parameters"), Mapping):
            raise InvalidInputError("must define parameters, a dict")
        parameters = _named(names, "parameters")
        if not parameters:
            raise InvalidInputError("parameters is empty: name at least one, with its point")
        given = _named(names, "weights")
        unknown = set(given) - set(parameters)
        if unknown:
            raise InvalidInputError(f"weights names {sorted(unknown)}, parameters are {sorted(parameters)}")
        weights = {name: check_positive(f"weights[{name!r}]", given.get(name, 1.0), zero=True) for name in parameters}
        if not any(weights.values()):
            raise InvalidInputError(f"weights={weights}: are all 0; at least one part must be worth points")
        return cls(
            value=names["value"],
            parameters=parameters,
            data=_named(names, "data"),
            weights=weights,
            credit=_credit(_named(names, "credit")),
            show_answers=check_flag("show_answers", names.get("show_answers", False)),
            seconds=check_positive("seconds", names.get("seconds", 10.0)),
            memory_mb=check_count("memory_mb", names.get("memory_mb", 4096)),
        )

    @property
    def takes_dict(self) -> bool:
        """Whether ``value`` takes the parameters as one dict."""
        arguments = [name for name in inspect.signature(self.value).parameters if name not in self.data]
        return len(arguments) == 1 and arguments[0] not in self.parameters

    @property
    def point(self) -> tuple[Any, ...]:
        """The parameters as ``value`` takes them."""
        return (self.parameters,) if self.takes_dict else tuple(self.parameters.values())

    def _check_value(self) -> None:
        """Refuse a value that is no finite number at the point: no learner could be right."""
        structure = Structure.read(self.point, argument_names(self.value, len(self.point)))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = Problem(self.value, self.value, structure, self.data).first_value()
        if not np.isfinite(found):
            raise InvalidInputError(f"value is {found} at the given point: choose parameters inside its domain")


def _credit(given: Mapping[str, Any]) -> dict[str, float]:
    return {check_code("credit", code): check_share(f"credit[{code!r}]", share) for code, share in given.items()}


def _named(names: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return a dict of the file whose keys are names; an empty one where it defines none."""
    found = names.get(what, {})
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise InvalidInputError(f"{what}={found!r}: must be a dict whose keys are names")
    return dict(found)
