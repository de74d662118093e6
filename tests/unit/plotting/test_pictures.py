"""Pictures show the numbers they are given, on the axes they are given, without pyplot."""

import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from steepest import plotting
from steepest.exceptions import InvalidInputError
from steepest.foundations import GuessingResult
from steepest.linear_model import LinearRegression
from steepest.plotting.museum import plot_guessing
from steepest.plotting.style import COLOURS, colours, shades
from steepest.step import Step
from steepest.trace import Trace


def run_of(values, parameters=None, **columns):
    trace = Trace(parameters=parameters is not None)
    for index, value in enumerate(values):
        theta = np.zeros(2) if parameters is None else np.asarray(parameters[index], dtype=float)
        trace.record(Step(index, theta, value, **{name: column[index] for name, column in columns.items()}))
    return trace


PATH = [[3.0, 2.0], [1.5, 1.0], [0.75, 0.5], [0.4, 0.2]]
DRAW = {
    "loss_curve": lambda ax: plotting.loss_curve(run_of([4.0, 2.0, 1.0]), ax=ax),
    "contour": lambda ax: plotting.contour(lambda x: float(x @ x), PATH, ax=ax),
    "regression_lines": lambda ax: plotting.regression_lines([0.0, 1.0], [0.0, 1.0], PATH, ax=ax),
    "coefficient_path": lambda ax: plotting.coefficient_path([1.0, 0.1], [[0.0, 1.0]], ax=ax),
    "predicted_against_actual": lambda ax: plotting.predicted_against_actual([1.0, 2.0], [1.0, 2.5], ax=ax),
    "confusion_matrix": lambda ax: plotting.confusion_matrix(["a", "b"], ["a", "a"], ax=ax),
}


@pytest.mark.parametrize("name", DRAW)
def test_a_picture_goes_where_it_is_told_and_is_labelled(name, tmp_path):
    figure, (ax,) = plotting.panels(1)
    assert DRAW[name](ax) is ax
    assert ax.get_xlabel() and ax.get_ylabel()
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5_000


@pytest.mark.parametrize("name", DRAW)
def test_without_axes_a_picture_has_a_figure_of_its_own(name):
    assert DRAW[name](None).figure is not DRAW[name](None).figure


def test_pyplot_and_its_global_state_are_never_touched():
    code = (
        "import sys; from steepest import plotting;"
        "plotting.predicted_against_actual([1., 2.], [1., 2.]).figure.canvas.draw();"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": ""})
    assert run.stdout == "False\n"


def test_neighbouring_colours_differ_in_lightness_or_hue_for_everyone():
    def lightness(colour):
        return float(np.dot(to_rgb(colour), [0.2126, 0.7152, 0.0722]))

    assert abs(lightness(COLOURS[0]) - lightness(COLOURS[1])) > 0.02
    steps = np.diff([lightness(shade) for shade in shades(8)])
    assert np.all(steps < -0.02)
    assert colours(8)[6:] == list(COLOURS[:2])


# ---------------------------------------------------------------------- loss curve


def test_a_loss_curve_shows_the_values_of_the_trace():
    (line,) = plotting.loss_curve(run_of([4.0, 2.0, 1.0])).lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 4], [1, 2], [2, 1]])


def test_steps_without_a_value_are_left_out():
    (line,) = plotting.loss_curve(run_of([4.0, np.nan, 1.0])).lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 4], [2, 1]])


def test_other_scalars_and_distances():
    ax = plotting.loss_curve(run_of([4.0, 2.0], gradient_norm=[8.0, 6.0]), what="gradient_norm", above=1.0)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [7, 5])
    assert ax.get_ylabel() == "length of the gradient above 1"


