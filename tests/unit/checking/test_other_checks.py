"""Jacobians, Hessians, adjoints, proximal maps, layers, constants, and the assertions for tests."""

from typing import Any

import numpy as np
import pytest

from steepest import check_adjoint, check_gradient, check_hessian, check_jacobian, check_layers, check_prox
from steepest.checking.constants import name_constant
from steepest.exceptions import InvalidInputError
from steepest.testing import assert_adjoint, assert_gradient, assert_hessian, assert_jacobian, assert_prox

A = np.random.default_rng(0).normal(size=(3, 3))
x0 = np.array([0.3, -0.8, 1.4])


def softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum()


def jacobian_of_softmax(z: Any) -> Any:
    p = softmax(z)
    return np.diag(p) - np.outer(p, p)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda J: -J, ("sign",)),
        (lambda J: 2 * J, ("factor",)),
        (lambda J: np.diag(np.diag(J)), ("diagonal-only",)),
        (lambda J: J[::-1, ::-1], ("reversed",)),
    ],
)
def test_a_wrong_jacobian_is_named(change: Any, codes: tuple[str, ...]) -> None:
    assert check_jacobian(softmax, jacobian_of_softmax, x0)
    report = check_jacobian(softmax, lambda z: change(jacobian_of_softmax(z)), x0)
    assert report.diagnoses[0].codes == codes


def test_a_jacobian_of_arrays_with_the_axes_of_x_first() -> None:
    B = np.random.default_rng(0).standard_normal((2, 3, 4))
    report = check_jacobian(lambda x: B @ x, lambda x: np.moveaxis(B, -1, 0), np.ones(4))
    assert report.diagnoses[0].codes == ("transposed",)
    assert "Put the axes of the function first" in str(report)
    both = np.einsum("ij,kl->ikjl", B[0, :, :2], np.eye(4))
    report = check_jacobian(lambda x: B[0, :, :2] @ x, lambda x: np.transpose(both, (2, 3, 0, 1)), np.ones((2, 4)))
    assert report.diagnoses[0].codes == ("transposed",)
    assert check_jacobian(lambda x: B[0, :, :2] @ x, lambda x: both, np.ones((2, 4)))


def test_reports_of_matrices_speak_of_the_matrix() -> None:
    B = np.arange(6.0).reshape(2, 3) ** 2
    transposed = str(check_jacobian(lambda x: B @ x, lambda x: B.T, x0))
    assert "J equals the true one transposed. Transpose J." in transposed
    assert transposed.endswith("(complex step, 4 points, seed 0)")  # calls of the function are not counted
    for report in (
        check_adjoint(B, -B.T, 3),
        check_jacobian(lambda x: B @ x, lambda x: -B, x0),
        check_hessian(lambda x: x**2, lambda x: -np.diag(2 * x), x0),
    ):
        assert report.diagnoses[0].remedy == "Change the sign."
    assert "descent" in check_gradient(lambda x: x @ x, lambda x: -2 * x, x0).diagnoses[0].remedy


@pytest.mark.parametrize("scale", [1e-200, 1e160, 1e200])
def test_relative_errors_of_numbers_whose_squares_are_none(scale: float) -> None:
    gradient = check_gradient(lambda x: scale * np.sum(x**2), lambda x: 3 * scale * x, x0)
    assert gradient["x"].relative_error == pytest.approx(1 / 3)
    jacobian = check_jacobian(lambda x: scale * x, lambda x: 2 * scale * np.eye(3), x0)
    assert jacobian["J"].relative_error == pytest.approx(0.5)
    assert not check_adjoint(scale * np.eye(2), 2 * scale * np.eye(2), 2)
    assert check_adjoint(scale * np.eye(2), scale * np.eye(2), 2)


def test_a_jacobian_transposed_and_of_the_wrong_shape() -> None:
    B = np.arange(6.0).reshape(2, 3)
    assert check_jacobian(lambda x: B @ x, lambda x: B.T, x0).diagnoses[0].codes == ("transposed",)
    report = check_jacobian(lambda x: B @ x, lambda x: np.zeros((3, 3)), x0)
    assert "the Jacobian has shape (3, 3), must have (2, 3)" in str(report)


