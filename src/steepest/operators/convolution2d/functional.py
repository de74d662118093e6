"""Two-dimensional convolution as users call it."""

from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.operators.convolution2d.choice import Algorithm, run
from steepest.operators.convolution2d.geometry import Geometry, Padding, Stride, geometry, padding_pairs, pair
from steepest.operators.floats import floats
from steepest.typing import Array

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> Array:
    r"""Slide kernels over images: ``y[n, o, i, j] = b[o] + sum w[o, c, k, l] x[n, c, s i + d k - p, s j + d l - p]``.

    Parameters
    ----------
    x : array (N, C_in, H, W)
        Images, float32 or float64; N may be 0.
    w : array (C_out, C_in / groups, kH, kW)
        Kernels, in the dtype of x.
    b : array (C_out,), optional
        What is added to each output channel.
    stride : int or pair, default 1
        Rows and columns from one window to the next.
    padding : int, pair, "valid" or "same", default 0
        Zeros around the image, on both sides; "valid" is 0, "same" (stride 1 only) keeps the size.
    dilation : int or pair, default 1
        Rows and columns from one element of a window to the next.
    groups : int, default 1
        Channels are cut into so many groups, each convolved with its own share of the kernels.
    algorithm : {"auto", "direct", "pointwise", "depthwise", "winograd", "fft", "reference"}, default "auto"
        "auto" takes the fastest for the shape.

    Returns
    -------
    array (N, C_out, H', W')
        With ``H' = floor((H + 2 p - d (kH - 1) - 1) / s) + 1``, and W' likewise.

    Raises
    ------
    InvalidInputError
        Where shapes, settings or dtypes do not fit; the text says what would.

    Notes
    -----
    As everywhere in machine learning this is the correlation: the kernel is not flipped. Derivations of the gradients:
    `steepest.operators.convolution2d.reference`. Errors, relative to the largest output: about 1e-6 for float32
    ("winograd": 3e-6, the weight gradient of 5 x 5 kernels 1e-5) and 1e-15 for float64 ("winograd": 1e-14). A NaN or
    infinity in x can spread to neighbouring outputs with "winograd", and to all of an image with "fft".

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(x, np.ones((1, 1, 2, 2)))[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    x, w = _arrays(x=x, w=w)
    g = geometry(x.shape, w.shape, stride, padding, dilation, groups)
    if b is not None:
        b = _bias(b, g.out_channels, x)
    if g.batch == 0:
        return np.empty(g.output_shape, dtype=x.dtype)
    y: Array = run("forward", algorithm, g, x, w, b)
    return y


def conv2d_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> tuple[Array, Array, Array]:
    """Pull ``dy = dL/dy`` (N, C_out, H', W') back to ``dx``, ``dw`` and ``db``, in the shapes of x, w and (C_out,).

    The settings are those of the forward pass. Derivation: `steepest.operators.convolution2d.reference`.

    Raises
    ------
    InvalidInputError
        As in `conv2d`, and where dy has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> x, w = np.arange(4.0).reshape(1, 1, 2, 2), np.full((1, 1, 1, 1), 3.0)
    >>> dx, dw, db = conv2d_backward(np.ones((1, 1, 2, 2)), x, w)
    >>> dx[0, 0], dw.item(), db
    (array([[3., 3.],
           [3., 3.]]), 6.0, array([4.]))
    """
    dy, x, w = _arrays(dy=dy, x=x, w=w)
    g = geometry(x.shape, w.shape, stride, padding, dilation, groups)
    _check_slopes(dy, g)
    if g.batch == 0:
        return np.empty_like(x), np.zeros_like(w), np.zeros(g.out_channels, dtype=x.dtype)
    dx = run("input_gradient", algorithm, g, dy, w)
    dw = run("weight_gradient", algorithm, g, dy, x)
    return dx, dw, bias_gradient(dy)


def conv2d_input_gradient(
    dy: Array,
    w: Array,
    input_size: tuple[int, int],
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> Array:
    """Pull ``dy`` back to ``dx`` alone: the adjoint of ``x -> conv2d(x, w)``.

    Examples
    --------
    >>> import numpy as np
    >>> conv2d_input_gradient(np.ones((1, 1, 1, 1)), np.full((1, 1, 2, 2), 3.0), (2, 2))[0, 0]
    array([[3., 3.],
           [3., 3.]])
    """
    dy, w = _arrays(dy=dy, w=w)
    shape = (len(dy), w.shape[1] * groups, *pair("input_size", input_size, 1)) if w.ndim == 4 else ()
    g = geometry(shape, w.shape, stride, padding, dilation, groups)
    _check_slopes(dy, g)
    dx: Array = run("input_gradient", algorithm, g, dy, w) if g.batch else np.empty(shape, dtype=dy.dtype)
    return dx


def conv2d_weight_gradient(
    dy: Array,
    x: Array,
    kernel_size: tuple[int, int],
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> Array:
    """Pull ``dy`` back to ``dw`` alone: the adjoint of ``w -> conv2d(x, w)``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> conv2d_weight_gradient(np.full((1, 1, 1, 1), 2.0), x, (2, 2))[0, 0]
    array([[0., 2.],
           [4., 6.]])
    """
    dy, x = _arrays(dy=dy, x=x)
    kernel = pair("kernel_size", kernel_size, 1)
    channels = x.shape[1] // groups if x.ndim == 4 and isinstance(groups, int) and groups > 0 else 1
    g = geometry(x.shape, (dy.shape[1] if dy.ndim == 4 else 1, channels, *kernel), stride, padding, dilation, groups)
    _check_slopes(dy, g)
    dw: Array = run("weight_gradient", algorithm, g, dy, x) if g.batch else np.zeros(g.weight_shape, dtype=x.dtype)
    return dw


def conv_transpose2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    output_padding: Stride = 0,
    dilation: Stride = 1,
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> Array:
    r"""Apply the adjoint of a convolution: every input spreads a scaled kernel over the output.

    Parameters
    ----------
    x : array (N, C_in, H, W)
        Images.
    w : array (C_in, C_out / groups, kH, kW)
        Kernels: those of the convolution that leads from C_out channels to C_in.
    b : array (C_out,), optional
        What is added to each output channel.
    stride, padding, dilation, groups
        Of that convolution.
    output_padding : int or pair, default 0
        Rows and columns added below and right: which of the ``stride`` input sizes that lead to H is meant.
    algorithm : str, default "auto"
        As in `conv2d`.

    Returns
    -------
    array (N, C_out, H', W')
        With ``H' = (H - 1) s - 2 p + d (kH - 1) + output_padding + 1``.

    Notes
    -----
    ``<conv2d(u, w), x> = <u, conv_transpose2d(x, w)>`` for all u: it is the input gradient of `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> conv_transpose2d(np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 2, 2)), stride=2)[0, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    """
    x, w = _arrays(x=x, w=w)
    if x.ndim != 4 or w.ndim != 4:
        raise InvalidInputError(
            f"x has shape {x.shape}, w {w.shape}: must be (N, C_in, H, W) and (C_in, C_out / groups, kH, kW)"
        )
    if x.shape[1] != w.shape[0]:
        raise InvalidInputError(f"x has {x.shape[1]} channels, w expects {w.shape[0]}")
    s, d = pair("stride", stride, 1), pair("dilation", dilation, 1)
    kernel, extra = (w.shape[2], w.shape[3]), pair("output_padding", output_padding, 0)
    around = padding_pairs(padding, kernel, s, d)
    if any(extra[i] >= max(s[i], d[i]) for i in (0, 1)):
        raise InvalidInputError(f"output_padding={output_padding!r}: must be below the stride {s} or the dilation {d}")
    size = [(x.shape[2 + i] - 1) * s[i] - sum(around[i]) + d[i] * (kernel[i] - 1) + extra[i] + 1 for i in (0, 1)]
    if min(size) < 1:
        raise InvalidInputError(
            f"the output would be {size[0]} x {size[1]}: must be at least 1 x 1; a smaller padding would fit"
        )
    bias = None if b is None else _bias(b, w.shape[1] * groups, x)
    g = geometry((len(x), w.shape[1] * groups, *size), w.shape, s, padding, d, groups)
    if g.batch == 0:
        return np.empty(g.input_shape, dtype=x.dtype)
    y: Array = run("input_gradient", algorithm, g, _grown(x, g), w)
    return y if bias is None else y + bias[:, None, None]


def bias_gradient(dy: Array) -> Array:
    """Return ``db_o = sum_nij dy_noij``."""
    return np.asarray(dy.sum(axis=(0, 2, 3)))


def _grown(x: Array, g: Geometry) -> Array:
    """Return x with zero rows and columns where ``output_padding`` makes room for one more window."""
    if x.shape[2:] == g.out_size:
        return x
    grown = np.zeros(g.output_shape, dtype=x.dtype)
    grown[:, :, : x.shape[2], : x.shape[3]] = x
    return grown


def _arrays(**named: Any) -> list[Array]:
    """Return contiguous float arrays of one dtype; lists and integers become float64."""
    arrays = list(named.values())
    if all(_is_ready(array, arrays[0]) for array in arrays):
        return arrays
    arrays = [np.ascontiguousarray(floats(name, value)) for name, value in named.items()]
    if len({array.dtype for array in arrays}) > 1:
        dtypes = ", ".join(f"{name} has {array.dtype}" for name, array in zip(named, arrays, strict=True))
        raise InvalidInputError(f"mixed dtypes: {dtypes}; convert them to one with .astype")
    return arrays


def _is_ready(array: Any, first: Any) -> bool:
    """Return whether an array can be taken as it is, if the ``first`` can."""
    return (
        type(array) is type(first) is np.ndarray
        and array.dtype is first.dtype
        and array.dtype in (SINGLE, DOUBLE)
        and array.flags.c_contiguous
    )


def _bias(b: Array, channels: int, x: Array) -> Array:
    array = np.asarray(b)
    if array.shape != (channels,):
        raise InvalidInputError(f"b has shape {array.shape}: must be ({channels},), one number for each output channel")
    return _arrays(x=x, b=array)[1]


def _check_slopes(dy: Array, g: Geometry) -> None:
    if dy.shape != g.output_shape:
        raise InvalidInputError(f"dy has shape {dy.shape}: must be {g.output_shape}, the shape of the output")
