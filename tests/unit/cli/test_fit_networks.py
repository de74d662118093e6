"""``steepest fit`` with models that train step by step: networks and stochastic descent."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from steepest.cli import main, models

DATA = Path(__file__).parents[3] / "examples" / "data"
DIABETES, IRIS = DATA / "diabetes.csv", DATA / "iris.csv"


def fit(data, *arguments):
    return CliRunner().invoke(main, ["fit", str(data), *map(str, arguments)])


def test_options_become_parameters_of_a_network():
    options = {"hidden": "8, 4", "activation": "tanh", "learning_rate": 0.02, "batch_size": 20, "max_iter": 30}
    found = models.build(
        "mlp", options | {"alpha": 0.5, "solver": "sgd", "tol": 0.0}, {"momentum": 0.5}, 7
    ).get_params()
    expected = {"hidden_layer_sizes": (8, 4), "activation": "tanh", "learning_rate_init": 0.02, "batch_size": 20}
    expected |= {"max_iter": 30, "alpha": 0.5, "solver": "sgd", "tol": 0.0, "momentum": 0.5, "random_state": 7}
    assert {name: found[name] for name in expected} == expected


def test_a_rate_leaves_the_solver_of_a_network_alone():
    for name in ("mlp", "mlp-classifier"):
        model = models.build(name, {"learning_rate": 0.02, "batch_size": 20}, {}, 0)
        assert (model.solver, model.learning_rate_init, model.batch_size) == ("adam", 0.02, 20)


def test_a_network_learns_diabetes():
    shown = fit(
        DIABETES, "-t", "progression", "--model", "mlp", "--hidden", "16", "--activation", "tanh",
        "--learning-rate", 0.01, "--max-iter", 300, "--json",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert "MLPRegressor" in json.dumps(report)
    assert "a network (Dense, Tanh, Dense)" in json.dumps(report)


def test_a_network_learns_classes():
    shown = fit(IRIS, "-t", "species", "--model", "mlp-classifier", "--hidden", "8,8", "--learning-rate", 0.01)
    assert shown.exit_code == 0, shown.output
    assert "MLPClassifier predicts species from 4 features" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--model", "mlp", "--hidden", "8,x"), "--hidden 8,x: must be numbers of units, one a hidden layer"),
        (("--model", "mlp", "--hidden", "\N{SUPERSCRIPT TWO}"), "must be numbers of units"),
        (("--model", "mlp", "--hidden", "0"), "--hidden 0: must be numbers of units"),
        (("--model", "ridge", "--hidden", "8"), "--hidden: model ridge has no such option"),
        (("--model", "mlp", "--update", "adam"), "--update: model mlp has no such option"),
        (("--model", "mlp", "--activation", "step"), "activation='step': must be"),
    ],
)
def test_what_a_network_cannot_take_is_refused(arguments, text):
    shown = fit(DIABETES, "-t", "progression", *arguments)
    assert shown.exit_code != 0
    assert text in " ".join(shown.output.split())


@pytest.mark.parametrize("options", [("--learning-rate", 0.01), ("--batch-size", 16)])
def test_stochastic_descent_keeps_its_solver(options):
    shown = fit(DIABETES, "-t", "progression", "--model", "sgd", *options, "--json")
    assert shown.exit_code == 0, shown.output
    assert "SGDRegressor" in shown.stdout
    assert "gradient-descent" not in shown.stdout


@pytest.mark.parametrize(("solver", "rate", "rule"), [("adam", 100, "Adam"), ("sgd", 10, "Nesterov")])
def test_a_network_that_diverges_names_the_option_that_helps(solver, rate, rule):
    arguments = ("-t", "progression", "--model", "mlp", "--solver", solver, "--learning-rate")
    shown = fit(DIABETES, *arguments, rate)
    assert shown.exit_code == 2
    safe = re.search(rf"; {rule} is safe to begin with at --learning-rate (\S+)\n$", shown.stderr)[1]
    assert fit(DIABETES, *arguments, safe).exit_code == 0
