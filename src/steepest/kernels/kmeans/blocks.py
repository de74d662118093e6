"""How rows are cut into blocks, and blocks handed to threads."""

from collections.abc import Callable

from steepest.kernels.kmeans.nearest import BATCH
from steepest.kernels.threads import map_blocks, n_threads

SMALLEST_BLOCK = 4 * BATCH
MOST_BLOCKS = 64
BUFFER_BYTES = 1 << 22  # what all blocks together may hold: their results are added up by one thread
LIGHT_BYTES = 1 << 20  # that are read in some 50 microseconds
CALLS = 4  # of a kernel, a thread: the last one is not waited for long


class Blocks:
    """Blocks of rows, each with its own partial sums; their boundaries do not depend on the number of threads.

    Parameters
    ----------
    n_rows : int
        Rows to cut.
    result_bytes : int
        Size of a block's partial result; many large ones mean fewer blocks.
    smallest : int
        Rows of a block at least.
    light : bool
        Whether all blocks together take no longer than waking another thread.
    """

    def __init__(self, n_rows: int, result_bytes: int = 0, smallest: int = SMALLEST_BLOCK, light: bool = False) -> None:
        self.light = light
        most = min(MOST_BLOCKS, max(8, BUFFER_BYTES // max(result_bytes, 1)))
        self.rows = max(smallest, -(-n_rows // (most * BATCH)) * BATCH)
        self.number = max(1, -(-n_rows // self.rows))

    def run(self, kernel: Callable[[int, int], None]) -> None:
        """Call ``kernel(first, last)`` for consecutive ranges of blocks, on all threads."""
        if self.number == 1 or self.light:
            kernel(0, self.number)
            return
        calls = 1 if n_threads() == 1 else CALLS * n_threads()
        map_blocks(kernel, self.number, -(-self.number // calls))
