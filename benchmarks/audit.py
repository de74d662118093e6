"""The audit's goals, measured: wrong gradients found and named, right ones left alone, time on a large network."""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from steepest.checking import GradientReport, Verdict, check_gradient

from .audit_models import network
from .audit_mutants import Mutant, mutants
from .audit_right import right_gradients

__all__ = ["Tally", "count_alarms", "count_named", "is_detected", "is_named", "large_network", "main"]


@dataclass
class Tally:
    """How many there were, how many came out as they should, and which did not."""

    total: int = 0
    good: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, name: str, good: bool) -> None:
        """Count one."""
        self.total += 1
        self.good += good
        if not good:
            self.bad.append(name)


def report_on(mutant: Mutant) -> GradientReport:
    """Audit a mutant as a user would: point and data handed over."""
    return check_gradient(mutant.model.value, mutant.gradient, mutant.model.params, data=mutant.model.data)


def is_detected(mutant: Mutant, report: GradientReport) -> bool:
    """Whether exactly the blocks that are wrong are called wrong."""
    wrong = {block.name for block in report.blocks if block.verdict is Verdict.DISAGREES}
    return wrong == set(mutant.expected)


def is_named(mutant: Mutant, report: GradientReport) -> bool:
    """Whether every wrong block gets the names of its mistakes, no more and no fewer, and of its factor."""
    for block, choices in mutant.expected.items():
        diagnosis = report.diagnosis_of(block)
        if diagnosis is None or sorted(diagnosis.codes) not in [sorted(codes) for codes in choices]:
            return False
        symbols = [name.split(" (")[0] for name in diagnosis.constant_names]
        if block in mutant.constants and mutant.constants[block] not in symbols:
            return False
    return True


def count_named() -> tuple[Tally, Tally]:
    """Count detection and naming over all mutants."""
    detected, named = Tally(), Tally()
    for mutant in mutants():
        report = report_on(mutant)
        detected.add(mutant.name, is_detected(mutant, report))
        named.add(mutant.name, is_named(mutant, report))
    return detected, named


def count_alarms() -> tuple[Tally, Counter[str]]:
    """Right gradients that pass, and how their references were computed."""
    tally, methods = Tally(), Counter[str]()
    for right in right_gradients():
        report = check_gradient(right.value, right.gradient, *right.params, data=right.data)
        tally.add(right.name, report.ok)
        methods[report.method] += 1
    return tally, methods


def doubled(found: dict[str, Any]) -> dict[str, Any]:
    """Double the gradient of the first layer: a mistake that projections suffice to name."""
    return {"W1": 2.0 * found["W1"]}


def shifted(found: dict[str, Any]) -> dict[str, Any]:
    """Shift the rows of the first layer's gradient: a mistake for which every entry is needed."""
    return {"W1": np.roll(found["W1"], 1, axis=0)}


Wrong = Callable[[dict[str, Any]], dict[str, Any]]


def large_network(
    wrong: Wrong | None = None, differences: bool = False, widths: tuple[int, ...] = (100, 96, 4)
) -> tuple[GradientReport, float]:
    """Audit a network, of some 10,000 parameters if nothing is said; return the report and the seconds it took."""
    model, _ = network("large", "tanh", "squared", widths, 1, n=30)

    def value(p: dict[str, Any], X: Any, y: Any) -> Any:
        return model.value({k: np.asarray(v, dtype=float) for k, v in p.items()} if differences else p, X, y)

    def gradient(p: dict[str, Any], X: Any, y: Any) -> dict[str, Any]:
        found = model.gradient(p, X, y)
        return found | wrong(found) if wrong else found

    start = time.perf_counter()
    report = check_gradient(value, gradient, model.params, data=model.data)
    return report, time.perf_counter() - start


def main(argv: list[str]) -> int:
    """Print the goals and what was reached; exit code 1 if one was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks audit", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list every mutant with its diagnosis")
    options = parser.parse_args(argv)
    if options.list:
        for mutant in mutants():
            print(f"{mutant.name}\n    " + "\n    ".join(map(str, report_on(mutant).diagnoses)))
        return 0
    start = time.perf_counter()
    detected, named = count_named()
    alarms, methods = count_alarms()
    took = time.perf_counter() - start
    share = named.good / named.total
    goals = [
        (f"wrong gradients: {detected.total}", "at least 250", detected.total >= 250),
        (f"detected: {detected.good} ({detected.good / detected.total:.1%})", "100%", not detected.bad),
        (f"named: {named.good} ({share:.1%})", "at least 95%", share >= 0.95),
        (f"right gradients: {alarms.total}", "at least 250", alarms.total >= 250),
        (f"false alarms: {len(alarms.bad)}", "0", not alarms.bad),
    ]
    for text, goal, reached in goals:
        print(f"{text:<36} goal {goal:<14} {'reached' if reached else 'MISSED'}")
    print(f"references: {', '.join(f'{n} by {method}' for method, n in methods.items())}; all in {took:.0f} s")
    for wrong, differences in product((None, doubled, shifted), (False, True)):
        report, seconds = large_network(wrong, differences)
        kind = wrong.__name__ if wrong else "right"
        size = sum(int(np.prod(block.shape)) for block in report.blocks)
        print(f"network of {size} parameters, {kind}, {report.method}: {report.verdict} after {seconds:.1f} s")
    for title, tally in (("not detected", detected), ("not named", named), ("false alarm", alarms)):
        for name in tally.bad:
            print(f"{title}: {name}")
    return 0 if all(reached for _, _, reached in goals) else 1
