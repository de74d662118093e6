"""Names of the factors that people forget: 2, 1/2, n, 1/n, 2/n, the number of outputs, the batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

__all__ = ["Named", "name_constant"]

MOST_NAMES = 4


@dataclass(frozen=True)
class Named:
    """A constant recognised: its symbol and what it stands for."""

    symbol: str
    meaning: str = ""

    def __str__(self) -> str:
        """Symbol with its meaning."""
        return f"{self.symbol} ({self.meaning})" if self.meaning else self.symbol


def name_constant(
    constant: float, sizes: Mapping[str, tuple[float, str]], tolerance: float = 1e-6
) -> tuple[Named, ...]:
    """Every simple expression in 2, the ``sizes`` and their roots that equals ``|constant|``, the simplest first.

    Parameters
    ----------
    constant : float
        What was fitted; its sign is left to the caller.
    sizes : dict
        Symbol -> (number, what it is), such as ``{"n": (50, "samples")}``, the most usual first.
    tolerance : float
        Relative.

    Examples
    --------
    >>> from steepest.checking.constants import name_constant
    >>> [str(name) for name in name_constant(0.04, {"n": (50, "samples")})]
    ['2/n (n = 50 samples)']
    """
    terms = _terms(sizes)
    size = abs(constant)
    found: dict[str, Named] = {}
    for top, bottom in sorted(product(terms, terms), key=lambda pair: pair[0].weight + pair[1].weight):
        shared = set(top.parts) & set(bottom.parts)
        if (
            shared - {""}
            or (top.has_digit and bottom.has_digit)
            or abs(top.value / bottom.value - size) > tolerance * size
        ):
            continue
        below = f"({bottom.symbol})" if " " in bottom.symbol else bottom.symbol
        symbol = top.symbol if bottom.symbol == "1" else f"{top.symbol}/{below}"
        meaning = ", ".join(m for m in (top.meaning, bottom.meaning) if m)
        found.setdefault(symbol, Named(symbol, meaning))
        if len(found) == MOST_NAMES:
            break
    names = list(found.values())
    for symbol, (value, meaning) in sizes.items():
        for sign, combined in (("+", 1.0 + value), ("-", 1.0 - value)):
            if abs(abs(combined) - size) <= tolerance * size:
                names.append(Named(f"1 {sign} {symbol}", f"{symbol} = {value:g} {meaning}".strip()))
        for root, power in ((f"sqrt({symbol})", 0.5), (f"1/sqrt({symbol})", -0.5)):
            if value > 1 and abs(value**power - size) <= tolerance * size:
                names.append(Named(root, f"{symbol} = {value:g} {meaning}".strip()))
    return tuple(names)


@dataclass(frozen=True)
class _Term:
    """A product of 2 and sizes; the heavier, the less usual."""

    parts: tuple[str, ...]
    value: float
    meaning: str
    weight: int

    @property
    def symbol(self) -> str:
        """How it is written."""
        if len(self.parts) == 2 and self.parts[0] == self.parts[1]:
            return f"{self.parts[0]}^2"
        return " ".join(part for part in self.parts if part) or "1"

    @property
    def has_digit(self) -> bool:
        """Whether it has a numeric factor, which a fraction would reduce."""
        return any(part.isdigit() for part in self.parts)

    def times(self, other: "_Term") -> "_Term":
        """Multiply."""
        meaning = ", ".join(m for m in (self.meaning, other.meaning) if m)
        return _Term(self.parts + other.parts, self.value * other.value, meaning, self.weight + other.weight + 1)


def _terms(sizes: Mapping[str, tuple[float, str]]) -> list[_Term]:
    """Everything that may stand above or below the fraction line."""
    one, two = _Term(("",), 1.0, "", 0), _Term(("2",), 2.0, "", 1)
    known = [
        _Term((symbol,), float(value), f"{symbol} = {value:g} {meaning}".strip(), _weight(symbol, meaning))
        for symbol, (value, meaning) in sizes.items()
        if value not in (0, 1)
    ]
    usual = [term for term in known if term.weight < 4]
    doubled = [two.times(term) for term in usual]
    products = [a.times(b) for i, a in enumerate(usual) for b in usual[i + 1 :]]
    squares = [_Term(t.parts * 2, t.value**2, t.meaning, 3) for t in usual if t.weight == 1]
    plain = [_Term((str(k),), float(k), "", 5) for k in (3, 4)]
    return [one, two, *known, *doubled, *products, *squares, *plain]


def _weight(symbol: str, meaning: str) -> int:
    """Order symbols: counts are forgotten more often than the user's own constants, these than lengths of axes."""
    if "." in symbol:
        return 4
    return 1 if meaning else 2
