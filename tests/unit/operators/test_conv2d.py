"""Two-dimensional convolution: the loop form, every algorithm, edges of the domain, errors."""

from typing import Any

import numpy as np
import pytest

from steepest import (
    conv2d,
    conv2d_backward,
    conv2d_input_gradient,
    conv2d_weight_gradient,
    conv_transpose2d,
)
from steepest.exceptions import InvalidInputError
from steepest.operators.convolution2d import direct, phases, sharing, winograd
from steepest.operators.convolution2d.choice import choose
from steepest.operators.convolution2d.geometry import Geometry
from steepest.reference import conv2d_backward_loops, conv2d_loops
from tests.contracts.derivatives import assert_gradient, breaks

ALGORITHMS = ["auto", "direct", "fft", "reference", "winograd"]
SHAPES = [
    ((2, 3, 6, 7), (4, 3, 3, 3), {"padding": 1}),
    ((1, 2, 5, 9), (3, 2, 5, 2), {"stride": (1, 3)}),
    ((2, 4, 9, 4), (6, 2, 2, 3), {"stride": 2, "padding": (2, 0), "groups": 2}),
    ((1, 1, 8, 8), (2, 1, 3, 2), {"dilation": (2, 3), "padding": 2}),
    ((2, 1, 4, 5), (1, 1, 8, 9), {"padding": 2}),
    ((1, 2, 7, 7), (2, 2, 2, 2), {"stride": 5}),
    ((1, 3, 5, 5), (3, 1, 3, 3), {"groups": 3, "padding": "same"}),
    ((3, 2, 1, 1), (5, 2, 1, 1), {}),
]


def arrays(x_shape: Any, w_shape: Any, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1]))


@pytest.mark.parametrize(("x_shape", "w_shape", "settings"), SHAPES)
class TestAgainstTheLoops:
    @pytest.mark.parametrize("algorithm", ["auto", "direct", "fft", "reference"])
    def test_forward(self, x_shape: Any, w_shape: Any, settings: Any, algorithm: Any) -> None:
        x, w, b = arrays(x_shape, w_shape)
        expected = conv2d_loops(x, w, b, **settings)
        np.testing.assert_allclose(conv2d(x, w, b, algorithm=algorithm, **settings), expected, atol=1e-12)

    @pytest.mark.parametrize("algorithm", ["auto", "direct", "fft", "reference"])
    def test_backward(self, x_shape: Any, w_shape: Any, settings: Any, algorithm: Any) -> None:
        x, w, _ = arrays(x_shape, w_shape)
        dy = np.random.default_rng(1).standard_normal(conv2d(x, w, **settings).shape)
        expected = conv2d_backward_loops(dy, x, w, **settings)
        found = conv2d_backward(dy, x, w, algorithm=algorithm, **settings)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-11)

    def test_the_loops_own_gradients_are_those_of_their_value(self, x_shape: Any, w_shape: Any, settings: Any) -> None:
        x, w, b = arrays(x_shape, w_shape)
        dy = np.random.default_rng(1).standard_normal(conv2d(x, w, **settings).shape)
        dx, dw, db = conv2d_backward_loops(dy, x, w, **settings)
        assert_gradient(lambda v: float(np.sum(dy * conv2d_loops(v, w, b, **settings))), dx, x)
        assert_gradient(lambda v: float(np.sum(dy * conv2d_loops(x, v, b, **settings))), dw, w)
        assert_gradient(lambda v: float(np.sum(dy * conv2d_loops(x, w, v, **settings))), db, b)
        assert breaks(lambda: assert_gradient(lambda v: float(np.sum(dy * conv2d_loops(x, v, b, **settings))), -dw, w))


