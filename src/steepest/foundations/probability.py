"""Guessing at tests: a simulation held against the exact binomial law."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array, IntArray

__all__ = ["GuessingResult", "binomial_law", "simulate_guessing", "simulate_guessing_by_loops"]


@dataclass(frozen=True)
class GuessingResult:
    """How many of many guessed tests had 0, 1, 2, ... right answers, against the exact law.

    Attributes
    ----------
    counts : array (n_questions + 1,)
        Tests with that many right answers.
    n_questions : int
    p : float
        Probability of a right answer.

    Examples
    --------
    >>> result = GuessingResult(np.array([1, 2, 1]), 2, 0.5)
    >>> result.mean, result.exact_mean, result.variance, result.exact_variance
    (1.0, 1.0, 0.5, 0.5)
    """

    counts: IntArray
    n_questions: int
    p: float

    @property
    def n_tests(self) -> int:
        """Tests simulated."""
        return int(self.counts.sum())

    @property
    def law(self) -> Array:
        """Exact probabilities of 0, 1, 2, ... right answers."""
        return binomial_law(self.n_questions, self.p)

    @property
    def mean(self) -> float:
        """Mean number of right answers; the law's is n p."""
        return float(np.arange(self.n_questions + 1) @ self.counts) / self.n_tests

    @property
    def variance(self) -> float:
        """Mean squared distance from the mean; the law's is n p (1 - p)."""
        away = np.arange(self.n_questions + 1) - self.mean
        return float((away**2) @ self.counts) / self.n_tests

    @property
    def exact_mean(self) -> float:
        """``n p``: the sum of n means p."""
        return self.n_questions * self.p

    @property
    def exact_variance(self) -> float:
        """``n p (1 - p)``: variances of independent answers add, and each is p - p^2."""
        return self.n_questions * self.p * (1.0 - self.p)

    def goodness_of_fit(self) -> tuple[float, int, float]:
        """Pearson's statistic, its degrees of freedom, and the probability of one at least as large.

        Notes
        -----
        ``sum (observed - expected)^2 / expected`` over the cells; neighbouring cells are joined until each
        expects at least 5 tests, below which the chi-squared law is a poor approximation. A probability
        below 0.001 says that the simulation does not follow the law.
        """
        from scipy.special import gammaincc

        observed, expected = _joined(self.counts, self.law * self.n_tests)
        freedom = len(observed) - 1
        if freedom == 0:
            return 0.0, 0, 1.0
        statistic = float(np.sum((observed - expected) ** 2 / expected))
        return statistic, freedom, float(gammaincc(freedom / 2.0, statistic / 2.0))


def simulate_guessing(
    n_tests: int = 1_000_000, n_questions: int = 10, p: float = 0.5, seed: int | None = None
) -> GuessingResult:
    """Guess all answers of many tests and count the right ones.

    Parameters
    ----------
    n_tests : int
        Number of tests.
    n_questions : int
        Questions of each.
    p : float
        Probability of guessing one right.
    seed : int, optional
        Seed of the random numbers.

    Returns
    -------
    GuessingResult

    Notes
    -----
    The number right in one test is drawn at once from the binomial law, in blocks, so that memory stays
    bounded. ``simulate_guessing_by_loops`` draws every single answer and follows the same law.

    Examples
    --------
    >>> result = simulate_guessing(100_000, 10, 0.5, seed=0)
    >>> abs(result.mean - 5) < 0.05, abs(result.variance - 2.5) < 0.05
    (True, True)
    """
    _check(n_tests, n_questions, p)
    rng = _generator(seed)
    counts = np.zeros(n_questions + 1, dtype=np.int64)
    for start in range(0, n_tests, 1_000_000):
        right = rng.binomial(n_questions, p, size=min(1_000_000, n_tests - start))
        counts += np.bincount(right, minlength=n_questions + 1)
    return GuessingResult(counts, n_questions, p)


def simulate_guessing_by_loops(n_tests: int, n_questions: int, p: float, seed: int | None = None) -> GuessingResult:
    """Do the same as one would by hand: test by test, question by question.

    Examples
    --------
    >>> simulate_guessing_by_loops(100, 3, 0.5, seed=0).counts.sum()
    np.int64(100)
    """
    _check(n_tests, n_questions, p)
    rng = _generator(seed)
    counts = np.zeros(n_questions + 1, dtype=np.int64)
    for _ in range(n_tests):
        right = 0
        for _ in range(n_questions):
            if rng.random() < p:
                right += 1
        counts[right] += 1
    return GuessingResult(counts, n_questions, p)


def binomial_law(n: int, p: float) -> Array:
    r"""Probabilities ``C(n, k) p^k (1 - p)^(n - k)`` for k = 0 .. n.

    Notes
    -----
    Each of the ``C(n, k)`` ways to choose which k answers are right has the probability
    ``p^k (1 - p)^(n - k)``. For large n the factors over- and underflow while their product does not, so the
    logarithms are added: ``log C(n, k) = log n! - log k! - log (n - k)!``.

    Examples
    --------
    >>> binomial_law(2, 0.5)
    array([0.25, 0.5 , 0.25])
    """
    _check(1, n, p)
    k = np.arange(n + 1)
    if p in (0.0, 1.0):
        return np.where(k == (n if p else 0), 1.0, 0.0)
    ways = [math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1) for j in range(n + 1)]
    law = np.exp(np.array(ways) + k * math.log(p) + (n - k) * math.log1p(-p))
    normalised: Array = law / law.sum()
    return normalised


def _joined(observed: IntArray, expected: Array) -> tuple[Array, Array]:
    """Join neighbouring cells until each expects at least 5."""
    cells: list[list[float]] = []
    for seen, wanted in zip(observed, expected, strict=True):
        if cells and cells[-1][1] < 5.0:
            cells[-1][0] += float(seen)
            cells[-1][1] += float(wanted)
        else:
            cells.append([float(seen), float(wanted)])
    if len(cells) > 1 and cells[-1][1] < 5.0:
        last = cells.pop()
        cells[-1][0] += last[0]
        cells[-1][1] += last[1]
    table = np.array(cells)
    return table[:, 0], table[:, 1]


def _check(n_tests: int, n_questions: int, p: float) -> None:
    for name, value in (("n_tests", n_tests), ("n_questions", n_questions)):
        if not isinstance(value, int | np.integer) or value < 1:
            raise InvalidInputError(f"{name}={value!r}: must be a positive integer")
    if not isinstance(p, Real) or not 0.0 <= p <= 1.0:
        raise InvalidInputError(f"p={p!r}: must be a probability between 0 and 1")


def _generator(seed: int | None) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidInputError(f"seed={seed!r}: must be an integer not below 0, or None") from None
