"""The course of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import colours, own_or, tidy
from steepest.trace import Trace, check_trace
from steepest.typing import Array

NAMES = {
    "value": "objective",
    "gradient_norm": "length of the gradient",
    "step_norm": "length of the step",
    "step_size": "learning rate",
    "duality_gap": "duality gap",
}
MANY_STEPS, WIDE_RANGE = 50, 30.0
PLAIN_FROM, PLAIN_BELOW = 1e-3, 1e6


def loss_curve(
    trace: Trace | Mapping[str, Trace],
    *,
    ax: Axes | None = None,
    what: str = "value",
    above: float | None = None,
) -> Axes:
    """Draw the objective (or another scalar) over the iterations of one run, or of several to compare.

    Axes become logarithmic where that shows more: across for more than 50 iterations, up for a range of more than 30.

    Parameters
    ----------
    trace : Trace or mapping of str to Trace
        The run, or several under the names of the legend.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    what : str, default "value"
        A column of the trace.
    above : float, optional
        Draw the distance above this value, such as a known optimum.

    Examples
    --------
    >>> from steepest.step import Step
    >>> trace = Trace()
    >>> for index, value in enumerate([4.0, 1.0, 0.25]):
    ...     trace.record(Step(index, None, value))
    >>> loss_curve(trace).get_ylabel()
    'objective'
    """
    ax = own_or(ax)
    runs = dict(trace) if isinstance(trace, Mapping) else {"": trace}
    if not runs:
        raise InvalidInputError("trace={}: must hold at least one run")
    curves = {name: _curve(run, what, above) for name, run in runs.items()}
    longest = max((len(index) for index, _ in curves.values()), default=0)
    for colour, (name, (index, values)) in zip(colours(len(curves)), curves.items(), strict=True):
        marker = "o" if longest <= MANY_STEPS else ""
        ax.plot(index, values, color=colour, linewidth=1.8, marker=marker, markersize=3.5, label=name or None)
    label = NAMES.get(what, what.replace("_", " "))
    tidy(ax, x="iteration", y=label if above is None else f"{label} above {above:.6g}")
    _scales(ax, [index for index, _ in curves.values()], [values for _, values in curves.values()])
    if len(curves) > 1:
        ax.legend(frameon=False)
    return ax


def _curve(trace: Trace, what: str, above: float | None) -> tuple[Array, Array]:
    """Return the iterations at which the scalar is known, and its values."""
    columns = check_trace(trace).columns
    if what not in columns:
        raise InvalidInputError(f"what={what!r}: must be a column of the trace: {', '.join(columns)}")
    index, values = columns["index"], columns[what] - (0.0 if above is None else above)
    known = np.isfinite(values)
    if not known.any():
        raise InvalidInputError(f"what={what!r}: this run has no finite value of it; the solver does not compute it")
    return index[known], values[known]


def _scales(ax: Axes, indices: list[Array], values: list[Array]) -> None:
    """Choose linear or logarithmic axes."""
    last = max(float(index[-1]) for index in indices)
    if last > MANY_STEPS:
        ax.set_xscale("symlog", linthresh=1.0)  # like a logarithm, but step 0 has its place
        ax.set_xlim(0, last * 1.1)
        ax.xaxis.set_major_formatter(FuncFormatter(_plain))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    if low > 0 and high > WIDE_RANGE * low:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(_plain))


def _plain(number: float, position: Any) -> str:
    """Write a tick as people do: 1,000 rather than 10^3."""
    return f"{number:,.0f}" if number == 0 or PLAIN_FROM <= abs(number) < PLAIN_BELOW else f"{number:g}"