def assert_equals_the_reference(
    algorithm: str, x_shape: Any, w_shape: Any, dtype: Any, single: float, **settings: Any
) -> None:
    """Compare all passes, to ``single`` of the largest number in single precision."""
    x, w, b = arrays(x_shape, w_shape, dtype)
    tolerance = single if dtype is np.float32 else 1e-13
    y = conv2d(x, w, b, algorithm=algorithm, **settings)
    expected = conv2d(x, w, b, algorithm="reference", **settings)
    assert np.abs(y - expected).max() <= tolerance * np.abs(expected).max()
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    found = conv2d_backward(dy, x, w, algorithm=algorithm, **settings)
    wanted = conv2d_backward(dy, x, w, algorithm="reference", **settings)
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(4, 4), (5, 9), (56, 13), (1, 1), (14, 70), (28, 28), (9, 32)])
@pytest.mark.parametrize("padding", [0, 1, 2, 4])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize(("channels", "filters"), [(5, 11), (3, 10), (6, 3)])  # three of either go a way of their own
def test_minimal_filtering_equals_the_reference(
    channels: int, filters: int, side: int, size: Any, padding: int, dtype: Any
) -> None:
    if min(size) + 2 * padding >= side:
        w_shape = (filters, channels, side, side)
        assert_equals_the_reference("winograd", (2, channels, *size), w_shape, dtype, 1e-5, padding=padding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(3, 4), (5, 9), (56, 13), (1, 1), (14, 71), (28, 28), (57, 32)])
@pytest.mark.parametrize("padding", [0, 1, 2, 4, (1, 2)])
@pytest.mark.parametrize(("channels", "filters"), [(5, 11), (3, 10), (6, 3), (8, 16)])
def test_minimal_filtering_with_a_stride_equals_the_reference(
    channels: int, filters: int, size: Any, padding: Any, dtype: Any
) -> None:
    least = min(n + 2 * p for n, p in zip(size, np.broadcast_to(padding, 2), strict=True))
    if least >= 3:
        w_shape = (filters, channels, 3, 3)
        assert_equals_the_reference("winograd", (2, channels, *size), w_shape, dtype, 1e-5, padding=padding, stride=2)


@pytest.mark.parametrize("padding", [0, 1])
def test_a_stride_saves_the_products_of_phases_that_meet_one_tap(padding: int) -> None:
    """Along a side, 5 products for the phase with two taps, and 4 for the other; 12 without transforms."""
    g = Geometry.of((1, 1, 9, 9), (1, 1, 3, 3), stride=2, padding=padding)
    how = phases.unstrided(g)
    for met in (how.forward.met, how.backward.met):
        assert np.prod(met[:, 1::2] - met[:, ::2], axis=1).sum() == 9**2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("size", [(1, 1), (11, 9), (28, 28), (32, 70)])
