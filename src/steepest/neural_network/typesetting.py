"""Equations between small matrices, for a terminal and as LaTeX."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.typing import Array

Operand = Array | str
MOST_NUMBERS = 60


@dataclass(frozen=True)
class Name:
    """A name such as ``W1`` or ``dL/dW1``."""

    text: str

    @property
    def latex(self) -> str:
        r"""The name in LaTeX.

        Examples
        --------
        >>> Name("W1").latex, Name("dL/dZ2").latex
        ('W_{1}', '\\frac{\\partial L}{\\partial Z_{2}}')
        """
        if self.text.startswith("dL/d"):
            return rf"\frac{{\partial L}}{{\partial {Name(self.text[4:]).latex}}}"
        found = re.fullmatch(r"([A-Za-z]+?)(\d+)('*)", self.text)
        return f"{found[1]}_{{{found[2]}}}{found[3]}" if found else self.text


def number(value: float) -> str:
    """Return a number with four significant digits, short where it can be.

    Examples
    --------
    >>> [number(x) for x in (3.0, -0.0, 1 / 3, 12345.678, 1e-7)]
    ['3', '0', '0.3333', '1.235e+04', '1e-07']
    """
    return f"{float(value) + 0.0:.4g}"


def block(operand: Operand) -> list[str]:
    """Return a matrix, a row, a number or a word as lines of equal width."""
    if isinstance(operand, str):
        return [operand]
    if operand.size > MOST_NUMBERS or operand.ndim > 2:
        return [f"<{' x '.join(map(str, operand.shape))}>"]
    if operand.ndim == 0:
        return [number(operand.item())]
    rows = [[number(x) for x in row] for row in np.atleast_2d(operand)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    return ["[" + "  ".join(f"{x:>{w}}" for x, w in zip(row, widths, strict=True)) + "]" for row in rows] or ["[]"]


def beside(blocks: list[list[str]]) -> list[str]:
    r"""Put blocks of lines side by side, the lower ones in the middle.

    Examples
    --------
    >>> print("\n".join(beside([["[1]", "[2]", "[3]"], [" + "], ["[4]"]])))
    [1]
    [2] + [4]
    [3]
    """
    height = max(map(len, blocks))
    padded = []
    for lines in blocks:
        width, above = max(map(len, lines)), (height - len(lines)) // 2
        full = [""] * above + lines + [""] * (height - above - len(lines))
        padded.append([f"{line:{width}}" for line in full])
    return ["".join(parts).rstrip() for parts in zip(*padded, strict=True)]


def as_text(name: str, formula: str, operands: list[Operand], value: Array) -> str:
    """Return ``name = formula = numbers = value``, one equality a line."""
    indent = len(name)
    shape = f"   {value.shape}" if value.ndim and value.size else ""
    sides = [[block(operand) for operand in operands]] if operands else []
    sides.append([[*block(value)]])
    texts = []
    for blocks in sides:
        lines = beside([[" = "], *blocks])
        texts.append("\n".join(" " * indent + line for line in lines))
    texts[-1] += shape
    if formula:
        return "\n".join([f"{name} = {formula}", *texts])
    lines = texts[0].splitlines()
    middle = (len(lines) - 1) // 2
    lines[middle] = name + lines[middle][indent:]
    return "\n".join(lines)


def matrix(operand: Operand) -> str:
    """Return an operand in LaTeX."""
    if isinstance(operand, str):
        word = operand.strip()
        return {"+": "+", "*": r"\odot", "": ""}.get(word, rf"\text{{{word} }}")
    if operand.size > MOST_NUMBERS or operand.ndim > 2:
        shape = r" \times ".join(map(str, operand.shape))
        return rf"\langle {shape} \rangle"
    if operand.ndim == 0:
        return _latex_number(operand.item())
    rows = [" & ".join(_latex_number(x) for x in row) for row in np.atleast_2d(operand)]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def _latex_number(value: Any) -> str:
    text = number(value)
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else text


def as_markdown(name: str, latex: str, operands: list[Operand], value: Array) -> str:
    """Return the same as one displayed equation."""
    sides = [side for side in (latex, " ".join(map(matrix, operands)), matrix(value)) if side]
    return "$$\n" + Name(name).latex + " = " + "\n= ".join(sides) + "\n$$"
