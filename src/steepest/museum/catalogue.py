"""The list of exhibits."""

from steepest.exceptions import InvalidInputError
from steepest.museum import article, deconvolution, guessing, lecture, losses, penalties, sums, xor
from steepest.museum.exhibit import Exhibit
from steepest.validation import did_you_mean

__all__ = ["exhibits", "find_exhibit"]

ROOMS = (deconvolution, xor, article, lecture, guessing, penalties, sums, losses)


def exhibits() -> tuple[Exhibit, ...]:
    """All exhibits, in the order of the tour.

    Examples
    --------
    >>> from steepest.museum import exhibits
    >>> exhibits()[0].name
    'deconvolution'
    """
    return tuple(found for room in ROOMS for found in room.EXHIBITS)


def find_exhibit(name: str) -> Exhibit:
    """Return the exhibit called ``name``.

    Examples
    --------
    >>> find_exhibit("xor").title
    'A network for XOR, picked by hand, that misses two of four points'
    """
    known = {found.name: found for found in exhibits()}
    if name not in known:
        hint = did_you_mean(name, known, otherwise=f"there are {', '.join(known)}", cutoff=0.4)
        raise InvalidInputError(f"no exhibit {name!r}; {hint}")
    return known[name]
