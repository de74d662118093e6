"""Wrong gradients of values with inverses, determinants, linear systems and Cholesky's factors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from steepest import check_gradient

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 3))
SIGMA = np.array([[2.0, 0.3, 0.1], [0.2, 1.5, -0.2], [0.0, 0.1, 1.0]])
TARGET = rng.normal(size=(3, 3))
B = rng.normal(size=(3, 2))


def normal_likelihood(mu: Any, sigma: Any, X: Any) -> Any:
    r = X - mu
    return 0.5 * len(X) * np.linalg.slogdet(sigma)[1] + 0.5 * np.sum(r.T * np.linalg.solve(sigma, r.T))


def normal_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(mu: Any, sigma: Any, X: Any) -> Any:
        r, inverse = X - mu, np.linalg.inv(sigma)
        scatter = r.T @ r
        logarithm = {
            "det": np.linalg.det(sigma) * inverse.T,
            "not transposed": inverse,
            "diagonal": np.diag(np.diag(inverse)),
            "entries": 1.0 / sigma if sigma.all() else sigma,
            "not inverted": sigma,
        }.get(mistake, inverse.T)
        quadratic = {
            "sign": -inverse.T @ scatter @ inverse.T,
            "one inverse": inverse.T @ scatter,
            "other way": scatter @ inverse.T,
            "wrong side": inverse @ scatter @ inverse.T,
        }.get(mistake, inverse.T @ scatter @ inverse.T)
        return -0.5 * (inverse + inverse.T) @ r.sum(0), 0.5 * len(X) * logarithm - 0.5 * quadratic

    return gradient


@pytest.mark.parametrize(
    ("mistake", "codes"),
    [
        ("det", ("factor-twice",)),
        ("not transposed", ("matrix-transposed",)),
        ("diagonal", ("matrix-diagonal",)),
        ("not inverted", ("matrix-missing",)),
        ("sign", ("path-sign",)),
        ("one inverse", ("operand-other",)),
        ("other way", ("factor-missing",)),
        ("wrong side", ("matrix-transposed",)),
    ],
)
def test_the_likelihood_of_a_normal_distribution(mistake: str, codes: tuple[str, ...]) -> None:
    report = check_gradient(normal_likelihood, normal_gradient(mistake), np.zeros(3), SIGMA, data={"X": X})
    assert report.unexplained == (), str(report)
    assert {block: diagnosis.codes for diagnosis in report.diagnoses for block in diagnosis.blocks} == {"sigma": codes}


def test_the_right_likelihood_agrees() -> None:
    assert check_gradient(normal_likelihood, normal_gradient(""), np.zeros(3), SIGMA, data={"X": X})


def by_inverse(a: Any) -> Any:
    return np.sum(TARGET * np.linalg.inv(a))


def by_determinant(a: Any) -> Any:
    return np.linalg.det(a) ** 2 + np.sum(a**2)


def by_system(a: Any) -> Any:
    return np.sum(TARGET[:, :2] * np.linalg.solve(a, B))


def by_right_side(b: Any) -> Any:
    return np.sum(TARGET[:, :2] * np.linalg.solve(SIGMA, b) ** 2)


def by_factor(a: Any) -> Any:
    return np.sum(TARGET * np.linalg.cholesky(a @ a.T + np.eye(3)))


def from_factor(a: Any, triangle: Callable[[Any], Any]) -> Any:
    lower = np.linalg.cholesky(a @ a.T + np.eye(3))
    inverse = np.linalg.inv(lower)
    half = inverse.T @ triangle(lower.T @ np.tril(TARGET)) @ inverse
    return (half + half.T) @ a


def halved(m: Any) -> Any:
    return np.tril(m) - 0.5 * np.diag(np.diag(m))


Y, D = np.linalg.inv, np.linalg.det
SOLVED = TARGET[:, :2]
WRONG: dict[str, tuple[Any, Any, Any, str, str]] = {
    "inverse, not transposed": (by_inverse, lambda a: -Y(a) @ TARGET @ Y(a), SIGMA, "matrix-transposed", "-Y G Y"),
    "inverse, once": (by_inverse, lambda a: -Y(a).T @ TARGET, SIGMA, "factor-missing", "one inverse in place of two"),
    "inverse, by entries": (by_inverse, lambda a: -TARGET / a**2, SIGMA + 1.0, "matrix-entries", "entry by entry"),
    "determinant, as its logarithm's": (
        by_determinant, lambda a: 2 * D(a) * Y(a).T + 2 * a, SIGMA, "factor-missing", "log |det A|",
    ),
    "determinant, not transposed": (
        by_determinant, lambda a: 2 * D(a) ** 2 * Y(a) + 2 * a, SIGMA, "matrix-transposed",
        "A^-1 in place of its transpose",
    ),
    "system, the matrix": (
        by_system, lambda a: -Y(a) @ SOLVED @ (Y(a) @ B).T, SIGMA, "matrix-transposed",
        "the matrix of `np.linalg.solve(a, B)`",
    ),
    "system, no inverse": (by_system, lambda a: -SOLVED @ (Y(a) @ B).T, SIGMA, "factor-missing", "without A^-T"),
    "right-hand side, not transposed": (
        by_right_side, lambda b: 2 * Y(SIGMA) @ (SOLVED * (Y(SIGMA) @ b)), B, "matrix-transposed",
        "the right-hand side",
    ),
    "right-hand side, no inverse": (
        by_right_side, lambda b: 2 * SOLVED * (Y(SIGMA) @ b), B, "matrix-missing",
        "without A^-T for the right-hand side",
    ),
    "cholesky, diagonal": (by_factor, lambda a: from_factor(a, np.tril), SIGMA, "matrix-diagonal", "not halved"),
    "cholesky, triangle": (
        by_factor, lambda a: from_factor(a, lambda m: m), SIGMA, "matrix-triangle", "lower triangle",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_single_functions_of_matrices(name: str) -> None:
    value, gradient, point, code, words = WRONG[name]
    report = check_gradient(value, gradient, point)
    assert report.unexplained == (), str(report)
    assert report.diagnoses[0].codes == (code,)
    assert words in report.diagnoses[0].sentence


def test_the_right_derivative_of_a_factor_agrees() -> None:
    assert check_gradient(by_factor, lambda a: from_factor(a, halved), SIGMA)