def test_a_jacobian_of_a_function_that_casts() -> None:
    report = check_jacobian(
        lambda x: np.array([float(x[0]) ** 3, float(x[1])]), lambda x: np.diag([3 * x[0] ** 2, 1]), x0[:2]
    )
    assert report
    assert report.method == "differences"


def test_hessian_from_gradient_and_from_value() -> None:
    def value(x: Any) -> Any:
        return np.sum(np.exp(A @ x))

    def gradient(x: Any) -> Any:
        return A.T @ np.exp(A @ x)

    def hessian(x: Any) -> Any:
        return A.T @ (np.exp(A @ x)[:, None] * A)

    assert check_hessian(gradient, hessian, x0)
    assert check_hessian(value, hessian, x0)
    assert check_hessian(gradient, lambda x: -hessian(x), x0).diagnoses[0].codes == ("sign",)
    wrong = check_hessian(gradient, lambda x: hessian(x) + np.eye(3), x0)
    assert wrong.diagnoses == ()
    assert "no known mistake" in wrong.unexplained[0]


# Adjoints


def test_adjoint_of_a_matrix_a_function_and_an_operator() -> None:
    from scipy.sparse.linalg import aslinearoperator

    kernel = np.array([1.0, -2.0, 0.5])
    assert check_adjoint(A, A.T, 3)
    assert check_adjoint(lambda u: np.convolve(u, kernel), lambda v: np.correlate(v, kernel, "valid"), 8)
    assert check_adjoint(aslinearoperator(A), aslinearoperator(A.T), 3)
    assert check_adjoint(lambda u: u.sum(axis=0), lambda v: np.tile(v, (4, 1)), (4, 2))


@pytest.mark.parametrize(
    ("claimed", "codes"),
    [
        (-A.T, ("sign",)),
        (A.T / 2, ("factor",)),
        (A, ("transposed",)),
        (np.linalg.inv(A), ("other-map",)),
        (A.T[::-1, ::-1], ("reversed",)),
    ],
)
def test_a_wrong_adjoint_is_named(claimed: Any, codes: tuple[str, ...]) -> None:
    assert check_adjoint(A, claimed, 3).diagnoses[0].codes == codes


def test_adjoint_refuses_what_is_not_linear_and_names_shapes() -> None:
    with pytest.raises(InvalidInputError, match="A is not linear"):
        check_adjoint(lambda u: u**2, lambda v: v, 3)
    assert "At v has shape (2,), u has (3,)" in str(check_adjoint(A, lambda v: v[:2], 3))


# Proximal maps


def soft(x: Any, t: float) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - t, 0.0)


def l1(z: Any) -> Any:
    return np.abs(z).sum()


def test_right_proximal_maps() -> None:
    assert check_prox(l1, soft, x0)
    assert check_prox(lambda z: 0.5 * z @ z, lambda x, t: x / (1 + t), x0, step=2.0)
    assert check_prox(lambda z: 0.0 if (z >= 0).all() else np.inf, lambda x, t: np.maximum(x, 0), x0)
    assert check_prox(lambda z: 2 * np.linalg.norm(z), lambda x, t: x * max(0, 1 - 2 * t / np.linalg.norm(x)), x0)


@pytest.mark.parametrize(
    ("wrong", "code", "text"),
    [
        (lambda x, t: soft(x, 2 * t), "step", "with the step 2 t"),
        (lambda x, t: soft(x, t / 2), "step", "with the step t/2"),
        (lambda x, t: soft(x, 1.0), "step", "with the step 1"),
        (lambda x, t: x - soft(x, t), "residual", "x minus the proximal map"),
        (lambda x, t: -soft(x, t), "sign", "minus the proximal map"),
        (lambda x, t: x, "identity", "returns x unchanged"),
    ],
)
def test_a_wrong_proximal_map_is_named(wrong: Any, code: str, text: str) -> None:
    report = check_prox(l1, wrong, np.array([3.0, -0.1, 0.5]), step=0.3)
    assert report.diagnoses[0].codes == (code,)
    assert text in str(report)


def test_prox_outside_the_domain_of_the_shape_or_the_step() -> None:
    assert not check_prox(lambda z: 0.0 if (z >= 0).all() else np.inf, lambda x, t: x, -np.ones(2))
    assert "prox returned shape (2,) for x of shape (3,)" in str(check_prox(l1, lambda x, t: x[:2], x0))
    with pytest.raises(InvalidInputError, match="step=0: must be a finite number above 0"):
        check_prox(l1, soft, x0, step=0)


