"""Weights of classes, checked."""

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from steepest.typing import Array
from steepest.validation import check_positive


def class_weights(class_weight: Any, classes: Array, labels: Array, sample_weight: Array | None = None) -> Array:
    """Return one weight a class, as scikit-learn does; a negative one would reward mistakes, and is refused."""
    if class_weight is None:
        return np.ones(len(classes))
    weights = compute_class_weight(class_weight, classes=classes, y=labels, sample_weight=sample_weight)
    for label, weight in zip(classes, weights, strict=True):
        check_positive(f"class_weight[{label}]", float(weight), zero=True)
    return np.asarray(weights)
