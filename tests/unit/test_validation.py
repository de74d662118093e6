"""Data that need no change pass the door without scikit-learn's checks, and nothing else does."""

import numpy as np
import pytest
from sklearn import config_context

from steepest.linear_model import Lasso, LogisticRegression, Ridge
from steepest.validation import check_features, check_supervised, encode_labels

X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([1.0, 2.0, 4.0])


def checks_called(monkeypatch, estimator, X, y, **how):
    """Return what comes out, and whether scikit-learn was asked."""
    from sklearn.utils import validation

    calls = []
    original = validation.validate_data
    monkeypatch.setattr(validation, "validate_data", lambda *a, **k: calls.append(1) or original(*a, **k))
    return check_supervised(estimator, X, y, **how), bool(calls)


def test_plain_arrays_pass_as_they_are(monkeypatch):
    model = Ridge()
    model.feature_names_in_ = np.array(["a", "b"])
    (found, y, weight), asked = checks_called(monkeypatch, model, X, Y)
    assert not asked and found is X and y is Y and weight is None
    assert model.n_features_in_ == 2 and not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize(
    ("bad", "y", "how"),
    [
        (X.tolist(), Y, {}),
        (X.astype(int), Y, {}),
        (X, Y.tolist(), {}),
        (X, Y.astype(object), {}),
        (X, Y[:, None], {"multi_output": True}),
        (np.asfortranarray(X), Y, {"order": "C"}),
        (X, Y, {"reset": False}),
    ],
)
def test_everything_else_is_checked(monkeypatch, bad, y, how):
    model = Ridge().fit(X, Y)
    (found, y, _), asked = checks_called(monkeypatch, model, bad, y, **how)
    assert asked
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(y.ravel(), Y)


@pytest.mark.parametrize("model", [Ridge(), Lasso(), LogisticRegression()])
@pytest.mark.parametrize(
    ("X", "y", "text"),
    [
        (X, Y[:2], "inconsistent"),
        (X[:0], Y[:0], "0 sample"),
        (X[:, :0], Y, "0 feature"),
        (X[0], Y, "2D"),
        (np.where(X == 4.0, np.nan, X), Y, "NaN"),
        (np.where(X == 4.0, np.inf, X), Y, "infinity"),
        (X, np.where(Y == 2.0, np.nan, Y), "NaN"),
        (X, None, "None"),
    ],
)
def test_what_no_model_can_use_is_refused(model, X, y, text):
    with pytest.raises(ValueError, match=text):
        model.fit(X, y)


def test_sums_that_overflow_are_no_reason_to_refuse(monkeypatch):
    large = np.array([[1e308, 1.0], [1e308, 2.0]])
    (found, _, _), asked = checks_called(monkeypatch, Ridge(), large, Y[:2])
    assert asked and found is large


def test_the_data_are_not_read_where_somebody_else_looks_for_what_is_not_finite(monkeypatch):
    bad = np.where(X == 4.0, np.nan, X)
    (found, _, _), asked = checks_called(monkeypatch, Ridge(), bad, Y, finite=False)
    assert not asked and found is bad
    with config_context(assume_finite=True):
        assert check_supervised(Ridge(), bad, Y)[0] is bad


def test_features_of_another_number_are_refused_in_predict():
    model = Ridge().fit(X, Y)
    assert check_features(model, X) is X
    for bad, text in ((X[:, :1], "features"), (np.where(X == 4.0, np.nan, X), "NaN")):
        with pytest.raises(ValueError, match=text):
            model.predict(bad)


@pytest.mark.parametrize(
    "y",
    [
        np.array([2**64 - 1, 2**64 - 3, 2**64 - 1], np.uint64),
        np.array([2**63 - 1, 2**63 - 3], np.int64),
        np.array([-(2**63), -(2**63) + 9], np.int64),
        np.array([127, -128, 0], np.int8),
        np.array([255, 0, 7], np.uint8),
        np.array([5, -3, 5], ">i4"),
    ],
    ids=lambda y: str(y.dtype),
)
def test_integer_labels_at_the_ends_of_their_range(y):
    classes, numbers = encode_labels(y)
    expected = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(classes, expected[0])
    np.testing.assert_array_equal(numbers, expected[1])
    assert classes.dtype == y.dtype.newbyteorder("=")