# Layers


def test_layers_with_and_without_a_cache_locate_the_fault() -> None:
    def dense(X: Any, W: Any, b: Any) -> Any:
        return X @ W + b, (X, W)

    def dense_back(dY: Any, cache: Any) -> Any:
        X, W = cache
        return dY @ W.T, X.T @ dY, dY

    def tanh_back(dY: Any, X: Any) -> Any:
        return dY * (1 - np.tanh(X) ** 2)

    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    reports = check_layers({"dense": (dense, dense_back, (X, W, b)), "tanh": (np.tanh, tanh_back, (X,))})
    assert reports["tanh"]
    assert [block.name for block in reports["dense"].blocks if block.verdict == "disagrees"] == ["b"]
    assert reports["dense"].diagnoses[0].codes == ("not-summed",)
    assert "Sum over axis 0: db = (...).sum(axis=0)" in str(reports["dense"])


def test_layers_given_with_the_whole_locate_its_fault() -> None:
    rng = np.random.default_rng(1)
    X, W = rng.normal(size=(5, 3)), rng.normal(size=(3, 2))

    def value(W: Any, X: Any) -> Any:
        return np.sum(np.tanh(X @ W) ** 2) / 2

    def gradient(W: Any, X: Any) -> Any:
        return X.T @ np.tanh(X @ W)

    def right(dY: Any, Z: Any) -> Any:
        return dY * (1 - np.tanh(Z) ** 2)

    product = (lambda X, W: X @ W, lambda dY, X, W: (dY @ W.T, X.T @ dY), (X, W))
    joined = check_gradient(
        value, gradient, W, data={"X": X}, layers={"dense": product, "tanh": (np.tanh, right, (X,))}
    )
    assert "Every layer's backward pass agrees with its forward pass: the fault is in how they are joined." in str(
        joined
    )
    faulty = check_gradient(
        value,
        gradient,
        W,
        data={"X": X},
        layers={"dense": product, "tanh": (np.tanh, lambda dY, Z: -right(dY, Z), (X,))},
    )
    assert "The backward pass of tanh disagrees with the value in" in str(faulty)
    assert "minus the true derivative" in str(faulty.layers[1])


def test_a_layer_that_returns_too_few_derivatives() -> None:
    with pytest.raises(InvalidInputError, match="backward returned 1 derivatives for 2 inputs"):
        check_layers({"product": (lambda X, W: X @ W, lambda dY, X, W: dY @ W.T, (np.ones((2, 2)), np.eye(2)))})


# Constants


@pytest.mark.parametrize(
    ("number", "first"),
    [
        (2.0, "2"),
        (0.5, "1/2"),
        (50.0, "n"),
        (0.02, "1/n"),
        (0.04, "2/n"),
        (3.0, "k"),
        (150.0, "n k"),
        (1.1, "1 + alpha"),
        (50.0**0.5, "sqrt(n)"),
        (3.0**-0.5, "1/sqrt(k)"),
    ],
)
def test_constants_get_their_usual_name(number: float, first: str) -> None:
    sizes = {"n": (50, "samples"), "k": (3, "outputs"), "alpha": (0.1, "")}
    assert name_constant(number, sizes)[0].symbol == first


def test_a_constant_without_a_name() -> None:
    assert name_constant(0.7312, {"n": (50, "samples")}) == ()


# Assertions


def test_assertions_pass_and_fail_with_the_report() -> None:
    assert_gradient(lambda x: x @ x, lambda x: 2 * x, x0)
    assert_jacobian(softmax, jacobian_of_softmax, x0)
    assert_hessian(lambda x: 2 * x, lambda x: 2 * np.eye(3), x0)
    assert_adjoint(A, A.T, 3)
    assert_prox(l1, soft, x0)
    with pytest.raises(AssertionError, match="dJ/dx equals minus the true derivative"):
        assert_gradient(lambda x: x @ x, lambda x: -2 * x, x0)
    with pytest.raises(AssertionError, match="Cannot tell"):
        assert_gradient(lambda x: np.nan, lambda x: x, x0)
    for failing in (
        lambda: assert_jacobian(softmax, lambda z: -jacobian_of_softmax(z), x0),
        lambda: assert_hessian(lambda x: 2 * x, lambda x: np.eye(3), x0),
        lambda: assert_adjoint(A, A, 3),
        lambda: assert_prox(l1, lambda x, t: x, x0),
    ):
        with pytest.raises(AssertionError, match="disagrees with the value"):
            failing()