@pytest.mark.parametrize(("channels", "filters"), [(1, 5), (4, 9), (24, 16), (25, 16)])  # 24: the last that go by lanes
def test_weight_gradients_around_the_switch_equal_the_reference(
    channels: int, filters: int, size: Any, side: int, dtype: Any
) -> None:
    w_shape = (filters, channels, side, side)
    assert_equals_the_reference("winograd", (3, channels, *size), w_shape, dtype, 1e-5, padding=side // 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [3, 5])
def test_weight_gradients_of_many_channels_and_tiles_go_by_parts(side: int, dtype: Any, monkeypatch: Any) -> None:
    """By channels, where the sums of all are too large for one thread, and by some tiles at a time."""
    for name in ("FEW_CHANNELS", "SUMMED_BYTES", "FACTOR_BYTES"):
        monkeypatch.setattr(winograd, name, 0)
    assert_equals_the_reference("winograd", (3, 19, 40, 28), (21, 19, side, side), dtype, 1e-5, padding=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "settings"),
    [
        ((2, 5, 9, 20), (5, 1, 3, 3), {"padding": 1}),
        ((1, 3, 6, 7), (3, 1, 5, 2), {"padding": (4, 3)}),
        ((3, 2, 12, 11), (2, 1, 4, 5), {"dilation": (2, 1), "padding": (0, 6)}),
        ((1, 1, 1, 1), (1, 1, 1, 1), {}),
        ((2, 3, 14, 33), (3, 1, 5, 5), {"padding": 2}),
        ((1, 2, 5, 18), (2, 1, 5, 5), {"padding": (0, 4)}),
        ((2, 2, 7, 40), (2, 1, 3, 3), {"padding": (3, 5)}),
        ((1, 2, 3, 3), (2, 1, 3, 3), {}),
    ],
)
def test_plane_by_plane_equals_the_reference(x_shape: Any, w_shape: Any, settings: Any, dtype: Any) -> None:
    x, w, b = arrays(x_shape, w_shape, dtype)
    settings = {**settings, "groups": x_shape[1]}
    tolerance = 4e-6 if dtype is np.float32 else 1e-13
    expected = conv2d(x, w, b, algorithm="reference", **settings)
    np.testing.assert_allclose(conv2d(x, w, b, algorithm="depthwise", **settings), expected, atol=10 * tolerance)
    dy = np.random.default_rng(1).standard_normal(expected.shape).astype(dtype)
    found = conv2d_backward(dy, x, w, algorithm="depthwise", **settings)
    for ours, theirs in zip(found, conv2d_backward(dy, x, w, algorithm="reference", **settings), strict=True):
        assert np.abs(ours - theirs).max() <= tolerance * max(np.abs(theirs).max(), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "groups"),
    [
        ((2, 20, 28, 28), (16, 20, 1, 1), 1),  # whole vectors, the last panel narrower
        ((3, 9, 7, 7), (11, 9, 1, 1), 1),  # neither whole vectors nor whole blocks of channels
        ((2, 16, 4, 24), (12, 8, 1, 1), 2),
        ((1, 3, 1, 1), (2, 3, 1, 1), 1),
    ],
)
def test_matrix_products_equal_the_reference(x_shape: Any, w_shape: Any, groups: int, dtype: Any) -> None:
    assert_equals_the_reference("pointwise", x_shape, w_shape, dtype, 4e-6, groups=groups)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "settings"),
    [
        ((2, 3, 9, 32), (16, 3, 3, 3), {"padding": 1}),  # rows of whole vectors, written without a detour
        ((3, 5, 7, 9), (17, 5, 1, 1), {}),
        ((2, 4, 6, 6), (8, 4, 1, 1), {"padding": 1}),
        ((2, 4, 6, 6), (8, 4, 1, 1), {"stride": 2}),
        ((1, 4, 5, 16), (22, 2, 1, 1), {"groups": 2}),  # 11 channels a group: the second tile is not full
        ((2, 3, 40, 70), (9, 3, 7, 7), {"padding": 3, "stride": 2}),  # phases interleaved, vectors and a rest
        ((1, 9, 67, 33), (8, 9, 3, 3), {"padding": 1, "stride": 2}),
        ((1, 2, 37, 41), (4, 2, 4, 3), {"stride": (3, 2), "dilation": (1, 3), "padding": (2, 0)}),
        ((1, 2, 20, 90), (8, 2, 2, 2), {"stride": (2, 5)}),  # places that no window reads
        ((2, 5, 28, 30), (8, 5, 5, 5), {"padding": (4, 2)}),  # rows share the zeros between them
        ((1, 3, 11, 35), (8, 3, 3, 5), {"padding": (0, 1), "stride": (1, 2)}),
    ],
)
def test_register_tiles_equal_the_reference(x_shape: Any, w_shape: Any, settings: Any, dtype: Any) -> None:
    x, w, b = arrays(x_shape, w_shape, dtype)
    tolerance = 4e-6 if dtype is np.float32 else 1e-13
    expected = conv2d(x, w, b, algorithm="reference", **settings)
    y = conv2d(x, w, b, algorithm="direct", **settings)
    assert np.abs(y - expected).max() <= tolerance * np.abs(expected).max()
    dy = np.random.default_rng(1).standard_normal(expected.shape).astype(dtype)
    found = conv2d_backward(dy, x, w, algorithm="direct", **settings)
    wanted = conv2d_backward(dy, x, w, algorithm="reference", **settings)
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "settings"),
    [
        ((3, 16, 20, 21), (64, 16, 3, 3), {"stride": 2, "padding": 1}),
        ((1, 9, 13, 70), (60, 9, 3, 4), {"stride": (1, 2), "padding": (0, 3), "dilation": (2, 1)}),  # channels padded
        ((2, 40, 5, 5), (128, 20, 3, 3), {"groups": 2}),  # read where it lies, several panels and groups
        ((2, 50, 1, 3), (64, 50, 1, 1), {}),  # fewer places than lanes, terms that are no whole tile
        ((1, 70, 120, 40), (64, 70, 2, 1), {"padding": (1, 0)}),  # blocks of rows, the last one smaller
    ],
)
def test_weight_gradients_by_panels_equal_the_reference(
    x_shape: Any, w_shape: Any, settings: Any, dtype: Any, monkeypatch: Any
) -> None:
    g = Geometry.of(x_shape, w_shape, **settings)
    assert direct.fills_panels(g, np.dtype(dtype).itemsize)
    x = np.random.default_rng(0).standard_normal(x_shape).astype(dtype)
    dy = np.random.default_rng(1).standard_normal(g.output_shape).astype(dtype)
    found = conv2d_weight_gradient(dy, x, w_shape[2:], algorithm="direct", **settings)
    expected = conv2d_weight_gradient(dy, x, w_shape[2:], algorithm="reference", **settings)
    assert np.abs(found - expected).max() <= (4e-6 if dtype is np.float32 else 1e-13) * np.abs(expected).max()
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "1")
    alone = conv2d_weight_gradient(dy, x, w_shape[2:], algorithm="direct", **settings)
    np.testing.assert_array_equal(alone, found)


