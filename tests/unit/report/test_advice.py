"""What is said of a model that is no better than its baseline."""

import numpy as np
import pytest

from steepest.report.advice import advice
from steepest.report.scores import Score

NAN = float("nan")
SOME, ZERO, NONE = np.ones((1, 2)), np.zeros((1, 2)), np.empty((0, 2))


@pytest.mark.parametrize(
    ("train", "test", "converged", "coefficients", "remedy"),
    [
        (0.9, 0.0, True, ZERO, "every coefficient is zero"),
        (0.9, -0.1, False, SOME, "the run ended before its optimum"),
        (-0.1, NAN, False, NONE, "the run ended before its optimum"),
        (0.9, -0.1, True, NONE, "does not carry over to other rows"),
        (-0.2, -0.1, True, SOME, "the features say nothing of the target"),
        (-0.2, NAN, True, SOME, "the features say nothing of the target"),
    ],
)
def test_a_score_below_the_baseline_comes_with_a_remedy(train, test, converged, coefficients, remedy):
    (sentence,) = advice(
        [Score("R²", train, test, 0.0, True)], "the mean", converged=converged, coefficients=coefficients
    )
    assert sentence.startswith("no better than predicting the mean: ")
    assert remedy in sentence


@pytest.mark.parametrize(("train", "test", "higher"), [(-1.0, 0.1, True), (0.1, NAN, True), (1.0, -0.1, False)])
def test_a_better_score_needs_no_advice(train, test, higher):
    assert advice([Score("name", train, test, 0.0, higher)], "the mean", converged=False, coefficients=ZERO) == []
