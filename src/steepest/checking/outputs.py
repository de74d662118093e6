"""What stands behind the last scores: a loss and a link, recognised from the errors alone."""

from collections.abc import Iterator

import numpy as np

from steepest.checking.chain import Chain
from steepest.checking.output_losses import OTHER_LOSSES, OUTPUTS, Output
from steepest.typing import Array

__all__ = ["exchanged_slopes", "find_output", "other_errors", "targets_of"]


def other_errors(chain: Chain) -> Iterator[tuple[str, list[Array]]]:
    """Errors at the output under other losses than the value's own, as sums over the samples."""
    last = chain.layers[-1]
    for y in targets_of(chain, last.scores[0].shape):
        for name, error in OTHER_LOSSES:
            errors = [error(z, y) for z in last.scores]
            if _constant(errors, last.errors) is None:
                yield name, errors


def exchanged_slopes(errors: list[Array]) -> list[Array] | None:
    """Errors with their two slopes exchanged, if they take one value below zero and one above."""
    below, above = min(float(e.min()) for e in errors), max(float(e.max()) for e in errors)
    for e in errors:
        near = np.minimum(np.abs(e - below), np.abs(e - above))
        if np.max(near) > 1e-9 * (above - below):
            return None
    if not below < 0.0 < above or abs(above + below) <= 1e-9 * above:
        return None
    return [np.where(e > 0.0, -below, -above) for e in errors]


def find_output(chain: Chain) -> tuple[Output, list[Array], list[float]] | None:
    """Output whose error is, up to one constant, that of the chain's last layer; with targets and constants."""
    return chain.scene.remember("output", lambda: _search(chain))  # type: ignore[no-any-return]


def _search(chain: Chain) -> tuple[Output, list[Array], list[float]] | None:
    if not chain.complete:
        return None
    last = chain.layers[-1]
    for y in targets_of(chain, last.scores[0].shape):
        for output in OUTPUTS:
            if "softmax" in output.name and y.shape[1] == 1:
                continue
            with np.errstate(all="ignore"):
                ours = [output.error(z, y) for z in last.scores]
            constant = _constant(ours, last.errors)
            if constant is not None:
                return output, [y for _ in ours], [constant for _ in ours]
    return None


def targets_of(chain: Chain, shape: tuple[int, ...]) -> Iterator[Array]:
    """Row arrays in the shape of the scores; class numbers become indicator rows."""
    n, k = shape
    for name in chain.scene.row_names:
        part = chain.scene.by_sample(name)
        if part.size == n * k:
            yield np.asarray(part, dtype=np.float64).reshape(n, k)
        elif part.size == n and k > 1 and np.array_equal(part, part.astype(int)) and 0 <= part.min() <= part.max() < k:
            yield np.eye(k)[part.astype(int).ravel()]


def _constant(ours: list[Array], errors: list[Array]) -> float | None:
    size = sum(float(np.sum(e * e)) for e in ours)
    if not np.isfinite(size) or size == 0.0:
        return None
    constant = sum(float(np.sum(a * b)) for a, b in zip(ours, errors, strict=True)) / size
    for a, b in zip(ours, errors, strict=True):
        if np.max(np.abs(constant * a - b)) > 1e-7 * float(np.max(np.abs(b))):
            return None
    return constant