@pytest.mark.parametrize(
    ("algorithm", "w_shape", "settings"),
    [("direct", (9, 6, 3, 3), {"stride": 2}), ("depthwise", (6, 1, 3, 3), {"groups": 6})],
)
def test_threads_change_nothing(algorithm: Any, w_shape: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, _ = arrays((5, 6, 13, 14), w_shape, np.float32)
    dy = np.random.default_rng(1).standard_normal(conv2d(x, w, **settings).shape).astype(np.float32)
    results = []
    for fewest in (10**9, 0):  # products worth a thread: none are, all are
        monkeypatch.setattr(sharing, "THREADED_PRODUCTS", fewest)
        y = conv2d(x, w, algorithm=algorithm, **settings)
        results.append((y, *conv2d_backward(dy, x, w, algorithm=algorithm, **settings)))
    for alone, together in zip(*results, strict=True):
        np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestEveryAlgorithm:
    def test_input_need_not_be_contiguous(self, algorithm: Any) -> None:
        rng = np.random.default_rng(2)
        x = rng.standard_normal((9, 10, 2, 4)).transpose(2, 3, 0, 1)
        w = rng.standard_normal((3, 3, 4, 10))[:, :, :, ::2].transpose(3, 2, 0, 1)
        dy = np.asfortranarray(rng.standard_normal((2, 5, 7, 8)))
        contiguous = [np.ascontiguousarray(array) for array in (dy, x, w)]
        np.testing.assert_array_equal(conv2d(x, w, algorithm=algorithm), conv2d(*contiguous[1:], algorithm=algorithm))
        for ours, theirs in zip(
            conv2d_backward(dy, x, w, algorithm=algorithm),
            conv2d_backward(*contiguous, algorithm=algorithm),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)

    def test_a_batch_may_be_empty(self, algorithm: Any) -> None:
        x, w = np.empty((0, 2, 6, 5), dtype=np.float32), np.ones((3, 2, 3, 3), dtype=np.float32)
        y = conv2d(x, w, algorithm=algorithm)
        assert y.shape == (0, 3, 4, 3)
        dx, dw, db = conv2d_backward(y, x, w, algorithm=algorithm)
        assert dx.shape == x.shape
        np.testing.assert_array_equal(dw, np.zeros_like(w))
        np.testing.assert_array_equal(db, np.zeros(3))
        assert {a.dtype for a in (y, dx, dw, db)} == {np.dtype(np.float32)}

    def test_results_do_not_depend_on_the_number_of_threads(self, algorithm: Any, monkeypatch: Any) -> None:
        x, w, b = arrays((5, 16, 30, 31), (16, 16, 3, 3), np.float32)
        dy = np.random.default_rng(1).standard_normal((5, 16, 28, 29)).astype(np.float32)
        results = []
        for threads in ("1", "2"):
            monkeypatch.setenv("STEEPEST_NUM_THREADS", threads)
            y = conv2d(x, w, b, algorithm=algorithm)
            results.append([y, *conv2d_backward(dy, x, w, algorithm=algorithm)])
        for one, two in zip(*results, strict=True):
            np.testing.assert_array_equal(one, two)

    def test_arguments_are_left_alone(self, algorithm: Any) -> None:
        x, w, _ = arrays((1, 2, 6, 6), (3, 2, 3, 3))
        copies = x.copy(), w.copy()
        y = conv2d(x, w, algorithm=algorithm)
        conv2d_backward(y, x, w, algorithm=algorithm)
        np.testing.assert_array_equal(x, copies[0])
        np.testing.assert_array_equal(w, copies[1])
        assert y.flags.c_contiguous


def test_each_gradient_alone_is_that_of_both() -> None:
    x, w, _ = arrays((2, 3, 9, 8), (4, 3, 3, 2))
    settings: Any = {"stride": 2, "padding": 1}
    dy = np.random.default_rng(1).standard_normal(conv2d(x, w, **settings).shape)
    dx, dw, _ = conv2d_backward(dy, x, w, **settings)
    np.testing.assert_array_equal(conv2d_input_gradient(dy, w, (9, 8), **settings), dx)
    np.testing.assert_array_equal(conv2d_weight_gradient(dy, x, (3, 2), **settings), dw)


def test_lists_and_integers_become_double_precision() -> None:
    y = conv2d([[[[1, 2], [3, 4]]]], [[[[1, 1], [1, 1]]]])
    assert y.dtype == np.float64
    assert y.item() == 10.0


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "settings", "expected"),
    [
        ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}, "winograd"),
        ((8, 64, 56, 56), (32, 64, 5, 5), {"padding": 2}, "winograd"),
        ((8, 64, 56, 56), (64, 64, 3, 5), {"padding": 2}, "direct"),
        ((8, 3, 32, 32), (64, 3, 3, 3), {"padding": 1}, ("winograd", "direct", "winograd")),
        ((8, 3, 56, 56), (64, 3, 3, 3), {"padding": 1}, ("winograd", "direct", "direct")),
        ((8, 3, 64, 64), (64, 3, 3, 3), {"padding": 1}, ("winograd", "direct", "direct")),
        ((8, 2, 32, 32), (64, 2, 3, 3), {"padding": 1}, "direct"),
        ((8, 3, 32, 32), (31, 3, 3, 3), {"padding": 1}, ("winograd", "direct", "direct")),
        ((8, 6, 28, 28), (16, 6, 3, 3), {"padding": 1}, ("winograd", "direct", "winograd")),
        ((8, 6, 28, 28), (15, 6, 3, 3), {"padding": 1}, "direct"),
        ((8, 5, 28, 28), (64, 5, 3, 3), {"padding": 1}, ("winograd", "direct", "direct")),
        ((8, 6, 14, 14), (64, 6, 3, 3), {"padding": 1}, ("winograd", "direct", "direct")),
        ((8, 8, 28, 28), (32, 8, 3, 3), {"padding": 1}, "winograd"),
        ((8, 8, 28, 28), (31, 8, 3, 3), {"padding": 1}, ("winograd", "direct", "winograd")),
        ((8, 32, 28, 28), (8, 32, 3, 3), {"padding": 1}, ("winograd", "winograd", "direct")),
        ((8, 1, 32, 32), (64, 1, 3, 3), {"padding": 1}, "direct"),
        ((8, 16, 32, 32), (3, 16, 5, 5), {"padding": 2}, ("direct", "winograd", "direct")),
        ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1, "stride": 2}, ("winograd", "winograd", "direct")),
        ((8, 64, 28, 28), (64, 64, 3, 3), {"padding": 1, "stride": 2}, "direct"),
        ((8, 256, 56, 56), (256, 256, 3, 3), {"padding": 1, "stride": 2}, "direct"),
        ((8, 64, 56, 56), (64, 64, 5, 5), {"padding": 1, "stride": 2}, "direct"),
        ((8, 64, 56, 56), (64, 64, 1, 1), {}, "pointwise"),
        ((8, 64, 56, 56), (64, 64, 1, 1), {"padding": 1}, "direct"),
        ((8, 3, 56, 56), (64, 3, 1, 1), {}, "direct"),
        ((1, 3, 256, 256), (3, 3, 31, 31), {"padding": 15}, "fft"),
        ((8, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64}, "depthwise"),
        ((8, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64, "stride": 2}, "direct"),
    ],
)
def test_the_rule_of_choice(x_shape: Any, w_shape: Any, settings: Any, expected: str | tuple[str, ...]) -> None:
    g = Geometry.of(x_shape, w_shape, **settings)
    found = choose(g, "forward"), choose(g, "input_gradient"), choose(g, "weight_gradient")
    assert found == ((expected,) * 3 if isinstance(expected, str) else expected)


