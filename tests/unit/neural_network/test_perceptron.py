"""What perceptrons do with labels of several kinds, and with many rows."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import InvalidInputError
from steepest.neural_network import ConvClassifier, MLPClassifier, MLPRegressor
from steepest.neural_network.perceptron_network import LEAST_BLOCK, SHARED_FROM

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


@pytest.mark.parametrize("n_columns", [2, 4])
def test_a_part_with_another_number_of_labels_is_refused(n_columns):
    model = classifier().partial_fit(X, np.eye(3, dtype=int)[LABELS], classes=[0, 1, 2])
    text = f"y has {n_columns} columns: the network has learned 3 labels"
    with pytest.raises(InvalidInputError, match=text):
        model.partial_fit(X, np.eye(n_columns, dtype=int)[LABELS % n_columns])


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


def in_parts(**settings):
    """A regression that has learned from one part, three times over, all of it in one batch."""
    model = MLPRegressor(hidden_layer_sizes=(4,), **{"random_state": 0, "shuffle": False, "batch_size": 30, **settings})
    for _ in range(3):
        model.partial_fit(X, X[:, 0])
    return model


def after_one_more(model, **settings):
    return copy.deepcopy(model).set_params(**settings).partial_fit(X, X[:, 0])


@pytest.mark.parametrize("before", [{"solver": "adam"}, {"solver": "sgd", "momentum": 0.5}, {"solver": "sgd"}])
def test_another_rule_begins_with_fresh_memory(before):
    model = in_parts(**before)
    plain = {"solver": "sgd", "momentum": 0.8, "nesterovs_momentum": False}
    first = after_one_more(model, **plain)
    at_rest = after_one_more(model, **plain | {"momentum": 0.0})  # a velocity of 0 adds nothing, whatever its share
    for mine, expected in zip(first.coefs_, at_rest.coefs_, strict=True):
        np.testing.assert_array_equal(mine, expected)
    assert not np.array_equal(
        after_one_more(first, momentum=0.8).coefs_[0], after_one_more(first, momentum=0.0).coefs_[0]
    )


def test_the_same_rule_goes_on_with_what_it_remembers():
    model = in_parts(solver="adam")
    whole = MLPRegressor(hidden_layer_sizes=(4,), random_state=0, shuffle=False, batch_size=30, max_iter=4, tol=0.0)
    with pytest.warns(ConvergenceWarning):
        whole.fit(X, X[:, 0])
    np.testing.assert_array_equal(after_one_more(model, alpha=whole.alpha).coefs_[0], whole.coefs_[0])


def test_another_rule_takes_the_rate_asked_for_not_one_that_the_last_has_lowered():
    settings = {"solver": "sgd", "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1}
    model = after_one_more(after_one_more(in_parts(**settings)))
    assert model.trace_["step_size"][-1] < model.learning_rate_init
    assert after_one_more(model, solver="adam").trace_["step_size"][-1] == model.learning_rate_init


def test_a_falling_rate_goes_on_falling_under_another_rule():
    model = in_parts(solver="sgd", learning_rate="invscaling")
    rates = [after_one_more(model, momentum=beta).trace_["step_size"][-1] for beta in (0.9, 0.5)]
    assert rates[0] == rates[1] < model.trace_["step_size"][-1]


@pytest.mark.filterwarnings("ignore:.*max_iter")
def test_no_rule_remembers_what_was_before_l_bfgs():
    model = in_parts(solver="sgd", nesterovs_momentum=False).set_params(solver="lbfgs", warm_start=True, max_iter=2)
    model.fit(X, X[:, 0]).set_params(solver="sgd")
    np.testing.assert_array_equal(after_one_more(model).coefs_[0], after_one_more(model, momentum=0.0).coefs_[0])


@pytest.mark.parametrize("model", [MLPClassifier, MLPRegressor, ConvClassifier])
def test_early_stopping_needs_rows_to_stop_by(model):
    X, y = np.arange(40.0).reshape(10, 4), np.arange(10) % 2
    options = {"image_shape": (1, 2, 2), "filters": 1} if model is ConvClassifier else {}
    with pytest.raises(InvalidInputError, match="validation_fraction=0: must lie strictly between 0 and 1"):
        model(early_stopping=True, validation_fraction=0, **options).fit(X, y)
