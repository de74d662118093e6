"""Convolution: each pass of conv2d against PyTorch, one dimension and deconvolution against SciPy.

PyTorch is asked for every pass by itself, without autograd, in both memory layouts. "off optimum" is the largest error
in units of the largest number of a double-precision result. ``--single`` gives everybody one thread: on a machine that
is busy with other work, threads that wait for each other measure that work.
"""

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compare import Contender, Contest, Regime, run_regimes

Shape = tuple[int, ...]
ALLOWED = {"f4": 2e-5, "f8": 1e-11}
CASES: list[tuple[str, Shape, Shape, dict[str, int], tuple[float, float, float]]] = [
    # name, x, w, settings, goals of forward, input gradient, weight gradient in single precision
    ("3x3 64", (8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}, (1.8, 1.8, 1.8)),
    ("3x3 128", (8, 128, 28, 28), (128, 128, 3, 3), {"padding": 1}, (1.8, 1.8, 1.8)),
    ("3x3 256", (8, 256, 14, 14), (256, 256, 3, 3), {"padding": 1}, (1.3, 1.3, 1.3)),
    ("3x3 of 3 channels", (32, 3, 32, 32), (32, 3, 3, 3), {"padding": 1}, (1.0, 3.0, 1.0)),
    ("3x3 of 1 channel", (128, 1, 28, 28), (8, 1, 3, 3), {"padding": 1}, (1.0, 3.0, 1.0)),
    ("7x7 stride 2 of 3 channels", (8, 3, 224, 224), (64, 3, 7, 7), {"stride": 2, "padding": 3}, (1.0, 3.0, 1.0)),
    ("5x5", (16, 32, 28, 28), (64, 32, 5, 5), {"padding": 2}, (0.9, 0.9, 0.9)),
    ("1x1", (8, 256, 28, 28), (64, 256, 1, 1), {}, (0.9, 0.9, 0.9)),
    ("3x3 stride 2", (8, 64, 56, 56), (128, 64, 3, 3), {"stride": 2, "padding": 1}, (0.9, 0.9, 0.9)),
    ("depthwise 3x3", (8, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64}, (0.9, 0.9, 0.9)),
    ("31x31", (1, 3, 256, 256), (3, 3, 31, 31), {"padding": 15}, (4.0, 4.0, 4.0)),
]
PASSES = ("forward", "dx", "dw")
SHORT = {"f4": 1_000_000_000, "f8": 150_000_000}  # products: less is called CALLS times in a row, as in training
CALLS = 10


def distance(expected: np.ndarray) -> Callable[[Any], float]:
    """Return the largest error, in units of the largest number, of an array or a tensor."""
    largest = float(np.abs(expected).max())
    return lambda found: float(np.abs(np.asarray(found) - expected).max()) / largest


