"""The trace of a value gives its derivative, and is dropped where it would not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from steepest.checking.problem import Problem
from steepest.checking.structure import Structure
from steepest.checking.tape.graph import trace
from steepest.foundations.analytic import AnalyticArray

rng = np.random.default_rng(1)
SQUARE = rng.normal(size=(3, 3)) + 3.0 * np.eye(3)
A, V = rng.normal(size=(4, 3)), rng.normal(size=5)


def filled(X: Any) -> Any:
    out = np.zeros((2, 2))
    for i in range(2):
        out[i] = X[i, :2] * X[i + 1, 1:]
        out[i, 0] += X[0, i]
    return np.sum(out**2)


VALUES: dict[str, Callable[[Any], Any]] = {
    "moments": lambda X: X.mean() * X.var(axis=0).sum() + X.std(axis=1, ddof=1).max(),
    "products": lambda X: np.sum((A.T @ X) @ np.ones(3)) + np.dot(X[:, 0], X[:, 1]) + np.outer(X[0], X[1]).sum(),
    "einsum": lambda X: (
        np.einsum("ij,kj->ik", X, A).sum() + np.einsum("ii", X[:3]) + np.einsum("...j,j", X, X[0]).sum()
    ),
    "tensordot": lambda X: np.tensordot(X, A, axes=([0], [0])).sum() + np.inner(X[0], X[1]),
    "moves": lambda X: np.sum(V * np.concatenate([X.T.ravel(), np.flip(X[0])])[2:12:2] ** 2),
    "windows": lambda X: np.sum(np.lib.stride_tricks.sliding_window_view(np.pad(X, 1), (2, 2)).prod(axis=-1) ** 2),
    "signals": lambda X: np.sum(np.convolve(X[:, 0], V, "same") ** 2) + np.sum(np.correlate(V, X[:, 1]) ** 2),
    "choices": lambda X: np.sum(np.where(X > 0, X**2, np.sin(X))) + np.clip(X, -0.5, 0.5).sum() + np.sort(X[0])[1],
    "norms": lambda X: np.linalg.norm(X) * np.linalg.norm(X, axis=1)[0] + np.linalg.norm(X[0], 1),
    "functions": lambda X: np.sum(expit(X) * np.logaddexp(0, X) + np.log1p(X**2) / np.hypot(X, 2) - np.cbrt(X)),
    "sums": lambda X: np.cumsum(X, axis=0)[-2].sum() + np.logaddexp.reduce(X[0]) + np.trace(X[:3]) + np.ptp(X[:, 1]),
    "in place": filled,
    "inverse": lambda X: np.sum(A @ np.linalg.inv(X.T @ X + SQUARE) @ X.T) + np.linalg.matrix_power(X[:3], -2).sum(),
    "determinants": lambda X: np.linalg.det(X[:3]) * np.linalg.slogdet(X.T @ X + SQUARE)[1] + np.linalg.trace(X[1:]),
    "systems": lambda X: (
        np.linalg.solve(X[:3] + SQUARE, X[3]) @ X[0] + np.sum(np.linalg.solve(X.T @ X + SQUARE, X.T * V[:4]) ** 2)
    ),
    "several systems": lambda X: np.sum(
        np.linalg.solve(np.stack([X[:3] + SQUARE, X[1:]]), X[:3] ** 2) * np.linalg.inv(X[:3] * V[:2, None, None])
    ),
    "cholesky": lambda X: (
        np.sum(V[:3] * np.linalg.cholesky(X.T @ X + np.eye(3))) + np.linalg.cholesky(X[:3] + 9.0 * np.eye(3))[2].sum()
    ),
    "chains of products": lambda X: (
        np.linalg.multi_dot([X, SQUARE, X.T, A]).sum() + np.linalg.matrix_power(X[1:], 3).sum()
    ),
    "lists": lambda X: np.array([x @ x for x in X]).prod() + np.sum(np.array([np.exp(t) for t in X[0]])),
}


def steps_of(value: Callable[[Any], Any]) -> Any:
    X = np.random.default_rng(2).normal(size=(4, 3))  # whatever the order of tests: no number is close to a kink
    return X, trace(Problem(value, np.zeros_like, Structure.read([X], ["X"]), {}), [X])


@pytest.mark.parametrize("name", VALUES)
def test_the_derivative_of_a_trace(name: str) -> None:
    X, graph = steps_of(VALUES[name])
    assert float(graph.output.value) == pytest.approx(float(VALUES[name](X)), rel=1e-13)
    (found,) = graph.gradient()
    for index in np.ndindex(X.shape):
        moved = [X.copy(), X.copy()]
        moved[0][index] += 1e-6
        moved[1][index] -= 1e-6
        slope = (float(VALUES[name](moved[0])) - float(VALUES[name](moved[1]))) / 2e-6
        assert found[index] == pytest.approx(slope, rel=1e-6, abs=1e-7)


def test_a_value_that_leaves_the_trace_has_none() -> None:
    assert steps_of(lambda X: float(X.sum()) ** 2)[1] is None
    assert steps_of(lambda X: sum(X[0, 0] for _ in range(5000)))[1] is None


def test_constructors_are_put_back() -> None:
    makers = [np.zeros, np.array, np.asarray, np.full]
    steps_of(filled)
    steps_of(lambda X: 1 / 0)
    assert makers == [np.zeros, np.array, np.asarray, np.full]
    assert not isinstance(np.zeros(2), AnalyticArray) and type(np.zeros(2)) is np.ndarray


def test_a_replayed_trace_has_the_other_constants() -> None:
    X, graph = steps_of(lambda X: np.sum((X - 2.0) ** 2))
    node = next(node for node in graph.nodes if node.operation == "subtract")
    assert graph.replayed({(node, 1): np.zeros(())}).gradient()[0] == pytest.approx(2 * X)
