"""How the blocks of a batch are shared among threads, where nothing is summed over blocks."""

from steepest.kernels.threads import n_threads

THREADED_PRODUCTS = 300_000  # fewer are done before threads have woken up
SHARED_PRODUCTS = 100_000_000  # fewer are done before one thread could help another that is held up
SHARES = 4  # of each thread


def share(tasks: int, products: int) -> int:
    """Return how many of the tasks a thread takes at a time."""
    if products < THREADED_PRODUCTS:
        return max(1, tasks)
    shares = n_threads() * (SHARES if products >= SHARED_PRODUCTS else 1)
    return max(1, -(-tasks // shares))