def arrays(dtype: str, *shapes: Shape) -> list[np.ndarray]:
    """Return random numbers."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def ours(
    which: str, x: np.ndarray, w: np.ndarray, dy: np.ndarray, how: dict[str, int], **more: Any
) -> Callable[[], Any]:
    """Return our pass."""
    from steepest import conv2d, conv2d_input_gradient, conv2d_weight_gradient

    if which == "forward":
        return lambda: conv2d(x, w, **how, **more)
    if which == "dx":
        return lambda: conv2d_input_gradient(dy, w, x.shape[2:], **how, **more)
    return lambda: conv2d_weight_gradient(dy, x, w.shape[2:], **how, **more)


def theirs(which: str, x: Any, w: Any, dy: Any, how: dict[str, int]) -> Callable[[], Any]:
    """Return PyTorch's pass, without autograd."""
    import torch

    stride, padding = [how.get("stride", 1)] * 2, [how.get("padding", 0)] * 2
    groups = how.get("groups", 1)
    if which == "forward":
        return lambda: torch.conv2d(x, w, None, stride, padding, [1, 1], groups)
    mask = [which == "dx", which == "dw", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(dy, x, w, None, stride, padding, [1, 1], False, [0, 0], groups, mask)[mask.index(True)]


def repeated(function: Callable[[], Any], calls: int) -> Callable[[], Any]:
    """Return a function that does so many calls, and gives back the last result."""

    def run() -> Any:
        for _ in range(calls - 1):
            function()
        return function()

    return run


def calls_of(dtype: str, case: int) -> int:
    """Return how many calls of a pass are timed together: their time is the sum."""
    from steepest.operators.convolution2d.geometry import Geometry

    _, x_shape, w_shape, how, _ = CASES[case]
    large_kernel = w_shape[2] > 7  # seconds a call for some
    return CALLS if Geometry.of(x_shape, w_shape, **how).products < SHORT[dtype] and not large_kernel else 1


def conv2d_contest(dtype: str, case: int, which: str) -> Contest:
    """Return one pass of one case."""
    import torch

    from steepest.kernels.threads import n_threads

    torch.set_grad_enabled(False)
    torch.set_num_threads(n_threads())
    _, x_shape, w_shape, how, _ = CASES[case]
    x, w = arrays(dtype, x_shape, w_shape)
    double = [torch.from_numpy(array.astype(np.float64)) for array in (x, w)]
    dy = arrays(dtype, tuple(theirs("forward", *double, None, how)().shape))[0]
    expected = theirs(which, *double, torch.from_numpy(dy.astype(np.float64)), how)().numpy()
    calls = calls_of(dtype, case)
    contenders = [Contender("steepest", repeated(ours(which, x, w, dy, how), calls))]
    for name, layout in (("NCHW", torch.contiguous_format), ("channels last", torch.channels_last)):
        tensors = [torch.from_numpy(array).contiguous(memory_format=layout) for array in (x, w, dy)]
        contenders.append(Contender(f"PyTorch {name}", repeated(theirs(which, *tensors, how), calls)))
    return Contest(contenders, distance(expected), ALLOWED[dtype])


def loops_contest() -> Contest:
    """Return the loop form on a small image: what a reader of the article would run."""
    from steepest.reference import conv2d_loops

    x, w = arrays("f8", (4, 8, 32, 32), (16, 8, 3, 3))
    expected = conv2d_loops(x, w)
    contenders = [Contender("steepest", ours("forward", x, w, x, {})), Contender("loops", lambda: conv2d_loops(x, w))]
    return Contest(contenders, distance(expected), 1e-12)


def numpy_ml_contest(dtype: str, case: int) -> Contest:
    """Return the forward pass against a library for teaching, which has channels last.

    Its file is loaded by itself: the package as a whole does not import under a Python of today.
    """
    package = find_spec("numpy_ml")
    assert package is not None and package.origin is not None
    spec = spec_from_file_location("utils", Path(package.origin).parent / "neural_nets" / "utils" / "utils.py")
    assert spec is not None and spec.loader is not None
    utils = module_from_spec(spec)
    spec.loader.exec_module(utils)
    conv2D = utils.conv2D
    _, x_shape, w_shape, how, _ = CASES[case]
    x, w = arrays(dtype, x_shape, w_shape)
    padding, stride = how.get("padding", 0), how.get("stride", 1)
    last, kernels = (
        np.ascontiguousarray(array.transpose(axes)) for array, axes in ((x, (0, 2, 3, 1)), (w, (2, 3, 1, 0)))
    )
    expected = conv2D(last.astype("f8"), kernels.astype("f8"), stride, padding).transpose(0, 3, 1, 2)
    contenders = [
        Contender("steepest", ours("forward", x, w, x, how)),
        Contender("numpy-ml", lambda: conv2D(last, kernels, stride, padding).transpose(0, 3, 1, 2)),
    ]
    return Contest(contenders, distance(expected), ALLOWED[dtype])


def unfolded_contest(dtype: str, case: int) -> Contest:
    """Return the forward pass against plain NumPy, as libraries for teaching do it: unfold the windows, multiply."""
    _, x_shape, w_shape, how, _ = CASES[case]
    x, w = arrays(dtype, x_shape, w_shape)
    p, s = how.get("padding", 0), how.get("stride", 1)

    def unfolded() -> np.ndarray:
        """Copy every window to a column, and multiply by the weights."""
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, w_shape[2:], axis=(2, 3))[:, :, ::s, ::s]
        n, _, height, width = windows.shape[:4]
        columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(w[0].size, -1)
        product = w.reshape(len(w), -1) @ columns
        return np.ascontiguousarray(product.reshape(len(w), n, height, width).transpose(1, 0, 2, 3))

    contenders = [Contender("steepest", ours("forward", x, w, x, how)), Contender("NumPy, unfolded", unfolded)]
    return Contest(contenders, distance(unfolded()), ALLOWED[dtype])


