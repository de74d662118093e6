"""How many passes over the rows to make in one compiled call, while nobody watches single ones."""

WORK = 10_000_000  # multiplications of a forward pass between two steps: about a millisecond, so that Ctrl-C is heard


def passes_between_steps(n_rows: int, n_parameters: int, most: int) -> int:
    """Return how many passes over so many rows to make between two steps: at least one.

    Examples
    --------
    >>> [passes_between_steps(n_rows, 800, most=100) for n_rows in (10, 1_000, 100_000)]
    [100, 12, 1]
    """
    return max(1, min(WORK // max(1, n_rows * (n_parameters + 20)), most))
