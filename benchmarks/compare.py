"""The harness: contenders take turns in one process, and speed counts only at equal quality.

A benchmark file offers ``regimes(quick)``, a list of :class:`Regime`; :func:`run_regimes` runs them and prints a table.
"""

import argparse
import gc
import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = "steepest"
WARM = 0.15  # seconds of work without the clock before each measurement
PATIENCE = 3.0  # seconds: who has used up more is timed no further than twice


@dataclass
class Contender:
    """Somebody who computes the answer.

    Attributes
    ----------
    name : str
        ``"steepest"`` (or a name that begins so) for us; anything else is a peer.
    run : callable
        Computes the answer from prepared data and returns it. Only this is timed.
    beside : bool
        Whether it is only shown: the goal, and so the ratio, speaks of other peers.
    """

    name: str
    run: Callable[[], Any]
    beside: bool = False

    @property
    def ours(self) -> bool:
        """Whether this is us."""
        return self.name.startswith(OURS)


@dataclass
class Contest:
    """Contenders on one data set, and how good an answer is.

    Attributes
    ----------
    contenders : list of Contender
        At least one of ours and, to have a ratio, a peer.
    quality : callable
        How far an answer is from the optimum (a relative excess of the objective, a duality gap, a relative error of
        the coefficients): 0 is perfect. Not timed.
    allowed : float
        Who is further off than this has not solved the problem: a peer is then left out of the ratio, and our ratio
        is void.
    """

    contenders: list[Contender]
    quality: Callable[[Any], float]
    allowed: float


@dataclass
class Regime:
    """A kind of problem at one size.

    Attributes
    ----------
    name : str
        What ``--only`` searches and the table shows.
    prepare : callable
        Makes the data and returns the contest; called right before it is run, so that only one data set is in memory.
    goal : float
        The ratio aimed at.
    repeats : int
        Rounds that are timed; an unmeasured one comes first (compilation, caches, imports).
    """

    name: str
    prepare: Callable[[], Contest]
    goal: float = 1.0
    repeats: int = 7


@dataclass
class Timing:
    """What was measured of one contender."""

    contender: Contender
    excess: float = float("nan")
    seconds: list[float] = field(default_factory=list)
    error: str = ""

    def fits(self, allowed: float) -> bool:
        """Whether the answer is good enough to count."""
        return not self.error and self.excess <= allowed


@dataclass
class Outcome:
    """One line of the table.

    Attributes
    ----------
    best_ours, best_peer : Timing or None
        The fastest (by minimum) of ours and of the peers whose answer is good enough.
    """

    regime: Regime
    allowed: float
    timings: list[Timing]

    def _best(self, ours: bool) -> Timing | None:
        asked = [t for t in self.timings if t.contender.ours == ours and not t.contender.beside]
        side = [t for t in asked if t.fits(self.allowed)]
        return min(side, key=lambda t: min(t.seconds), default=None)

    @property
    def best_ours(self) -> Timing | None:
        """Our fastest answer that is good enough."""
        return self._best(True)

    @property
    def best_peer(self) -> Timing | None:
        """The peers' fastest answer that is good enough."""
        return self._best(False)

    def ratio(self, statistic: Callable[[Sequence[float]], float] = min) -> float:
        """Return the best peer's time divided by ours; NaN where either has no sufficient answer."""
        ours, peer = self.best_ours, self.best_peer
        return statistic(peer.seconds) / statistic(ours.seconds) if ours and peer else float("nan")


def run_regime(regime: Regime) -> Outcome:
    """Run one regime: a round without the clock, then ``repeats`` rounds in which all take turns.

    The order is rotated from round to round.
    """
    contest = regime.prepare()
    timings = [Timing(contender) for contender in contest.contenders]
    for timing in timings:
        _first_run(timing, contest.quality)
    running = [timing for timing in timings if not timing.error]
    for turn in range(regime.repeats):
        for timing in running[turn % len(running) :] + running[: turn % len(running)]:
            if len(timing.seconds) >= 2 and sum(timing.seconds) > PATIENCE:
                continue
            gc.collect()
            timing.seconds.append(_warm_time(timing.contender.run))
    return Outcome(regime, contest.allowed, timings)


def _warm_time(run: Callable[[], Any]) -> float:
    """Return the seconds of a run that comes right after others of the same contender.

    The threads of the contender before are asleep by then (those of OpenBLAS wait for a tenth of a second, working),
    and this one's are awake, each on its core.
    """
    begun = start = time.perf_counter()
    while start - begun < WARM:
        run()
        start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _first_run(timing: Timing, quality: Callable[[Any], float]) -> None:
    """Run once without the clock; note the quality, or the error if a peer cannot do it."""
    try:
        timing.excess = float(quality(timing.contender.run()))
    except Exception as error:
        if timing.contender.ours:
            raise
        timing.error = f"{type(error).__name__}: {error}".splitlines()[0][:60]


HEADER = ("regime", "contender", "min ms", "median ms", "off optimum", "ratio (min)", "ratio (median)", "goal")


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Return the table's lines of one regime: each contender, and the ratio beside our best."""
    lines = []
    for i, timing in enumerate(sorted(outcome.timings, key=lambda t: min(t.seconds, default=float("inf")))):
        best = timing is outcome.best_ours
        times = [f"{1e3 * f(timing.seconds):.2f}" for f in (min, median)] if timing.seconds else [timing.error, ""]
        mark = "" if timing.error or timing.fits(outcome.allowed) else " (too far: not counted)"
        lines.append(
            (
                outcome.regime.name if i == 0 else "",
                timing.contender.name,
                *times,
                "" if timing.error else f"{timing.excess:.1e}{mark}",
                f"{outcome.ratio():.2f}" if best else "",
                f"{outcome.ratio(median):.2f}" if best else "",
                f"{outcome.regime.goal:g}" if best else "",
            )
        )
    return lines


def print_table(outcomes: list[Outcome], *, markdown: bool) -> None:
    """Print the lines, as Markdown (without its head) or for a terminal."""
    if markdown:
        for outcome in outcomes:
            for line in rows(outcome):
                print("| " + " | ".join(line) + " |", flush=True)
        return
    table = Table(*HEADER)
    for outcome in outcomes:
        for line in rows(outcome):
            table.add_row(*line)
        table.add_section()
    Console(width=max(Console().width, 150)).print(table)


def options(argv: list[str]) -> argparse.Namespace:
    """Parse what all benchmarks share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", metavar="REGEX", help="run the regimes whose name matches")
    parser.add_argument("--quick", action="store_true", help="small data and few repeats: does it run?")
    parser.add_argument("--repeats", type=int, help="timed rounds instead of each regime's own number")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--list", action="store_true", help="only list the regimes")
    return parser.parse_args(argv)


def run_regimes(argv: list[str], regimes: Callable[[bool], list[Regime]]) -> int:
    """Run the regimes that the options ask for; the exit code is 1 if an answer of ours was not good enough."""
    asked = options(argv)
    chosen = [regime for regime in regimes(asked.quick) if re.search(asked.only, regime.name)]
    if asked.list or not chosen:
        print("\n".join(regime.name for regime in regimes(asked.quick)))
        return 0 if asked.list else 2
    outcomes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if asked.markdown:
            print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER))
        for regime in chosen:
            regime.repeats = asked.repeats or (2 if asked.quick else regime.repeats)
            outcomes.append(run_regime(regime))
            print_table(outcomes[-1:], markdown=asked.markdown)
    return int(any(outcome.best_ours is None for outcome in outcomes))
