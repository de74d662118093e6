"""``check_gradient``: does a hand-written gradient belong to its value, and if not, what is wrong with it."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from steepest.checking.certify import certify_entry
from steepest.checking.comparison import ENTRYWISE, Comparison, Tolerance
from steepest.checking.diagnosis import diagnose
from steepest.checking.noise import without_noise
from steepest.checking.points import draw_near, draw_points
from steepest.checking.problem import Problem, read_data
from steepest.checking.reference import Reference
from steepest.checking.report import BlockReport, GradientReport, Verdict
from steepest.checking.slices import divided
from steepest.checking.structure import Structure, argument_names
from steepest.typing import Array
from steepest.validation import check_count, check_positive

__all__ = ["check_gradient"]

SINGLE_NOISE = 1e-10  # a value with more rounding error than this computes in float32 somewhere


def check_gradient(
    value: Callable[..., Any],
    gradient: Callable[..., Any],
    *params: Any,
    data: Any = None,
    n_points: int = 4,
    seed: int = 0,
    rtol: float | None = None,
    certify: bool = False,
    diagnose: bool = True,
    layers: Mapping[str, Any] | None = None,
    what: str = "gradient",
) -> GradientReport:
    """Hold a hand-written gradient against its value; where they disagree, say which mistake was made.

    Parameters
    ----------
    value : callable
        ``value(*params, **data)`` returns one number.
    gradient : callable
        ``gradient(*params, **data)`` returns the derivative with respect to the parameters, nested like them.
    *params : array, number, or a dict, tuple or list of them
        The point. Further points are drawn around it.
    data : dict or sequence, optional
        What else the functions take, by name, or in the order of the arguments of ``value``. With data the
        diagnosis knows more: what a sample, an output or a penalty strength contributes.
    n_points : int
        Number of random points besides the given one.
    seed : int
        Seed of these points; the same seed gives the same report.
    rtol : float, optional
        Relative difference that passes, 0 for what rounding explains alone; 1e-7 for float64 and 2e-4 for float32
        where None.
    certify : bool
        Compute the worst entry of every wrong block to 30 digits (needs mpmath).
    diagnose : bool
        Whether to look for the mistake.
    layers : dict, optional
        Name -> ``(forward, backward, inputs)``, as ``check_layers`` takes them: each is checked by itself, so
        that a fault of the whole is found in its layer, or in how right layers are joined.
    what : str
        What to call the gradient in the report.

    Returns
    -------
    GradientReport
        True in a condition if the gradient agrees; prints as a table with explanations.

    Raises
    ------
    InvalidInputError
        If the parameters are complex, empty or not finite, if the value is not one number, if a function
        raises, if the gradient returns another structure than the parameters have, or if ``rtol``, ``n_points``
        or ``seed`` is negative or no number.

    Notes
    -----
    The true derivative is computed by complex steps where these are found trustworthy, otherwise by
    extrapolated differences with an error bound. A difference counts only beyond what rounding explains:
    beyond the error of the reference, and beyond what changing the inputs in the last digit does. At a
    kink any slope between the two one-sided ones is accepted and the kink reported.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_gradient
    >>> X, y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([1.0, 2.0, 2.0])
    >>> def value(w, X, y):
    ...     return np.mean((X @ w - y) ** 2)
    >>> def gradient(w, X, y):
    ...     return X.T @ (X @ w - y)
    >>> report = check_gradient(value, gradient, np.array([0.1, -0.2]), data={"X": X, "y": y})
    >>> bool(report), report.diagnoses[0].codes, report.diagnoses[0].constant_names[0]
    (False, ('factor',), 'n/2 (n = 3 samples)')
    """
    check_count("n_points", n_points, minimum=0)
    check_count("seed", seed, minimum=0)
    if rtol is not None:
        check_positive("rtol", rtol, zero=True)
    named = argument_names(value, len(params))
    structure = Structure.read(params, named)
    problem = Problem(value, gradient, structure, read_data(value, len(params), data), what)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        many = sum(block.size for block in structure.blocks) > ENTRYWISE
        # thousands of small products: threads would spend their time on waiting for each other
        with threadpool_limits(1, user_api="blas") if many else nullcontext():
            report = _audit(problem, n_points, seed, rtol, certify, diagnose)
    notes = (*report.notes, *structure.notes, *sorted(problem.changed))
    return replace(report, notes=notes, evaluations=problem.calls, what=what, layers=_local(layers, seed))


def _local(layers: Mapping[str, Any] | None, seed: int) -> tuple[GradientReport, ...]:
    """Check single layers."""
    if not layers:
        return ()
    from steepest.checking.layers import check_layers  # which checks each layer with the function above

    return tuple(check_layers(layers, seed=seed).values())


def _audit(
    problem: Problem, n_points: int, seed: int, rtol: float | None, certify: bool, explain: bool
) -> GradientReport:
    rng = np.random.default_rng(seed)
    doubt = _doubt(problem)
    if doubt:
        blocks = tuple(
            BlockReport(name, block.shape, Verdict.CANNOT_TELL, float("nan"))
            for name, block in zip(problem.structure.names, problem.structure.blocks, strict=True)
        )
        return GradientReport(Verdict.CANNOT_TELL, blocks, notes=(doubt,), seed=seed)
    given: list[Array] = [np.asarray(block, dtype=np.float64) for block in problem.structure.blocks]
    points = [given, *draw_points(problem, n_points, rng)]
    reference = Reference(problem)
    reference.measure_noise(points[:4], rng)
    reference.choose(points[:2], rng)
    claims = [problem.gradient(point) for point in points]
    problem.single |= reference.noise > SINGLE_NOISE
    comparison = Comparison(problem, reference, points, claims, Tolerance.of(problem, rtol), rng)
    blocks = tuple(comparison.block(i) for i in range(len(given)))
    blocks, notes = _pardon_isolated(comparison, blocks)
    blocks, more = _pardon_noise(comparison, blocks)
    notes += more
    if len(points) == 1 and n_points:
        notes += ("no random point with a finite value was found: only the given point was compared",)
    if reference.noise > SINGLE_NOISE:
        notes += (f"the value carries a relative rounding error of {reference.noise:.0e}: judged by that of float32",)
    notes += tuple(_right_where_given(comparison, blocks))
    report = GradientReport(_overall(blocks), blocks, (), (), reference.method, len(points), seed, notes, problem.calls)
    if report.verdict is not Verdict.DISAGREES:
        return report
    if certify:
        report = replace(report, blocks=tuple(certify_entry(problem, points, block) for block in blocks))
    if not explain:
        return report
    diagnoses, unexplained = diagnose(comparison, report)
    parts = divided(problem) if unexplained else None
    if parts is not None:
        finer = _audit(parts[0], n_points, seed, rtol, False, True)
        problem.calls += parts[0].calls
        if finer.verdict is Verdict.DISAGREES:
            found = (finer.diagnoses, finer.unexplained)
            return replace(report, diagnoses=found[0], unexplained=found[1], notes=(*report.notes, parts[1]))
    return replace(report, diagnoses=diagnoses, unexplained=unexplained)


def _doubt(problem: Problem) -> str:
    """Why nothing can be said, if so."""
    first = problem.first_value()
    if not np.isfinite(first):
        return f"the value is {first} at the given point: pass a point inside its domain"
    given = problem.structure.blocks
    precise = [np.asarray(block, dtype=np.float64) for block in given]
    if float(problem.value(precise)) != float(problem.value(precise)):
        return "the value changes from call to call: draw its random numbers once, outside, or seed them inside"
    twice = [problem.gradient(given), problem.gradient(given)]
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*twice, strict=True)):
        return f"the {problem.what} changes from call to call: draw its random numbers once, outside, or seed them"
    return ""


def _overall(blocks: tuple[BlockReport, ...]) -> Verdict:
    verdicts = {block.verdict for block in blocks}
    for verdict in (Verdict.DISAGREES, Verdict.CANNOT_TELL):
        if verdict in verdicts:
            return verdict
    return Verdict.AGREES


def _right_where_given(comparison: Comparison, blocks: tuple[BlockReport, ...]) -> Iterator[str]:
    """Say which blocks are wrong at random points alone: these may lie where the user never goes."""
    for i, block in enumerate(blocks):
        found = block.worst is not None and block.worst.point > 0 and not comparison.is_large
        if found and not comparison.wrong_at(0, i):
            yield (
                f"{block.name}: agrees at the given point and is wrong at others; pass n_points=0 if the random "
                "points lie outside the domain of your formula"
            )


def _pardon_isolated(
    comparison: Comparison, blocks: tuple[BlockReport, ...]
) -> tuple[tuple[BlockReport, ...], tuple[str, ...]]:
    """Take back a disagreement that exists at the given point alone.

    Where several kinks meet (``relu(x) - relu(-x)`` at 0), a backward pass with any convention for them can
    miss even a derivative that exists. If the gradient is right at points arbitrarily near, it is right.
    """
    notes: list[str] = []
    pardoned = []
    for i, block in enumerate(blocks):
        alone = block.worst is not None and block.worst.point == 0 and _only_there(comparison, i)
        if alone:
            notes.append(
                f"{block.name}: differs at the given point alone ({block.worst}); it is right at every point nearby, "
                "as happens where kinks meet: a matter of convention, not an error"
            )
            block = replace(block, verdict=Verdict.AGREES, worst=None)
        pardoned.append(block)
    return tuple(pardoned), tuple(notes)


def _pardon_noise(
    comparison: Comparison, blocks: tuple[BlockReport, ...]
) -> tuple[tuple[BlockReport, ...], tuple[str, ...]]:
    """Take back a disagreement that the rounding noise of the value explains."""
    notes = []
    pardoned = []
    for i, block in enumerate(blocks):
        better = without_noise(comparison, i, block) if block.verdict is Verdict.DISAGREES else None
        if better is not None:
            notes.append(
                f"{block.name}: the value is so noisy here that its rounding errors explain the difference "
                f"({block.worst}); write it without cancellation, or pass another point"
            )
        pardoned.append(better or block)
    return tuple(pardoned), tuple(notes)


def _only_there(comparison: Comparison, i: int) -> bool:
    problem, rng = comparison.problem, comparison.rng
    near = [draw_near(problem, comparison.points[0], 1e-3, rng) for _ in range(3)]
    around = replace_points(comparison, near)
    others = replace_points(comparison, comparison.points[1:]) if len(comparison.points) > 1 else around
    return not any(c.wrong_anywhere(i) for c in (others, around))


def replace_points(comparison: Comparison, points: list[list[np.ndarray[Any, Any]]]) -> Comparison:
    """Return the same comparison at other points."""
    claims = [comparison.problem.gradient(point) for point in points]
    return Comparison(comparison.problem, comparison.reference, points, claims, comparison.tolerance, comparison.rng)
