"""``grade``: points for each part of a learner's gradient, and the reason where some are missing."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from steepest.checking.gradient import check_gradient
from steepest.checking.grading.remote import Limits, Remote, SubmissionFailedError
from steepest.checking.grading.template import Template
from steepest.checking.report import BlockReport, GradientReport, Verdict
from steepest.exceptions import InvalidInputError

__all__ = ["Grade", "Part", "grade"]


@dataclass(frozen=True)
class Part:
    """Points for the gradient with respect to one parameter.

    Examples
    --------
    >>> Part("w", 0.5, 1.0, "wrong: look at the sign").points
    0.5
    """

    name: str
    points: float
    out_of: float
    reason: str


@dataclass(frozen=True)
class Grade:
    """All parts, and what else was noticed; true in a condition if every point was earned.

    Examples
    --------
    >>> print(Grade((Part("w", 2.0, 2.0, "right"), Part("b", 0.0, 1.0, "wrong: look at the sign"))))
    w  2 of 2  right
    b  0 of 1  wrong: look at the sign
    total 2 of 3
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(part.points for part in self.parts)

    @property
    def out_of(self) -> float:
        """Points to be had."""
        return sum(part.out_of for part in self.parts)

    def __bool__(self) -> bool:
        """Whether every point was earned."""
        return self.points == self.out_of

    def __str__(self) -> str:
        """One line a part, the sum, the notes."""
        width = max(len(part.name) for part in self.parts)
        lines = [f"{part.name.ljust(width)}  {part.points:g} of {part.out_of:g}  {part.reason}" for part in self.parts]
        return "\n".join([*lines, f"total {self.points:g} of {self.out_of:g}", *(f"- {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(part.name)}</td><td>{part.points:g} of {part.out_of:g}</td>"
            f"<td>{escape(part.reason)}</td></tr>"
            for part in self.parts
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<table>{rows}</table><p>total {self.points:g} of {self.out_of:g}</p><ul>{notes}</ul>"


def grade(template: str | Path, submission: str | Path, *, show_answers: bool | None = None, seed: int = 0) -> Grade:
    r"""Grade a learner's gradients against a teacher's value.

    Parameters
    ----------
    template : path
        Defines ``value``, ``parameters`` (name -> point) and, if needed, ``data``, ``weights`` (points a
        part), ``credit`` (code of a mistake -> share of the points that remain), ``show_answers``,
        ``seconds`` and ``memory_mb``.
    submission : path
        Defines ``gradient``, which takes what ``value`` takes and returns all parts, or one function
        ``gradient_NAME`` for each parameter.
    show_answers : bool, optional
        Overrides the template.
    seed : int
        Seed of the random points.

    Returns
    -------
    Grade

    Notes
    -----
    The submission runs in a process of its own with limits and sends back numbers; the comparison is made
    here. It is correct if its numbers are, in whatever form they were derived. The limits keep an accident
    from doing harm; they are no sandbox for hostile code.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "lesson.py").write_text("parameters = {'x': 2.0}\ndef value(x): return x**2")
    >>> _ = (folder / "mine.py").write_text("def gradient(x): return -2 * x")
    >>> grade(folder / "lesson.py", folder / "mine.py").parts[0].reason
    'wrong: look at the sign'
    """
    lesson = Template.read(template)
    if not Path(submission).is_file():
        raise InvalidInputError(f"{submission}: no such file")
    answers = lesson.show_answers if show_answers is None else show_answers
    remote = Remote(submission, Limits(lesson.seconds, lesson.memory_mb))
    try:
        try:
            remote.__enter__()
        except SubmissionFailedError as failure:
            return _nothing(lesson, f"the file could not be run: it {failure}")
        learner = _Learner(lesson, remote)
        if not learner.given:
            return _nothing(lesson, f"the file defines neither gradient nor {', '.join(learner.wanted)}")
        return _graded(lesson, learner, answers, seed)
    finally:
        remote.close()


class _Learner:
    """The submission as one gradient function; parts that fail become NaN and are remembered."""

    def __init__(self, lesson: Template, remote: Remote) -> None:
        self.lesson, self.remote = lesson, remote
        self.wanted = [f"gradient_{name}" for name in lesson.parameters]
        self.whole = "gradient" in remote.functions
        self.given = ["gradient"] if self.whole else [name for name in self.wanted if name in remote.functions]
        self.failures: dict[str, str] = {}

    def __call__(self, *arguments: Any, **data: Any) -> Any:
        """Call ``gradient``, or every ``gradient_NAME``."""
        if self.whole:
            return self._numbers_only(self._part("gradient", arguments, data))
        found = {}
        for name in self.lesson.parameters:
            function = f"gradient_{name}"
            if function not in self.given:
                self.failures[name] = f"{function} is not defined"
            part = None if name in self.failures else self._part(function, arguments, data, name)
            found[name] = self._number(name, part)
        return found if self.lesson.takes_dict else tuple(found.values())

    def _numbers_only(self, result: Any) -> Any:
        """Keep the parts that are numbers where another is not."""
        names = list(self.lesson.parameters)
        if isinstance(result, dict):
            return {key: self._number(key, part) if key in names else part for key, part in result.items()}
        if isinstance(result, tuple) and len(result) == len(names):
            return tuple(self._number(name, part) for name, part in zip(names, result, strict=True))
        return result

    def _number(self, name: str, part: Any) -> Any:
        """``part`` if it is an array of real numbers, NaN otherwise."""
        try:
            if np.asarray(part).dtype.kind in "fiub":
                return part
            kind = f"a {type(part).__name__}" if part is not None else "nothing"
        except ValueError:
            kind = "a ragged array"
        self.failures.setdefault(name, f"its gradient is {kind}, must be an array of real numbers")
        return np.full(np.shape(self.lesson.parameters[name]), np.nan)

    def _part(self, function: str, arguments: Any, data: Any, name: str = "") -> Any:
        try:
            return self.remote.call(function, arguments, data)
        except SubmissionFailedError as failure:
            for block in [name] if name else self.lesson.parameters:
                self.failures[block] = f"{function} {failure}"
            if not name:
                raise
            return None


def _graded(lesson: Template, learner: _Learner, answers: bool, seed: int) -> Grade:
    notes = []
    try:
        report = check_gradient(lesson.value, learner, *lesson.point, data=lesson.data, seed=seed)
    except InvalidInputError as error:
        if not learner.failures:
            return _nothing(lesson, str(error), _remarks(learner))
        return Grade(tuple(Part(n, 0.0, w, learner.failures[n]) for n, w in lesson.weights.items()), _remarks(learner))
    parts = []
    for (name, weight), block in zip(lesson.weights.items(), report.blocks, strict=True):
        share, reason = _judged(block, report, lesson, learner.failures.get(name, ""), answers)
        parts.append(Part(name, share * weight, weight, reason))
    if report.verdict is Verdict.CANNOT_TELL:
        notes += list(report.notes)
    return Grade(tuple(parts), (*notes, *_remarks(learner)))


def _judged(
    block: BlockReport, report: GradientReport, lesson: Template, failure: str, answers: bool
) -> tuple[float, str]:
    """Share of the points and the reason; numbers and formulas only where answers are shown."""
    if failure:
        return 0.0, failure
    if block.verdict is Verdict.AGREES:
        return 1.0, "right"
    if block.verdict is Verdict.CANNOT_TELL:
        return 0.0, "cannot be told"
    diagnosis = report.diagnosis_of(block.name)
    if diagnosis is None:
        return 0.0, block.problem or "wrong"
    share = 1.0
    for code in diagnosis.codes:
        share *= lesson.credit.get(code, 0.0)
    shape = f" ({block.problem})" if block.problem else ""
    return share, str(diagnosis) if answers else f"wrong: {diagnosis.hint or 'see the definition'}{shape}"


def _nothing(lesson: Template, reason: str, notes: tuple[str, ...] = ()) -> Grade:
    return Grade(tuple(Part(name, 0.0, weight, reason) for name, weight in lesson.weights.items()), notes)


def _remarks(learner: _Learner) -> tuple[str, ...]:
    remarks = []
    if learner.remote.changed:
        remarks.append("the submission changes its arguments in place: it must work on copies")
    if learner.remote.printed:
        remarks.append(f"the submission printed {learner.remote.printed[:60]!r}")
    return tuple(remarks)
