"""Convolution where correlation belongs, in one dimension and in two, from the errors at the output."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.signal import correlate

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose"]

RULE = "The derivative is the correlation of input and error: dJ/dw_j = sum_t e_t "


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Windows of the convolution and correlation of an input with the error, if the truth is one of them."""
    if not scene.problem.uses_data or not 1 <= scene.at(0)[i].ndim <= 4:
        return
    for x_name, y_name in product(scene.arrays, scene.arrays):
        if x_name == y_name:
            continue
        signal = _Signal.read(scene, i, x_name, y_name)
        if signal is not None:
            yield from signal.candidates()
            return


class _Signal:
    """Input ``x`` (N, C, *space), errors ``e`` (N, O, *space), weight (O, C, *space), at every point."""

    def __init__(self, scene: Scene, i: int, x: Array, errors: list[Array]) -> None:
        self.scene, self.i, self.x, self.errors = scene, i, x, errors
        self.shape = scene.at(0)[i].shape
        self.space = tuple(range(2, x.ndim))

    @classmethod
    def read(cls, scene: Scene, i: int, x_name: str, y_name: str) -> "_Signal | None":
        """Recognise the model: the truth is the window at ``right`` of one orientation."""
        space = (
            2
            if scene.at(0)[i].ndim >= 3
            or (scene.at(0)[i].ndim == 2 and scene.arrays[x_name].ndim == 2 == scene.arrays[y_name].ndim)
            else 1
        )
        x = _with_axes(scene.arrays[x_name], space)
        for derived in (True, False):
            try:
                given = [
                    scene.reference.data(scene.at(p), y_name) if derived else scene.arrays[y_name] for p in scene.points
                ]
                errors = [_with_axes(np.asarray(part, dtype=np.float64), space) for part in given]
            except Exception:  # the user's function, called with complex or moved targets
                continue
            if x is None or any(e is None for e in errors) or not all(np.any(e) for e in errors):
                continue
            signal = cls(scene, i, x, [e for e in errors if e is not None])
            if errors[0] is not None and len(errors[0]) == len(x) and signal._locate():
                return signal
        return None

    def _full(self, flipped: bool) -> list[Array]:
        """Correlation of input and error at every lag; with ``flipped``, their convolution."""
        key = ("signal", self.i, flipped)
        return self.scene.remember(key, lambda: [self._correlated(e, flipped) for e in self.errors])  # type: ignore[no-any-return]

    def _correlated(self, e: Array, flipped: bool) -> Array:
        e = np.flip(e, self.space) if flipped else e
        n, o, c = len(e), e.shape[1], self.x.shape[1]
        return np.array(
            [
                [
                    sum(correlate(self.x[s, b], e[s, a], mode="full", method="direct") for s in range(n))
                    for b in range(c)
                ]
                for a in range(o)
            ]
        )

    def _window(self, full: list[Array], corner: tuple[int, ...], turned: bool) -> list[Array] | None:
        size = self.shape[-len(self.space) :]
        whole = (slice(None), slice(None))
        cut = (*whole, *(slice(a, a + s) for a, s in zip(corner, size, strict=True)))
        windows = [np.flip(f[cut], self.space) if turned else f[cut] for f in full]
        if windows[0].size != int(np.prod(self.shape)):
            return None
        return [w.reshape(self.shape) for w in windows]

    def _corners(self) -> Iterator[tuple[int, ...]]:
        full = self._full(False)[0]
        size = self.shape[-len(self.space) :]
        yield from product(*(range(full.shape[a] - s + 1) for a, s in zip(self.space, size, strict=True)))

    def _locate(self) -> bool:
        truth = self.scene.data_truth(self.i)
        for corner, turned in product(self._corners(), (False, True)):
            window = self._window(self._full(False), corner, turned)
            if window is not None:
                ratio = _ratio(window, truth)
                if ratio is not None:
                    self.right, self.turned, self.ratio = corner, turned, ratio
                    return True
        return False

    def candidates(self) -> Iterator[Candidate]:
        """Every other window, named by how it differs from the right one."""
        name = self.scene.names[self.i]
        rule = RULE + ("x_(t-j)" if self.turned else "x_(t+j)")
        for flipped, turned in product((False, True), (False, True)):
            for corner in self._corners():
                if not flipped and turned == self.turned and corner == self.right:
                    continue
                window = self._window(self._full(flipped), corner, turned)
                if window is None:
                    continue
                step = tuple(a - b for a, b in zip(corner, self.right, strict=True))
                code, said = self._named(flipped, turned, step)
                yield Candidate(
                    code,
                    [self.ratio * w for w in window],
                    said,
                    f"{rule}: use it for d{name}.",
                    hint="look at how input and error are paired: convolution or correlation, and which lags",
                )

    def _named(self, flipped: bool, turned: bool, step: tuple[int, ...]) -> tuple[str, str]:
        shifted = f", shifted by {list(step)}" if any(step) else ""
        if flipped:
            return (
                "convolved",
                f"the convolution of the input with the error, where the true derivative is their correlation{shifted}",
            )
        if turned != self.turned:
            return "reversed", f"the true derivative reversed{shifted}"
        return "shifted", f"the correlation of input and error at lags shifted by {list(step)}"


def _with_axes(part: Array, space: int) -> Array | None:
    """Add the axes for samples and channels that the array lacks."""
    if part.dtype.kind not in "fiu" or not space <= part.ndim <= space + 2:
        return None
    part = np.asarray(part, dtype=np.float64)
    if part.ndim == space:
        return part[None, None]
    return part[:, None] if part.ndim == space + 1 else part


def _ratio(window: list[Array], truth: list[Array]) -> float | None:
    size = sum(float(np.sum(w * w)) for w in window)
    if size == 0.0:
        return None
    ratio = sum(float(np.sum(w * t)) for w, t in zip(window, truth, strict=True)) / size
    for w, t in zip(window, truth, strict=True):
        if np.max(np.abs(ratio * w - t)) > 1e-7 * max(float(np.max(np.abs(t))), 1e-300):
            return None
    return ratio
