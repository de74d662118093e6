"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Any], Any]
LARGEST_SEED = 2**32 - 1  # that generators of every kind take


def together(*options: Decorator) -> Decorator:
    """Apply several click options, in the order of the help."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def seed_option(text: str, default: int | None = 0) -> Decorator:
    """Return ``--seed``."""
    return click.option(
        "--seed", type=click.IntRange(0, LARGEST_SEED), default=default, show_default=default is not None, help=text
    )
