"""What the tests of all commands have in common."""

import pytest


@pytest.fixture(autouse=True)
def in_a_pipe(monkeypatch):
    """Print as wide as into a pipe, whatever terminal the tests were started from."""
    monkeypatch.delenv("COLUMNS", raising=False)
