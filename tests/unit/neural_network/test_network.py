"""Networks, their training, their notices and the range test."""

import re

import numpy as np
import pytest

from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.layers import GELU, BatchNorm, Dense, Dropout, ReLU, Sigmoid, Tanh, sequential
from steepest.losses import HalfSquaredError, HuberLoss
from steepest.neural_network import Network, learning_rate_range_test, train
from steepest.neural_network.notices import notices
from steepest.solvers.schedules import Cosine, ReduceOnPlateau
from steepest.solvers.stopping import Reason
from steepest.solvers.updates import UPDATES, AdamW
from steepest.trace import Trace

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 3))
Y = np.tanh(X[:, 0]) - X[:, 1] * X[:, 2]


def network(*hidden, seed=0, outputs=1, **how):
    layers = [layer for units, activation in hidden for layer in (Dense(units), activation)]
    return Network([*layers, Dense(outputs)], 3, random_state=seed, **how)


def test_parameters_by_name_are_views():
    net = network((4, Tanh()))
    assert list(net.parameters) == ["W1", "b1", "W2", "b2"]
    net.parameters["b2"][:] = 7.0
    assert net.theta[-1] == 7.0
    assert repr(net).startswith("Network([Dense(units=4), Tanh(), Dense(units=1)], ")
    assert "parameters=21" in repr(net)


def test_gradients_by_name_agree_with_automatic_differentiation():
    rng = np.random.default_rng(1)
    torch = pytest.importorskip("torch")
    net = network((5, Tanh()), (4, GELU()), outputs=3, loss="cross_entropy")
    y = rng.integers(0, 3, len(X))
    value, gradient = net.value_and_gradient(X, y)
    leaves = {name: torch.tensor(p.copy(), requires_grad=True) for name, p in net.parameters.items()}
    H = torch.tanh(torch.tensor(X) @ leaves["W1"] + leaves["b1"])
    H = torch.nn.functional.gelu(H @ leaves["W2"] + leaves["b2"])
    loss = torch.nn.functional.cross_entropy(H @ leaves["W3"] + leaves["b3"], torch.tensor(y))
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradient[name], leaf.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("update", [*UPDATES, AdamW(weight_decay=0.1)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 16, None])
def test_every_rule_learns_with_every_kind_of_batch(update, batch_size):
    net = network((8, Tanh()))
    before = net.objective(X, Y).value(net.theta)
    result = net.fit(X, Y, update=update, batch_size=batch_size, max_iter=15, random_state=1, learning_rate=0.003)
    assert net.objective(X, Y).value(net.theta) < before
    assert result.n_iter == 15
    assert np.isfinite(result.trace["gradient_norm_W1"][-1])
    assert result.trace["step_norm_b2"][-1] > 0


@pytest.mark.parametrize("rate", [Cosine(0.01, 10), ReduceOnPlateau(0.01, patience=1), lambda t: 0.01 / t])
def test_schedules_train_alike_compiled_or_not(rate):
    ends = []
    for compiled in (True, False):
        net = network((8, Tanh()))
        net.fit(X, Y, learning_rate=rate, max_iter=10, random_state=1, compiled=compiled)
        ends.append(net.theta)
    np.testing.assert_allclose(*ends, rtol=1e-8)


@pytest.mark.parametrize("how", [{"clip_norm": 0.05}, {"l2": 0.3}, {"sample_weight": RNG.uniform(0.1, 2.0, 120)}])
def test_options_train_alike_compiled_or_not(how):
    ends, values = [], []
    for compiled in (True, False):
        net = network((8, ReLU()), seed=3)
        result = net.fit(X, Y, max_iter=5, random_state=1, compiled=compiled, **how)
        ends.append(net.theta)
        values.append(result.value)
    np.testing.assert_allclose(*ends, rtol=1e-8)
    assert values[0] == pytest.approx(values[1])