def convolve_contest(dtype: str, d: int, k: int) -> Contest:
    """Return a full convolution in one dimension."""
    from scipy import signal

    from steepest.signal import convolve

    x, w = arrays(dtype, (d,), (k,))
    expected = signal.oaconvolve(x.astype("f8"), w.astype("f8"))
    contenders = [
        Contender("steepest", lambda: convolve(x, w)),
        Contender("scipy oaconvolve", lambda: signal.oaconvolve(x, w)),
        Contender("scipy fftconvolve", lambda: signal.fftconvolve(x, w)),
        Contender("numpy convolve", lambda: np.convolve(x, w)),
    ]
    return Contest(contenders[: 4 if k <= 1000 else 3], distance(expected), ALLOWED[dtype])


def deconvolve_contest(d: int, k: int, dense: bool) -> Contest:
    """Return the estimation of a filter and a bias, with its proof."""
    from scipy import fft, linalg, signal

    from steepest.signal import convolution_matrix, deconvolve

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(d), rng.standard_normal(k)
    y = signal.fftconvolve(x, w) + 0.1 * rng.standard_normal(d + k - 1) + 1.0

    def by_scipy() -> np.ndarray:
        """Autocorrelation by transforms, two solves by Levinson's recursion, the bias by elimination."""
        n = fft.next_fast_len(d + k, real=True)
        X, Y = fft.rfft(x, n), fft.rfft(y, n)
        r, c = fft.irfft(abs(X) ** 2, n)[:k], fft.irfft(X.conj() * Y, n)[:k]
        u, v = linalg.solve_toeplitz(r, np.column_stack([c, np.ones(k)])).T
        s = x.sum()
        b = (y.sum() - s * u.sum()) / (len(y) - s * s * v.sum())
        return np.append(u - s * b * v, b)

    def by_us() -> np.ndarray:
        found = deconvolve(x, y, k)
        return np.append(found.filter, found.bias)

    def by_least_squares() -> np.ndarray:
        A = np.column_stack([convolution_matrix(x, k), np.ones(len(y))])
        return np.asarray(linalg.lstsq(A, y, lapack_driver="gelsy", check_finite=False)[0])

    contenders = [Contender("steepest", by_us), Contender("scipy solve_toeplitz", by_scipy)]
    if dense:
        contenders = [contenders[0], Contender("dense least squares", by_least_squares)]
    return Contest(contenders, distance(by_scipy()), 1e-9)


def regimes(quick: bool) -> list[Regime]:
    """Return all regimes; ``quick`` takes the small ones."""
    found = []
    for dtype in ("f4", "f8"):
        for number, (name, _, _, _, goals) in enumerate(CASES):
            for which, goal in zip(PASSES, goals, strict=True):
                aim = goal if dtype == "f4" else 0.0 if name.startswith("depthwise") else 1.5
                contest = partial(conv2d_contest, dtype, number, which)
                often = f", {calls_of(dtype, number)} calls" if calls_of(dtype, number) > 1 else ""
                found.append(Regime(f"conv2d {dtype} {name}, {which}{often}", contest, aim, repeats=9))
    found.append(Regime("conv2d against the article's loops", loops_contest, 1000.0, repeats=3))
    for number in (0, 6):
        name = f"conv2d f4 against unfolded windows, {CASES[number][0]}, forward"
        found.append(Regime(name, partial(unfolded_contest, "f4", number), 0.0, repeats=5))
        if find_spec("numpy_ml"):
            name = f"conv2d f4 against numpy-ml, {CASES[number][0]}, forward"
            found.append(Regime(name, partial(numpy_ml_contest, "f4", number), 6.0, repeats=5))
    lengths = (16, 100, 1000, 10_000)
    size = 100_000 if quick else 1_000_000
    for dtype in ("f8", "f4"):
        for k in lengths:
            found.append(Regime(f"convolve {dtype} d={size}, k={k}", partial(convolve_contest, dtype, size, k), 1.5))
    found.append(Regime("deconvolve d=30000, k=1000", partial(deconvolve_contest, 30_000, 1000, False), 2.0))
    if not quick:
        dense = partial(deconvolve_contest, 30_000, 1000, True)
        found.append(Regime("deconvolve d=30000, k=1000, dense", dense, 300.0, repeats=2))
        large = partial(deconvolve_contest, 1_000_000, 10_000, False)
        found.append(Regime("deconvolve d=1000000, k=10000", large, 2.0, repeats=3))
    return found


def main(argv: list[str]) -> int:
    """Run the regimes that the options ask for."""
    if "--single" in argv:
        os.environ["STEEPEST_NUM_THREADS"] = "1"
        argv = [option for option in argv if option != "--single"]
    return run_regimes(argv, regimes)
