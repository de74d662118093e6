"""The proof that comes with a convex fit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Certificate:
    """How far the objective can still be above its optimum.

    Attributes
    ----------
    kind : {"duality gap", "gradient norm"}
        What was measured at the solution, in double precision, after the solver had finished and before parameters of
        single-precision data were rounded to that. With an intercept, features far from zero are measured from an
        origin near them: from far away the last digit of the intercept alone weighs more than all that is left.
    value : float
        The measured number. A duality gap bounds ``objective - optimum`` from above; a gradient norm is 0 exactly at
        the optimum of a convex objective.
    relative : float
        The same in units of the problem: a gap divided by the objective at zero coefficients, a gradient norm divided
        by the gradient norm there.
    tolerance : float
        What ``relative`` must not exceed for ``optimal`` to hold.
    within : str
        The part of the problem that was solved and measured, where some was left out; empty for all of it.

    Examples
    --------
    >>> print(Certificate("duality gap", 2e-9, 1e-12, tolerance=1e-6))
    optimal: duality gap 2.0e-09, that is 1.0e-12 of the objective at zero (at most 1.0e-06 asked)
    """

    kind: str
    value: float
    relative: float
    tolerance: float
    within: str = ""

    @property
    def optimal(self) -> bool:
        """Whether the measured number is within the tolerance; False for NaN."""
        return self.relative <= self.tolerance

    def __str__(self) -> str:
        """Return the verdict with its numbers."""
        verdict = "optimal" if self.optimal else "not yet optimal"
        whole = "objective" if self.kind == "duality gap" else "gradient"
        return (
            f"{verdict}: {self.kind} {self.value:.1e}, that is {self.relative:.1e} of the {whole} at zero "
            f"(at most {self.tolerance:.1e} asked)" + (f", within {self.within}" if self.within else "")
        )
