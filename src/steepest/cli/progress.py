"""A progress bar for runs that take longer than a second."""

import sys
from time import perf_counter
from types import TracebackType
from typing import Any

from steepest.step import Step
from steepest.trace import Trace

DELAY_SECONDS = 1.0
REFRESH_SECONDS = 0.1


class LiveTrace(Trace):
    """A trace that shows the step it is writing, on stderr.

    Used as a context manager around the fit; the bar disappears at the end.

    Parameters
    ----------
    total : int or None
        The most iterations, where there is a limit.
    """

    def __init__(self, total: int | None) -> None:
        super().__init__()
        self._total = total
        self._display: Any = None
        self._task: Any = None
        self._next_refresh = perf_counter() + DELAY_SECONDS

    def record(self, step: Step) -> None:
        """Add a step, and show it if the last display is old enough."""
        super().record(step)
        now = perf_counter()
        if now >= self._next_refresh:
            self._next_refresh = now + REFRESH_SECONDS
            self._show(step)

    def _show(self, step: Step) -> None:
        if self._display is None:
            self._display = _progress()
            self._task = self._display.add_task("fitting", total=self._total, value="")
            self._display.start()
        self._display.update(self._task, completed=step.index, value=f"objective {step.value:.6g}", refresh=True)

    def __enter__(self) -> "LiveTrace":
        """Begin to count the time."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._display is not None:
            self._display.stop()
            self._display = None


def _progress() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[value]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        auto_refresh=False,
    )
