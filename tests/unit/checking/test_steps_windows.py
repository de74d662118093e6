"""Wrong gradients of convolutions with stride, padding and dilation, written with loops as learners write them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from steepest import check_gradient

STRIDE_PADDING_DILATION = [(2, 0, 1, 5), (1, 1, 1, 3), (2, 1, 1, 4), (1, 0, 2, 5)]


def windows(s: int, p: int, d: int, size: int) -> Any:
    """Places of the output and the slices of the padded input that they see."""
    count = (size + 2 * p - 2 * d - 1) // s + 1
    for i, j in np.ndindex(count, count):
        yield i, j, slice(i * s, i * s + 2 * d + 1, d), slice(j * s, j * s + 2 * d + 1, d)


def model(s: int, p: int, d: int) -> Callable[..., Any]:
    def value(x: Any, W: Any, b: Any, dY: Any) -> Any:
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        out = np.zeros(dY.shape)
        for i, j, rows, columns in windows(s, p, d, x.shape[-1]):
            out[:, :, i, j] = np.tensordot(padded[:, :, rows, columns], W, axes=([1, 2, 3], [1, 2, 3]))
        return np.sum(dY * (out + b[:, None, None]))

    return value


def backward(s: int, p: int, d: int, mistake: str) -> Callable[..., Any]:
    def gradient(x: Any, W: Any, b: Any, dY: Any) -> Any:
        size = x.shape[-1]
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        dpadded, dW = np.zeros_like(padded), np.zeros_like(W)
        kernel = {"flipped": W[:, :, ::-1, ::-1], "channels": W.swapaxes(0, 1)}.get(mistake, W)
        for i, j, rows, columns in windows(s, p, d, size):
            seen = padded[:, :, rows, columns]
            dW += np.tensordot(dY[:, :, i, j], seen[:, :, ::-1, ::-1] if mistake == "dW flipped" else seen, (0, 0))
            dpadded[:, :, rows, columns] += np.tensordot(dY[:, :, i, j], kernel, (1, 0))
        start = 0 if mistake == "not cropped" else p
        db = {"bias of one": dY.sum((2, 3))[0]}.get(mistake, dY.sum((0, 2, 3)))
        return dpadded[:, :, start : start + size, start : start + size], dW, db

    return gradient


@pytest.mark.parametrize(("stride", "padding", "dilation", "size"), STRIDE_PADDING_DILATION)
@pytest.mark.parametrize(
    ("mistake", "block", "code"),
    [
        ("flipped", "x", "reversed"),
        ("channels", "x", "chain-transposed"),
        ("dW flipped", "W", "reversed"),
        ("not cropped", "x", "shifted"),
        ("bias of one", "b", "not-summed"),
    ],
)
def test_a_convolution(
    mistake: str, block: str, code: str, stride: int, padding: int, dilation: int, size: int
) -> None:
    rng = np.random.default_rng(1)
    if mistake == "not cropped" and not padding:
        pytest.skip("nothing is padded, so that nothing is to be cropped")
    x, W, b = rng.normal(size=(2, 2, size, size)), rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2)
    count = (size + 2 * padding - 2 * dilation - 1) // stride + 1
    data = {"dY": rng.normal(size=(2, 2, count, count))}
    value = model(stride, padding, dilation)
    report = check_gradient(value, backward(stride, padding, dilation, mistake), x, W, b, data=data, n_points=2)
    assert [(d.blocks, d.codes) for d in report.diagnoses] == [((block,), (code,))], str(report)
    assert report.unexplained == ()
    assert check_gradient(
        value, backward(stride, padding, dilation, ""), x, W, b, data=data, n_points=2, diagnose=False
    )


def test_strided_correlation_of_a_signal() -> None:
    rng = np.random.default_rng(1)
    x, t, k = rng.normal(size=14), rng.normal(size=6), rng.normal(size=3)

    def value(k: Any, x: Any, t: Any) -> Any:
        out = np.array([np.sum(x[2 * i : 2 * i + 3] * k) for i in range(6)])
        return 0.5 * np.mean((out - t) ** 2)

    def gradient(k: Any, x: Any, t: Any, turn: int = -1) -> Any:
        e = np.array([x[2 * i : 2 * i + 3] @ k for i in range(6)]) - t
        return sum(e[i] * x[2 * i : 2 * i + 3][::turn] for i in range(6)) / 6

    report = check_gradient(value, gradient, k, data={"x": x, "t": t})
    assert report.diagnoses[0].codes == ("reversed",), str(report)
    assert check_gradient(value, lambda k, x, t: gradient(k, x, t, 1), k, data={"x": x, "t": t})
