"""A network that has not learned says so: since when, and which rate to begin with."""

import re
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import DivergenceError
from steepest.layers import Dense, ReLU
from steepest.neural_network import MLPClassifier, MLPRegressor, Network
from steepest.neural_network.divergence import ended_high, growth
from steepest.solvers.stopping import Reason

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 3))
Y = X @ [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("model", "target"), [(MLPRegressor, Y), (MLPClassifier, Y > 0)])
def test_adam_that_runs_away_without_overflow_is_no_early_stop(model, target):
    with pytest.warns(ConvergenceWarning, match="diverged: the loss ended at .*; it began to grow in step 2"):
        fitted = model(learning_rate_init=1000.0, random_state=0).fit(X, target)
    assert fitted.stopping_reason_ is Reason.DIVERGED
    message = fitted.trace_.about["message"]
    safe = float(re.search(r"Adam is safe to begin with at learning_rate_init=(.+)$", message)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter, not divergence
        assert model(learning_rate_init=safe, random_state=0).fit(X, target).loss_ < 1.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_an_overflow_names_the_pass_in_which_growth_began_and_a_rate_that_is_safe(seed, scale):
    settings = {"solver": "sgd", "random_state": seed}
    with pytest.raises(DivergenceError, match="it began to grow in step 2, from") as caught:
        MLPRegressor(learning_rate_init=1000.0, **settings).fit(scale * X, Y)
    safe = float(re.search(r"Nesterov is safe to begin with at learning_rate_init=(.+)$", str(caught.value))[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPRegressor(learning_rate_init=safe, **settings).fit(scale * X, Y)
    assert model.loss_ < 0.1 * model.loss_curve_[0]


def test_growth_is_dated_by_the_pass_after_the_lowest_loss_before_it():
    assert growth([0, 1, 2, 3], [4.0, 1.0, 9.0, np.nan]) == "it began to grow in step 2, from 1 to 9"
    assert growth([0, 5, 10], [4.0, 5.0, 2.0]) == "it began to grow in step 5, from 4 to 5"
    assert growth([0, 1], [4.0, 4.0 + 1e-9]) == ""
    assert growth([0, 1], [4.0, 3.0]) == ""


def test_a_network_notes_that_it_has_run_away():
    net = Network([Dense(8), ReLU(), Dense(1)], 3, random_state=0)
    text = net.fit(X, Y, learning_rate=1000.0, max_iter=20, random_state=0).trace.about["notices"][0]
    assert text.startswith("the loss ended far above where it was at the start; it began to grow in step")
    assert text.endswith("Adam is safe to begin with at learning_rate=0.001")


def test_an_end_far_above_the_start():
    assert ended_high([1.0, 11.0])
    assert ended_high([1.0, np.nan])
    assert not ended_high([1.0, 9.0])
    assert not ended_high([1.0])
    assert not ended_high([np.nan, 3.0])


def test_leaving_a_perfect_start_a_little_is_no_divergence():
    X = np.random.default_rng(0).standard_normal((50, 2))
    y = X @ [1.0, 2.0]
    model = MLPRegressor(hidden_layer_sizes=(), activation="identity", solver="lbfgs", alpha=0, tol=1e-12, max_iter=500)
    model.set_params(random_state=0).fit(X, y).set_params(solver="adam", warm_start=True, max_iter=5)
    perfect = model.loss_
    with pytest.warns(ConvergenceWarning, match="did not converge") as caught:
        model.fit(X, y)
    assert len(caught) == 1
    assert model.loss_ > 1e3 * perfect
    assert model.stopping_reason_.name == "MAX_ITER"
