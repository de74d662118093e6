"""Update rules: what a gradient does to the parameters."""

from collections.abc import Callable

from steepest.exceptions import InvalidInputError
from steepest.solvers.updates.adagrad import Adagrad
from steepest.solvers.updates.adam import Adam
from steepest.solvers.updates.adamw import AdamW
from steepest.solvers.updates.clipping import Clipped
from steepest.solvers.updates.momentum import Momentum
from steepest.solvers.updates.nesterov import Nesterov
from steepest.solvers.updates.plain import Plain
from steepest.solvers.updates.protocol import Update
from steepest.solvers.updates.rmsprop import RMSprop
from steepest.validation import check_choice

__all__ = [
    "UPDATES",
    "Adagrad",
    "Adam",
    "AdamW",
    "Clipped",
    "Momentum",
    "Nesterov",
    "Plain",
    "RMSprop",
    "Update",
    "open_update",
]

UPDATES: dict[str, Callable[[], Update]] = {
    "plain": Plain,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "amsgrad": lambda: Adam(amsgrad=True),
    "adamw": AdamW,
    "clipped": Clipped,
}


def open_update(update: str | Update) -> Update:
    """Return the update rule of this name with its usual hyperparameters, or the rule itself.

    Examples
    --------
    >>> open_update("momentum")
    Momentum(beta=0.9)
    """
    if isinstance(update, str):
        return UPDATES[check_choice("update", update, UPDATES)]()
    if isinstance(update, type) or not isinstance(update, Update):
        names = ", ".join(map(repr, UPDATES))
        raise InvalidInputError(f"update={update!r}: must be one of {names} or an update rule such as Momentum(0.9)")
    return update
