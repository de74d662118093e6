"""RidgeCV's own promises; its numbers are held to scikit-learn's in tests/parity."""

import numpy as np
import pytest
from sklearn import config_context, linear_model
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV, GroupKFold

from steepest.exceptions import InvalidInputError
from steepest.linear_model import Ridge, RidgeCV
from steepest.trace import Trace


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    return X, X @ [1.0, -2.0, 3.0] + 4.0 + 0.1 * rng.standard_normal(60)


@pytest.mark.parametrize("cv", [None, 4])
def test_the_fit_is_ridge_with_the_chosen_alpha(data, cv):
    model = RidgeCV([0.01, 1.0, 100.0], cv=cv).fit(*data)
    np.testing.assert_allclose(model.coef_, Ridge(model.alpha_).fit(*data).coef_, rtol=1e-10)
    assert model.certificate_.optimal
    assert len(model.trace_) == 2


def test_samples_of_no_weight_are_predicted_by_the_fit_itself(data):
    X, y = data
    weights = np.ones(60)
    weights[7] = 0
    model = RidgeCV([0.5], scoring="r2", store_cv_results=True).fit(X, y, weights)
    assert model.cv_results_[7, 0] == pytest.approx(model.predict(X[7:8])[0], rel=1e-12)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"alphas": [0, 1]}, r"alphas\[0\] == 0, must be > 0.0"),
        ({"alphas": [1, -1], "cv": 3}, r"alphas\[1\] == -1, must be >= 0.0"),
        ({"alphas": []}, "must be a list of at least one number"),
        ({"alphas": "ab"}, "alphas='ab': must be numbers"),
        ({"gcv_mode": "eig"}, "gcv_mode='eig': must be one of 'auto', 'eigen', 'svd'; did you mean 'eigen'"),
        ({"cv": 3, "store_cv_results": True}, "cv=3 with store_cv_results=True: only leaving one out"),
        ({"cv": 3, "alpha_per_target": True}, "cv=3 with alpha_per_target=True: only leaving one out"),
    ],
)
def test_bad_parameters_are_named(data, parameters, text):
    with pytest.raises(InvalidInputError, match=text):
        RidgeCV(**parameters).fit(*data)


@pytest.mark.parametrize("seed", [1, 13, 30])
def test_small_alphas_are_not_chosen_for_what_rounding_left_of_wide_data(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((40, 40)) * 10.0 ** rng.uniform(-4, 4, 40), rng.standard_normal(40)
    how = {"alphas": 10.0 ** np.arange(-8, 5), "fit_intercept": False, "store_cv_results": True}
    by_rows, by_values = RidgeCV(**how).fit(X, y), RidgeCV(**how, gcv_mode="svd").fit(X, y)
    assert by_rows.alpha_ == by_values.alpha_
    assert np.all(by_rows.cv_results_.mean(axis=0) > 1e-3 * by_values.cv_results_.mean(axis=0))


def test_one_sample_cannot_be_left_out():
    with pytest.raises(InvalidInputError, match="at least 2 samples are needed"):
        RidgeCV().fit([[1.0]], [2.0])


def test_parameters_of_fit_need_routing(data):
    with pytest.raises(InvalidInputError, match="groups: further parameters of fit need"):
        RidgeCV().fit(*data, groups=np.ones(60))


@pytest.mark.parametrize("cv", [None, 3, GroupKFold(3)])
def test_weights_reach_the_fit_and_the_default_score_where_metadata_are_routed(data, cv):
    X, y = data
    metadata = {"sample_weight": np.linspace(0.1, 2.0, 60)}
    if isinstance(cv, GroupKFold):
        metadata["groups"] = np.repeat(np.arange(6), 10)
    with config_context(enable_metadata_routing=True):
        ours, theirs = (M([0.1, 1.0, 10.0], cv=cv).fit(X, y, **metadata) for M in (RidgeCV, linear_model.RidgeCV))
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)


def test_it_says_where_metadata_are_routed_within_a_search(data):
    with config_context(enable_metadata_routing=True):
        model = RidgeCV().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"fit_intercept": [True, False]}).fit(*data, sample_weight=np.ones(60))
    assert search.best_params_ == {"fit_intercept": True}


@pytest.mark.parametrize("scoring", [None, "r2"])
def test_metadata_that_nobody_asked_for_are_refused(data, scoring):
    with config_context(enable_metadata_routing=True), pytest.raises(TypeError, match=r"unexpected argument.*groups"):
        RidgeCV(scoring=scoring).fit(*data, groups=np.ones(60))


@pytest.mark.parametrize("cv", [None, 3])
def test_callbacks_see_the_fit_with_the_chosen_alpha(cv):
    X = np.random.default_rng(0).standard_normal((30, 3))
    trace, monitor = Trace(parameters=True), ScoringMonitor(scoring="r2")
    model = RidgeCV(cv=cv).set_callbacks(trace, monitor).fit(X, X[:, 0])
    assert model.trace_ is trace
    np.testing.assert_allclose(trace.parameters[-1], [*model.coef_, model.intercept_])
    assert trace.about["estimator"] == "RidgeCV"
    assert isinstance(model.solution_method_, str)
    alone = Ridge(model.alpha_).fit(X, X[:, 0])
    np.testing.assert_allclose(model.coef_, alone.coef_, rtol=1e-12)
    assert model.certificate_.optimal
