"""``python -m benchmarks linear``: the linear models against their peers, regime by regime."""

import importlib
from importlib.util import find_spec

from benchmarks.compare import Regime, run_regimes

PARTS = ("linear_small", "linear_least_squares", "linear_lasso", "linear_logistic", "linear_sgd", "linear_descent")


def regimes(quick: bool) -> list[Regime]:
    """Collect the regimes of all parts."""
    present = [name for name in PARTS if find_spec(f"benchmarks.{name}")]
    return [regime for name in present for regime in importlib.import_module(f"benchmarks.{name}").regimes(quick)]


def main(argv: list[str]) -> int:
    """Run them."""
    return run_regimes(argv, regimes)
