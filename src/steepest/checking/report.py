"""What an audit found, readable in a terminal, a notebook and a program."""

from dataclasses import dataclass, field
from enum import StrEnum
from html import escape

__all__ = ["BlockReport", "Diagnosis", "GradientReport", "KinkFound", "Verdict", "Worst"]


class Verdict(StrEnum):
    """Outcome of a comparison.

    Examples
    --------
    >>> Verdict.CANNOT_TELL
    <Verdict.CANNOT_TELL: 'cannot tell'>
    """

    AGREES = "agrees"
    DISAGREES = "disagrees"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Worst:
    """The entry that is furthest off: where, what is claimed, what is true."""

    index: tuple[int, ...]
    claimed: float
    true: float
    point: int
    certified: str | None = None

    def __str__(self) -> str:
        """One line with both numbers."""
        where = f"entry {list(self.index)}" if self.index else "value"
        place = "the given point" if self.point == 0 else f"random point {self.point}"
        digits = f" (to 30 digits {self.certified})" if self.certified else ""
        return f"{where} at {place}: claimed {self.claimed:.10g}, true {self.true:.10g}{digits}"


@dataclass(frozen=True)
class KinkFound:
    """An entry of the given point at which the value has no derivative."""

    index: tuple[int, ...]
    left: float
    right: float
    claimed: float

    def __str__(self) -> str:
        """One line with both slopes."""
        where = f"entry {list(self.index)}" if self.index else "the value"
        return (
            f"kink at {where}: slope {self.left:.6g} from the left, {self.right:.6g} from the right, "
            f"claimed {self.claimed:.6g}"
        )


