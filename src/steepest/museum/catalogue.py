"""The list of exhibits."""

from difflib import get_close_matches

from steepest.exceptions import InvalidInputError
from steepest.museum import article, deconvolution, guessing, lecture, losses, penalties, sums, xor
from steepest.museum.exhibit import Exhibit

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
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise InvalidInputError(f"no exhibit {name!r}; {hint}")
    return known[name]
