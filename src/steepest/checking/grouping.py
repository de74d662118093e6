"""Explanations told as sentences, equal ones once for all their blocks."""

from collections.abc import Iterator, Sequence

from steepest.checking.explanation import Explanation
from steepest.checking.report import Diagnosis

__all__ = ["grouped", "told"]


def grouped(found: Sequence[tuple[str, Explanation]]) -> Iterator[Diagnosis]:
    """Diagnoses with the same mistakes and constants told once, for all their blocks."""
    groups: dict[tuple[object, ...], list[tuple[str, Explanation]]] = {}
    for name, explanation in found:
        penalty = tuple((k, round(v, 6)) for k, v in explanation.penalty.items())
        same = explanation.candidate.said if "with respect to" not in explanation.candidate.said else name
        key = (explanation.codes, same, round(explanation.constant, 6), penalty)
        groups.setdefault(key, []).append((name, explanation))
    for members in groups.values():
        yield told(tuple(name for name, _ in members), members[0][1])


def told(blocks: tuple[str, ...], explanation: Explanation, symbol: str = "") -> Diagnosis:
    """Put an explanation into sentences about ``blocks``; ``symbol`` replaces dJ/d... as their name."""
    verb = "equals" if len(blocks) == 1 else "each equal"
    subject = symbol or ", ".join(f"dJ/d{name}" for name in blocks)
    sentence = f"{subject} {verb} {_product(explanation)}"
    others = [m.said for m in explanation.mistakes if m.code.startswith("penalty")]
    if explanation.candidate.code == "zero":
        sentence = f"{subject}: {explanation.mistakes[0].said}"
    elif others and _product(explanation) == "the true derivative":
        sentence = f"{subject}: " + "; ".join(others)
    elif others:
        sentence += " of the data term; " + "; ".join(others)
    elif any("the data term" in m.said for m in explanation.mistakes):
        sentence += " of the data term; the penalty's part is right"
    return Diagnosis(
        blocks,
        explanation.codes,
        sentence + ".",
        " ".join(mistake.remedy for mistake in explanation.mistakes),
        explanation.constant,
        tuple(map(str, explanation.names)),
        "; ".join(dict.fromkeys(mistake.hint for mistake in explanation.mistakes)),
    )


def _product(explanation: Explanation) -> str:
    """Name the fitted factor times the candidate in words."""
    said, c, names = explanation.candidate.said, explanation.constant, explanation.names
    if c == 1.0:
        return said
    sign = "minus " if c < 0 else ""
    if abs(abs(c) - 1.0) <= 1e-6:
        return f"{sign}{said}"
    name = names[0] if names else None
    number = (
        f"{name.symbol} = {abs(c):.6g}"
        if name and any(c.isalpha() for c in name.symbol)
        else name.symbol
        if name
        else f"{abs(c):.10g}"
    )
    meaning = f" ({name.meaning})" if name and name.meaning else ""
    return f"{sign}{number} times {said}{meaning}"