def test_many_passes_between_two_steps_lead_to_the_same_parameters():
    alone, watched = network((4, Tanh())), network((4, Tanh()))
    seen = []
    short = alone.fit(X, Y, max_iter=40, random_state=1)
    long = watched.fit(X, Y, max_iter=40, random_state=1, observers=[lambda step: seen.append(step.index)])
    np.testing.assert_array_equal(alone.theta, watched.theta)
    assert seen == list(range(41))
    assert len(short.trace) < len(long.trace) == 41
    assert short.n_iter == 40


def test_an_observer_stops_training():
    result = network((4, Tanh())).fit(X, Y, observers=[lambda step: step.index == 3])
    assert (result.n_iter, result.reason) == (3, Reason.CALLBACK)


def test_the_best_parameters_on_held_out_rows_are_kept():
    net = network((30, Tanh()))
    noise = np.random.default_rng(3).standard_normal(120)
    result = net.fit(X, noise, validation=(X[:30] + 1.0, noise[:30]), patience=10, max_iter=400, learning_rate=0.02)
    losses = result.trace["validation_loss"]
    kept = net.objective(X[:30] + 1.0, noise[:30]).value(net.theta)
    assert kept == pytest.approx(losses.min(), rel=1e-12)
    assert result.reason is Reason.PATIENCE
    assert len(losses) == int(losses.argmin()) + 11
    assert f"the parameters of pass {int(losses.argmin())} are kept" in result.message


def test_a_share_is_held_out():
    net = network((4, Tanh()))
    assert np.isfinite(net.fit(X, Y, validation=0.25, max_iter=2).trace["validation_loss"]).all()
    with pytest.raises(InvalidInputError, match=r"validation=2\.0 of 120 rows: some must be held out"):
        net.fit(X, Y, validation=2.0)


def test_divergence_names_the_pass_and_a_safe_rate_which_is_safe():
    net = network((6, Tanh()))
    with pytest.raises(
        DivergenceError, match=r"diverged at step \d+: .*largest stable learning rate is about"
    ) as caught:
        net.fit(X, Y, update="plain", learning_rate=50.0, batch_size=None, max_iter=1000)
    assert np.isfinite(net.theta).all()
    assert "it began to grow in step" in str(caught.value)
    limit = float(re.search(r"largest stable learning rate is about ([\d.e-]+\d)", str(caught.value))[1])
    safe = float(re.search(r"Plain is safe to begin with at learning_rate=(.+)$", str(caught.value))[1])
    assert 0.05 * limit < safe < 0.2 * limit
    again = network((6, Tanh()))
    result = again.fit(X, Y, update="plain", learning_rate=safe, batch_size=None, max_iter=100)
    assert result.value < result.trace["value"][0]


def test_a_diverged_run_of_adam_names_its_usual_rate():
    with pytest.raises(DivergenceError, match=r"Adam is safe to begin with at learning_rate=0\.001"):
        network((6, ReLU())).fit(X, Y, learning_rate=1e200, max_iter=50)


def test_whole_batch_solvers_and_layers_that_draw():
    net = network((6, Tanh()))
    assert net.fit(X, Y, solver="lbfgs", max_iter=200).value < 0.02
    deep = Network([Dense(8), BatchNorm(), ReLU(), Dropout(0.2), Dense(1)], 3, loss="huber", random_state=0)
    before = deep.objective(X, Y).value(deep.theta)
    deep.fit(X, Y, max_iter=20, learning_rate=0.01, random_state=0)
    assert deep.objective(X, Y).value(deep.theta) < before
    assert not np.allclose(deep.state[1]["mean"], 0.0)


def test_the_same_seed_gives_the_same_bits():
    ends = []
    for _ in range(2):
        net = Network([Dense(6), ReLU(), Dropout(0.3), Dense(1)], 3, random_state=4)
        net.fit(X, Y, max_iter=3, random_state=5)
        ends.append(net.theta)
    np.testing.assert_array_equal(*ends)


def test_single_precision_stays_single():
    net = network((6, Tanh()), dtype=np.float32)
    net.fit(X, Y, max_iter=2)
    assert net.theta.dtype == net.predict(X).dtype == np.float32


