"""What perceptrons do with labels of several kinds, and with many rows."""

import numpy as np
import pytest
from scipy import sparse

from steepest.exceptions import InvalidInputError
from steepest.neural_network import MLPClassifier, MLPRegressor
from steepest.neural_network.perceptron import LEAST_BLOCK, SHARED_FROM

X = np.random.default_rng(0).standard_normal((30, 3))
LABELS = np.arange(30) % 3


def classifier(**changes):
    return MLPClassifier((4,), **{"max_iter": 2, "random_state": 0, **changes})


@pytest.mark.filterwarnings("ignore:.*max_iter")
@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (LABELS, np.eye(3, dtype=int)[LABELS], "y holds several labels a sample: the network has learned one"),
        (np.eye(3, dtype=int)[LABELS], LABELS, "y holds one label a sample: the network has learned several"),
        (LABELS, LABELS + 1, r"y holds \[3\]: not in classes \[0, 1, 2\]"),
        (LABELS, LABELS % 2, r"y holds \[0, 1\], not all of \[0, 1, 2\]"),
    ],
)
def test_a_warm_start_refuses_other_labels(before, after, text):
    model = classifier(warm_start=True).fit(X, before)
    with pytest.raises(InvalidInputError, match=text):
        model.fit(X, after)


def test_columns_that_are_no_labels_are_refused():
    with pytest.raises(InvalidInputError, match="2 columns of kind multiclass-multioutput: several labels are columns"):
        classifier().fit(X, np.c_[LABELS, LABELS])


@pytest.mark.filterwarnings("ignore:.*max_iter")
@pytest.mark.parametrize("room", [np.asarray, sparse.csr_matrix])
def test_several_labels_may_come_dense_or_sparse(room):
    columns = np.eye(3, dtype=int)[LABELS]
    dense, other = (classifier().fit(X, y).predict_proba(X) for y in (columns, room(columns)))
    np.testing.assert_array_equal(dense, other)


@pytest.mark.filterwarnings("ignore:.*max_iter")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_many_rows_are_predicted_as_few_are(dtype):
    rows = SHARED_FROM // 8 + LEAST_BLOCK // 2 + 1
    many = np.random.default_rng(1).standard_normal((rows, 3)).astype(dtype)
    model = MLPRegressor(hidden_layer_sizes=(8, 5), activation="tanh", max_iter=1, random_state=0).fit(
        many[:50], many[:50, 0]
    )
    few = np.concatenate([model.predict(many[i : i + 100]) for i in range(0, rows, 100)])
    assert model.predict(many).dtype == dtype
    np.testing.assert_allclose(model.predict(many), few, rtol=0, atol=20 * np.finfo(dtype).eps)
