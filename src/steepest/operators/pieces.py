r"""Convolution by spectra of pieces: long signals are cut into blocks that stay in cache.

Notes
-----
A circular convolution of length N with a filter of length k is the linear one where nothing wraps around. So N-point
transforms serve blocks of ``N - k + 1`` samples, in three ways:

- `filtered`: blocks of N samples that overlap by k - 1; of a product the last N - k + 1 samples count (overlap-save);
- `Pieces.convolve`: pieces of N - k + 1 samples and zeros; the products overlap by k - 1, and are added (overlap-add);
- `Pieces.correlate`: each piece meets the N samples at the same place of another signal; as all pieces share the k
  lags, the products of the spectra are summed, and transformed back once.

N minimises the work ``N log N / (N - k + 1)`` per sample.
"""

from functools import cached_property, lru_cache

import numpy as np
from scipy import fft

from steepest.kernels.threads import map_blocks
from steepest.typing import Array

CACHED_SAMPLES = 1 << 16  # of one batch of transforms
SIDE_BY_SIDE = 4  # transforms of a batch at least: they run in the lanes of a vector
CACHED_LENGTH = 60_000  # of transforms: so much longer ones take twice the time for each of their operations
SUMMED_SAMPLES = 1 << 16  # of one partial sum: sums are cut alike for any number of threads


def filtered(x: Array, w: Array) -> Array:
    """Return the full convolution ``w * x`` for a w that is no longer than x."""
    k, n = len(w), len(x) + len(w) - 1
    length = block_length(n, k)
    step = length - k + 1
    n_blocks = -(-n // step)
    spectrum = fft.rfft(w, length)
    padded = np.zeros((n_blocks - 1) * step + length, dtype=x.dtype)
    padded[k - 1 : k - 1 + len(x)] = x
    blocks = _windows(padded, n_blocks, length, step)
    result = np.empty((n_blocks, step), dtype=x.dtype)

    def some(start: int, stop: int) -> None:
        product = fft.rfft(blocks[start:stop])
        product *= spectrum
        result[start:stop] = fft.irfft(product, length, overwrite_x=True)[:, k - 1 :]

    map_blocks(some, n_blocks, _batch(length, CACHED_SAMPLES))
    return result.ravel()[:n]


class Pieces:
    """A signal x (d,) in pieces, whose spectra all products with it share.

    Parameters
    ----------
    x : array (d,)
        The signal.
    k : int
        The length of the filters it is convolved with, and the number of lags at which it is correlated; at most d.

    Examples
    --------
    >>> import numpy as np
    >>> pieces = Pieces(np.array([1.0, 2.0, 3.0]), 2)
    >>> pieces.convolve(np.array([1.0, -1.0])).round(12), pieces.correlate(np.array([1.0, 1.0, 1.0, -3.0])).round(12)
    (array([ 1.,  1.,  1., -3.]), array([ 6., -6.]))
    """

    def __init__(self, x: Array, k: int) -> None:
        self.x, self.k = x, k
        self._length = block_length(len(x), k)
        self._step = self._length - k + 1
        self._n_blocks = -(-len(x) // self._step)

    @cached_property
    def _spectra(self) -> Array:
        padded = np.zeros((self._n_blocks, self._step), dtype=self.x.dtype)
        padded.reshape(-1)[: len(self.x)] = self.x
        spectra = np.empty((self._n_blocks, self._length // 2 + 1), dtype=np.result_type(self.x, np.complex64))

        def some(start: int, stop: int) -> None:
            spectra[start:stop] = fft.rfft(padded[start:stop], self._length)

        map_blocks(some, self._n_blocks, _batch(self._length, CACHED_SAMPLES))
        return spectra

    def convolve(self, w: Array) -> Array:
        """Return ``w * x`` (d+k-1,) for w (k,)."""
        spectra, spectrum = self._spectra, fft.rfft(w, self._length)
        products = np.empty((self._n_blocks, self._length), dtype=self.x.dtype)

        def some(start: int, stop: int) -> None:
            products[start:stop] = fft.irfft(spectra[start:stop] * spectrum, self._length, overwrite_x=True)

        map_blocks(some, self._n_blocks, _batch(self._length, CACHED_SAMPLES))
        result = np.zeros((self._n_blocks + 1, self._step), dtype=self.x.dtype)
        result[:-1] = products[:, : self._step]
        result[1:, : self.k - 1] += products[:, self._step :]
        return result.ravel()[: len(self.x) + self.k - 1]

    def correlate(self, y: Array) -> Array:
        """Return ``sum_j x_j y_{i+j}`` (k,), i = 0 ... k-1, for y (d+k-1,)."""
        spectra, length = self._spectra, self._length
        padded = np.zeros((self._n_blocks - 1) * self._step + length, dtype=self.x.dtype)
        padded[: len(y)] = y
        windows = _windows(padded, self._n_blocks, length, self._step)

        def some(start: int, stop: int) -> Array:
            product = fft.rfft(windows[start:stop])
            np.conj(product, out=product)
            product *= spectra[start:stop]
            return np.asarray(product.sum(axis=0))

        parts = map_blocks(some, self._n_blocks, _batch(length, SUMMED_SAMPLES))
        total = sum(parts[1:], parts[0])
        return np.asarray(fft.irfft(np.conj(total), length)[: self.k])

    def autocorrelation(self) -> Array:
        """Return ``sum_j x_j x_{i+j}`` (k,)."""
        return self.correlate(self.x)


@lru_cache
def block_length(n: int, k: int) -> int:
    """Return the length of transforms that does the least work for n outputs of a filter of length k."""
    whole = fft.next_fast_len(n + k - 1, real=True)
    lengths = [fft.next_fast_len(k << p, real=True) for p in range(1, 8) if (k << p) < whole]
    lengths = [length for length in lengths if length >= 1024] or [min(whole, fft.next_fast_len(2048, real=True))]
    lengths = [length for length in lengths if length >= 2 * k] + [whole]

    def work(length: int) -> float:
        transform = length * (np.log2(length) + 3) * (1 + length / CACHED_LENGTH)
        return float(-(-n // (length - k + 1)) * transform)

    best: int = min(lengths, key=work)
    return best


def _windows(padded: Array, number: int, length: int, step: int) -> Array:
    """Return views of so many windows, which begin ``step`` apart."""
    return np.ndarray((number, length), padded.dtype, padded, 0, (step * padded.itemsize, padded.itemsize))


def _batch(length: int, samples: int) -> int:
    """Return how many blocks of a length are transformed at a time: whole vectors of them."""
    return max(1, samples // (length * SIDE_BY_SIDE)) * SIDE_BY_SIDE
