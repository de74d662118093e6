"""What is said of a model that is no better than its baseline."""

import numpy as np
import pytest

from steepest.report.advice import advice
from steepest.report.scores import Score

NAN = float("nan")
SOME, ZERO, NONE = np.ones((1, 2)), np.zeros((1, 2)), np.empty((0, 2))


GIVEN, CHOSEN, FREE = "given", "chosen", "none"


def run(coefficients, converged=False, penalty=GIVEN, levers=("--max-iter",)):
    return {"coefficients": coefficients, "converged": converged, "penalty": penalty, "levers": levers}


@pytest.mark.parametrize(
    ("train", "test", "how", "remedy"),
    [
        (0.9, 0.0, run(ZERO, True), "every coefficient is zero; try a weaker penalty"),
        (0.0, 0.0, run(ZERO, True, FREE), "the features say nothing of the target"),
        (0.0, 0.0, run(ZERO, True, CHOSEN), "the features say nothing of the target"),
        (1e-16, 1e-16, run(ZERO, True), "every coefficient is zero"),
        (0.9, -0.1, run(SOME), "the run ended before its optimum; try a larger --max-iter"),
        (-0.1, NAN, run(NONE, levers=()), "the run ended before its optimum"),
        (0.0, 0.0, run(ZERO, False, CHOSEN), "the run ended before its optimum; try a larger --max-iter"),
        (0.9, -0.1, run(NONE, True), "does not carry over to other rows; try a stronger penalty, fewer features"),
        (0.9, -0.1, run(SOME, True, CHOSEN), "does not carry over to other rows; try fewer features or more rows"),
        (0.9, -0.1, run(SOME, True, FREE), "does not carry over to other rows; try a model with a penalty, fewer"),
        (-0.2, -0.1, run(SOME, True), "the features say nothing of the target"),
        (-0.2, NAN, run(SOME, True), "the features say nothing of the target"),
    ],
)
def test_a_score_below_the_baseline_comes_with_a_remedy(train, test, how, remedy):
    (sentence,) = advice([Score("R²", train, test, 0.0, True)], "the mean", **how)
    assert sentence.startswith(f"no better than predicting the mean: {remedy}" if "run" in remedy else "no better")
    assert remedy in sentence


@pytest.mark.parametrize(("train", "test", "higher"), [(-1.0, 0.1, True), (0.1, NAN, True), (1.0, -0.1, False)])
def test_a_better_score_needs_no_advice(train, test, higher):
    assert advice([Score("name", train, test, 0.0, higher)], "the mean", **run(ZERO)) == []
