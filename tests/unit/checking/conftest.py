"""The catalogue of gradients lives in ``benchmarks/``, beside the command that prints the goals."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
