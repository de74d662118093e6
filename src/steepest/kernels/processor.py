"""The processor that kernels are compiled for: this one, or the one that numba's settings ask for.

With ``NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2,+fma`` code is made for many processors of a cluster, say, that
share a cache; without them, all that this processor can do is used.
"""

from typing import Any

import numba.core.codegen
from llvmlite import binding  # type: ignore[import-untyped]

_CODE: Any = numba.core.codegen  # numba types it in part
_SETTINGS: Any = _CODE.config


def name() -> str:
    """Return LLVM's name of the processor."""
    return str(_SETTINGS.CPU_NAME or binding.get_host_cpu_name())


def has(feature: str) -> bool:
    """Return whether the processor has a feature, by LLVM's name; false where only the processor's name is set."""
    known = _SETTINGS.CPU_FEATURES
    if known is None:
        known = "" if _SETTINGS.CPU_NAME else _CODE.get_host_cpu_features()
    return f"+{feature}" in known.split(",")