def test_a_failing_assertion_shows_the_test_and_not_the_helper() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradient(lambda x: x @ x, lambda x: x, np.ones(3))
    inside = [entry for entry in caught.traceback if entry.path.name == "testing.py"]
    assert inside
    assert all(entry.ishidden(caught) for entry in inside)


def square(x: Any) -> Any:
    return np.sum(x**2)


@pytest.mark.parametrize("rtol", [np.nan, np.inf, -1.0, "small"])
def test_a_tolerance_that_would_let_everything_pass_is_refused(rtol: Any) -> None:
    text = f"rtol={rtol!r}: must be a finite number not below 0"
    with pytest.raises(InvalidInputError, match=text):
        check_gradient(square, lambda x: -2 * x, x0, rtol=rtol)
    with pytest.raises(InvalidInputError, match=text):
        check_adjoint(A, -A.T, 3, rtol=rtol)


def test_a_tolerance_of_0_lets_pass_what_rounding_explains_alone() -> None:
    assert check_gradient(square, lambda x: 2 * x, x0, rtol=0)
    assert check_gradient(square, lambda x: 2 * x * (1 + 1e-9), x0)
    assert not check_gradient(square, lambda x: 2 * x * (1 + 1e-9), x0, rtol=0)


CHECKS = {
    "gradient": lambda **more: check_gradient(square, lambda x: -2 * x, x0, **more),
    "layers": lambda **more: check_layers({"double": (lambda X: 2 * X, lambda dY, X: dY, (x0,))}, **more),
    "jacobian": lambda **more: check_jacobian(softmax, jacobian_of_softmax, x0, **more),
    "hessian": lambda **more: check_hessian(lambda x: 2 * x, lambda x: np.eye(3), x0, **more),
    "prox": lambda **more: check_prox(square, lambda x, t: x, x0, **more),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("setting", ["n_points", "seed"])
@pytest.mark.parametrize("value", [-1, np.nan, 1.5])
def test_numbers_of_points_and_seeds_are_integers(check: str, setting: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"{setting}={value!r}: must be an integer of at least 0"):
        CHECKS[check](**{setting: value})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"n_trials": 0}, "n_trials=0: must be an integer of at least 1"),
        ({"seed": -1}, "seed=-1: must be an integer of at least 0"),
        ({"shape": 0}, "shape=0: must be an integer of at least 1"),
        ({"shape": (3, -1)}, "shape=-1: must be an integer of at least 1"),
        ({"shape": "x"}, "shape='x': must be an integer of at least 1"),
    ],
)
def test_an_adjoint_is_tried_at_least_once_and_on_something(change: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        check_adjoint(**{"A": A, "At": -A.T, "shape": 3, **change})
    assert not check_adjoint(A, -A.T, np.int64(3))


def test_maps_of_nan_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="A returns NaN or infinity for finite arguments"):
        check_adjoint(lambda u: u * np.nan, lambda v: v * np.nan, 3)


@pytest.mark.parametrize("step", [np.nan, np.inf, -1.0, "far"])
def test_a_step_that_is_none(step: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"step={step!r}: must be a finite number above 0"):
        check_prox(square, lambda x, t: x, x0, step)


def test_nothing_agrees_with_a_function_that_is_not_finite() -> None:
    for check in (check_jacobian, check_hessian):
        with pytest.raises(InvalidInputError, match=r"^function: not finite at x; pass a point inside its domain"):
            check(lambda x: x * np.nan, lambda x: np.eye(3), x0)
        with pytest.raises(InvalidInputError, match=r"^derivative of function: not finite at x"):
            check(lambda x: np.sqrt(np.abs(x) + 0 * np.sqrt(x)), lambda x: np.eye(2), np.array([0.0, 1.0]))


def test_points_outside_the_domain_are_left_out() -> None:
    x = np.array([0.5, 2.0])
    assert check_hessian(lambda x: np.log(x), lambda x: np.diag(1 / x), x, n_points=20)
    report = check_hessian(lambda x: np.log(x), lambda x: np.diag(-1 / x), x, n_points=20)
    assert not report
    assert report.points < 21