@dataclass(frozen=True)
class BlockReport:
    """Verdict on the gradient of one parameter: how far it is off, and where most.

    Examples
    --------
    >>> from steepest import check_gradient
    >>> report = check_gradient(lambda x: x**2, lambda x: 3 * x, 2.0, n_points=0)
    >>> report["x"].worst.claimed, report["x"].worst.true
    (6.0, 4.0)
    """

    name: str
    shape: tuple[int, ...]
    verdict: Verdict
    relative_error: float
    worst: Worst | None = None
    problem: str = ""
    kinks: tuple[KinkFound, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains the gradient of some blocks to rounding at every point.

    Attributes
    ----------
    blocks : tuple of str
        The parameters it explains.
    codes : tuple of str
        Names of the mistakes, such as ``("factor", "penalty-missing")``.
    sentence : str
        What the gradient equals, with the numbers.
    remedy : str
        What to change, with the corrected formula.
    constant : float
        The fitted factor.
    constant_names : tuple of str
        What that factor is, the likeliest first.
    hint : str
        What a teacher may show without giving the answer away.

    Examples
    --------
    >>> from steepest import check_gradient
    >>> diagnosis = check_gradient(lambda x: x**2, lambda x: -2 * x, 2.0).diagnoses[0]
    >>> diagnosis.codes, diagnosis.hint
    (('sign',), 'look at the sign')
    """

    blocks: tuple[str, ...]
    codes: tuple[str, ...]
    sentence: str
    remedy: str
    constant: float = 1.0
    constant_names: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        """Sentence and remedy."""
        return f"{self.sentence} {self.remedy}".strip()


@dataclass(frozen=True)
class GradientReport:
    """Result of ``check_gradient``; true in a condition exactly if the gradient agrees.

    Attributes
    ----------
    verdict : Verdict
        The worst of the blocks' verdicts.
    blocks : tuple of BlockReport
    diagnoses : tuple of Diagnosis
        One for each distinct mistake.
    unexplained : tuple of str
        For blocks without a diagnosis, how far the fault could be located.
    method : str
        How the true derivative was computed.
    points : int
        Points compared: the given one and random ones.
    seed : int
        Seed of the random points.
    notes : tuple of str
        What else was noticed.
    evaluations : int
        Calls of the value; 0 where they are not counted.
    what : str
        What the gradient is called.
    layers : tuple of GradientReport
        Local reports, where layers were given.

    Examples
    --------
    >>> from steepest import check_gradient
    >>> print(check_gradient(lambda x: x**2, lambda x: 2 * x, 2.0, n_points=1))
    The gradient agrees with the value.
    <BLANKLINE>
      block  shape  verdict  rel. error
      x      ()     agrees   0.0e+00
    <BLANKLINE>
    (complex step, 2 points, seed 0, ... evaluations of the value)
    """

    verdict: Verdict
    blocks: tuple[BlockReport, ...]
    diagnoses: tuple[Diagnosis, ...] = ()
    unexplained: tuple[str, ...] = ()
    method: str = ""
    points: int = 0
    seed: int = 0
    notes: tuple[str, ...] = field(default=())
    evaluations: int = 0
    what: str = "gradient"
    layers: tuple["GradientReport", ...] = ()

    def __bool__(self) -> bool:
        """Whether it agrees."""
        return self.verdict is Verdict.AGREES

    @property
    def ok(self) -> bool:
        """Whether it agrees."""
        return bool(self)

    def __getitem__(self, name: str) -> BlockReport:
        """Report on the block called ``name``."""
        return next(block for block in self.blocks if block.name == name)

    def diagnosis_of(self, name: str) -> Diagnosis | None:
        """Diagnosis that explains the block called ``name``."""
        return next((d for d in self.diagnoses if name in d.blocks), None)

    @property
    def headline(self) -> str:
        """Verdict in one line."""
        wrong = [block.name for block in self.blocks if block.verdict is Verdict.DISAGREES]
        if self.verdict is Verdict.AGREES:
            return f"The {self.what} agrees with the value."
        if self.verdict is Verdict.DISAGREES:
            return f"The {self.what} disagrees with the value in {', '.join(wrong)}."
        return f"Cannot tell whether the {self.what} agrees with the value."

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Table of the blocks: name, shape, verdict, relative error."""
        return [
            (b.name, str(b.shape), str(b.verdict), "" if b.problem else f"{b.relative_error:.1e}") for b in self.blocks
        ]

    def details(self) -> list[str]:
        """Everything to say below the table, most important first."""
        lines = [f"{d.sentence} {d.remedy}".strip() for d in self.diagnoses]
        lines += self.unexplained
        for block in self.blocks:
            if block.problem:
                lines.append(f"{block.name}: {block.problem}")
            elif block.worst is not None and block.verdict is Verdict.DISAGREES:
                lines.append(f"{block.name}: worst {block.worst}")
            lines += [f"{block.name}: {kink}" for kink in block.kinks[:3]]
            if len(block.kinks) > 3:
                lines.append(f"{block.name}: {len(block.kinks) - 3} more kinks")
        return [*self._layer_lines(), *lines, *self.notes]

    def _layer_lines(self) -> list[str]:
        """Where the layers put the fault."""
        wrong = [layer for layer in self.layers if not layer]
        lines = [" ".join([layer.headline, *map(str, layer.diagnoses), *layer.unexplained]) for layer in wrong]
        if self.layers and not wrong and not self:
            lines.append(
                "Every layer's backward pass agrees with its forward pass: the fault is in how they are joined."
            )
        return lines

    @property
    def footer(self) -> str:
        """How it was found out."""
        if not self.points:
            return f"nothing was compared, seed {self.seed}"
        points = "1 point" if self.points == 1 else f"{self.points} points"
        calls = f", {self.evaluations} evaluations of the value" if self.evaluations else ""  # where they are counted
        return f"{self.method}, {points}, seed {self.seed}{calls}"

    def __str__(self) -> str:
        """Headline, table, explanations."""
        table = [("block", "shape", "verdict", "rel. error"), *self.rows()]
        widths = [max(len(row[i]) for row in table) for i in range(4)]
        lines = [self.headline, ""]
        lines += [
            "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        details = self.details()
        if details:
            lines += ["", *(f"- {line}" for line in details)]
        return "\n".join([*lines, "", f"({self.footer})"])

    def to_markdown(self) -> str:
        """Write the same as Markdown."""
        lines = [f"**{self.headline}**", "", "| block | shape | verdict | rel. error |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows()]
        lines += ["", *(f"- {line}" for line in self.details()), "", f"*{self.footer}*"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in self.rows())
        head = "".join(f"<th>{name}</th>" for name in ("block", "shape", "verdict", "rel. error"))
        items = "".join(f"<li>{escape(line)}</li>" for line in self.details())
        return (
            f"<p><b>{escape(self.headline)}</b></p><table><tr>{head}</tr>{rows}</table>"
            f"<ul>{items}</ul><p><i>{escape(self.footer)}</i></p>"
        )
