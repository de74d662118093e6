"""The order of the rows in each pass, and passes told as they happen."""

from typing import Any

import numpy as np

from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.typing import IntArray


class RowOrders:
    """Orders of the rows, each a shuffle of the one before, drawn from a ``RandomState`` as scikit-learn draws them.

    Several are drawn ahead; :meth:`settle` winds the generator back to where it would be, had only those been drawn
    that were used. One that is drawn alone is used in any case, and where the generator was before, which takes longer
    to note than a few hundred rows to shuffle, need not be known.

    Examples
    --------
    >>> orders = RowOrders(3, np.random.RandomState(0))
    >>> orders(2).tolist()
    [[2, 1, 0], [0, 2, 1]]
    """

    def __init__(self, n_rows: int, random_state: Any) -> None:
        self.random_state = random_state
        self._order: IntArray = np.arange(n_rows)
        self._drawn, self._drawn_before = 0, 0
        self._saved: Any = None

    def __call__(self, n_passes: int) -> IntArray:
        """Return the next orders, one a row; one row for all passes if nothing is shuffled."""
        if self.random_state is None:
            return self._order[None]
        self._saved = self.random_state.get_state() if n_passes > 1 else None
        self._drawn_before = self._drawn
        return np.array([self._draw() for _ in range(n_passes)])

    def _draw(self) -> IntArray:
        places = np.arange(len(self._order))
        self.random_state.shuffle(places)
        self._order = self._order[places]
        self._drawn += 1
        return self._order

    def settle(self, used: int) -> None:
        """Put the generator where it would be after ``used`` draws."""
        if self._saved is None or used == self._drawn:
            return
        self.random_state.set_state(self._saved)
        for _ in range(used - self._drawn_before):
            self.random_state.shuffle(np.arange(len(self._order)))


def narrated(steps: Steps) -> Steps:
    """Print every pass and its loss."""
    try:
        while True:
            step = next(steps)
            if step.index:
                print(f"Iteration {step.index}, loss = {step.value:.8f}")
            yield step
    except StopIteration as end:
        reason: Reason | None = end.value
        return reason
    finally:
        steps.close()
