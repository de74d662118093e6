"""Every exported estimator keeps scikit-learn's contract, its callback protocol, and this library's own promises."""

import importlib
import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier, is_clusterer
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from steepest.exceptions import InvalidInputError
from steepest.solvers.stopping import Reason
from steepest.trace import Trace

ROOMS = ("linear_model", "cluster", "neural_network")


def estimators() -> list[type]:
    """Every estimator class that a room of estimators exports."""
    modules = [importlib.import_module(f"steepest.{room}") for room in ROOMS]
    members = [getattr(module, name) for module in modules for name in module.__all__]
    return sorted({m for m in members if inspect.isclass(m) and issubclass(m, BaseEstimator)}, key=lambda c: c.__name__)


ESTIMATORS = estimators()
MORE_THAN_FLAGS = {"precompute", "average", "verbose"}  # a matrix, from which update on, how much

VARIANTS: dict[str, list[dict[str, Any]]] = {  # settings beside the defaults that take another way through the code
    "ElasticNetCV": [{"cv": 3}],
    "KMeans": [{"solver": "gradient-descent"}, {"init": "random", "n_init": 2}],
    "LassoCV": [{"cv": 3}],
    "LinearRegression": [{"positive": True}, {"solver": "lsqr"}],
    "LogisticRegression": [{"l1_ratio": 1.0}, {"solver": "lbfgs"}],
    "Ridge": [{"positive": True}, {"solver": "sparse_cg"}, {"solver": "svd"}],
    "RidgeCV": [{"cv": 3}],
    "SGDClassifier": [{"loss": "log_loss"}, {"average": True}],
    "SGDRegressor": [{"penalty": "l1", "batch_size": 4}],
}


