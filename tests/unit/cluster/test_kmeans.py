"""The estimators: scikit-learn's contract, callbacks, traces, bad input, interruption, memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from steepest.cluster import KMeans, MiniBatchKMeans, inertia_curve, silhouette_values
from steepest.exceptions import InvalidInputError
from steepest.kernels import threads
from steepest.objectives.clustering import nearest
from steepest.solvers.stopping import Reason
from steepest.trace import Trace

MODELS = [KMeans, MiniBatchKMeans]


def blobs(n=300, d=2, k=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) + 4 * rng.standard_normal((k, d))[rng.integers(0, k, n)]


@pytest.mark.parametrize("model", MODELS)
def test_it_works_in_a_pipeline_with_named_outputs(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(blobs(), columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler(), model(3, random_state=0)).set_output(transform="pandas")
    out = pipeline.fit_transform(frame)
    assert list(out.columns) == [f"{model.__name__.lower()}{j}" for j in range(3)]
    np.testing.assert_array_equal(pipeline.predict(frame), pipeline[-1].labels_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("model", MODELS)
def test_labels_are_those_of_predict_and_of_the_centres(model, dtype):
    X = (blobs() + 50).astype(dtype)
    fitted = model(4, random_state=0).fit(X)
    assert fitted.cluster_centers_.dtype == dtype
    np.testing.assert_array_equal(fitted.labels_, nearest(X, fitted.cluster_centers_))
    np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
    np.testing.assert_array_equal(fitted.transform(X).argmin(axis=1), fitted.labels_)
    assert fitted.score(X) == pytest.approx(-fitted.inertia_)
    assert fitted.labels_.dtype == np.int32


def test_the_trace_tells_the_run():
    X = blobs()
    recorder = Trace(parameters=True)
    model = KMeans(4, init=X[:4]).set_callbacks(recorder).fit(X)
    trace = model.trace_
    assert trace is recorder
    assert len(trace) == model.n_iter_ + 1
    assert trace.parameters.shape == (len(trace), 8)
    np.testing.assert_array_equal(trace.parameters[-1].reshape(4, 2), model.cluster_centers_)
    assert trace["value"][-1] == pytest.approx(model.inertia_)
    assert trace["labels_changed"][0] == 300
    assert trace.about["n_clusters"] == 4
    assert trace.about["message"] == model.stopping_reason_.sentence
    saved = KMeans(4, init=X[:4]).fit(X).trace_
    assert len(saved.frames) == 0


def test_iterations_in_one_compiled_call_follow_each_other_in_the_trace(monkeypatch):
    ticks = iter(np.arange(0.0, 1.0, 0.001).tolist())
    monkeypatch.setattr("steepest.solvers.lloyd.perf_counter", lambda: next(ticks))
    model = KMeans(4, init=blobs()[:4]).fit(blobs())
    seconds = model.trace_["seconds"][1:]
    assert len(seconds) > 2
    assert np.all(np.diff(seconds) > 0)
    np.testing.assert_allclose(np.diff(seconds), 0.001 / len(seconds), rtol=1e-6)


def test_of_several_starts_the_best_is_kept_with_its_trace():
    X = blobs(200, k=6)
    single = [KMeans(6, init="random", n_init=1, random_state=s).fit(X).inertia_ for s in range(8)]
    recorder = Trace(parameters=True)
    model = KMeans(6, init="random", n_init=8, random_state=0).set_callbacks(recorder).fit(X)
    assert model.inertia_ < np.mean(single)
    assert recorder["value"][-1] == pytest.approx(model.inertia_)
    assert len(recorder) == model.n_iter_ + 1


class Recorder:
    def __init__(self, stop_after=None, level="iteration"):
        self.tasks, self.stop_after, self.level, self.models = [], stop_after, level, []

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.tasks.append(context.task_name)
        self.models.append(fitted_estimator)
        return self.tasks.count(self.level) == self.stop_after and context.task_name == self.level


def test_callbacks_see_every_iteration_and_can_stop():
    X = blobs(2000, k=9)
    watcher = Recorder()
    model = KMeans(9, init=X[:9], tol=0).set_callbacks(watcher).fit(X)
    assert watcher.tasks == ["iteration"] * model.n_iter_ + ["fit"]
    scores = [m.score(X) for m in watcher.models]
    assert np.all(np.diff(scores) >= -1e-6)
    stopper = Recorder(stop_after=2)
    stopped = KMeans(9, init=X[:9], tol=0).set_callbacks(stopper).fit(X)
    assert stopped.n_iter_ == 2
    assert stopped.stopping_reason_ is Reason.CALLBACK
    np.testing.assert_array_equal(stopped.labels_, stopped.predict(X))


def test_callbacks_see_every_start_and_can_stop_them():
    X = blobs()
    watcher = Recorder()
    KMeans(3, n_init=4, random_state=0).set_callbacks(watcher).fit(X)
    assert watcher.tasks.count("start") == 4
    stopper = Recorder(stop_after=2, level="start")
    KMeans(3, n_init=4, random_state=0).set_callbacks(stopper).fit(X)
    assert stopper.tasks.count("start") == 2


@pytest.mark.parametrize("model", [KMeans(3, random_state=0), KMeans(3, n_init=2), MiniBatchKMeans(3, random_state=0)])
def test_scikit_learns_own_callbacks_work(model, capsys):
    X = blobs()
    monitor = ScoringMonitor(scoring=None)
    model.set_callbacks(monitor, ProgressBar()).fit(X)
    scores = monitor.get_logs()
    scores = scores[-1] if isinstance(scores, list) else scores
    assert len(scores.data) >= 2


def test_solver_gradient_descent_teaches_lloyd():
    X = blobs()
    one = KMeans(4, init=X[:4], tol=1e-12).fit(X)
    same = KMeans(4, init=X[:4], tol=1e-12, solver="gradient-descent").fit(X)
    slow = KMeans(4, init=X[:4], tol=1e-12, solver="gradient-descent", learning_rate=0.3).fit(X)
    np.testing.assert_allclose(same.cluster_centers_, one.cluster_centers_, rtol=1e-9)
    assert slow.n_iter_ > one.n_iter_
    assert slow.stopping_reason_ is Reason.STEP_TOLERANCE


@pytest.mark.parametrize("model", MODELS)
def test_the_result_does_not_depend_on_the_number_of_threads(model, monkeypatch):
    X = np.random.default_rng(0).random((30_000, 3))
    results = []
    for n in ("1", "2", "5"):
        monkeypatch.setenv("STEEPEST_NUM_THREADS", n)
        threads._forget_pool()
        fitted = model(12, random_state=3, max_iter=10).fit(X)
        results.append((fitted.cluster_centers_, fitted.labels_, fitted.inertia_))
    threads._forget_pool()
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_huge_offsets_keep_their_labels_in_double_precision():
    rng = np.random.default_rng(0)
    small = rng.standard_normal((400, 2)) + np.repeat([[0, 0], [8, 8]], 200, axis=0)
    for offset in (1e6, 1e8):
        X = small + offset
        model = KMeans(2, init=X[[0, 399]]).fit(X)
        np.testing.assert_array_equal(model.labels_, np.repeat([0, 1], 200))
    far = np.vstack([small, [[1e9, 1e9]]])  # one sample so far off that subtracting the mean does not help
    model = KMeans(3, init=far[[0, 399, 400]]).fit(far)
    np.testing.assert_array_equal(model.labels_, [*np.repeat([0, 1], 200), 2])


def test_single_precision_labels_are_right_for_the_rounded_numbers():
    X = (np.random.default_rng(0).standard_normal((500, 3)) + 1e5).astype(np.float32)
    model = KMeans(5, random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_, nearest(X, model.cluster_centers_))


@pytest.mark.parametrize("model", MODELS)
def test_edge_cases(model):
    one = model(1).fit(np.array([[3.0, 4.0]]))
    np.testing.assert_array_equal(one.cluster_centers_, [[3.0, 4.0]])
    assert one.inertia_ == 0
    X = blobs()
    np.testing.assert_allclose(KMeans(1).fit(X).cluster_centers_[0], X.mean(axis=0))
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    assert np.all(model(3, random_state=0).fit(constant).cluster_centers_[:, 2] == 7.0)
    every = model(5, random_state=0).fit(np.arange(5.0)[:, None])
    assert sorted(every.cluster_centers_.ravel()) == [0.0, 1.0, 2.0, 3.0, 4.0] or model is MiniBatchKMeans


def test_fewer_different_samples_than_clusters():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    with pytest.warns(ConvergenceWarning, match="only 2 of n_clusters=4 clusters have samples"):
        model = KMeans(4, random_state=0).fit(X)
    assert model.inertia_ == 0
    assert model.cluster_centers_.shape == (4, 2)


BAD = [
    ({"n_clusters": 0}, "n_clusters=0: must be an integer of at least 1"),
    ({"n_clusters": 7}, "n_clusters=7: must be at most the number of samples, n_samples=6"),
    ({"init": "kmeans++"}, "init='kmeans\\+\\+': must be one of .* did you mean 'k-means\\+\\+'"),
    ({"init": [[1.0, 2.0]]}, r"init has shape \(1, 2\): must be \(n_clusters, n_features\) = \(2, 2\)"),
    ({"n_init": "many"}, "n_init='many': must be 'auto' or an integer"),
    ({"n_init": 0}, "n_init=0: must be an integer of at least 1"),
    ({"tol": -1}, "tol=-1: must be a finite number not below 0"),
    ({"max_iter": 0}, "max_iter=0"),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("parameters, message", BAD)
def test_bad_parameters_are_named(model, parameters, message):
    X = np.arange(12.0).reshape(6, 2)
    with pytest.raises(InvalidInputError, match=message):
        model(**{"n_clusters": 2, **parameters}).fit(X)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"algorithm": "hamerly"}, "algorithm='hamerly': must be one of 'lloyd', 'elkan'"),
        ({"solver": "newton"}, "solver='newton': must be one of"),
        ({"learning_rate": 0}, "learning_rate=0: must be a finite number above 0"),
    ],
)
def test_bad_parameters_of_kmeans(parameters, message):
    with pytest.raises(InvalidInputError, match=message):
        KMeans(2, **parameters).fit(np.arange(12.0).reshape(6, 2))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "X, message",
    [
        ([[np.nan, 1.0], [1.0, 2.0]], "NaN"),
        ([1.0, 2.0], "2D array"),
        ([["a", "b"], ["c", "d"]], "could not convert string to float"),
        (np.empty((0, 2)), "minimum of 1 is required"),
    ],
)
def test_bad_data_are_refused(model, X, message):
    with pytest.raises(ValueError, match=message):
        model(1).fit(X)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("value, message", [(np.nan, "Input X contains NaN"), (-np.inf, "Input X contains infinity")])
@pytest.mark.parametrize("row", [0, 500, 1002])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_bad_number_is_found_wherever_it_is(model, value, message, row, weighted):
    X = np.random.default_rng(0).standard_normal((1003, 3))
    X[row, 1] = value
    weights = np.ones(1003)
    weights[row] = 0
    with pytest.raises(ValueError, match=message):
        model(3).fit(X, sample_weight=weights if weighted else None)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dtype, scale, shown", [(np.float64, 1e200, "1.0e.200"), (np.float32, 1e30, "1.0e.30")])
def test_values_whose_squares_overflow_are_refused(model, dtype, scale, shown):
    X = (np.array([[0.5, 1.0], [0.25, 0.0]]) * scale).astype(dtype)
    with pytest.raises(InvalidInputError, match=f"X holds values up to {shown}: their squares overflow"):
        model(1).fit(X)


def test_bad_weights_are_refused():
    X = blobs()
    with pytest.raises(ValueError, match="at least one non-zero"):
        KMeans(2).fit(X, sample_weight=np.zeros(300))
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        KMeans(2).fit(X, sample_weight=-np.ones(300))


def test_a_callable_start_gets_the_data_as_they_are():
    X = blobs() + 100
    seen = {}

    def first(X, n_clusters, random_state):
        seen["X"], seen["random_state"] = X, random_state
        return X[:n_clusters]

    model = KMeans(3, init=first, n_init=1, random_state=0).fit(X)
    np.testing.assert_array_equal(seen["X"], X)
    assert isinstance(seen["random_state"], np.random.RandomState)
    np.testing.assert_array_equal(model.labels_, KMeans(3, init=X[:3]).fit(X).labels_)


def test_given_centres_make_one_run_and_say_so():
    X = blobs()
    start = X[:3].copy()
    with pytest.warns(RuntimeWarning, match="one run only, instead of n_init=5"):
        KMeans(3, init=start, n_init=5).fit(X)
    np.testing.assert_array_equal(start, X[:3])


def test_an_interruption_keeps_the_last_complete_step():
    X = blobs(2000, k=9)

    class Interrupt(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.tasks.append(context.task_name)
            if len(self.tasks) == 3:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted; the last complete step is kept"):
        model = KMeans(9, init=X[:9], tol=0).set_callbacks(Interrupt()).fit(X)
    assert model.stopping_reason_ is Reason.INTERRUPTED
    np.testing.assert_array_equal(model.labels_, nearest(X, model.cluster_centers_))


def test_the_data_are_neither_copied_nor_changed():
    X = np.random.default_rng(0).random((400_000, 16)) + 3
    before = X[::1000].copy()
    KMeans(5, init=X[:5], max_iter=2).fit(X[:1000])  # compiled
    tracemalloc.start()
    KMeans(5, init=X[:5], max_iter=4, copy_x=False).fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(X[::1000], before)
    assert peak < 0.1 * X.nbytes + 4 * len(X) + (1 << 20)  # labels_ and a fixed buffer


def test_verbose_prints_every_iteration(capsys):
    X = blobs()
    model = KMeans(3, init=X[:3], verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_ + 1
    assert lines[0].startswith("iteration 0: SSE ")
    assert lines[0].endswith(" 300 labels changed")


def test_sparse_entries_given_twice_are_added():
    X = sparse.csr_array((np.ones(4), np.array([0, 0, 1, 1]), np.array([0, 2, 4])), shape=(2, 2))
    model = KMeans(2, init=[[2.0, 0.0], [0.0, 2.0]]).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, [[2.0, 0.0], [0.0, 2.0]])
    assert model.inertia_ == 0


def test_minibatch_specifics():
    X = blobs(5000, k=4)
    model = MiniBatchKMeans(4, random_state=0, batch_size=100).fit(X)
    assert model.n_steps_ == len(model.trace_) - 1
    assert model.n_iter_ == -(-model.n_steps_ * 100 // 5000)
    assert model.stopping_reason_ is Reason.PATIENCE
    assert model.inertia_ < 1.2 * KMeans(4, random_state=0, n_init=5).fit(X).inertia_
    quick = MiniBatchKMeans(4, random_state=0, batch_size=100, compute_labels=False).fit(X)
    assert not hasattr(quick, "labels_")
    assert quick.inertia_ == pytest.approx(model.inertia_, rel=0.3)
    np.testing.assert_array_equal(quick.cluster_centers_, model.cluster_centers_)
    assert MiniBatchKMeans(4, random_state=0, tol=10.0).fit(X).stopping_reason_ is Reason.STEP_TOLERANCE
    with pytest.warns(RuntimeWarning, match="init_size=2 is less than n_clusters=4: using 12"):
        MiniBatchKMeans(4, init_size=2, random_state=0).fit(X)


def test_partial_fit_goes_on_from_fit_and_from_clones():
    X = blobs(1000)
    model = MiniBatchKMeans(3, random_state=0).fit(X)
    counts, steps = model._memory.counts.sum(), model.n_steps_
    model.partial_fit(X[:100])
    assert model.n_steps_ == steps + 1
    assert model._memory.counts.sum() == pytest.approx(counts + 100)
    fresh = clone(model)
    assert not hasattr(fresh, "cluster_centers_")
    assert fresh.partial_fit(X[:50]).n_steps_ == 1


def test_choosing_k():
    X = blobs(200, k=3)
    curve = inertia_curve(X, [1, 2, 3], random_state=0)
    assert np.all(np.diff(curve) < 0)
    with pytest.raises(InvalidInputError, match="labels name 1 cluster: a silhouette needs at least 2"):
        silhouette_values(X, np.zeros(200))
    with pytest.raises(InvalidInputError, match=r"labels \(3,\): must be \(n, d\) and \(n,\)"):
        silhouette_values(X, [0, 1, 1])


@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_data_with_one_large_column_are_clustered_as_dense_ones(weighted):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((400, 40)) * (rng.random((400, 40)) < 0.1)
    X[:, 7] = 1e7 + rng.standard_normal(400)
    w = rng.random(400) if weighted else None
    dense, thin = (KMeans(4, init=X[:4]).fit(A, sample_weight=w) for A in (X, sparse.csr_array(X)))
    np.testing.assert_array_equal(thin.labels_, dense.labels_)
    assert thin.n_iter_ == dense.n_iter_
    np.testing.assert_allclose(thin.cluster_centers_, dense.cluster_centers_, rtol=1e-14, atol=1e-14)
    exact = (X - dense.cluster_centers_[dense.labels_]) ** 2
    assert thin.inertia_ == pytest.approx(np.average(exact.sum(axis=1), weights=w) * (400 if w is None else w.sum()))
    assert thin.inertia_ == pytest.approx(dense.inertia_, rel=1e-10)
    np.testing.assert_allclose(thin.trace_["value"], dense.trace_["value"], rtol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_mini_batches_of_few_different_samples_miss_no_cluster(seed):
    X = np.repeat(np.random.default_rng(seed).normal(size=(3, 2)), 2, axis=0)
    assert MiniBatchKMeans(3, n_init=1, random_state=seed).fit(X).inertia_ < 1e-12
