r"""Convolution by products of spectra: for large kernels.

Notes
-----
A circular correlation of period L is a product of spectra, ``F(y) = sum_c F(x_c) conj(F(w_c))``. With L at least the
padded input's side H_p, nothing wraps around in the places where the kernel lies inside: place i reads ``i ... i + d
(k-1)``, at most ``H_p - 1``. So one transform of every channel, image by image, and of every kernel, spread by its
dilation; a stride keeps every s-th output. Work does not depend on the kernel's size.

Input gradient, the adjoint: ``F(dx_c) = sum_o F(dy_o) F(w_oc)``, dy spread by the stride. Weight gradient: ``F(dw_oc)
= sum_n F(x_nc) conj(F(dy_no))``, of which the places ``d k`` are the taps. Both stay inside for the same reason. The
error is some units in the last place of the largest output of an image, for every output.
"""

from typing import Any

import numpy as np
from scipy import fft

from steepest.kernels.threads import n_threads
from steepest.operators.convolution2d.geometry import Geometry, Pair
from steepest.operators.convolution2d.reference import pad
from steepest.typing import Array


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H', W')."""
    length = _length(g)
    seen, kernels = _spectra(pad(x, g), length), np.conj(_spectra(spread(w, g.dilation), length))
    product = _sum_products("ngcf,gocf->ngof", _by_group(seen, g), _by_group(kernels, g, len(w)))
    y = _back(product, g.batch, length)[:, :, : _span(g, 0) : g.stride[0], : _span(g, 1) : g.stride[1]]
    return np.ascontiguousarray(y) if b is None else y + b[:, None, None]


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    length = _length(g)
    slopes, kernels = _spectra(spread(dy, g.stride), length), _spectra(spread(w, g.dilation), length)
    product = _sum_products("ngof,gocf->ngcf", _by_group(slopes, g), _by_group(kernels, g, len(w)))
    (top, _), (left, _) = g.padding
    dx = _back(product, g.batch, length)
    return np.ascontiguousarray(dx[:, :, top : top + g.size[0], left : left + g.size[1]])


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C / groups, kH, kW)."""
    length = _length(g)
    seen, slopes = _spectra(pad(x, g), length), np.conj(_spectra(spread(dy, g.stride), length))
    product = _sum_products("ngof,ngcf->gocf", _by_group(slopes, g), _by_group(seen, g))
    rows, columns = (g.dilation[i] * (g.kernel[i] - 1) + 1 for i in (0, 1))
    dw = _back(product, g.out_channels, length)
    return np.ascontiguousarray(dw[:, :, : rows : g.dilation[0], : columns : g.dilation[1]])


def spread(x: Array, step: Pair) -> Array:
    """Return x with ``step - 1`` zeros between neighbours along the last two axes."""
    if step == (1, 1):
        return x
    size = [(x.shape[2 + i] - 1) * step[i] + 1 for i in (0, 1)]
    wide = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    wide[:, :, :: step[0], :: step[1]] = x
    return wide


def _length(g: Geometry) -> Pair:
    rows, columns = (fft.next_fast_len(g.size[i] + sum(g.padding[i]), real=True) for i in (0, 1))
    return int(rows), int(columns)


def _span(g: Geometry, i: int) -> int:
    return g.stride[i] * (g.out_size[i] - 1) + 1


def _spectra(x: Array, length: Pair) -> Any:
    """Return the spectra (leading axes, frequencies)."""
    spectra = fft.rfft2(x, length, workers=n_threads())
    return spectra.reshape(*x.shape[:2], -1)


def _by_group(spectra: Any, g: Geometry, kernels: int = 0) -> Any:
    """Return spectra of channels as (N, groups, channels, f), or those of kernels as (groups, O, C, f)."""
    if kernels:
        return spectra.reshape(g.groups, kernels // g.groups, *spectra.shape[1:])
    return spectra.reshape(g.batch, g.groups, -1, spectra.shape[-1])


def _sum_products(indices: str, first: Any, second: Any) -> Any:
    return np.einsum(indices, first, second)


def _back(product: Any, leading: int, length: Pair) -> Array:
    """Return the transforms back, (leading, channels, rows, columns)."""
    spectra = product.reshape(leading, -1, length[0], length[1] // 2 + 1)
    return np.asarray(fft.irfft2(spectra, length, workers=n_threads(), overwrite_x=True))
