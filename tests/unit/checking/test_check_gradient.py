"""What a user meets: ways to hand things over, what is refused, what is noticed, what is said."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from steepest import check_gradient
from steepest.checking import Verdict
from steepest.exceptions import InvalidInputError

X = np.random.default_rng(0).normal(size=(9, 3))
Y = np.random.default_rng(1).normal(size=9)
W = np.array([0.4, -1.1, 0.7])


def value(w: Any, X: Any = X, y: Any = Y) -> Any:
    return np.mean((X @ w - y) ** 2)


def gradient(w: Any, X: Any = X, y: Any = Y) -> Any:
    return 2 * X.T @ (X @ w - y) / len(y)


# Ways to hand things over


def test_parameters_as_array_number_arguments_tuple_list_or_dict() -> None:
    assert check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.ones((2, 3)))
    assert check_gradient(lambda x: x**2, lambda x: 2 * x, 3.0)
    assert check_gradient(lambda a, b: np.sum(a) * b, lambda a, b: (b * np.ones(2), a.sum()), np.ones(2), 2.0)
    assert check_gradient(lambda p: p[0] @ p[1], lambda p: (p[1], p[0]), (np.ones(2), W[:2]))
    assert check_gradient(lambda p: p[0] @ p[1], lambda p: [p[1], p[0]], [np.ones(2), W[:2]])
    assert check_gradient(lambda p: p["a"] * p["b"], lambda p: {"b": p["a"], "a": p["b"]}, {"a": 2.0, "b": 3.0})


def test_a_list_of_numbers_is_an_array() -> None:
    assert check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, [1.0, 2.0])


def test_data_by_name_by_position_and_not_taken_at_all() -> None:
    assert check_gradient(value, gradient, W, data={"X": X, "y": Y})
    assert check_gradient(value, gradient, W, data=(X, Y))
    assert check_gradient(lambda w: value(w), lambda w: gradient(w), W, data={"X": X, "y": Y})
    assert check_gradient(value, lambda w, A, b: gradient(w, A, b), W, data={"X": X, "y": Y})


def test_blocks_are_named_after_the_arguments_and_keys() -> None:
    report = check_gradient(lambda slope, shift: slope * shift, lambda s, b: (b, s), 2.0, 3.0)
    assert [block.name for block in report.blocks] == ["slope", "shift"]
    assert report["shift"].verdict is Verdict.AGREES


def test_the_same_seed_gives_the_same_report_and_another_one_other_points() -> None:
    wrong = [check_gradient(value, lambda w: gradient(w) + 0.1 * (w != W), W, seed=seed) for seed in (5, 5, 6)]
    assert wrong[0] == wrong[1]
    assert wrong[0].blocks[0].relative_error != wrong[2].blocks[0].relative_error


# What is refused, by name


@pytest.mark.parametrize(
    ("point", "text"),
    [
        (np.array([1.0, np.nan, 0.0]), r"w\[1\] is nan: the point must be finite"),
        (np.array([1.0 + 0j, 2.0, 3.0]), "w is complex: derivatives of real functions only"),
        (np.zeros((0, 3)), r"w has shape \(0, 3\): must hold at least one number"),
        ("abc", "w has dtype <U3: must be real numbers"),
    ],
)
def test_a_point_that_cannot_be_used(point: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        check_gradient(value, gradient, point)


def test_no_point_at_all() -> None:
    with pytest.raises(InvalidInputError, match="no parameters given: pass the point"):
        check_gradient(value, gradient)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda w: X @ w, r"value returned an array of shape \(9,\): must return one number; sum or average it"),
        (lambda w: None, r"value returned None: must return one number \(is a return missing\?\)"),
        (lambda w: 1j, "value returned a complex number"),
        (lambda w: "2", "value returned a str"),
        (lambda w: 1 // 0, "value raised ZeroDivisionError"),
    ],
)
def test_a_value_that_is_not_one_number(function: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        check_gradient(function, gradient, W)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda w: None, "gradient of w is None: must be an array of real numbers"),
        (lambda w: 1j * w, "gradient of w is complex"),
        (lambda w: w.undefined, "gradient raised AttributeError"),
    ],
)
def test_a_gradient_that_is_not_an_array(function: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        check_gradient(lambda w: value(w), function, W)


def test_too_few_results_and_wrong_keys() -> None:
    with pytest.raises(InvalidInputError, match=r"shape \(3,\) for 2 parameters \(a, b\): must return a tuple"):
        check_gradient(lambda a, b: np.sum(a) * b, lambda a, b: a, W, 1.0)
    with pytest.raises(InvalidInputError, match=r"keys \['a'\]: must return a dict with keys \['a', 'b'\]"):
        check_gradient(lambda p: p["a"] * p["b"], lambda p: {"a": 1.0}, {"a": 2.0, "b": 3.0})


def test_arguments_that_nothing_fills() -> None:
    with pytest.raises(InvalidInputError, match=r"gradient\(w, Z, q\) cannot be called with the parameters \(w\)"):
        check_gradient(value, lambda w, Z, q: w, W, data={"X": X})


# What is noticed


def test_a_wrong_shape_is_a_verdict_that_names_both_shapes() -> None:
    report = check_gradient(lambda w: value(w), lambda w: gradient(w)[:2], W)
    assert report.verdict is Verdict.DISAGREES
    assert "the gradient has shape (2,), the parameter has shape (3,)" in str(report)


def test_nan_in_the_gradient_where_the_value_is_finite() -> None:
    report = check_gradient(lambda w: value(w), lambda w: gradient(w) * np.nan, W)
    assert "the gradient is nan in entry [0] at the given point, where the value is finite" in str(report)
    assert "dw is not finite" in str(report)


def test_a_function_that_changes_its_argument_or_the_data() -> None:
    def destructive(w: Any, X: Any, y: Any) -> Any:
        found = gradient(w, X, y)
        w *= 0.0
        X += 1.0
        return found

    given = X.copy()
    report = check_gradient(value, destructive, W, data={"X": given, "y": Y})
    assert report
    assert "gradient changes its argument w in place: it must work on a copy" in report.notes
    assert "gradient changes the data X in place: it must work on a copy" in report.notes
    np.testing.assert_array_equal(given, X)


def test_a_value_that_changes_its_argument_is_still_judged_rightly() -> None:
    def destructive(w: Any) -> Any:
        w *= 2.0
        return np.sum(w**2)

    assert check_gradient(destructive, lambda w: 8 * w, W)
    assert not check_gradient(destructive, lambda w: 2 * w, W)


def test_integers_are_checked_as_floats_and_said() -> None:
    report = check_gradient(lambda w: value(w), lambda w: gradient(w), np.array([1, 2, 3]))
    assert report
    assert report.notes == ("w holds integers (int64): checked as float64",)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda w: np.log(-np.sum(w**2)), "the value is nan at the given point"),
        (lambda w: value(w) + np.random.default_rng().normal(), "the value changes from call to call"),
    ],
)
def test_cannot_tell(function: Any, text: str) -> None:
    report = check_gradient(function, lambda w: gradient(w), W)
    assert report.verdict is Verdict.CANNOT_TELL
    assert not report.ok
    assert text in str(report)


def test_a_gradient_that_changes_from_call_to_call() -> None:
    rng = np.random.default_rng(0)
    report = check_gradient(lambda w: value(w), lambda w: gradient(w) + rng.normal(), W)
    assert report.verdict is Verdict.CANNOT_TELL
    assert "the gradient changes from call to call" in str(report)


def test_noise_that_drowns_the_derivative_is_not_an_agreement() -> None:
    def noisy(w: Any) -> float:
        return float(1e9 + 1e-12 * np.sum(np.asarray(w, dtype=float) ** 2))

    assert check_gradient(noisy, lambda w: 2e-12 * w, W).verdict is Verdict.CANNOT_TELL


def test_a_kink_is_reported_and_any_slope_between_is_right() -> None:
    point = np.array([0.0, 1.0])
    for convention in (0.0, 0.5, -1.0, 1.0):
        report = check_gradient(
            lambda x: np.abs(x).sum(), lambda x, c=convention: np.where(x == 0, c, np.sign(x)), point
        )
        assert report, convention
        kink = report["x"].kinks[0]
        assert (kink.index, round(kink.left, 9), round(kink.right, 9)) == ((0,), -1.0, 1.0)


def test_a_slope_beyond_the_kink_at_the_given_point_alone_is_pardoned_with_a_note() -> None:
    report = check_gradient(lambda x: np.abs(x).sum(), lambda x: np.where(x == 0, 3.0, np.sign(x)), np.zeros(2))
    assert report
    assert "differs at the given point alone" in str(report)


def test_float32_is_judged_by_its_own_standard() -> None:
    single = [part.astype(np.float32) for part in (W, X, Y)]
    assert check_gradient(value, gradient, single[0], data={"X": single[1], "y": single[2]})
    off = check_gradient(value, lambda w, X, y: gradient(w, X, y) * np.float32(1.01), single[0], data=tuple(single[1:]))
    assert off.diagnoses[0].codes == ("factor",)
    assert not check_gradient(value, lambda w, X, y: gradient(w, X, y) * 1.00001, W, data=(X, Y))


def test_a_value_that_computes_in_float32_inside() -> None:
    report = check_gradient(lambda w: value(w.astype(np.float32)), lambda w: gradient(w), W)
    assert report
    assert any("judged by that of float32" in note for note in report.notes)
    assert not check_gradient(lambda w: value(w.astype(np.float32)), lambda w: 1.1 * gradient(w), W)


@pytest.mark.parametrize(
    ("function", "method"),
    [
        (lambda w: float(value(w)), "complex step"),
        (lambda w: sum(abs(v) for v in w), "complex step"),
        (lambda w: sum(abs(float(v)) for v in w), "differences"),
        (lambda w: np.sum(np.abs(np.asarray(w.tolist()))), "differences"),
    ],
)
def test_the_trustworthy_reference_is_chosen(function: Any, method: str) -> None:
    slope = gradient if method == "complex step" and function(W) == value(W) else np.sign
    report = check_gradient(function, lambda w: slope(w), W)
    assert report.method == method
    assert report


def test_one_entry_off_by_a_thousandth_is_found() -> None:
    for i in range(3):
        report = check_gradient(lambda w: value(w), lambda w, i=i: gradient(w) * (1 + 1e-3 * np.eye(3)[i]), W)
        assert report["w"].worst is not None
        assert report["w"].worst.index == (i,)
        assert f"1 of 3 entries, among them [[{i}]], are wrong" in str(report)


def test_a_small_column_is_not_drowned_by_a_large_one() -> None:
    scaled = X * np.array([1e-6, 1.0, 1e6])
    assert check_gradient(value, gradient, W, data=(scaled, Y))
    assert not check_gradient(value, lambda w, X, y: gradient(w, X, y) * np.array([1.01, 1, 1]), W, data=(scaled, Y))


# What is said


def test_no_diagnosis_is_given_that_does_not_explain_every_point() -> None:
    """Equal to twice the derivative at the given point alone."""
    report = check_gradient(lambda w: value(w), lambda w: 2 * gradient(w) + 0.1 * np.sin(3 * (w - W)) * (w != W), W)
    assert report.diagnoses == ()
    assert "no known mistake explains it to rounding at every point" in report.unexplained[0]


def test_without_the_data_a_penalty_is_named_where_the_steps_of_the_value_can_be_followed() -> None:
    report = check_gradient(lambda w: value(w) + 0.1 * w @ w, lambda w: gradient(w), W)
    assert report.diagnoses[0].codes == ("path-missing",)
    assert "as if `0.1 * w @ w` were constant" in str(report)


def test_without_the_data_and_the_steps_a_penalty_is_located_but_not_named_further() -> None:
    report = check_gradient(lambda w: float(value(w)) + 0.1 * float(w @ w), lambda w: gradient(w), W)
    assert report.diagnoses[0].codes == ("penalty-unknown",)
    assert "the difference is -0.2 w" in str(report)


def test_a_value_that_does_not_depend_on_its_parameter() -> None:
    report = check_gradient(lambda w: 3.0, lambda w: w, W)
    assert "the value does not change with w at any point" in str(report)


def test_the_sentence_holds_the_numbers_and_the_remedy_the_formula() -> None:
    report = check_gradient(
        lambda w, X, y, alpha: value(w, X, y) + alpha * w @ w, lambda w, X, y, alpha: 9 * gradient(w, X, y),
        W, data={"X": X, "y": Y, "alpha": 0.25},
    )  # fmt: skip
    assert str(report.diagnoses[0]) == (
        "dJ/dw equals n = 9 times the true derivative (n = 9 samples) of the data term; the derivative 0.5 w of the "
        "squared L2 penalty is missing. Divide the derivative of the data term by n. Add 0.5 w."
    )


def test_certified_digits() -> None:
    report = check_gradient(lambda w: np.sum(np.exp(w)), lambda w: 1.0001 * np.exp(w), np.array([1.0]), certify=True)
    worst = report["x" if report.blocks[0].name == "x" else "w"].worst
    assert worst is not None
    if worst.point == 0:
        assert worst.certified is not None
        assert worst.certified.startswith("2.7182818284590452353602874713")
    assert "to 30 digits" in str(report)


def test_digits_that_cannot_be_certified() -> None:
    report = check_gradient(lambda w: np.sum(np.logaddexp(0, w)), lambda w: w, np.array([1.0]), certify=True)
    assert "not available: the value uses an operation without an exact counterpart" in str(report)


def test_text_markdown_html_and_json() -> None:
    report = check_gradient(lambda w: value(w), lambda w: -gradient(w), W)
    assert str(report).startswith("The gradient disagrees with the value in w.\n")
    assert "| w | (3,) | disagrees | 2.0e+00 |" in report.to_markdown()
    assert "<td>disagrees</td>" in report._repr_html_()
    assert json.loads(json.dumps(asdict(report), default=str))["verdict"] == "disagrees"


def test_diagnosis_can_be_left_out() -> None:
    report = check_gradient(lambda w: value(w), lambda w: -gradient(w), W, diagnose=False)
    assert not report
    assert report.diagnoses == report.unexplained == ()


def test_no_random_points() -> None:
    assert check_gradient(lambda w: value(w), lambda w: gradient(w), W, n_points=0).points == 1
