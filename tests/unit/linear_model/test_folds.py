"""Splits of the user's own, for the lasso with cross-validation."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.linear_model import LassoCV


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((40, 5))
    return X, X @ [1.0, 2.0, 0.0, 0.0, -1.0]


def test_splits_may_be_masks_slices_or_count_from_the_end(data):
    train, test = np.arange(10, 40), np.arange(10)
    mask = np.arange(40) >= 10
    expected = LassoCV(alphas=5, cv=[(train, test)]).fit(*data).mse_path_
    for split in [(mask, ~mask), (slice(10, None), slice(10)), (train, test - 40), (train.tolist(), test.tolist())]:
        np.testing.assert_array_equal(LassoCV(alphas=5, cv=[split]).fit(*data).mse_path_, expected)


@pytest.mark.parametrize(
    ("cv", "text"),
    [
        ([], "cv: has no splits"),
        ([(np.arange(30), [])], "cv: split 0 holds out no sample"),
        ([(np.arange(5, 40), np.arange(5)), ([], np.arange(30))], "cv: split 1 trains on no sample"),
        (4, "cv: split 3 holds out only samples of weight zero: both parts must hold one that counts"),
    ],
)
@pytest.mark.parametrize("precompute", [True, False])
def test_splits_of_which_a_part_weighs_nothing_are_named(data, cv, text, precompute):
    weights = np.where(np.arange(40) < 30, 1.0, 0.0)
    with pytest.raises(InvalidInputError, match=text):
        LassoCV(cv=cv, precompute=precompute).fit(*data, sample_weight=weights)
