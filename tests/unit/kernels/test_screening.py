"""The compiled look at all columns equals the reference bounds."""

import numpy as np
import pytest

from steepest.kernels.screening import bound_and_screen, doubtful
from steepest.solvers.duality import duality_gap, primal_value, shrunk_dual
from steepest.solvers.screening import gap_safe


@pytest.fixture
def state():
    rng = np.random.default_rng(3)
    d, moved = 60, 0.4
    norms = rng.random(d)
    norms[::9] = 0.0
    known, known_at = rng.standard_normal(d) * norms, np.where(rng.random(d) < 0.5, moved, 0.1)
    w = np.where((rng.random(d) < 0.4) & (known_at >= moved) & (norms > 0), rng.standard_normal(d), 0.0)
    return known, known_at, moved, norms, w, np.flatnonzero(norms > 0)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.7, 0.3), (0.0, 0.3), (0.0, 0.0), (5.0, 0.1)])
def test_bound_and_screen_equal_their_references(state, l1, l2, positive):
    known, known_at, moved, norms, w, candidates = state
    r_r, r_y = 1.3, 1.9
    seen = np.empty(2)
    kept = bound_and_screen(known, known_at, moved, norms, w, candidates, r_r, r_y, l1, l2, positive, 7.0, seen)
    value, gap = seen
    exact = np.flatnonzero((known_at >= moved) & (norms > 0))
    assert value == pytest.approx(primal_value(r_r, w, l1, l2))
    if l1 == 0.0:
        np.testing.assert_array_equal(kept, candidates)
    if l1 == l2 == 0.0:
        assert gap == pytest.approx(7.0 * known[exact] @ known[exact])
        return
    v, own = known[exact], w[exact]
    dual = shrunk_dual(v, own, r_r, r_y, l1, l2, positive)
    assert gap == pytest.approx(duality_gap(v, own, r_r, r_y, l1, l2, positive))
    if l1 > 0.0:
        shifted = known[candidates] - l2 * w[candidates]
        reach = (shifted if positive else np.abs(shifted)) + norms[candidates] * (moved - known_at[candidates])
        safe = max(value - dual.value, 0.0)
        expected = gap_safe(candidates, dual.shrink * reach, norms[candidates] ** 2, safe, l1, l2, positive)
        np.testing.assert_array_equal(kept, expected)


def test_some_columns_are_ruled_out_and_some_are_not(state):
    known, known_at, moved, norms, _, candidates = state
    w = np.zeros_like(known)
    kept = bound_and_screen(known, known_at, moved, norms, w, candidates, 1.0, 1.0, 0.9, 0.0, False, 1.0, np.empty(2))
    assert 0 < len(kept) < len(candidates)


@pytest.mark.parametrize("positive", [False, True])
def test_doubtful_columns_are_those_that_may_reach_the_threshold(state, positive):
    known, known_at, moved, norms, _, candidates = state
    size = known if positive else np.abs(known)
    expected = [j for j in candidates if known_at[j] < moved and size[j] + norms[j] * (moved - known_at[j]) >= 0.3]
    found = doubtful(known, known_at, moved, norms, candidates, 0.3, positive)
    np.testing.assert_array_equal(found, expected)
    assert 0 < len(found) < len(candidates)
