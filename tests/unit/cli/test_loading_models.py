"""The table of models names classes that exist."""

import pytest

from steepest.cli import models
from steepest.exceptions import InvalidInputError


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_is_an_estimator_of_its_kind(name):
    estimator = models.build(name, {}, {}, seed=0)
    kind = "classifier" if models.MODELS[name].classifies else "regressor"
    assert estimator.__sklearn_tags__().estimator_type == kind


def test_a_misspelled_model_is_refused():
    with pytest.raises(InvalidInputError, match=r"model='laso': must be one of .*; did you mean 'lasso'"):
        models.build("laso", {}, {}, seed=0)
