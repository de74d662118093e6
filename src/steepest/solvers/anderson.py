"""Anderson extrapolation of a sequence of iterates."""

import numpy as np

from steepest.typing import Array


class Anderson:
    r"""Keep the last iterates of a nearly linear iteration and guess its limit.

    Parameters
    ----------
    depth : int, default 5
        How many differences to combine.

    Notes
    -----
    Close to the optimum the support is settled and an epoch of coordinate descent is an affine map,
    ``w_{t+1} = T w_t + b``. Take the combination of the last K + 1 iterates, with weights that sum to one, whose
    combined difference is shortest::

        min over g with 1^T g = 1 of |U g|^2,   U = [w_1 - w_0, ..., w_K - w_{K-1}]
        g = (U^T U)^-1 1 / (1^T (U^T U)^-1 1)        from the Lagrange condition U^T U g = lambda 1
        extrapolated = sum_i g_i w_i

    For an affine map the combination of differences is the difference at the combination, so that a short one means
    a nearly fixed point. The weights sum to one, so an affine image of w (its residual, its correlations) is combined
    alike and costs no pass over the data. The guess need not be better: who asks must compare objectives.

    Source: Q. Bertrand, M. Massias, Anderson acceleration of coordinate descent, AISTATS 2021, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> anderson = Anderson(depth=2)
    >>> for w in (1.0, 0.5, 0.25):      # halves every time: the limit is 0
    ...     anderson.push(np.array([w]), np.array([w]))
    >>> bool(abs(anderson.extrapolate()[0][0]) < 1e-12)
    True
    """

    def __init__(self, depth: int = 5) -> None:
        self.depth = depth
        self._iterates: list[tuple[Array, Array]] = []

    def push(self, w: Array, image: Array) -> None:
        """Remember an iterate and its affine image."""
        self._iterates.append((w.copy(), image.copy()))
        del self._iterates[: -self.depth - 1]

    def clear(self) -> None:
        """Forget the iterates."""
        self._iterates.clear()

    @property
    def ready(self) -> bool:
        """Whether there are enough iterates."""
        return len(self._iterates) > self.depth

    def extrapolate(self) -> tuple[Array, Array] | None:
        """Return the guess and its image, or None where the differences leave the weights undetermined."""
        iterates = np.array([w for w, _ in self._iterates])
        differences = np.diff(iterates, axis=0)
        gram = differences @ differences.T
        scale = float(np.trace(gram))
        if not scale > 0.0:
            return None
        gram[np.diag_indices(len(gram))] += 1e-14 * scale  # differences soon become nearly parallel
        try:
            weights = np.linalg.solve(gram, np.ones(len(gram)))
        except np.linalg.LinAlgError:
            return None
        total = float(weights.sum())
        if not np.isfinite(total) or total == 0.0:
            return None
        weights /= total
        images = np.array([image for _, image in self._iterates[1:]])
        return weights @ iterates[1:], weights @ images