def data_for(estimator: Any, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return data that every estimator of its kind can learn in a few iterations."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4)) + 3.0 * (np.arange(n) % 3)[:, None]
    y = X @ np.array([1.0, -2.0, 0.0, 0.5]) + 0.1 * rng.standard_normal(n)
    return X, (np.arange(n) % 3 if is_classifier(estimator) or is_clusterer(estimator) else y)


class StopAfter:
    """A callback that asks to stop after so many iterations, and counts what it is told."""

    def __init__(self, limit: int) -> None:
        self.limit, self.ended, self.order = limit, 0, []

    def setup(self, estimator: Any, context: Any) -> None:
        self.order.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.order.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.order.append("begin")

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> bool:
        if context.parent is None:
            self.order.append("end")
            return False
        self.ended += 1
        assert fitted_estimator is not None, "an iteration hands over no fitted estimator"
        return self.ended >= self.limit


def fit(estimator: Any) -> Any:
    X, y = data_for(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too few iterations are asked for on purpose
        return estimator.fit(X, y)


def checks() -> list[Any]:
    """Every check of scikit-learn's for every estimator, as (estimator, check), named."""
    cases = []
    for cls in ESTIMATORS:
        for settings in [{}, *VARIANTS.get(cls.__name__, [])]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                generated = list(estimator_checks_generator(cls(**settings), legacy=True, expected_failed_checks={}))
            cases += [case(estimator, check, settings) for estimator, check in generated]
    return cases


def case(estimator: Any, check: Any, settings: dict[str, Any]) -> Any:
    """Return one check of one estimator, named."""
    kind, name = type(estimator).__name__, getattr(check, "func", check).__name__
    details = [*getattr(check, "keywords", {}).values(), *(f"{key}={value}" for key, value in settings.items())]
    return pytest.param(estimator, check, id="-".join([kind, name, *map(str, details)]))


@pytest.mark.filterwarnings("ignore")  # the checks fit on purpose what cannot converge, and ask only for the outcome
@pytest.mark.parametrize(("estimator", "check"), checks())
def test_scikit_learn_finds_nothing_to_complain_of(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("cls", ESTIMATORS)
class TestEveryEstimator:
    def test_an_iteration_can_be_stopped_by_a_callback(self, cls: type) -> None:
        callback = StopAfter(1)
        estimator = fit(cls().set_callbacks(callback))
        assert callback.order[:2] == ["setup", "begin"]
        assert callback.order[-2:] == ["end", "teardown"]
        assert callback.ended >= 1
        finished = estimator.stopping_reason_
        assert finished is Reason.CALLBACK or finished.converged
        estimator.predict(data_for(estimator)[0])

    def test_scoring_monitor_sees_every_iteration(self, cls: type) -> None:
        scoring = "adjusted_rand_score" if is_clusterer(cls()) else "accuracy" if is_classifier(cls()) else "r2"
        monitor = ScoringMonitor(scoring=scoring)
        fit(cls().set_callbacks(monitor))
        scores = [row[scoring] for row in monitor.get_logs().data if row["task_name"] != "fit"]
        assert len(scores) >= 1
        assert np.all(np.isfinite(scores))

    def test_progress_bar_runs(self, cls: type) -> None:
        fit(cls().set_callbacks(ProgressBar()))

    def test_a_trace_is_left(self, cls: type) -> None:
        estimator = fit(cls())
        assert len(estimator.trace_) >= 1
        assert np.isfinite(estimator.trace_["value"][-1])
        assert estimator.trace_.about["estimator"] == cls.__name__
        assert estimator.trace_.about["message"]
        assert isinstance(estimator.stopping_reason_, Reason)

    def test_a_trace_among_the_callbacks_keeps_parameters(self, cls: type) -> None:
        trace = Trace(parameters=True)
        estimator = fit(cls().set_callbacks(trace))
        assert estimator.trace_ is trace
        assert len(trace.parameters) >= 2
        assert np.all(np.isfinite(trace.parameters))

    def test_watching_changes_nothing(self, cls: type) -> None:
        settings = {"random_state": 0} if "random_state" in cls().get_params() else {}
        plain, watched = fit(cls(**settings)), fit(cls(**settings).set_callbacks(Trace(parameters=True)))
        X, _ = data_for(plain)
        np.testing.assert_allclose(plain.predict(X), watched.predict(X), rtol=1e-6, atol=1e-8)

    def test_the_same_seed_gives_the_same_bits(self, cls: type) -> None:
        settings = {"random_state": 3} if "random_state" in cls().get_params() else {}
        first, second = fit(cls(**settings)), fit(cls(**settings))
        np.testing.assert_array_equal(first.trace_["value"], second.trace_["value"])

    def test_refused_data_leave_no_mark(self, cls: type) -> None:
        X, y = data_for(cls())
        wider = np.pad(X, ((0, 0), (0, 1)), constant_values=np.nan)
        estimator = cls()
        with pytest.raises(ValueError, match="NaN"):
            estimator.fit(wider, y)
        with pytest.raises(NotFittedError):
            estimator.predict(X)
        before = fit(estimator).predict(X)
        with pytest.raises(ValueError, match="NaN"):
            estimator.fit(wider, y)
        np.testing.assert_array_equal(estimator.predict(X), before)

    def test_flags_are_true_or_false(self, cls: type) -> None:
        switches = [p for p in inspect.signature(cls).parameters.values() if isinstance(p.default, bool)]
        X, y = data_for(cls())
        for switch in switches:
            if switch.name not in MORE_THAN_FLAGS:
                with pytest.raises(InvalidInputError, match=f"{switch.name}='False': must be True or False"):
                    cls(**{switch.name: "False"}).fit(X, y)

    def test_numbers_of_numpy_do_as_well(self, cls: type) -> None:
        parameters = cls().get_params()
        numbers = {k: np.asarray(v)[()] for k, v in parameters.items() if isinstance(v, bool | int | float)}
        X, y = data_for(cls())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # n_jobs, and too few iterations, are told elsewhere
            cls(**numbers).fit(X, y)

    def test_survives_clone_and_pickle(self, cls: type) -> None:
        estimator = fit(cls())
        X, _ = data_for(estimator)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).predict(X), estimator.predict(X))
        assert not hasattr(clone(estimator), "trace_")

    def test_the_docstring_begins_with_the_objective(self, cls: type) -> None:
        doc = inspect.getdoc(cls) or ""
        first = "".join(doc.split("\n\n")[:2])
        assert "``" in first, f"{cls.__name__}: the first lines say no objective: {first}"
        assert ">>>" in doc
