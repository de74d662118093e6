"""Which classes and functions a model file may name; nothing else is ever made from one."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from steepest.exceptions import FileFormatError

ESTIMATORS = ("steepest.linear_model", "steepest.cluster", "steepest.neural_network", "steepest.signal")
RECORDS = (
    "steepest.layers",
    "steepest.losses",
    "steepest.penalties",
    "steepest.certificate",
    "steepest.solvers.updates",
    "steepest.solvers.schedules",
    "steepest.solvers.plateau",
    "steepest.solvers.memory",
    "steepest.solvers.minibatch_kmeans",
    "steepest.solvers.exact.problem",
)
FUNCTIONS = ("steepest.layers.initializers",)
INITIALIZERS = "zeros normal glorot_uniform glorot_normal he_normal he_uniform lecun_normal orthogonal"
NAMED = {
    "steepest.certificate": "Certificate",
    "steepest.solvers.plateau": "Plateau",
    "steepest.solvers.memory": "Memory",
    "steepest.solvers.minibatch_kmeans": "CentreCounts",
    "steepest.solvers.exact.problem": "Solution",
    "steepest.layers.initializers": INITIALIZERS,
}


def _offered(module: str) -> tuple[str, ...]:
    return tuple(NAMED[module].split()) if module in NAMED else tuple(import_module(module).__all__)


def path_of(thing: Any, modules: tuple[str, ...]) -> str | None:
    """Return ``module:name`` under which one of the modules offers a class or function; None if none does.

    Examples
    --------
    >>> from steepest.losses import LogisticLoss
    >>> path_of(LogisticLoss, RECORDS)
    'steepest.losses:LogisticLoss'
    """
    name = getattr(thing, "__name__", "")
    for module in modules:
        if name in _offered(module) and getattr(import_module(module), name) is thing:
            return f"{module}:{name}"
    return None


def find(path: Any, modules: tuple[str, ...]) -> Callable[..., Any]:
    """Return the class or function at ``module:name`` if one of the modules offers it."""
    module, _, name = path.partition(":") if isinstance(path, str) else ("", "", "")
    if module not in modules or name not in _offered(module):
        raise FileFormatError(f"{path!r}: no model, layer or loss of this release")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
