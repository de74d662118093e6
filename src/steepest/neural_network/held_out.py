"""Rows held out of training."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from steepest.exceptions import InvalidInputError
from steepest.typing import IntArray
from steepest.validation import check_share


def split_rows(n_rows: int, share: float, random_state: Any, stratify: Any) -> tuple[IntArray, IntArray]:
    """Return the numbers of the rows to learn from and of a share to hold out, drawn as scikit-learn draws them.

    Examples
    --------
    >>> learn, held = split_rows(10, 0.2, np.random.RandomState(0), stratify=None)
    >>> sorted([*learn, *held]) == list(range(10)), len(held)
    (True, 2)
    """
    check_share("validation_fraction", share, ends=False)
    learn, held = train_test_split(np.arange(n_rows), random_state=random_state, test_size=share, stratify=stratify)
    if len(held) < 2:
        text = f"holds out {len(held)} of {n_rows} rows: the validation set is too small"
        raise InvalidInputError(f"validation_fraction={share!r} {text}; raise it, or give more data")
    return learn, held
