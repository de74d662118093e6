"""Options of the command into parameters of estimators."""

import re

import pytest

from steepest.cli import models
from steepest.exceptions import InvalidInputError


class Logistic:
    """Stands for an estimator with scikit-learn's C."""

    def __init__(self, C=1.0, solver="auto", max_iter=100, random_state=None):
        self.given = {"C": C, "solver": solver, "max_iter": max_iter, "random_state": random_state}


class Descent:
    """Stands for an estimator with the teaching solvers."""

    def __init__(self, alpha=1.0, solver="auto", learning_rate="auto", batch_size=None, update="plain", tol=1e-4):
        self.given = {"alpha": alpha, "solver": solver, "learning_rate": learning_rate, "batch_size": batch_size}


class Stochastic:
    """Stands for an estimator with scikit-learn's eta0."""

    def __init__(self, eta0=0.01, learning_rate="invscaling", random_state=None, shuffle: bool = True):
        self.given = {"eta0": eta0, "learning_rate": learning_rate, "random_state": random_state}


class Perceptron:
    """Stands for a network with scikit-learn's learning_rate_init."""

    def __init__(self, hidden_layer_sizes=(100,), solver="adam", learning_rate_init=0.001):
        self.given = {"solver": solver, "learning_rate_init": learning_rate_init}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    classes = {"logistic": Logistic, "lasso": Descent, "sgd": Stochastic, "mlp": Perceptron}
    monkeypatch.setattr(models, "_load", classes.__getitem__)


def given(name, settings=None, seed=7, **options):
    return models.build(name, options, settings or {}, seed).given


def test_an_option_not_given_leaves_the_default():
    assert given("lasso", alpha=None) == {"alpha": 1.0, "solver": "auto", "learning_rate": "auto", "batch_size": None}


def test_alpha_is_one_over_c():
    assert given("logistic", alpha=4.0)["C"] == 0.25


def test_a_constant_rate_for_stochastic_descent():
    assert given("sgd", learning_rate=0.5) == {"eta0": 0.5, "learning_rate": "constant", "random_state": 7}


@pytest.mark.parametrize("option", [{"learning_rate": 0.5}, {"batch_size": 32}, {"update": "adam"}])
def test_a_rate_or_a_batch_size_asks_for_gradient_descent(option):
    assert given("lasso", **option)["solver"] == "gradient-descent"
    assert given("lasso", solver="fista", **option)["solver"] == "fista"


@pytest.mark.parametrize("option", [{"learning_rate": 0.5}, {"batch_size": 32}, {"update": "adam"}])
@pytest.mark.parametrize(("options", "settings"), [({"solver": "exact"}, {}), ({}, {"solver": "exact"})])
def test_an_option_that_the_solver_would_not_look_at_is_refused(option, options, settings):
    flag = "--" + next(iter(option)).replace("_", "-")
    with pytest.raises(InvalidInputError, match=f"{flag}: solver exact does not look at it; leave it out, or take one"):
        given("lasso", settings, **options, **option)


def test_a_misspelt_solver_is_named_beside_an_option_of_its_own():
    with pytest.raises(InvalidInputError, match=r"gradient-decent does not look at it; did you mean 'grad"):
        given("lasso", solver="gradient-decent", learning_rate=0.5)


def test_a_network_by_a_line_search_takes_no_rate():
    with pytest.raises(InvalidInputError, match="--learning-rate: solver lbfgs does not look at it; leave it out, or"):
        given("mlp", solver="lbfgs", learning_rate=0.5)
    assert given("mlp", solver="sgd", learning_rate=0.5)["learning_rate_init"] == 0.5


def test_the_seed_reaches_whoever_draws():
    assert given("logistic")["random_state"] == 7


def test_any_parameter_can_be_set():
    assert given("logistic", {"C": 3})["C"] == 3


@pytest.mark.parametrize(
    ("name", "options", "settings", "text"),
    [
        (
            "logistic",
            {"l1_ratio": 0.5},
            {},
            "--l1-ratio: model logistic has no such option; it has --solver, --max-iter",
        ),
        ("logistic", {"alpha": 0.0}, {}, "--alpha 0: must be above 0 for model logistic, whose C is 1 / alpha"),
        ("lasso", {}, {"aplha": 1}, "--set aplha: model lasso has no such parameter; did you mean 'alpha'?"),
        ("lasso", {}, {"zzz": 1}, "it has alpha, solver, learning_rate, batch_size, update, tol"),
    ],
)
def test_what_a_model_does_not_have_is_refused(name, options, settings, text):
    with pytest.raises(InvalidInputError, match=re.escape(text)):
        given(name, settings, **options)


def test_settings_are_json_or_text():
    pairs = ("a=1.5", "b=false", "c=null", "d=random", "e=[1, 2]", "f=x=y")
    expected = {"a": 1.5, "b": False, "c": None, "d": "random", "e": [1, 2], "f": "x=y"}
    assert models.parse_settings(pairs) == expected


@pytest.mark.parametrize("pair", ["alpha", "=3"])
def test_a_setting_needs_a_name_and_a_value(pair):
    with pytest.raises(InvalidInputError, match=f"--set {pair}: must be NAME=VALUE"):
        models.parse_settings((pair,))


@pytest.mark.parametrize("text, value", [("False", False), ("TRUE", True), ("none", None), ("Null", None)])
def test_truth_and_nothing_may_be_written_as_in_python(text, value):
    assert models.parse_settings((f"x={text}",)) == {"x": value}


@pytest.mark.parametrize("text", ["no", "0", "None"])
def test_a_boolean_parameter_is_true_or_false(text):
    with pytest.raises(InvalidInputError, match=r"^--set shuffle=\w+: must be true or false$"):
        models.build("sgd", {}, models.parse_settings((f"shuffle={text}",)), 0)
