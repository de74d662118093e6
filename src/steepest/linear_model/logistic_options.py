"""What a logistic regression can be asked for, under scikit-learn's names."""

from math import inf, isfinite
from numbers import Real
from typing import Any

from steepest.exceptions import InvalidInputError, warn_user
from steepest.penalties import L1, ElasticNet, NoPenalty, Penalty, SquaredL2
from steepest.validation import check_choice, check_count, check_positive, check_share

# What scikit-learn's solvers are run by here; each reaches the same minimum.
PEER_SOLVERS = {
    "lbfgs": "lbfgs",
    "liblinear": "auto",
    "newton-cg": "auto",
    "newton-cholesky": "newton",
    "sag": "auto",
    "saga": "auto",
}
SOLVERS = (
    "auto",
    "newton",
    "coordinate-descent",
    "gradient-descent",
    "proximal-gradient",
    "fista",
    *PEER_SOLVERS,
)
SMOOTH_ONLY = ("newton", "newton-cg", "newton-cholesky", "lbfgs", "sag")
PENALTIES = ("l1", "l2", "elasticnet", "deprecated")


def penalty_of(model: Any) -> tuple[Penalty, float]:
    """Return the penalty and the weight of the data."""
    C: float = model.C
    ratio = model.l1_ratio
    if not isinstance(C, Real) or isinstance(C, bool) or not C > 0:
        raise InvalidInputError(f"C={C!r}: must be a number above 0, or numpy.inf for no penalty")
    if ratio is not None:
        check_share("l1_ratio", ratio)
    if model.penalty != "deprecated":
        ratio, C = _old_penalty(model, float(C))
    elif ratio is None:
        warn_user("l1_ratio=None is deprecated: use a number between 0 and 1", FutureWarning)
        ratio = 0.0
    if not isfinite(C):
        return NoPenalty(), 1.0
    if ratio == 0.0:
        return SquaredL2(1.0), float(C)
    return L1(1.0) if ratio == 1.0 else ElasticNet(1.0, float(ratio)), float(C)


def _old_penalty(model: Any, C: float) -> tuple[float, float]:
    """Return l1_ratio and C for the deprecated way to name a penalty."""
    if model.penalty is not None:
        check_choice("penalty", model.penalty, PENALTIES)
    warn_user(
        f"penalty={model.penalty!r} is deprecated: leave it out, and use l1_ratio=0 for 'l2', l1_ratio=1 for 'l1', "
        "a number between for 'elasticnet', C=numpy.inf for None",
        FutureWarning,
    )
    if model.penalty == "elasticnet" and model.l1_ratio is None:
        raise InvalidInputError("l1_ratio=None: penalty='elasticnet' needs a number between 0 and 1")
    if model.penalty is None:
        return 0.0, inf
    return {"l1": 1.0, "l2": 0.0, "elasticnet": model.l1_ratio}[model.penalty], C


def check_options(model: Any, penalty: Penalty) -> None:
    """Check what the user asked for beside the penalty."""
    check_choice("solver", model.solver, SOLVERS)
    check_count("max_iter", model.max_iter)
    check_positive("tol", model.tol, zero=True)
    check_positive("intercept_scaling", model.intercept_scaling)
    if model.dual:
        raise InvalidInputError("dual=True: only the primal problem is solved here; leave it at False")
    if penalty.l1 > 0 and model.solver in SMOOTH_ONLY:
        text = "needs a penalty without kinks; use 'auto' (or 'fista', 'saga') with an L1 part"
        raise InvalidInputError(f"solver={model.solver!r}: {text}")
    if penalty.l1 == 0 and model.solver == "coordinate-descent":
        raise InvalidInputError("solver='coordinate-descent': is for penalties with an L1 part; use 'auto'")
    if model.n_jobs is not None:
        warn_user(f"n_jobs={model.n_jobs}: has no effect and is deprecated; leave it out", FutureWarning)
