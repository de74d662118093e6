"""Every update rule that is exported keeps the protocol's promises and agrees with torch."""

from dataclasses import FrozenInstanceError, fields
from math import isnan

import numpy as np
import pytest

from steepest.solvers import updates
from steepest.solvers.updates import UPDATES

RULES = {name: make() for name, make in UPDATES.items()}
EXPORTED = {
    value
    for value in vars(updates).values()
    if isinstance(value, type)
    and value.__module__.startswith("steepest.solvers.updates.")
    and value.__name__ != "Update"
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


def follow(rule, gradients, theta, rate):
    """Return every theta of a run over the given gradients."""
    state, path = rule.start(theta), []
    for t, gradient in enumerate(gradients, start=1):
        delta, state = rule.delta(theta, gradient, state, rate, t)
        theta = theta + delta
        path.append(theta)
    return np.array(path)


def on_parabola(rule, curvature, rate, n_steps=3000):
    """Return how far from the minimum of ``curvature x^2 / 2`` the rule ends."""
    theta, state = np.array([1.0]), rule.start(np.array([1.0]))
    for t in range(1, n_steps + 1):
        delta, state = rule.delta(theta, curvature * theta, state, rate, t)
        theta = theta + delta
        if abs(theta[0]) > 1e6:
            break
    return abs(theta[0])


def test_every_exported_rule_has_a_name():
    assert {type(rule) for rule in RULES.values()} == EXPORTED
    assert len(EXPORTED) >= 7


@every_rule
def test_first_step_goes_against_the_gradient(rule):
    theta, gradient = np.zeros(3), np.array([2.0, -0.5, 1e-3])
    delta, _ = rule.delta(theta, gradient, rule.start(theta), 0.1, 1)
    assert np.all(delta * gradient < 0)


@every_rule
def test_arguments_are_left_alone(rule):
    rng = np.random.default_rng(0)
    theta, gradient = rng.normal(size=4), rng.normal(size=4)
    state = rule.delta(theta, gradient, rule.start(theta), 0.1, 1)[1]
    before = [array.copy() for array in (theta, gradient, *state)]
    once = rule.delta(theta, gradient, state, 0.1, 2)[0]
    for array, kept in zip((theta, gradient, *state), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_array_equal(rule.delta(theta, gradient, state, 0.1, 2)[0], once)


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(rule, dtype):
    theta = np.ones(3, dtype)
    delta, state = rule.delta(theta, theta, rule.start(theta), 0.1, 1)
    assert delta.dtype == dtype
    assert all(array.dtype == dtype for array in state)


@every_rule
def test_no_gradient_no_step(rule):
    theta = np.zeros(3)
    delta, _ = rule.delta(theta, np.zeros(3), rule.start(theta), 0.1, 1)
    np.testing.assert_array_equal(delta, 0.0)


@every_rule
def test_stable_rate_is_where_stability_ends(rule):
    limit = rule.stable_rate(5.0)
    if isnan(limit):
        assert rule.usual_rate > 0
        return
    assert on_parabola(rule, 5.0, 0.98 * limit) < 1e-6
    # clipped steps cannot grow: beyond the limit they circle the minimum instead
    assert on_parabola(rule, 5.0, 1.02 * limit) > (0.1 if isinstance(rule, updates.Clipped) else 1e6)


@every_rule
def test_rules_are_frozen_and_documented(rule):
    name = fields(rule)[0].name if fields(rule) else "anything"
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        setattr(rule, name, 0.5)
    for section in ("State:", "Source:", "Examples", ">>> "):
        assert section in type(rule).__doc__


# ---------------------------------------------------------------------- torch


class ClippedDescent:
    """Torch's descent on gradients that are shortened to length 1 first.

    Not ``clip_grad_norm_``: it adds 1e-6 to the length it divides by.
    """

    def __init__(self, torch, parameters):
        self.parameters, self.descent = parameters, torch.optim.SGD(parameters, lr=0.05)

    def step(self):
        for parameter in self.parameters:
            parameter.grad = parameter.grad / parameter.grad.norm().clamp(min=1.0)
        self.descent.step()


PEERS = {
    "plain": lambda torch, p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda torch, p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda torch, p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda torch, p: torch.optim.RMSprop(p, lr=0.05),
    "rmsprop-centered": lambda torch, p: torch.optim.RMSprop(p, lr=0.05, centered=True),
    "adagrad": lambda torch, p: torch.optim.Adagrad(p, lr=0.05),
    "adam": lambda torch, p: torch.optim.Adam(p, lr=0.05),
    "amsgrad": lambda torch, p: torch.optim.Adam(p, lr=0.05, amsgrad=True),
    "clipped": ClippedDescent,
    "adamw": lambda torch, p: torch.optim.AdamW(p, lr=0.05),
}
OURS = RULES | {"rmsprop-centered": updates.RMSprop(centered=True)}


def test_every_rule_has_a_peer():
    assert set(PEERS) == set(OURS)


@pytest.mark.parametrize("name", PEERS)
def test_same_steps_as_torch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    start = rng.normal(size=5)
    gradients = rng.normal(size=(40, 5)) * np.array([1.0, 10.0, 1e-3, 1.0, 1e4])
    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    peer, path = PEERS[name](torch, [parameter]), []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        peer.step()
        path.append(parameter.detach().numpy().copy())
    ours = follow(OURS[name], gradients, start, 0.05)
    # 1 + beta applied to a velocity is one multiplication here and two there: the last places may differ
    np.testing.assert_allclose(ours, np.array(path), rtol=1e-11, atol=1e-13)
