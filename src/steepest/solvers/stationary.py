"""Whether a start where the gradient vanishes is a minimum."""

from dataclasses import dataclass

import numpy as np

from steepest.solvers.protocols import Objective
from steepest.typing import Array

N_DIRECTIONS = 20  # size of the subspace that is searched; up to that many parameters, all of the space
NEGATIVE = -1e-7  # share of the largest curvature below which a negative one is not rounding


@dataclass(frozen=True)
class Curvatures:
    """Extreme curvatures at a point, as far as a few directions show them.

    Attributes
    ----------
    smallest, largest : float
        The extreme curvatures seen.
    direction : array (n_parameters,)
        The unit vector along which the curvature is ``smallest``.
    """

    smallest: float
    largest: float
    direction: Array

    @property
    def flat(self) -> bool:
        """Whether nothing bends at all."""
        return self.smallest == self.largest == 0.0

    @property
    def negative(self) -> bool:
        """Whether a direction leads down on both sides: a maximum or a saddle."""
        return self.smallest < NEGATIVE * max(abs(self.largest), abs(self.smallest))

    def verdict(self, sign: float = 1.0) -> str:
        """Say what the start is; ``sign`` is -1 where the objective is the negative of what the user looks at."""
        if self.flat:
            return "gradient and curvature vanish at the start in every direction looked at: it is flat there"
        top = "a maximum" if sign > 0.0 else "a minimum"
        return (
            f"the gradient vanishes at the start, which is {top if self.largest <= 0.0 else 'a saddle'}: "
            f"along some direction the curvature is {sign * self.smallest:.3g}"
        )


def extreme_curvatures(objective: Objective, theta: Array, generator: np.random.Generator) -> Curvatures:
    r"""Measure curvatures at ``theta`` along random directions and combinations of them.

    Notes
    -----
    Lanczos' method. From a random unit vector v an orthonormal basis Q of span(v, H v, H^2 v, ...) is built, each H v
    being a difference of gradients, ``(g(theta + h v) - g(theta - h v)) / 2h``. The eigenvalues of Q^T H Q lie within
    those of H and reach its extreme ones first; with as many basis vectors as parameters they are all of them.

    A plain random direction would see only v^T H v, an average over all eigenvalues in which a single negative one is
    lost.

    Examples
    --------
    >>> from steepest.objectives.quadratic import QuadraticObjective
    >>> saddle = QuadraticObjective(np.diag([2.0, -3.0]))
    >>> seen = extreme_curvatures(saddle, np.zeros(2), np.random.default_rng(0))
    >>> round(seen.smallest, 6), round(seen.largest, 6), np.abs(seen.direction).round(6)
    (-3.0, 2.0, array([0., 1.]))
    """
    point = theta.astype(np.float64)
    h = float(np.finfo(theta.dtype).eps) ** (1.0 / 3.0) * max(1.0, float(np.linalg.norm(point)))
    basis = np.empty((point.size, 0))
    images = np.empty((point.size, 0))
    v: Array = generator.standard_normal(point.size)
    for _ in range(min(N_DIRECTIONS, point.size)):
        for _ in range(2):  # twice is enough for orthogonality to rounding
            v = v - basis @ (basis.T @ v)
        length = float(np.linalg.norm(v))
        if not length > 0.0:
            v = generator.standard_normal(point.size)
            v -= basis @ (basis.T @ v)
            length = float(np.linalg.norm(v))
        v = v / length
        image = _bend(objective, theta, v, h)
        if not np.all(np.isfinite(image)):
            break
        basis, images = np.column_stack([basis, v]), np.column_stack([images, image])
        v = image
    if basis.shape[1] == 0:
        return Curvatures(np.nan, np.nan, np.zeros(point.size))
    projected = basis.T @ images
    values, vectors = np.linalg.eigh(0.5 * (projected + projected.T))
    return Curvatures(float(values[0]), float(values[-1]), basis @ vectors[:, 0])


def _bend(objective: Objective, theta: Array, v: Array, h: float) -> Array:
    """Return ``H v``."""
    ahead = objective.gradient((theta + h * v).astype(theta.dtype))
    behind = objective.gradient((theta - h * v).astype(theta.dtype))
    return (np.asarray(ahead, dtype=np.float64) - behind) / (2.0 * h)
