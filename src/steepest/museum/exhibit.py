"""One exhibit: what was published, what is true, and the means to see it for oneself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from steepest.checking import GradientReport, check_gradient

__all__ = ["Case", "Exhibit", "Figure"]


@dataclass(frozen=True)
class Case:
    """A value, the gradient published with it, and the right one.

    Attributes
    ----------
    value, published, right : callable
        Functions of the parameters and the data, by name.
    parameters, data : dict
        Where they are compared.

    Examples
    --------
    >>> case = Case(lambda x: x**2, lambda x: x, lambda x: 2 * x, {"x": 3.0})
    >>> bool(case.audit()), bool(case.audit(published=False))
    (False, True)
    """

    value: Callable[..., Any]
    published: Callable[..., Any]
    right: Callable[..., Any]
    parameters: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)

    def audit(self, published: bool = True) -> GradientReport:
        """Audit of the published gradient, or of the right one."""
        gradient = self.published if published else self.right
        return check_gradient(self.value, gradient, *self.parameters.values(), data=self.data)


@dataclass(frozen=True)
class Figure:
    """One number or statement, as published and as it is.

    Examples
    --------
    >>> Figure("2 + 2", published="5", right="4").right
    '4'
    """

    what: str
    published: str
    right: str


@dataclass(frozen=True)
class Exhibit:
    """A wrong derivation.

    Attributes
    ----------
    name : str
        What to call it on the command line.
    title : str
        One line.
    source : str
        What kind of source it comes from.
    claim, truth : str
        The formula as published and the right one.
    lesson : str
        Why it went unnoticed, or how to see it.
    case : callable or None
        Makes the pair of value and gradient, where there is one.
    codes : dict
        Block -> mistakes that the audit must name.
    figures : callable or None
        Computes numbers to be shown side by side.
    plot : str
        Name of the plot that helps, if any.

    Examples
    --------
    >>> from steepest.museum import find_exhibit
    >>> find_exhibit("bias-twice").case().audit().diagnoses[0].constant_names[0]
    '2'
    """

    name: str
    title: str
    source: str
    claim: str
    truth: str
    lesson: str
    case: Callable[[], Case] | None = None
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    figures: Callable[[], list[Figure]] | None = None
    plot: str = ""

    def numbers(self) -> list[Figure]:
        """Numbers side by side: the exhibit's own, or the worst entries that the audit finds."""
        if self.figures is not None:
            return self.figures()
        if self.case is None:
            return []
        worst = [(block.name, block.worst) for block in self.case().audit().blocks if block.worst]
        return [Figure(f"dJ/d{name}{list(w.index) or ''}", f"{w.claimed:.8g}", f"{w.true:.8g}") for name, w in worst]

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(f.what)}</td><td>{escape(f.published)}</td><td>{escape(f.right)}</td></tr>"
            for f in self.numbers()
        )
        audit = self.case().audit()._repr_html_() if self.case else ""
        return (
            f"<h3>{escape(self.title)}</h3><p><i>{escape(self.source)}</i></p><p>Published: {escape(self.claim)}<br>"
            f"Right: {escape(self.truth)}</p>{audit}<table><tr><th></th><th>published</th><th>right</th></tr>{rows}"
            f"</table><p>{escape(self.lesson)}</p>"
        )
