"""``steepest fit``: what it says, what it writes, what it refuses."""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from steepest.cli import main, running
from steepest.trace import Trace

DATA = Path(__file__).parents[3] / "examples" / "data"
DIABETES, CANCER, IRIS = DATA / "diabetes.csv", DATA / "breast_cancer.csv", DATA / "iris.csv"
DESCENT = ("--solver", "gradient-descent")


def fit(data, *arguments, **options):
    return CliRunner().invoke(main, ["fit", str(data), *map(str, arguments)], **options)


def record(data, *arguments):
    shown = fit(data, *arguments, "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


@pytest.fixture
def line(tmp_path, monkeypatch):
    """100 rows of y = 2 + 3 a - b, without noise, and a column that says nothing, at a short path."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(100), 10 * rng.standard_normal(100)
    rows = [f"{x!r},{z!r},5,{2 + 3 * x - z!r}" for x, z in zip(a.tolist(), b.tolist(), strict=True)]
    monkeypatch.chdir(tmp_path)
    path = Path("line.csv")
    path.write_text("\n".join(["a,b,constant,y", *rows]))
    return path


def test_it_prints_everything_that_makes_a_fit_checkable(line):
    shown = fit(line, "-t", "y", *DESCENT, "--tol", 1e-12)
    assert shown.exit_code == 0
    text = shown.stdout
    assert "LinearRegression predicts y from 3 features\n" in text
    assert "80 rows to learn from, 20 held out (seed 0); features standardised" in " ".join(text.split())
    assert re.search(r"Minimise +mean .*half the squared error", text)
    assert re.search(r"Solver +gradient-descent", text)
    assert re.search(r"Stopped +converged: the gradient fell below the tolerance", text)
    assert re.search(r"Iterations +\d+ in ", text)
    assert re.search(r"Certificate +optimal: gradient norm ", text)
    assert "predicting the mean (test)" in text
    assert re.search(r"R² +1 +1 ", text)
    assert "2 of 3 coefficients are not zero\n" in text
    assert "note: without influence, as constant in the training set: constant\n" in text
    names = re.findall(r"^(a|b|constant|intercept) ", text, re.MULTILINE)
    assert names == ["b", "a", "constant", "intercept"]


def test_no_line_is_too_wide_for_a_narrow_terminal(line, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = fit(line, "-t", "y", *DESCENT, "-v").stdout
    assert max(map(len, shown.splitlines())) <= 80


def test_coefficients_in_the_units_of_the_data_do_not_depend_on_the_scaling(line):
    tight = ("-t", "y", "--drop", "constant", *DESCENT, "--tol", 1e-13, "--max-iter", 100_000)
    scaled, raw = record(line, *tight), record(line, *tight, "--no-standardize")
    assert raw["standardized"] is False
    for found in (scaled, raw):
        np.testing.assert_allclose(found["original"], [[3, -1]], atol=1e-9)
    np.testing.assert_allclose(scaled["original_intercept"], [2], atol=1e-9)
    np.testing.assert_allclose(raw["coefficients"], raw["original"])


def test_json_holds_the_whole_report(line):
    found = record(line, "-t", "y", *DESCENT)
    assert (found["model"], found["target"], found["features"]) == ("LinearRegression", "y", ["a", "b", "constant"])
    assert (found["n_train"], found["n_test"], found["seed"]) == (80, 20, 0)
    assert found["certificate"]["kind"] == "gradient norm"
    assert isinstance(found["certificate"]["optimal"], bool)
    assert {score["name"] for score in found["scores"]} == {"R²", "RMSE"}
    assert found["parameters"]["solver"] == "gradient-descent"


def test_the_seed_decides_the_split(line):
    scores = [record(DIABETES, "-t", "progression", *DESCENT, "--seed", seed)["scores"] for seed in (1, 1, 2)]
    assert scores[0] == scores[1] != scores[2]


def test_without_a_test_set_the_baseline_is_that_of_the_training_set(line):
    shown = fit(line, "-t", "y", *DESCENT, "--test-size", 0).stdout
    assert "100 rows to learn from, none held out" in shown
    assert "predicting the mean (training)" in shown
    assert re.search(r"R² +\S+ +- +0\n", shown)


def test_a_classifier_says_which_class_its_coefficients_speak_for():
    shown = fit(CANCER, "-t", "diagnosis", "-m", "sgd-classifier", "--set", "loss=log_loss").stdout
    assert "predicting the commonest class (test)" in shown
    assert re.search(r"^accuracy +0\.9", shown, re.MULTILINE)
    assert re.search(r"^log loss ", shown, re.MULTILINE)
    assert "positive coefficients speak for diagnosis = malignant" in shown
    assert "30 of 30 coefficients are not zero; 10 more with -v" in shown


def test_several_classes_have_a_column_each():
    shown = fit(IRIS, "-t", "species", "-m", "sgd-classifier").stdout
    assert re.search("setosa per std. dev. +versicolor per std. dev. +virginica per std. dev.", shown)


def test_verbose_adds_the_course_of_the_run_and_every_coefficient():
    shown = fit(CANCER, "-t", "diagnosis", "-m", "sgd-classifier", "-v").stdout
    assert "Course of the run" in shown
    assert "mean_symmetry" in shown
    assert "more with -v" not in shown


def test_missing_values_are_filled_by_the_mean_of_the_training_set(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("a,b,y\n" + "\n".join(f"{i if i % 5 else ''},{i % 7},{2 * i}" for i in range(50)))
    shown = fit(path, "-t", "y", *DESCENT, "--missing", "mean").stdout
    assert "note: 10 missing values replaced by the mean of their column in the training set" in shown
    found = record(path, "-t", "y", *DESCENT, "--missing", "drop")
    assert found["n_train"] + found["n_test"] == 40


def test_the_trace_is_saved(line, tmp_path):
    target = tmp_path / "run.safetensors"
    found = record(line, "-t", "y", *DESCENT, "--save-trace", target)
    trace = Trace.load(target)
    assert trace["index"][-1] == found["n_iter"]
    assert trace.about["solver"] == "gradient-descent"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_run_is_drawn(line, tmp_path, suffix):
    assert fit(line, "-t", "y", *DESCENT, "--plot", tmp_path / f"run.{suffix}").exit_code == 0
    magic = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"run.{suffix}").read_bytes().startswith(magic)


def test_a_classification_is_drawn_too(tmp_path):
    options = ("-t", "species", "-m", "sgd-classifier", "--plot", tmp_path / "run.png")
    assert fit(IRIS, *options).exit_code == 0
    assert (tmp_path / "run.png").stat().st_size > 10_000


def test_a_diverging_run_says_where_why_and_what_would_be_stable(tmp_path):
    outputs = ("--save-trace", tmp_path / "run", "--plot", tmp_path / "run.png")
    shown = fit(DIABETES, "-t", "progression", "--learning-rate", 3, *outputs)
    assert shown.exit_code == 2
    assert re.fullmatch(
        r"steepest: LinearRegression diverged at step \d+: the objective grew to \S+; it was \S+ at step \d+; "
        r"step size 3 is too large here: the largest stable learning rate is about 0\.5\d*\n",
        shown.stderr,
    )
    assert Trace.load(tmp_path / "run").about["reason"] == "DIVERGED"
    assert (tmp_path / "run.png").exists()


def test_a_run_that_diverges_without_overflowing_is_an_error_too(tmp_path):
    options = ("-t", "progression", "-m", "sgd", "--learning-rate", 5, "--save-trace", tmp_path / "run")
    shown = fit(DIABETES, *options)
    assert shown.exit_code == 2
    assert re.fullmatch(
        r"steepest: SGDRegressor diverged at step 1: the objective grew to \S+; it was \S+ at the start; "
        r"step size 5 is too large here: the largest stable learning rate is about 0\.04\d*\n",
        shown.stderr,
    )
    assert Trace.load(tmp_path / "run").about["reason"] == "DIVERGED"


def test_a_rate_just_below_the_largest_stable_one_does_not_diverge():
    shown = fit(DIABETES, "-t", "progression", "--learning-rate", 3)
    largest = float(re.search(r"about (\S+)\n", shown.stderr).group(1))
    for factor, code in ((0.98, 0), (1.1, 2)):
        run = fit(DIABETES, "-t", "progression", "--learning-rate", factor * largest, "--max-iter", 5000)
        assert run.exit_code == code


def test_an_interrupted_run_keeps_what_it_reached(line, tmp_path, monkeypatch):
    def interrupt(self, step):
        original(self, step)
        if step.index == 7:
            raise KeyboardInterrupt

    original = Trace.record
    monkeypatch.setattr(Trace, "record", interrupt)
    shown = fit(line, "-t", "y", *DESCENT, "--save-trace", tmp_path / "run")
    assert shown.exit_code == 0
    assert re.search("Stopped +interrupted; the last complete step is kept", shown.stdout)
    assert "Coefficient" in shown.stdout
    assert Trace.load(tmp_path / "run")["index"][-1] == 7


REFUSED = {
    "no target": ([], "--target is missing: name the column to predict, one of a, b, constant, y"),
    "misspelled target": (["-t", "Y"], "--target Y: no column of this name in "),
    "misspelled model": (["-t", "y", "-m", "lassso"], "model='lassso': must be one of "),
    "misspelled solver": (["-t", "y", "--solver", "gradient-decent"], "did you mean 'gradient-descent'?"),
    "test size": (["-t", "y", "--test-size", "1"], "--test-size 1: must be at least 0 and below 1"),
    "seed": (["-t", "y", "--seed", "-1"], "Invalid value for '--seed': -1 is not in the range"),
    "too few left": (
        ["-t", "y", "--test-size", "0.999"],
        "--test-size 0.999: leaves 1 of 100 rows to learn from, at least 2 are needed; take a smaller share",
    ),
    "no name": (["-t", "y", "--save-trace", ""], "--save-trace '': must be the name of a file"),
    "a folder": (["-t", "y", "--save-trace", "/tmp"], "--save-trace /tmp: a directory; name a file in it"),
    "one file twice": (
        ["-t", "y", "--save-trace", "/tmp/x.png", "--plot", "/tmp/../tmp/x.png"],
        "--plot /tmp/../tmp/x.png: is where --save-trace goes; name another",
    ),
    "plot folder": (["-t", "y", "--plot", "nowhere/x.png"], "--plot nowhere/x.png: there is no directory nowhere"),
    "trace folder": (["-t", "y", "--save-trace", "nowhere/x"], "--save-trace nowhere/x: there is no directory nowhere"),
    "plot kind": (["-t", "y", "--plot", "x.bmp"], "--plot x.bmp: the name must end in .png, .svg or .pdf"),
    "option of another": (["-t", "y", "--l1-ratio", "0.5"], "--l1-ratio: model linear has no such option; it has "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_options_are_refused_in_one_line(line, case):
    arguments, text = REFUSED[case]
    shown = fit(line, *arguments)
    assert shown.exit_code == 2
    assert text in shown.stderr
    assert shown.stderr.count("\n") == 1
    assert shown.stdout == ""


def test_a_fit_that_compiled_kernels_says_so(line, monkeypatch):
    note = "note: the time includes compiling kernels for this machine, which happens once"
    for counts, said in (([5, 5], False), ([5, 7], True)):
        monkeypatch.setattr(running, "kernels", partial(next, iter([{"cached": count} for count in counts])))
        assert (note in fit(line, "-t", "y", *DESCENT).stdout) == said


def test_a_file_of_one_row_is_too_small(tmp_path):
    (tmp_path / "one.csv").write_text("a,y\n1,2\n3,4\n")
    shown = fit(tmp_path / "one.csv", "-t", "y", "--test-size", 0.5)
    assert "--test-size 0.5: leaves 1 of 2 rows to learn from, at least 2 are needed" in shown.stderr


@pytest.mark.parametrize(
    ("model", "said", "unsaid"),
    [
        ("linear", "try a model with a penalty, fewer features", "weaker penalty"),
        ("lasso-cv", "", "weaker penalty"),
        ("lasso", "every coefficient is zero; try a weaker penalty", "rate"),
        ("sgd", "try a larger --max-iter or --learning-rate", "penalty"),
        ("lasso-cv --max-iter 1", "", "--learning-rate"),
    ],
)
def test_advice_speaks_of_what_the_model_has(tmp_path, model, said, unsaid):
    rng = np.random.default_rng(3)
    path = tmp_path / "noise.csv"
    rows = [",".join(map(str, row)) for row in rng.standard_normal((40, 3))]
    path.write_text("\n".join(["a,b,y", *rows]))
    more = {"lasso": ["--alpha", 9], "sgd": ["--max-iter", 1, "--learning-rate", 1e-4]}.get(model, [])
    notes = " ".join(fit(path, "-t", "y", "--model", *model.split(), *more).stdout.split())
    assert "no better than predicting the mean" in notes
    assert said in notes
    assert unsaid not in notes.partition("no better")[2]


def test_what_an_estimator_refuses_is_one_line(tmp_path):
    path = tmp_path / "three.csv"
    path.write_text("a,y\n1,2\n3,4\n5,7\n")
    shown = fit(path, "-t", "y", "--model", "lasso-cv")
    assert shown.exit_code == 2
    assert re.fullmatch(r"steepest: LassoCV: Cannot have number of splits .*\n", shown.stderr)


@pytest.mark.parametrize("size", [1e-300, 1e250])
def test_the_unit_of_the_features_does_not_matter(tmp_path, size):
    rng = np.random.default_rng(0)
    path = tmp_path / "scaled.csv"
    path.write_text("a,y\n" + "\n".join(f"{x * size!r},{2 * x!r}" for x in rng.standard_normal(40).tolist()))
    shown = fit(path, "-t", "y")
    assert shown.stderr == ""
    assert re.search(r"R² +1 +1 ", shown.stdout)


def test_an_option_for_a_model_without_any_says_what_there_is(line):
    shown = fit(line, "-t", "y", "--model", "ridge-cv", "--max-iter", 5)
    assert "--max-iter: model ridge-cv has no such option; --set reaches its alphas," in shown.stderr


def test_what_is_read_is_never_written_over(line):
    before = line.read_bytes()
    shown = fit(line, "-t", "y", "--save-trace", line)
    assert shown.exit_code == 2
    assert f"--save-trace {line}: is the file that is read; name another" in shown.stderr
    assert line.read_bytes() == before


def test_names_with_commas_can_be_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"a, b",c,d,y\n' + "\n".join(f"{i % 7},{i % 3},{i % 5},{i}" for i in range(40)))
    assert record(path, "-t", "y", "--drop", "a, b", "--drop", "c,d", "--one-hot", "a, b")["features"][0] == "a, b=1"
    assert record(path, "-t", "y", "--drop", "c,d")["features"] == ["a, b"]


def test_a_progress_bar_appears_on_a_terminal_only(line, monkeypatch):
    made = []

    class Watched(running.LiveTrace):
        def __init__(self, total):
            made.append(total)
            super().__init__(total)
            self._next_refresh = 0.0

    monkeypatch.setattr(running, "LiveTrace", Watched)
    assert fit(line, "-t", "y", *DESCENT).exit_code == 0
    assert made == []
    monkeypatch.setattr("steepest.cli.running._on_a_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich take the captured stream for a terminal
    shown = fit(line, "-t", "y", *DESCENT, "--max-iter", 300)
    assert shown.exit_code == 0
    assert made == [300]
    assert "fitting" in shown.stderr
    assert "objective" in shown.stderr
