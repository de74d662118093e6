"""The guide says what happens."""

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "minimize.md"


def test_every_example_of_the_guide():
    failed, tried = doctest.testfile(str(GUIDE), module_relative=False)
    assert failed == 0
    assert tried > 10
