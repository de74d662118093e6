"""Kernels that others call are compiled as their parts, and for themselves only when Python calls them."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import types

from steepest.kernels.compile import borrowing, chosen, compiled, inlined


@compiled
def _halved(x):
    return 0.5 * x


@inlined
def _shifted(x):
    return _halved(x) + 1.0


@borrowing
def _write(x, out):
    for i in range(len(x)):
        out[i] = _shifted(x[i])


@compiled
def _twice(x):
    out = np.empty_like(x)
    _write(x, out)
    _write(out, out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_kernel_works_as_a_part_and_by_itself(dtype):
    x = np.arange(5, dtype=dtype)
    expected = (0.5 * x + 1.0) / 2.0 + 1.0
    np.testing.assert_array_equal(_twice(x), expected)
    out = np.empty_like(x)
    _write(x, out)
    np.testing.assert_array_equal(out, 0.5 * x + 1.0)
    assert _halved(3.0) == 1.5


def test_a_part_is_no_machine_code():
    @compiled
    def part(x):
        return x + 1

    @compiled
    def whole(x):
        return part(x) * 2

    assert whole(1) == 4
    assert whole.signatures and not part.signatures
    assert part(1) == 2
    assert part.signatures


@compiled
def _of_vector(x, i):
    return x[i]


@compiled
def _of_matrix(x, i):
    return x[i, i]


@chosen
def _entry(x, *_):
    return _of_vector if x.ndim == 1 else _of_matrix


@compiled
def _increased(x, i):
    return _entry(x, i) + 1


def test_the_types_choose_a_kernel_and_the_other_is_not_compiled():
    x = np.arange(4)  # for which the other could not be
    assert _increased(x, 1) == 2
    assert _increased(x.reshape(2, 2), 1) == 4


@pytest.mark.parametrize("collecting", [True, False])
def test_compiling_leaves_the_collector_as_it_was(collecting):
    seen = gc.isenabled()
    try:
        gc.enable() if collecting else gc.disable()
        _halved.compile((types.complex64,) if collecting else (types.complex128,))
        assert gc.isenabled() is collecting
    finally:
        gc.enable() if seen else gc.disable()


def test_a_kernel_from_the_disk_needs_none_of_what_compiling_needs(tmp_path):
    (tmp_path / "doubled.py").write_text(
        "import sys\nimport numpy as np\nfrom steepest.kernels.compile import compiled\n\n"
        "@compiled\ndef doubled(x):\n    return x + x\n\n"
        "print(*doubled(np.arange(3)), 'numba.np.linalg' in sys.modules)\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    run = [sys.executable, "-W", "error", str(tmp_path / "doubled.py")]
    compiling, loading = (
        subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout for _ in range(2)
    )
    assert compiling == "0 2 4 True\n"
    assert loading == "0 2 4 False\n"
