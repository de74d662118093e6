"""The other direction: the signal that went through a known filter."""

from typing import Any

import numpy as np
from scipy import fft

from steepest.exceptions import InvalidInputError
from steepest.signal.deconvolution import Deconvolution, Solver, deconvolve
from steepest.signal.inputs import check_signals
from steepest.signal.units import exponent
from steepest.typing import Array, ArrayLike
from steepest.validation import check_parameters, check_positive


def recover(
    y: ArrayLike,
    w: ArrayLike,
    *,
    ridge: float = 0.0,
    noise_to_signal: float | None = None,
    fit_bias: bool = False,
    solver: Solver = "auto",
    **options: Any,
) -> Any:
    r"""Recover x from ``y = w * x + b + noise`` and a known filter w.

    Minimises ``1/2 ||y - w * x - b||^2 + ridge/2 ||x||^2`` (Tikhonov).

    Parameters
    ----------
    y : array (n,) or (n_signals, n)
        What came out of the filter.
    w : array (k,)
        The filter.
    ridge : float, default 0.0
        Strength of the penalty. Without it the noise is amplified where the filter lets little through.
    noise_to_signal : float, optional
        The variance of the noise over that of x: sets ``ridge`` to it, which gives Wiener's estimate (see Notes).
    fit_bias : bool, default False
        Whether y holds an unknown constant too.
    solver, options
        As in `deconvolve`.

    Returns
    -------
    Deconvolution
        ``filter`` is the recovered x (n - k + 1,); a list of one a signal where there are several.

    Notes
    -----
    Convolution does not change when its factors trade places, so this is `deconvolve` with w in the place of x: the
    same gradients, the same Toeplitz system, now of the autocorrelation of w.

    For white noise of variance sigma^2 and a white x of mean 0 and variance tau^2, the linear estimate of least mean
    squared error is ``(A^T A + (sigma/tau)^2 I)^-1 A^T y`` (Wiener): the minimum above for ridge = (sigma/tau)^2. For
    coloured signals and noise, see `wiener`.

    Examples
    --------
    >>> import numpy as np
    >>> recover([1.0, 1.0, 1.0, -3.0], [1.0, -1.0]).filter.round(12)
    array([1., 2., 3.])
    """
    y, w = check_signals("y", y), check_signals("w", w)
    if w.ndim != 1:
        raise InvalidInputError(f"w has shape {w.shape}: must be one filter (n_taps,)")
    if y.shape[-1] < len(w):
        raise InvalidInputError(f"y has {y.shape[-1]} samples, w has {len(w)}: y must be at least as long")
    if noise_to_signal is not None:
        if ridge:
            raise InvalidInputError("ridge and noise_to_signal are the same number: give one of them")
        ridge = check_positive("noise_to_signal", noise_to_signal, zero=True)
    length = y.shape[-1] - len(w) + 1
    single: Deconvolution | list[Deconvolution] = deconvolve(
        w, y, length, fit_bias=fit_bias, solver=solver, ridge=ridge, shared=y.ndim == 1, **options
    )
    return single


def wiener(y: ArrayLike, w: ArrayLike, *, noise_spectrum: ArrayLike, signal_spectrum: ArrayLike) -> Array:
    r"""Recover x from ``y = w * x + noise`` by Wiener's filter, for known power spectra.

    Parameters
    ----------
    y : array (..., n)
        What came out of the filter.
    w : array (k,)
        The filter.
    noise_spectrum, signal_spectrum : float or array (n // 2 + 1,)
        Power of noise and signal at the frequencies ``scipy.fft.rfftfreq(n)``, in the same units.

    Returns
    -------
    array (..., n - k + 1)
        The estimate of x.

    Notes
    -----
    Taken as periodic with period n, the convolution is a product of spectra, ``Y = W X + N``, and frequencies do not
    mix. Of all estimates ``H Y``, the expected ``|H Y - X|^2 = |H W - 1|^2 S + |H|^2 P`` with signal power S and noise
    power P is a square in H; its derivative by conj(H), ``(H W - 1) S conj(W) + H P``, vanishes at::

        H = conj(W) S / (|W|^2 S + P)

    A full convolution fits in n samples without wrapping around, so the period changes nothing as long as x is zero
    outside of its own n - k + 1 samples.

    Examples
    --------
    >>> import numpy as np
    >>> wiener([1.0, 1.0, 1.0, -3.0], [1.0, -1.0], noise_spectrum=1e-6, signal_spectrum=1.0).round(3).shape
    (3,)
    """
    y, w = np.atleast_1d(check_parameters("y", y)).astype(np.float64), check_signals("w", w)
    n = y.shape[-1]
    if w.ndim != 1 or n < len(w):
        raise InvalidInputError(f"y has shape {y.shape}, w {w.shape}: w must be one filter no longer than y")
    noise, power = _spectrum("noise_spectrum", noise_spectrum, n), _spectrum("signal_spectrum", signal_spectrum, n)
    unit = exponent(w)
    with np.errstate(over="ignore"):  # infinite noise lets nothing through
        W, noise = fft.rfft(np.ldexp(w, -unit), n), np.ldexp(noise, -2 * unit)
        below = np.abs(W) ** 2 * power + noise
    gain = np.divide(np.conj(W) * power, below, out=np.zeros_like(W), where=below > 0)
    return np.asarray(np.ldexp(fft.irfft(fft.rfft(y) * gain, n)[..., : n - len(w) + 1], -unit))


def _spectrum(name: str, value: ArrayLike, n: int) -> Array:
    """Return a power spectrum of n samples: a number, or one a frequency."""
    spectrum = check_parameters(name, value).astype(np.float64)
    if spectrum.shape not in ((), (n // 2 + 1,)):
        raise InvalidInputError(f"{name} has shape {spectrum.shape}: must be a number or ({n // 2 + 1},)")
    if np.any(spectrum < 0):
        raise InvalidInputError(f"{name} holds {spectrum.min():g}: a power must not be below 0")
    return spectrum
