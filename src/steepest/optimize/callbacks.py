"""Callbacks in scipy's two styles, as observers of steps."""

from collections.abc import Callable
from inspect import signature
from types import SimpleNamespace
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.loop import Observer
from steepest.step import Step


def observer_of(callback: Callable[..., Any], shape: tuple[int, ...]) -> Observer:
    """Return an observer that calls ``callback`` after every iteration, not at the start.

    It is called as ``callback(x)``, or, if its one parameter has the name ``intermediate_result``, with an object that
    has ``x``, ``fun`` and ``nit``. A true return value, or StopIteration raised, stops the run.

    Examples
    --------
    >>> observer_of(print, (2, 1))(Step(1, np.array([1.0, 2.0])))
    [[1.]
     [2.]]
    False
    """
    if not callable(callback):
        raise InvalidInputError(f"callback={callback!r}: must be a function of x")
    whole = _wants_result(callback)

    def observe(step: Step) -> bool:
        if step.index == 0:
            return False
        x = np.array(step.theta.reshape(shape))
        if whole:
            return bool(callback(intermediate_result=SimpleNamespace(x=x, fun=step.value, nit=step.index)))
        return bool(callback(x))

    return observe


def _wants_result(callback: Callable[..., Any]) -> bool:
    """Return whether the one parameter is called ``intermediate_result``."""
    try:
        return set(signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
