"""The simulation against the exact law, and the law against exact fractions."""

from fractions import Fraction
from math import comb
from typing import Any

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.foundations import GuessingResult, binomial_law, simulate_guessing, simulate_guessing_by_loops


@pytest.mark.parametrize(
    ("n", "p"), [(1, Fraction(1, 2)), (10, Fraction(1, 2)), (7, Fraction(1, 4)), (40, Fraction(9, 10))]
)
def test_the_law_equals_exact_fractions(n: int, p: Fraction) -> None:
    exact = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    np.testing.assert_allclose(binomial_law(n, float(p)), [float(share) for share in exact], rtol=1e-12)


def test_the_law_of_many_questions_and_of_certainty() -> None:
    law = binomial_law(100_000, 0.3)
    k = np.arange(len(law))
    assert law.sum() == pytest.approx(1.0, rel=1e-12)
    assert k @ law == pytest.approx(30_000, rel=1e-9)
    assert (k - 30_000.0) ** 2 @ law == pytest.approx(21_000, rel=1e-6)
    np.testing.assert_array_equal(binomial_law(3, 1.0), [0, 0, 0, 1])
    np.testing.assert_array_equal(binomial_law(3, 0.0), [1, 0, 0, 0])


def test_a_million_tests_follow_the_law() -> None:
    result = simulate_guessing(1_000_000, 10, 0.5, seed=3)
    assert result.n_tests == 1_000_000
    assert (result.exact_mean, result.exact_variance) == (5.0, 2.5)
    assert result.mean == pytest.approx(5.0, abs=5 * np.sqrt(2.5e-6))
    assert result.variance == pytest.approx(2.5, abs=0.02)
    assert result.goodness_of_fit()[1] == 10
    assert result.goodness_of_fit()[2] > 0.001


def test_the_loop_form_follows_the_same_law() -> None:
    result = simulate_guessing_by_loops(3000, 6, 0.25, seed=1)
    assert result.counts.sum() == 3000
    assert result.goodness_of_fit()[2] > 0.001


def test_the_fit_tells_another_law_apart() -> None:
    counts = simulate_guessing(20_000, 10, 0.52, seed=2).counts
    assert GuessingResult(counts, 10, 0.5).goodness_of_fit()[2] < 1e-6
    assert GuessingResult(np.array([0, 5]), 1, 1.0).goodness_of_fit() == (0.0, 0, 1.0)


def test_seeds_and_blocks() -> None:
    a, b = simulate_guessing(2_500_000, 3, 0.5, seed=7), simulate_guessing(2_500_000, 3, 0.5, seed=7)
    np.testing.assert_array_equal(a.counts, b.counts)
    assert a.n_tests == 2_500_000


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, 10, 0.5), "n_tests=0: must be a positive integer"),
        ((5, 1.5, 0.5), "n_questions=1.5"),
        ((5, 10, 1.5), "p=1.5: must be a prob"),
        ((5, 10, "half"), "p='half': must be a prob"),
        ((5, 10, 0.5, "a"), "seed='a': must be an integer not below 0, or None"),
        ((5, 10, 0.5, -1), "seed=-1: must be an integer not below 0, or None"),
    ],
)
def test_what_is_refused(arguments: tuple[Any, ...], text: str) -> None:
    for simulate in (simulate_guessing, simulate_guessing_by_loops):
        with pytest.raises(InvalidInputError, match=text):
            simulate(*arguments)
