"""Names and messages from outside, as they may safely be shown."""

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""Spell control characters, line ends and changes of direction out: names in a file may hold any.

    Examples
    --------
    >>> print(escaped("red\x1b[31m, two\nlines"))
    red\x1b[31m, two\nlines
    """
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
