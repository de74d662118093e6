r"""Convolution as array code: all windows at once, and one contraction.

Notes
-----
Shapes: x (N, C, H, W), w (O, C, kH, kW), y (N, O, H', W'), with X the zero-padded x (one group; groups are
independent)::

    y_noij = b_o + sum_ckl w_ockl X_{n, c, s i + d k, s j + d l}

Input gradient. X_ncuv is met by every (i, j, k, l) with ``s i + d k = u`` and ``s j + d l = v``, so by the chain rule::

    dX_ncuv = sum_o sum_{s i + d k = u, s j + d l = v} w_ockl dy_noij

With s = d = 1 that is ``sum_okl w_ockl dy_{n, o, u-k, v-l}``: the indices run against each other, so it is the full
convolution of dy with w, or the correlation of dy, padded with kH - 1 and kW - 1 zeros, with the kernel flipped in
both directions, ``w'_kl = w_{kH-1-k, kW-1-l}``, and with the roles of C and O exchanged. With a stride, dy is spread
out first: s - 1 zeros between neighbours.

Weight gradient. w_ockl multiplies X_{n, c, s i + d k, s j + d l} in y_noij, and nothing else::

    dw_ockl = sum_nij dy_noij X_{n, c, s i + d k, s j + d l}

a correlation of the input with the output gradient, in which dy is the kernel (spread by the stride), the shift is the
tap (k, l), and the batch is summed over as channels are in the forward pass. Bias gradient: ``db_o = sum_nij
dy_noij``.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from steepest.operators.convolution2d.geometry import Geometry
from steepest.typing import Array


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H', W')."""
    y = np.einsum("ngcijkl,gockl->ngoij", windows(pad(x, g), g), grouped_weights(w, g), optimize=True)
    y = y.reshape(g.output_shape)
    return np.ascontiguousarray(y if b is None else y + b[:, None, None])


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W): each tap adds its share to the places it read."""
    n, out, per_group = g.batch, g.out_channels // g.groups, g.in_channels // g.groups
    slopes = dy.reshape(n, g.groups, out, *g.out_size)
    weights = grouped_weights(w, g)
    (top, bottom), (left, right) = g.padding
    shape = (n, g.groups, per_group, g.size[0] + top + bottom, g.size[1] + left + right)
    dx = np.zeros(shape, dtype=dy.dtype)
    for k in range(g.kernel[0]):
        for m in range(g.kernel[1]):
            row, column = k * g.dilation[0], m * g.dilation[1]
            rows = slice(row, row + g.stride[0] * (g.out_size[0] - 1) + 1, g.stride[0])
            columns = slice(column, column + g.stride[1] * (g.out_size[1] - 1) + 1, g.stride[1])
            share = np.einsum("ngoij,goc->ngcij", slopes, weights[..., k, m], optimize=True)
            dx[:, :, :, rows, columns] += share
    inside = dx[:, :, :, top : top + g.size[0], left : left + g.size[1]]
    return inside.reshape(g.input_shape)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C / groups, kH, kW)."""
    slopes = dy.reshape(g.batch, g.groups, g.out_channels // g.groups, *g.out_size)
    dw = np.einsum("ngoij,ngcijkl->gockl", slopes, windows(pad(x, g), g), optimize=True)
    return np.ascontiguousarray(dw.reshape(g.weight_shape))


def pad(x: Array, g: Geometry) -> Array:
    """Return x with its zeros around."""
    return np.pad(x, ((0, 0), (0, 0), *g.padding)) if any(map(any, g.padding)) else x


def windows(padded: Array, g: Geometry) -> Array:
    """Return the view (N, groups, C / groups, H', W', kH, kW) of all windows of a padded x."""
    padded = padded.reshape(g.batch, g.groups, g.in_channels // g.groups, *padded.shape[2:])
    *leading, down, right = padded.strides
    strides = (*leading, down * g.stride[0], right * g.stride[1], down * g.dilation[0], right * g.dilation[1])
    return as_strided(padded, (*padded.shape[:3], *g.out_size, *g.kernel), strides, writeable=False)


def grouped_weights(w: Array, g: Geometry) -> Array:
    """Return w as (groups, O / groups, C / groups, kH, kW)."""
    return w.reshape(g.groups, g.out_channels // g.groups, g.in_channels // g.groups, *g.kernel)