def test_several_runs_have_a_legend():
    ax = plotting.loss_curve({"slow": run_of([4.0, 3.0]), "fast": run_of([4.0, 1.0])})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["slow", "fast"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


@pytest.mark.parametrize(
    ("values", "scales"),
    [
        (np.linspace(3, 2, 10), ("linear", "linear")),
        (np.geomspace(1e3, 1, 10), ("linear", "log")),
        (np.linspace(3, 2, 100), ("symlog", "linear")),
        (np.linspace(100, -1, 10), ("linear", "linear")),
    ],
)
def test_axes_are_logarithmic_where_that_shows_more(values, scales):
    ax = plotting.loss_curve(run_of(values.tolist()))
    assert (ax.get_xscale(), ax.get_yscale()) == scales


def test_logarithmic_ticks_read_as_numbers():
    ax = plotting.loss_curve(run_of(np.geomspace(1e4, 1, 2000).tolist()))
    ax.figure.canvas.draw()
    assert "1,000" in [label.get_text() for label in ax.get_xticklabels()]
    assert "10" in [label.get_text() for label in ax.get_yticklabels()]


# ---------------------------------------------------------------------- contour


def test_a_contour_shows_the_path_its_ends_and_the_minimum():
    ax = plotting.contour(lambda x: float(x @ x), run_of([0.0] * 4, PATH), minimum=[0.0, 0.0], names=("w", "b"))
    path, start, end, minimum = ax.lines
    np.testing.assert_array_equal(path.get_xydata(), PATH)
    np.testing.assert_array_equal(start.get_xydata(), PATH[:1])
    np.testing.assert_array_equal(end.get_xydata(), PATH[-1:])
    np.testing.assert_array_equal(minimum.get_xydata(), [[0, 0]])
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < 0 < 3 < right
    assert low < 0 < 2 < high


def test_contour_lines_have_the_value_they_say():
    ax = plotting.contour(lambda x: float(x @ x), PATH, limits=((-2, 2), (-2, 2)))
    lines = ax.collections[0]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        vertices = path.vertices
        np.testing.assert_allclose((vertices**2).sum(axis=1), level, atol=2e-3)


def test_a_path_that_runs_away_is_drawn_as_far_as_it_is_finite():
    ax = plotting.contour(lambda x: float(x @ x), [[1.0, 1.0], [np.inf, 0.0], [2.0, 2.0]])
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 1], [2, 2]])


# ---------------------------------------------------------------------- regression lines


def test_lines_are_those_of_the_parameters():
    ax = plotting.regression_lines([[0.0], [2.0]], [1.0, 5.0], [[0.0, 1.0], [2.0, 1.0]])
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[0, 1], [2, 1]])
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[0, 1], [2, 5]])
    assert ax.get_legend().get_texts()[-1].get_text() == "step 1: 2 x + 1"


def test_of_a_long_run_the_first_the_last_and_some_between_are_drawn():
    trace = run_of([0.0] * 500, [[i, -i] for i in range(500)])
    texts = [
        text.get_text() for text in plotting.regression_lines([0.0, 1.0], [0.0, 1.0], trace).get_legend().get_texts()
    ]
    assert texts[1].startswith("step 0:")
    assert texts[-1] == "step 499: 499 x - 499"
    assert len(texts) <= 8


# ---------------------------------------------------------------------- coefficient path


def test_a_coefficient_path_runs_from_much_penalty_to_little():
    ax = plotting.coefficient_path(
        [0.1, 10.0, 1.0], [[3.0, 0.0, 1.0], [0.0, 0.0, 0.0]], features=["x", "z"], chosen=1.0
    )
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[0.1, 3], [1, 1], [10, 0]])
    left, right = ax.get_xlim()
    assert left > right
    assert {text.get_text().strip() for text in ax.texts} == {"x", "z", "alpha = 1"}


def test_names_at_the_lines_do_not_overlap():
    ends = [1.0, 1.01, 1.02, 0.99, -1.0]
    ax = plotting.coefficient_path([1.0, 0.1], [[0.0, end] for end in ends], features=list("abcde"))
    places = sorted(text.xyann[1] for text in ax.texts)
    assert np.min(np.diff(places)) > 0.04


def test_only_the_largest_are_named():
    ax = plotting.coefficient_path([1.0, 0.1], [[0.0, i] for i in range(30)], features=[f"f{i}" for i in range(30)])
    assert {text.get_text() for text in ax.texts} == {f"f{i}" for i in range(20, 30)}


# ---------------------------------------------------------------------- predictions


def test_points_are_predictions_over_truth_and_the_diagonal_spans_all():
    ax = plotting.predicted_against_actual([0.0, 10.0], [1.0, 8.0], rows="training", unit="cm")
    plotting.predicted_against_actual([5.0, 20.0], [4.0, 30.0], ax=ax, rows="test", unit="cm")
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), [[0, 1], [10, 8]])
    np.testing.assert_array_equal(ax.collections[1].get_offsets(), [[5, 4], [20, 30]])
    (diagonal,) = ax.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    low, high = diagonal.get_xdata()
    assert low < 0 < 30 < high
    assert ax.get_xlim() == ax.get_ylim() == (low, high)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["training", "test", "predicted = actual"]


def test_a_confusion_matrix_counts():
    ax = plotting.confusion_matrix(["a", "b", "b", "c"], ["a", "b", "c", "c"], rows="test")
    assert [text.get_text() for text in ax.texts] == list("100011001")
    assert ax.get_title() == "3 of 4 right"
    assert ax.get_ylabel() == "actual class (test rows)"


