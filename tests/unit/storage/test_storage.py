"""Every model survives a file, and no damaged or hostile file does harm."""

import json
import os
import re
import stat
import threading
import warnings

import numpy as np
import pytest
import safetensors.numpy
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning

import steepest
import steepest.cluster
import steepest.linear_model
import steepest.neural_network
import steepest.signal
from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU
from steepest.layers.initializers import orthogonal
from steepest.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from steepest.losses import HuberLoss
from steepest.neural_network import MLPClassifier, MLPRegressor, Network
from steepest.trace import Trace

ROOMS = [steepest.linear_model, steepest.cluster, steepest.neural_network]
MODELS = [
    cls
    for room in ROOMS
    for cls in (getattr(room, name) for name in room.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]


def data(n=60):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4))
    return X, X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.standard_normal(n)


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(
            X,
            np.where(y > 0, "yes", "no")
            if hasattr(model, "predict_proba") or hasattr(model, "decision_function")
            else y,
        )


def through_a_file(model, folder):
    steepest.save(model, folder / "model.safetensors")
    return steepest.load(folder / "model.safetensors")


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_every_estimator_predicts_the_same_after_a_file(cls, tmp_path):
    X, y = data()
    model = fitted(cls(), X, y)
    again = through_a_file(model, tmp_path)
    assert type(again) is cls
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert set(vars(again)) == {name for name in vars(model) if "callback" not in name}
    for name, value in vars(again).items():
        assert type(value) is type(vars(model)[name]), name
        assert np.shape(value) == np.shape(vars(model)[name]) if isinstance(value, np.ndarray) else True, name
    seed = {"random_state": 0} if "random_state" in model.get_params() else {}
    twice = [fitted(clone(one).set_params(**seed), X, y).predict(X) for one in (again, model)]
    np.testing.assert_array_equal(*twice)
    np.testing.assert_array_equal(again.trace_["value"], model.trace_["value"])
    assert again.trace_.about == model.trace_.about
    assert again.stopping_reason_ is model.stopping_reason_


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_an_estimator_that_was_never_fitted_keeps_its_parameters(cls, tmp_path):
    model = cls(random_state=7) if "random_state" in cls().get_params() else cls()
    assert through_a_file(model, tmp_path).get_params() == model.get_params()


def with_numpy_numbers(model):
    """Give every number among the parameters as NumPy has it."""
    kinds = {float: np.float64, int: np.int64, bool: np.bool_, str: np.str_}
    parameters = {k: kinds[type(v)](v) for k, v in model.get_params().items() if type(v) in kinds}
    return model.set_params(**parameters)


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_numpy_scalars_among_the_parameters_stay_scalars(cls, tmp_path):
    model = with_numpy_numbers(cls())
    again = through_a_file(model, tmp_path)
    for name, value in model.get_params().items():
        assert type(again.get_params()[name]) is type(value), name
        assert np.shape(again.get_params()[name]) == np.shape(value), name
    assert again.get_params() == model.get_params()


def test_numpy_scalars_of_a_fit_stay_scalars(tmp_path):
    X, y = data()
    model = Lasso(alpha=np.float64(0.1)).fit(X, y)
    again = through_a_file(model, tmp_path)
    assert type(again.intercept_) is type(model.intercept_)
    assert again.alpha == 0.1
    np.testing.assert_array_equal(again.fit(X, y).coef_, model.coef_)
    network = through_a_file(Network([Dense(np.int64(3)), Dense(1)], 3), tmp_path)
    assert network.theta.shape == (16,)
    model.note_ = np.array(2.5)
    assert through_a_file(model, tmp_path).note_.shape == ()


def test_a_model_learns_on_after_a_file_as_it_would_have(tmp_path):
    X, y = data()
    model = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", random_state=0).partial_fit(X, y).partial_fit(X, y)
    again = through_a_file(model, tmp_path).partial_fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], model.partial_fit(X, y).coefs_[0])


def test_labels_dtypes_sparse_coefficients_and_random_states_are_kept(tmp_path):
    X, y = data()
    model = fitted(LogisticRegression(), X.astype(np.float32), y)
    again = through_a_file(model, tmp_path)
    assert again.coef_.dtype == np.float32
    assert again.classes_.tolist() == ["no", "yes"]
    thin = fitted(SGDClassifier(penalty="l1", random_state=np.random.RandomState(3)), X, y).sparsify()
    again = through_a_file(thin, tmp_path)
    assert sparse.issparse(again.coef_)
    np.testing.assert_array_equal(again.coef_.toarray(), thin.coef_.toarray())
    assert again.random_state.randint(1000) == thin.random_state.randint(1000)


