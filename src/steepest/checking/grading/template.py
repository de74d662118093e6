"""A teacher's file: the value, the point, the data, and what each part is worth."""

import inspect
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steepest.exceptions import InvalidInputError

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
        Code of a mistake, such as ``sign`` -> share of the points that remain.
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
        for name, kind in (("value", Callable), ("parameters", Mapping)):
            if not isinstance(names.get(name), kind):  # type: ignore[arg-type]
                raise InvalidInputError(f"{path}: must define {name}, {'a function' if name == 'value' else 'a dict'}")
        parameters = dict(names["parameters"])
        weights = {name: float(names.get("weights", {}).get(name, 1.0)) for name in parameters}
        unknown = set(names.get("weights", {})) - set(parameters)
        if unknown:
            raise InvalidInputError(f"{path}: weights names {sorted(unknown)}, parameters are {sorted(parameters)}")
        return cls(
            names["value"], parameters, dict(names.get("data", {})), weights, dict(names.get("credit", {})),
            bool(names.get("show_answers", False)),
            float(names.get("seconds", 10.0)), int(names.get("memory_mb", 4096)),
        )  # fmt: skip

    @property
    def takes_dict(self) -> bool:
        """Whether ``value`` takes the parameters as one dict."""
        arguments = [name for name in inspect.signature(self.value).parameters if name not in self.data]
        return len(arguments) == 1 and arguments[0] not in self.parameters
