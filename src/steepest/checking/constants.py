"""Names of the factors that people forget: 2, 1/2, n, 1/n, 2/n, the number of outputs, the batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

__all__ = ["Named", "name_constant"]


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
    """Every simple expression in 2 and the ``sizes`` that equals ``|constant|``, the simplest first.

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
    size = abs(constant)
    usual: list[tuple[str, float, str]] = [("1", 1.0, ""), ("2", 2.0, "")]
    symbols = [(s, float(v), f"{s} = {v:g} {m}".strip()) for s, (v, m) in sizes.items() if v not in (0, 1)]
    products = [
        (f"{a[0]} {b[0]}", a[1] * b[1], f"{a[2]}, {b[2]}") for i, a in enumerate(symbols) for b in symbols[i + 1 :]
    ]
    doubled = [(f"2 {s}", 2.0 * v, m) for s, v, m in symbols]
    more = [("4", 4.0, ""), ("3", 3.0, "")]
    top = usual + symbols + doubled + more + products
    found: dict[str, Named] = {}
    for (a, x, m), (b, y, w) in sorted(product(top, top), key=lambda pair: _complexity(*pair)):
        if a == b or abs(x / y - size) > tolerance * size:
            continue
        bottom = f"({b})" if " " in b else b
        symbol = a if b == "1" else f"{a}/{bottom}"
        meaning = ", ".join(dict.fromkeys(part for part in (m, w) if part))
        found.setdefault(symbol, Named(symbol, meaning))
    names = list(found.values())
    for symbol, value, meaning in symbols:
        for sign, combined in (("+", 1.0 + value), ("-", 1.0 - value)):
            if abs(abs(combined) - size) <= tolerance * size:
                names.append(Named(f"1 {sign} {symbol}", meaning))
    return tuple(names)


def _complexity(top: tuple[str, float, str], bottom: tuple[str, float, str]) -> int:
    return sum(len(term[0].split()) * 2 + (term[0] not in "12") for term in (top, bottom) if term[0] != "1")
