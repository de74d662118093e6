"""Scores against scikit-learn's, and the baselines."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from steepest.report import scores

RNG = np.random.default_rng(0)
Y = RNG.standard_normal(40)
GUESS = Y + 0.3 * RNG.standard_normal(40)
CLASSES = np.array(["a", "b", "c"])
LABELS = RNG.choice(CLASSES, 40, p=[0.6, 0.3, 0.1])
SHARES = RNG.dirichlet(np.ones(3), 40)


def test_measures_agree_with_scikit_learn():
    assert scores.r_squared(Y, GUESS) == pytest.approx(metrics.r2_score(Y, GUESS), abs=1e-14)
    rmse = metrics.root_mean_squared_error(Y, GUESS)
    assert scores.root_mean_squared_error(Y, GUESS) == pytest.approx(rmse, abs=1e-14)
    guess = np.random.default_rng(1).permutation(LABELS)
    assert scores.accuracy(LABELS, guess) == metrics.accuracy_score(LABELS, guess)
    loss = metrics.log_loss(LABELS, SHARES, labels=CLASSES)
    assert scores.log_loss(LABELS, SHARES, CLASSES) == pytest.approx(loss, abs=1e-13)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_measures_do_not_depend_on_the_unit(size):
    assert scores.r_squared(size * Y, size * GUESS) == pytest.approx(scores.r_squared(Y, GUESS), rel=1e-13)
    rmse = size * scores.root_mean_squared_error(Y, GUESS)
    assert scores.root_mean_squared_error(size * Y, size * GUESS) == pytest.approx(rmse, rel=1e-13)


def test_without_spread_there_is_no_share_of_it():
    assert np.isnan(scores.r_squared(np.ones(3), np.arange(3.0)))
    assert scores.root_mean_squared_error(np.ones(3), np.ones(3)) == 0.0


def test_a_certain_error_costs_much_but_not_infinity():
    assert 700 < scores.log_loss(np.array(["a"]), np.array([[0.0, 1.0]]), np.array(["a", "b"])) < 710


@pytest.mark.parametrize("measure", [scores.r_squared, scores.root_mean_squared_error, scores.accuracy])
def test_without_rows_there_is_no_score(measure):
    assert np.isnan(measure(np.empty(0), np.empty(0)))


def test_the_regression_baseline_predicts_the_mean_of_the_training_set():
    model = SimpleNamespace(predict=lambda X: X[:, 0])
    train, test = (np.array([[1.0], [3.0]]), np.array([1.0, 3.0])), (np.array([[5.0]]), np.array([6.0]))
    r2, rmse = scores.regression_scores(model, train, test)
    assert (rmse.train, rmse.test, rmse.baseline) == (0.0, 1.0, 4.0)
    assert r2.train == 1.0
    assert np.isnan(r2.test)  # a single row does not vary
    assert r2.higher_is_better and not rmse.higher_is_better


def test_the_classification_baseline_guesses_the_commonest_class():
    model = SimpleNamespace(
        predict=lambda X: np.array(["a", "b"])[X[:, 0]],
        predict_proba=lambda X: np.eye(2)[X[:, 0]] * 0.8 + 0.1,
        classes_=np.array(["a", "b"]),
    )
    train = (np.array([[0], [0], [1]]), np.array(["a", "a", "b"]))
    test = (np.array([[1], [1]]), np.array(["b", "a"]))
    right, loss = scores.classification_scores(model, train, test)
    assert (right.train, right.test, right.baseline) == (1.0, 0.5, 0.5)
    assert loss.train == pytest.approx(-np.log(0.9))
    assert loss.test == pytest.approx(-(np.log(0.9) + np.log(0.1)) / 2)
    assert loss.baseline == pytest.approx(-(np.log(2 / 3) + np.log(1 / 3)) / 2)


def test_a_classifier_without_probabilities_has_no_log_loss():
    model = SimpleNamespace(predict=lambda X: np.array(["a", "b"])[X[:, 0]])
    data = (np.array([[0], [1]]), np.array(["a", "b"]))
    assert [score.name for score in scores.classification_scores(model, data, data)] == ["accuracy"]
