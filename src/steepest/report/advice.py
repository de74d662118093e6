"""What to say of a model that is no better than a baseline that looks at no feature."""

import math
from collections.abc import Sequence
from typing import Literal

from steepest.report.scores import Score
from steepest.typing import Array

Penalty = Literal["none", "given", "chosen"]
ROUNDING = 1e-9  # of shares, which the scores that count are
LESS_FREEDOM: dict[Penalty, str] = {
    "none": "a model with a penalty, fewer features or more rows",
    "given": "a stronger penalty, fewer features or more rows",
    "chosen": "fewer features or more rows",
}


def advice(
    scores: Sequence[Score],
    baseline: str,
    *,
    converged: bool,
    coefficients: Array,
    penalty: Penalty,
    levers: Sequence[str],
) -> list[str]:
    """Return one sentence with a remedy where the first score does not beat its baseline, and none where it does.

    Parameters
    ----------
    scores : sequence of Score
        The first is the one that counts; on the held-out rows, or on the training rows where there are none.
    baseline : str
        What the baseline predicts, in words.
    converged : bool
        Whether the run reached its optimum.
    coefficients : array (n_outputs, n_features)
        Empty for a model that has none.
    penalty : {"none", "given", "chosen"}
        Whether there was a penalty, of a strength that the user gave or that cross-validation chose.
    levers : sequence of str
        The options that would have made the run go further.

    Examples
    --------
    >>> import numpy as np
    >>> low = Score("R²", 0.9, -0.1, 0.0, True)
    >>> run = {"converged": False, "coefficients": np.ones((1, 3)), "penalty": "none", "levers": ["--max-iter"]}
    >>> advice([low], "the mean", **run)
    ['no better than predicting the mean: the run ended before its optimum; try a larger --max-iter']
    """
    held_out = not math.isnan(scores[0].test)
    if _better(scores[0].test if held_out else scores[0].train, scores[0]):
        return []
    if coefficients.size and not coefficients.any() and penalty == "given":
        remedy = "every coefficient is zero; try a weaker penalty"
    elif not converged:
        remedy = "the run ended before its optimum" + (f"; try a larger {' or '.join(levers)}" if levers else "")
    elif held_out and _better(scores[0].train, scores[0]):
        remedy = f"what it learned does not carry over to other rows; try {LESS_FREEDOM[penalty]}"
    else:
        remedy = "taken this way, the features say nothing of the target; try another model or other features"
    return [f"no better than predicting {baseline}: {remedy}"]


def _better(value: float, score: Score) -> bool:
    ahead = value - score.baseline if score.higher_is_better else score.baseline - value
    return ahead > ROUNDING
