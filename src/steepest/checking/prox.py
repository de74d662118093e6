"""``check_prox``: does a proximal map minimise what it should."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from steepest.checking.report import BlockReport, Diagnosis, GradientReport, Verdict, Worst
from steepest.checking.structure import Structure
from steepest.typing import Array
from steepest.validation import check_count, check_positive

__all__ = ["check_prox"]


def check_prox(
    value: Callable[[Any], Any],
    prox: Callable[[Any, float], Any],
    x: Any,
    step: float = 0.7,
    *,
    n_points: int = 5,
    seed: int = 0,
) -> GradientReport:
    r"""Hold a proximal map against its penalty: ``prox(x, t)`` must minimise ``g(z) + |z - x|^2 / (2 t)``.

    Parameters
    ----------
    value : callable
        The penalty ``g``, one number; infinity outside its domain.
    prox : callable
        ``prox(x, step)``.
    x : array
        The point; others are drawn around it.
    step : float
        The step ``t``.
    n_points, seed : int
        Random points besides ``x``, and their seed.

    Returns
    -------
    GradientReport
        With a single block ``prox``. The worst entry holds the objective at the claimed point and the lower
        value that was found.

    Notes
    -----
    For convex g the objective is strongly convex with modulus 1/t, so that p is its minimum exactly if no
    direction descends from p. Descent is looked for along every coordinate, along random directions, and
    towards x and 0. If p is the minimum for another step, that step is named.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_prox
    >>> soft = lambda x, t: np.sign(x) * np.maximum(np.abs(x) - t, 0)
    >>> bool(check_prox(lambda z: np.abs(z).sum(), soft, np.array([2.0, -0.1, 0.5])))
    True
    >>> report = check_prox(lambda z: np.abs(z).sum(), lambda x, t: soft(x, 2 * t), np.array([2.0, -0.1, 0.5]))
    >>> print(report.diagnoses[0])
    prox equals the proximal map with the step 2 t. Use the step t.
    """
    start = Structure.read([x], ["x"]).blocks[0].astype(np.float64)
    check_positive("step", step)
    check_count("n_points", n_points, minimum=0)
    check_count("seed", seed, minimum=0)
    rng = np.random.default_rng(seed)
    scale = max(float(np.max(np.abs(start))), 1.0)
    points = [start, *(start + scale * rng.standard_normal(start.shape) for _ in range(n_points))]
    claims = [np.asarray(prox(point.copy(), step), dtype=np.float64) for point in points]
    if claims[0].shape != start.shape:
        problem = f"prox returned shape {claims[0].shape} for x of shape {start.shape}"
        block = BlockReport("prox", start.shape, Verdict.DISAGREES, float("inf"), problem=problem)
        return GradientReport(Verdict.DISAGREES, (block,), seed=seed, what="proximal map")
    worst, share = None, 0.0
    for p, (point, claim) in enumerate(zip(points, claims, strict=True)):
        here, lower = _descent(value, point, claim, step, rng)
        excess = (here - lower) / max(abs(here), 1e-300) if np.isfinite(here) else 1.0
        if lower < here and excess > share:
            share = excess
            worst = Worst((), here, lower, p)
    verdict = Verdict.DISAGREES if worst else Verdict.AGREES
    block = BlockReport("prox", start.shape, verdict, share, worst)
    diagnoses = _diagnose(value, prox, points, claims, step, rng) if worst else ()
    unexplained = (
        () if diagnoses or not worst else ("prox: the objective can be lowered; no known mistake explains it.",)
    )
    return GradientReport(
        verdict,
        (block,),
        diagnoses,
        unexplained,
        "descent from the claimed minimum",
        len(points),
        seed,
        what="proximal map",
    )


def _descent(
    value: Callable[[Any], Any], x: Array, p: Array, step: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Objective at ``p`` and the lowest found around it, the same number where none is lower beyond rounding."""

    def objective(z: Array) -> float:
        return float(value(z)) + float(np.sum((z - x) ** 2)) / (2.0 * step)

    here = objective(p)
    if not np.isfinite(here):
        return float("inf"), 0.0  # outside the domain, where no minimum is
    lowest = here
    scale = max(float(np.max(np.abs(p))), float(np.max(np.abs(x))), 1e-3)
    units = np.eye(p.size).reshape(p.size, *p.shape)[:200]
    directions = [*units, *rng.standard_normal((30, *p.shape)), x - p, -p, x]
    for direction in directions:
        for length in (1e-5, 1e-3, 1e-1):
            for side in (1.0, -1.0):
                lowest = min(lowest, objective(p + side * length * scale * direction))
    rounding = 64.0 * np.finfo(np.float64).eps * (abs(here) + float(np.sum((p - x) ** 2)) / step)
    return here, lowest if lowest < here - rounding else here


def _diagnose(
    value: Callable[[Any], Any],
    prox: Callable[[Any, float], Any],
    points: Sequence[Array],
    claims: Sequence[Array],
    step: float,
    rng: np.random.Generator,
) -> tuple[Diagnosis, ...]:
    other_steps = {"2 t": 2 * step, "t/2": step / 2, "1": 1.0, "t^2": step**2, "1/t": 1 / step}
    for name, other in other_steps.items():
        if other != step and all(_is_minimum(value, x, p, other, rng) for x, p in zip(points, claims, strict=True)):
            said = f"prox equals the proximal map with the step {name}."
            return (
                Diagnosis(("prox",), ("step",), said, "Use the step t.", other / step, (name,), "look at the step"),
            )
    if all(_is_minimum(value, x, x - p, step, rng) for x, p in zip(points, claims, strict=True)):
        said = "prox equals x minus the proximal map."
        return (Diagnosis(("prox",), ("residual",), said, "Return x - prox.", hint="what is left over was returned"),)
    if all(_is_minimum(value, x, -p, step, rng) for x, p in zip(points, claims, strict=True)):
        return (
            Diagnosis(
                ("prox",),
                ("sign",),
                "prox equals minus the proximal map.",
                "Change the sign.",
                -1.0,
                hint="look at the sign",
            ),
        )
    if all(np.array_equal(x, p) for x, p in zip(points, claims, strict=True)):
        return (
            Diagnosis(
                ("prox",),
                ("identity",),
                "prox returns x unchanged.",
                "Minimise g(z) + |z - x|^2 / (2 t).",
                hint="nothing is done",
            ),
        )
    return ()


def _is_minimum(value: Callable[[Any], Any], x: Array, p: Array, step: float, rng: np.random.Generator) -> bool:
    here, lower = _descent(value, x, p, step, rng)
    return np.isfinite(here) and lower >= here
