"""Kernels are written for the processor that numba compiles them for."""

import numpy as np
import pytest
from numba.core import config

from steepest.kernels import processor


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    monkeypatch.setattr(config, "CPU_NAME", None)
    monkeypatch.setattr(config, "CPU_FEATURES", None)


def test_without_settings_it_is_this_one():
    assert processor.name()
    known = np._core._multiarray_umath.__cpu_features__  # what NumPy finds, by its own means
    for numpy_name, name in [("AVX2", "avx2"), ("AVX512F", "avx512f"), ("FMA3", "fma")]:
        assert processor.has(name) == known.get(numpy_name, False)


def test_features_that_are_set_count(monkeypatch):
    monkeypatch.setattr(config, "CPU_NAME", "haswell")
    monkeypatch.setattr(config, "CPU_FEATURES", "+avx2,+fma,-avx512f")
    assert processor.name() == "haswell"
    assert processor.has("avx2") and not processor.has("avx512f") and not processor.has("avx")


def test_a_name_alone_promises_nothing(monkeypatch):
    monkeypatch.setattr(config, "CPU_NAME", "generic")
    assert not processor.has("avx2")