@pytest.mark.parametrize(
    "names", [["a", "b"], ["setosa", "versicolor", "virginica"], range(10), range(30), ["x" * 300, "$"]]
)
def test_no_class_is_written_over_another(names):
    labels = [f"class {name}" if isinstance(name, int) else name for name in names]
    ax = plotting.confusion_matrix(labels, labels)
    ax.figure.draw_without_rendering()
    for axis, low, high in ((ax.xaxis, "x0", "x1"), (ax.yaxis, "y0", "y1")):
        written = axis.get_ticklabels()
        boxes = [label.get_window_extent() for label in written]
        assert len(boxes) == len(labels)
        assert ax.get_window_extent().height > 150
        if written[0].get_rotation() != 45:  # the boxes of slanted words may overlap
            ends = sorted((getattr(box, low), getattr(box, high)) for box in boxes)
            assert all(first[1] <= second[0] + 0.5 for first, second in pairwise(ends))
    zeros = [text for text in ax.texts if text.get_text() == "0"]
    assert bool(zeros) == (len(labels) <= 12)


# ---------------------------------------------------------------------- what cannot be drawn

REFUSED = {
    "no such column": (
        lambda: plotting.loss_curve(run_of([1.0]), what="loss"),
        "what='loss': must be a column of the trace: index, value",
    ),
    "never computed": (
        lambda: plotting.loss_curve(run_of([1.0]), what="duality_gap"),
        "what='duality_gap': this run has no finite value of it; the solver does not compute it",
    ),
    "no parameters kept": (
        lambda: plotting.contour(lambda x: 0.0, run_of([1.0])),
        "path has shape (0, 0): must be (n_steps, 2); ask for them with Trace(parameters=True)",
    ),
    "three parameters": (lambda: plotting.contour(lambda x: 0.0, np.zeros((4, 3))), "path has shape (4, 3): must be"),
    "flat function": (lambda: plotting.contour(lambda x: 1.0, PATH), "f is 1 everywhere on the part of the plane"),
    "function without numbers": (
        lambda: plotting.contour(lambda x: np.nan, PATH),
        "f is NaN or infinite everywhere on the part of the plane to show: pass other limits",
    ),
    "path without numbers": (
        lambda: plotting.contour(lambda x: float(x @ x), [[np.nan, 0.0], [1.0, np.inf]]),
        "path holds NaN or infinity in every point",
    ),
    "prediction that is no number": (
        lambda: plotting.predicted_against_actual([1.0, 2.0], [1.0, np.nan]),
        "predicted is nan in row 1: must be finite; leave such rows out",
    ),
    "truth that is no number": (
        lambda: plotting.predicted_against_actual([np.inf, 2.0], [1.0, 2.0]),
        "y is inf in row 0: must be finite",
    ),
    "two features": (
        lambda: plotting.regression_lines(np.zeros((3, 2)), np.zeros(3), PATH),
        "X has 2 features: a line needs exactly one",
    ),
    "line without parameters": (
        lambda: plotting.regression_lines([0.0], [0.0], run_of([1.0])),
        "must be (n_steps, 2), a slope and an intercept; ask for them with Trace(parameters=True)",
    ),
    "transposed path": (
        lambda: plotting.coefficient_path([1.0, 0.1], np.zeros((2, 3))),
        "alphas has shape (2,), coefficients (2, 3): must be (n_alphas,) and (n_features, n_alphas)",
    ),
    "alpha of zero": (lambda: plotting.coefficient_path([1.0, 0.0], np.zeros((2, 2))), "alphas: must be above 0"),
    "unequal lengths": (
        lambda: plotting.predicted_against_actual([1.0], [1.0, 2.0]),
        "y has shape (1,), predicted (2,): both must be (n_samples,)",
    ),
    "unequal classes": (lambda: plotting.confusion_matrix(["a"], ["a", "b"]), "y has shape (1,), predicted (2,)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused(case):
    draw, text = REFUSED[case]
    with pytest.raises(InvalidInputError, match=re.escape(text)):
        draw()


def test_one_outcome_is_one_slim_bar_over_a_whole_number():
    ax = plot_guessing(GuessingResult(np.array([50, 0, 0, 0]), 3, 0.0))
    low, high = ax.get_xlim()
    assert high - low > 1.5
    assert low > -1
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


@pytest.mark.parametrize("trace", [LinearRegression(), None, [1.0, 2.0], {"a": 3}])
def test_a_model_is_no_trace(trace):
    with pytest.raises(InvalidInputError, match=r"trace=.*: must be a Trace, such as model.trace_ or result.trace"):
        plotting.loss_curve(trace)
    with pytest.raises(InvalidInputError, match=r"trace=.*: must be a Trace, such as model.trace_ or result.trace"):
        plotting.centre_paths(trace, np.ones((3, 2)))


def test_no_run_has_no_curve():
    with pytest.raises(InvalidInputError, match=r"trace=\{\}: must hold at least one run"):
        plotting.loss_curve({})