def test_predictions_by_kind_of_loss():
    labels = (Y > 0).astype(int)
    for loss, outputs, y in (("logistic", 1, labels), ("cross_entropy", 2, labels)):
        net = network((8, Tanh()), loss=loss, outputs=outputs)
        net.fit(X, y, max_iter=100, learning_rate=0.02, random_state=0)
        assert (net.predict(X) == y).mean() > 0.9
        assert net.predict_proba(X).shape == (120, outputs)
    counts = network((8, Tanh()), loss="poisson")
    assert (counts.predict(X) > 0).all()
    with pytest.raises(InvalidInputError, match="gives no probabilities"):
        counts.predict_proba(X)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: network(loss="squared"), "loss='squared': must be one of"),
        (lambda: network().predict(X[:, :2]), r"X has shape \(120, 2\): the network takes \(n_samples, 3\)"),
        (lambda: network().fit(X, Y[:5]), "X has 120 rows, y has 5: they must be as many"),
        (lambda: network(outputs=2).fit(X, Y), r"y has shape \(120,\): must be \(120, 2\)"),
        (lambda: network().fit(X, Y, max_iter=0), "max_iter=0: must be an integer of at least 1"),
        (lambda: network().fit(X, Y, solver="newton"), "solver='newton': must be one of"),
        (lambda: network((3, BatchNorm())).fit(X, Y, compiled=True), "compiled=True: these layers"),
        (lambda: learning_rate_range_test(network(), X, Y, low=1.0, high=0.1), "low must be below high"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, text):
    with pytest.raises(InvalidInputError, match=text):
        call()


# ---------------------------------------------------------------------- what is wrong with a network


def test_dead_units_are_noticed():
    net = network((6, ReLU()))
    net.parameters["b1"][:2] = -100.0
    result = net.fit(X, Y, max_iter=1, update="plain", learning_rate=1e-6)
    assert any("layer 2: 2 of 6 ReLU units are dead" in text for text in result.trace.about["notices"])


def test_a_unit_that_one_row_wakes_is_not_dead(monkeypatch):
    """However few rows are looked at together."""
    monkeypatch.setattr(sequential, "AT_ONCE", 1)
    net = network((6, ReLU()))
    net.parameters["W1"][:, :2] = 0.0
    net.parameters["b1"][:2] = -1.0
    net.parameters["W1"][0, 0] = 2.0 / X[:, 0].max()  # unit 1 wakes where the first number is largest
    assert any("1 of 6 ReLU units are dead" in text for text in notices(net.objective(X, Y), net.theta))


def test_saturated_units_are_noticed():
    net = network((5, Sigmoid()))
    net.parameters["b1"][:] = 60.0
    found = train(net, X, Y, max_iter=1, learning_rate=1e-9).trace.about["notices"]
    assert any("5 of 5 Sigmoid units are saturated" in text for text in found)


def test_vanishing_and_exploding_gradients_are_noticed():
    deep = network(*[(6, Sigmoid())] * 9)
    notices = deep.fit(X, Y, max_iter=1, learning_rate=1e-9).trace.about["notices"]
    assert any(text.startswith("gradients vanish: those of W1") for text in notices)
    steep = network((6, Tanh()), (6, Tanh()))
    steep.theta *= 1e-3
    steep.parameters["W3"][:] = 1e8
    assert any(
        "explode" in text for text in steep.fit(X, 0 * Y, max_iter=1, learning_rate=1e-12).trace.about["notices"]
    )


def test_a_healthy_network_is_left_in_peace():
    assert network((8, Tanh())).fit(X, Y, max_iter=5).trace.about["notices"] == []


# ---------------------------------------------------------------------- the range test