X, W = np.ones((1, 3, 5, 5)), np.ones((2, 4, 3, 3))


@pytest.mark.parametrize(
    ("x", "w", "settings", "text"),
    [
        (X, W, {}, r"x has 3 channels, w expects 4 \(groups=1\)$"),
        (np.ones((1, 8, 5, 5)), W, {}, r"x has 8 channels, w expects 4 \(groups=1\); groups=2 would fit"),
        (np.ones((1, 12, 5, 5)), W, {"groups": 3}, "w has 2 output channels: must be a multiple of groups=3"),
        (X[0], W, {}, r"x has shape \(3, 5, 5\): must be \(N, C_in, H, W\); one image needs a leading axis: x\[None\]"),
        (X, np.ones((3, 3)), {}, r"w has shape \(3, 3\): .* one kernel needs two leading axes: w\[None, None\]"),
        (X, W[:, :3], {"stride": 0}, r"stride=0: must be a positive integer, or a pair of them \(rows, columns\)"),
        (X, W[:, :3], {"stride": -1}, "stride=-1: must be a positive integer"),
        (X, W[:, :3], {"stride": (1, 2, 3)}, r"stride=\(1, 2, 3\): must be a positive integer, or a pair"),
        (X, W[:, :3], {"stride": 1.5}, "stride=1.5: must be a positive integer"),
        (X, W[:, :3], {"dilation": 0}, "dilation=0: must be a positive integer"),
        (X, W[:, :3], {"padding": -1}, "padding=-1: must be an integer of at least 0, or a pair"),
        (
            X,
            W[:, :3],
            {"padding": "some"},
            "padding='some': must be an integer of at least 0, a pair of them",
        ),
        (X, W[:, :3], {"padding": "same", "stride": 2}, "padding='same' with stride=.*only with stride=1"),
        (X, W[:, :3], {"groups": 0}, "groups=0: must be a positive integer"),
        (
            X,
            W[:, :3],
            {"dilation": 3},
            "the kernel covers 7 of the height .*side would be below 1; padding=1 or",
        ),
        (X.astype(np.float32), W[:, :3], {}, "mixed dtypes: x has float32, w has float64"),
        (X.astype(np.float16), W[:, :3], {}, "x has dtype float16: must be float32 or float64"),
        (X + 1j, W[:, :3], {}, "x has dtype complex128"),
        (X[:, :, :0], W[:, :3], {}, "only the batch may be empty"),
        (X, W[:, :3], {"algorithm": "depthwise"}, "algorithm='depthwise': takes as many groups as channels"),
        (X, W[:, :3], {"algorithm": "fast"}, "algorithm='fast': must be one of"),
        (
            X,
            W[:, :3, :2],
            {"algorithm": "winograd"},
            "algorithm='winograd': takes kernels of 3 x 3 and 5 x 5 .*'direct' takes",
        ),
        (X, W[:, :3], {"algorithm": "pointwise"}, "algorithm='pointwise': takes kernels of 1 x 1 .*'direct' takes"),
    ],
)
def test_errors_name_shapes_and_what_would_fit(x: Any, w: Any, settings: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        conv2d(x, w, **settings)


def test_errors_of_bias_and_slopes() -> None:
    with pytest.raises(InvalidInputError, match=r"b has shape \(3,\): must be \(2,\), one number for each"):
        conv2d(X, W[:, :3], np.ones(3))
    with pytest.raises(InvalidInputError, match="mixed dtypes: x has float64, b has float32"):
        conv2d(X, W[:, :3], np.ones(2, dtype=np.float32))
    with pytest.raises(InvalidInputError, match=r"dy has shape \(1, 2, 5, 5\): must be \(1, 2, 3, 3\)"):
        conv2d_backward(np.ones((1, 2, 5, 5)), X, W[:, :3])
    with pytest.raises(InvalidInputError, match="output_padding=1: must be below the stride"):
        conv_transpose2d(X, W[:1, :3].transpose(1, 0, 2, 3), output_padding=1)
    with pytest.raises(InvalidInputError, match="x has 3 channels, w expects 2"):
        conv_transpose2d(X, W)
    with pytest.raises(InvalidInputError, match="the output would be -1 x -1"):
        conv_transpose2d(np.ones((1, 2, 1, 1)), W, padding=2)


def test_a_single_number_of_nothing() -> None:
    """The smallest of everything."""
    y = conv2d(np.full((1, 1, 1, 1), 3.0), np.full((1, 1, 1, 1), 2.0), stride=7)
    assert y.item() == 6.0
