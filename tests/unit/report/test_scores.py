"""Scores of models beside those of baselines."""

from types import SimpleNamespace

import numpy as np
import pytest

from steepest.report import scores


def test_without_spread_there_is_no_share_of_it():
    assert np.isnan(scores.share_of_spread(np.ones(3), np.arange(3.0)))


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