def test_the_range_test_finds_rates_that_learn_and_leaves_the_network_alone():
    net = network((8, Tanh()))
    before = net.theta.copy()
    test = learning_rate_range_test(net, X, Y, update="plain", high=1e4, random_state=0)
    np.testing.assert_array_equal(net.theta, before)
    assert np.all(np.diff(test.rates) > 0)
    assert test.rates[-1] < 1e4  # it ended where the loss grew
    net.fit(X, Y, update="plain", learning_rate=test.suggestion, max_iter=20, random_state=0)
    assert net.objective(X, Y).value(net.theta) < test.values[0]


# ---------------------------------------------------------------------- explanations


def test_an_explanation_names_every_intermediate_with_its_numbers():
    net = Network([Dense(2), ReLU(), Dense(1)], 2, loss=HalfSquaredError())
    net.theta[:] = [1.0, -1.0, 2.0, 0.5, 0.0, 1.0, 3.0, -2.0, 0.5]
    data, y = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([4.0, 1.0])
    e = net.explain(data, y)
    assert e.names == [
        "X", "y", "W1", "b1", "W2", "b2", "Z1", "H1", "Z2", "L",
        "dL/dZ2", "dL/dW2", "dL/db2", "dL/dH1", "dL/dZ1", "dL/dW1", "dL/db1",
    ]  # fmt: skip
    np.testing.assert_array_equal(e["Z1"], [[5.0, 1.0], [-2.0, 0.5]])
    np.testing.assert_array_equal(e["H1"], [[5.0, 1.0], [0.0, 0.5]])
    np.testing.assert_array_equal(e["Z2"], [[13.5], [-0.5]])
    assert e["L"] == (9.5**2 + 1.5**2) / 4
    value, gradient = net.value_and_gradient(data, y)
    for name, g in gradient.items():
        np.testing.assert_array_equal(e[f"dL/d{name}"], g)
    text = str(e)
    assert "Z1 = X W1 + b1\n" in text
    assert "= [1   2] [1   -1] + [0  1]" in text
    assert "dL/dW2 = H1^T dL/dZ2" in text
    markdown = e.markdown()
    assert markdown.count("$$") == 2 * len(e.names)
    assert r"\frac{\partial L}{\partial W_{1}} = X^T \frac{\partial L}{\partial Z_{1}}" in markdown
    assert r"\begin{bmatrix} 5 & 1 \\ -2 & 0.5 \end{bmatrix}" in markdown
    assert [line.name for line in e] == e.names[6:]
    assert value == e["L"]


def test_large_arrays_show_their_shape_and_every_layer_can_be_explained():
    rng = np.random.default_rng(1)
    net = Network([Dense(40), BatchNorm(), Tanh(), Dropout(0.5), Dense(3)], 3, loss="cross_entropy", random_state=0)
    e = net.explain(X, rng.integers(0, 3, 120))
    assert "<120 x 40>" in str(e)
    assert "dL/dgamma2" in e.names
    net.explain(X, rng.integers(0, 3, 120)).markdown()


@pytest.mark.parametrize("loss", ["logistic", "huber", HuberLoss(0.3)])
def test_other_losses_are_explained(loss):
    net = network((2, Tanh()), loss=loss)
    y = (Y[:2] > 0).astype(float)
    assert net.explain(X[:2], y)["L"] == pytest.approx(net.value_and_gradient(X[:2], y)[0])


@pytest.mark.parametrize(
    ("X", "text"),
    [
        (np.zeros((0, 2)), "X has no rows: there is nothing to learn from"),
        (np.array([[0.0, np.nan], [1.0, 2.0]]), "X holds NaN or infinity: leave such rows out"),
    ],
)
def test_rows_that_cannot_be_learnt_from_are_named(X, text):
    network = Network([Dense(1)], 2)
    with pytest.raises(InvalidInputError, match=text):
        network.fit(X, np.zeros(len(X)))


def test_a_trace_begins_anew_with_every_training():
    X = np.random.default_rng(0).standard_normal((20, 2))
    network, trace = Network([Dense(1)], 2, random_state=0), Trace()
    for n in (5, 3):
        train(network, X, X[:, 0], max_iter=n, trace=trace)
        assert trace["index"][-1] == n
        assert np.all(np.diff(trace["index"]) > 0)