def test_feature_names_are_kept_and_checked(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    again = through_a_file(Ridge().fit(frame, y), tmp_path)
    assert again.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(again.predict(frame), Ridge().fit(frame, y).predict(frame))


def test_a_trace_with_parameters_is_kept(tmp_path):
    X, y = data()
    model = Lasso(alpha=0.1).set_callbacks(Trace(parameters=True)).fit(X, y)
    np.testing.assert_array_equal(through_a_file(model, tmp_path).trace_.parameters, model.trace_.parameters)


def test_a_network_with_images_statistics_and_settings_of_its_own(tmp_path):
    layers = [Conv2D(3, 3, padding="same", initializer=orthogonal), BatchNorm(0.8), ReLU(), MaxPool2D(2), Flatten()]
    network = Network(
        [*layers, Dropout(0.2), Dense(2)], (1, 4, 4), loss=HuberLoss(0.7), random_state=0, dtype=np.float32
    )
    X = np.random.default_rng(0).random((20, 1, 4, 4)).astype(np.float32)
    network.fit(X, X.reshape(20, -1)[:, :2], max_iter=2, random_state=0)
    again = through_a_file(network, tmp_path)
    np.testing.assert_array_equal(again.scores(X), network.scores(X))
    assert again.architecture.layers == network.architecture.layers
    assert vars(again.loss) == vars(network.loss)
    assert again.theta.dtype == np.float32


# ---------------------------------------------------------------------- what is refused


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="model is a dict: must be a Network or an estimator of steepest"):
        steepest.save({}, tmp_path / "x")
    from sklearn.linear_model import LinearRegression as Foreign

    with pytest.raises(InvalidInputError, match="only models of steepest can be kept in a file"):
        steepest.save(Foreign(), tmp_path / "x")
    model = Ridge()
    model.note_ = lambda: None
    with pytest.raises(InvalidInputError, match=r"Ridge\.note_ is a function: cannot be kept in a file"):
        steepest.save(model, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def good(tmp_path):
    """A file with a fitted model, its tensors and its metadata."""
    X, y = data()
    path = tmp_path / "good.safetensors"
    steepest.save(MLPClassifier((3,), max_iter=3, tol=0.0, solver="lbfgs", random_state=0).fit(X[:, :2], y > 0), path)
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return path, tensors, metadata


@pytest.fixture(autouse=True)
def _few_iterations_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def refused(path, text):
    with pytest.raises(FileFormatError, match=f"^{re.escape(str(path))}: .*{re.escape(text)}"):
        steepest.load(path)


def test_a_damaged_file_is_refused(good):
    path, _, _ = good
    content = path.read_bytes()
    path.write_bytes(content[:5])
    refused(path, "not a model: 5 bytes are too few for one")
    path.write_bytes(content[:-1])
    refused(path, "not a readable model")
    path.write_bytes((2**40).to_bytes(8, "little") + content[8:])
    refused(path, "announce a header of 1099511627776 bytes")
    path.write_bytes(b"\x80\x04" + b"pickle" * 10)
    refused(path, "not a model")
    Trace().save(path)
    refused(path, "a safetensors file, but no model")


@pytest.mark.parametrize("cut", range(0, 100, 7))
def test_a_truncated_file_is_always_refused(good, cut):
    path, _, _ = good
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * cut // 100])
    with pytest.raises(FileFormatError):
        steepest.load(path)


def changed(good, change=lambda tree: None, **metadata):
    """Write the file again with its description changed."""
    path, tensors, before = good
    tree = json.loads(before["model"])
    change(tree)
    safetensors.numpy.save_file(tensors, path, {**before, "model": json.dumps(tree), **metadata})
    return path


def test_another_version_is_refused(good):
    refused(changed(good, version="2"), "model version '2', this release reads '1'")


@pytest.mark.parametrize(
    "name", ["os:system", "steepest.cli:main", "steepest.linear_model:__class__", "builtins:eval", 7]
)
def test_no_class_outside_of_the_list_is_ever_made(good, name):
    refused(changed(good, lambda tree: tree.update(estimator=name)), "no model, layer or loss of this release")


def test_no_method_is_replaced_by_data(good):
    refused(changed(good, lambda tree: tree["fitted"].update(predict=1)), "'predict': no fitted attribute")
    refused(changed(good, lambda tree: tree["fitted"].update({"__class__": 1})), "'__class__': no fitted attribute")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda tree: tree["parameters"].update(nonsense=1), "contradicts itself: TypeError"),
        (lambda tree: tree["fitted"].update(coefs_={"tensor": "t99", "scalar": False}), "contradicts itself: KeyError"),
        (lambda tree: tree["fitted"].update(coefs_={"strange": 1}), "no value of a model"),
        (lambda tree: tree["fitted"].update(coefs_=[1]), "no value of a model"),
        (lambda tree: tree["fitted"].update(stopping_reason_={"reason": "NOPE"}), "contradicts itself: KeyError"),
        (lambda tree: tree["fitted"]["trace_"]["trace"].pop("value"), "the trace lacks columns"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(good, change, text):
    refused(changed(good, change), text)


def test_a_network_whose_parameters_do_not_fit_is_refused(tmp_path):
    path = tmp_path / "network"
    steepest.save(Network([Dense(2)], 3), path)
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
    safetensors.numpy.save_file({"t0": np.zeros(5)}, path, metadata)
    refused(path, "the parameters have shape (5,): the layers need (8,)")


def test_a_deep_description_is_refused(good):
    path, tensors, before = good
    deep = '{"list":[' * 3000 + "]}" * 3000
    model = before["model"].replace('"fitted": {', f'"fitted": {{"deep_": {deep}, ')
    safetensors.numpy.save_file(tensors, path, {**before, "model": model})
    with pytest.raises(FileFormatError):
        steepest.load(path)


# ---------------------------------------------------------------------- what a fitted model must hold


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_a_fitted_model_without_what_predicting_needs_is_refused(cls, tmp_path):
    """Whatever attribute a file lacks: it is refused, or the model predicts as before."""
    X, y = data()
    model = fitted(cls(), X, y)
    expected, path = model.predict(X), tmp_path / "model"
    steepest.save(model, path)
    with safetensors.safe_open(path, "np") as file:
        before = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    refusals = 0
    for name in json.loads(before["model"])["fitted"]:
        tree = json.loads(before["model"])
        del tree["fitted"][name]
        safetensors.numpy.save_file(tensors, path, {**before, "model": json.dumps(tree)})
        try:
            again = steepest.load(path)
        except FileFormatError as error:
            assert f"{cls.__name__}: fitted, but without {name}" in str(error)
            refusals += 1
            continue
        np.testing.assert_array_equal(again.predict(X), expected)
    assert refusals


def lasso_file(path):
    X, y = data()
    steepest.save(Lasso(alpha=0.1).fit(X, y), path)
    with safetensors.safe_open(path, "np") as file:
        return path, {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.mark.parametrize(
    ("part", "name", "value", "text"),
    [
        ("parameters", "alpha", "x", "Lasso.alpha='x': must be a number"),
        ("parameters", "fit_intercept", "no", "Lasso.fit_intercept='no': must be true or false"),
        ("parameters", "selection", 3, "Lasso.selection='3': must be text"),
        ("fitted", "coef_", "x", "Lasso: coef_ is a str: must be an array"),
    ],
)
def test_values_of_another_kind_are_refused(tmp_path, part, name, value, text):
    good = lasso_file(tmp_path / "model")
    refused(changed(good, lambda tree: tree[part].update({name: value})), text)


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    with pytest.raises(InvalidInputError, match=r"^Lasso\.alpha='x': must be a number$"):
        steepest.save(Lasso(alpha="x"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("units", [99_999_999_999, 2**62])
def test_a_network_that_announces_more_than_it_holds_is_refused_before_it_is_made(tmp_path, units, monkeypatch):
    path = tmp_path / "network"
    steepest.save(Network([Dense(2)], 3), path)
    monkeypatch.setattr("steepest.storage.codec.Network", None)  # making one would ask for terabytes
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tree = json.loads(metadata["model"])
    tree["network"]["layers"]["list"][0]["fields"]["units"] = units
    safetensors.numpy.save_file(tensors, path, {**metadata, "model": json.dumps(tree)})
    refused(path, f"the parameters have shape (8,): the layers need ({4 * units},)")


def test_a_description_that_is_no_text_is_refused(good):
    path, _, _ = good
    header = json.dumps({"__metadata__": {"format": "steepest model", "version": "1", "model": 3}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    refused(path, "the description of the model must be text, not int")


# ---------------------------------------------------------------------- where it is written


def test_a_link_stays_a_link_and_a_part_of_the_users_stays(tmp_path):
    target, link, part = tmp_path / "target", tmp_path / "link", tmp_path / "link.part"
    target.write_text("old")
    part.write_text("mine")
    link.symlink_to(target)
    steepest.save(Ridge(alpha=2.0), link)
    assert link.is_symlink()
    assert steepest.load(target).alpha == 2.0
    assert part.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"target", "link", "link.part"}


def test_a_link_to_nothing_leads_to_the_new_file(tmp_path):
    (tmp_path / "link").symlink_to("target")
    steepest.save(Ridge(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    steepest.save(Ridge(alpha=2.0), pipe)
    reader.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "copy").write_bytes(got[0])
    assert steepest.load(tmp_path / "copy").alpha == 2.0


def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_the_umask(tmp_path):
    plain, kept, new = tmp_path / "plain", tmp_path / "kept", tmp_path / "new"
    plain.touch()
    kept.touch()
    kept.chmod(0o640)
    steepest.save(Ridge(), kept)
    steepest.save(Ridge(), new)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert new.stat().st_mode == plain.stat().st_mode
