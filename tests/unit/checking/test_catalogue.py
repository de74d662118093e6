"""Every catalogued mistake is found and named; no right gradient is called wrong."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from benchmarks.audit import doubled, is_detected, is_named, large_network, report_on, shifted
from benchmarks.audit_mutants import Mutant, mutants
from benchmarks.audit_right import Right, right_gradients
from steepest.checking import Verdict, check_gradient

MUTANTS = list(mutants())
RIGHT = list(right_gradients())
SMALL = [mutant for mutant in MUTANTS if "3-layer" not in mutant.name]  # differences take seconds on larger ones


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_gradient_is_found_and_named(mutant: Mutant) -> None:
    report = report_on(mutant)
    assert is_detected(mutant, report), str(report)
    assert is_named(mutant, report), str(report)


@pytest.mark.parametrize("mutant", SMALL[::9], ids=lambda mutant: mutant.name)
def test_it_is_named_by_differences_too(mutant: Mutant) -> None:
    """A value that casts every parameter leaves nothing but differences."""

    def value(p: dict[str, Any], **data: Any) -> Any:
        return mutant.model.value({name: np.asarray(part, dtype=float) for name, part in p.items()}, **data)

    report = check_gradient(value, mutant.gradient, mutant.model.params, data=mutant.model.data)
    assert report.method == "differences"
    assert is_detected(mutant, report), str(report)
    assert is_named(mutant, report), str(report)


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_a_right_gradient_passes(right: Right) -> None:
    report = check_gradient(right.value, right.gradient, *right.params, data=right.data)
    assert report.ok, str(report)


def one_entry_off(gradient: Any, rng: np.random.Generator) -> Any:
    """Return the same gradient with one entry wrong by a thousandth, by a hundredth in float32."""
    if isinstance(gradient, dict):
        name = list(gradient)[rng.integers(len(gradient))]
        return {**gradient, name: one_entry_off(gradient[name], rng)}
    if isinstance(gradient, tuple):
        k = rng.integers(len(gradient))
        return tuple(one_entry_off(part, rng) if i == k else part for i, part in enumerate(gradient))
    changed = np.array(gradient)
    changed = changed if changed.dtype == np.float32 else changed.astype(np.float64)
    changed.reshape(-1)[rng.integers(changed.size)] *= 1.01 if changed.dtype == np.float32 else 1.001
    return changed


@pytest.mark.parametrize("right", RIGHT[::6], ids=lambda right: right.name)
def test_a_right_gradient_with_one_entry_slightly_off_does_not_pass(right: Right) -> None:
    def gradient(*params: Any, **data: Any) -> Any:
        return one_entry_off(right.gradient(*params, **data), np.random.default_rng(7))

    report = check_gradient(right.value, gradient, *right.params, data=right.data, diagnose=False)
    assert report.verdict is Verdict.DISAGREES, str(report)


def test_the_catalogue_is_as_large_as_promised_and_has_no_twins() -> None:
    assert len(MUTANTS) >= 250
    assert len(RIGHT) >= 250
    assert [name for name, count in Counter(m.name for m in MUTANTS).items() if count > 1] == []


def test_every_mistake_of_the_catalogue_is_made_on_several_models() -> None:
    codes = Counter(code for m in MUTANTS for choices in m.expected.values() for code in choices[0])
    assert len(codes) >= 25
    assert {"sign", "factor", "penalty-missing", "sum-product", "convolved", "softmax-diagonal"} <= set(codes)


@pytest.mark.parametrize("differences", [False, True], ids=["complex step", "differences"])
def test_ten_thousand_parameters(differences: bool) -> None:
    right, _ = large_network(None, differences)
    wrong, _ = large_network(doubled, differences)
    assert sum(int(np.prod(block.shape)) for block in right.blocks) > 10_000
    assert right.ok
    assert right.method == ("differences" if differences else "complex step")
    assert right.evaluations < 2000
    assert [block.name for block in wrong.blocks if block.verdict is Verdict.DISAGREES] == ["W1"]
    assert wrong.diagnoses[0].codes == ("factor",)
    assert wrong.diagnoses[0].constant_names[0] == "2"
    assert wrong.evaluations < 2000
    worst = wrong["W1"].worst
    assert worst is not None
    assert worst.claimed == pytest.approx(2 * worst.true, rel=1e-6)


def test_a_network_beyond_the_limit_is_diagnosed_entry_by_entry_where_it_must() -> None:
    wrong, _ = large_network(shifted, widths=(40, 76, 2))
    assert wrong.evaluations > 3000
    assert wrong.diagnoses[0].codes == ("shifted",)
    assert wrong.diagnoses[0].blocks == ("W1",)
