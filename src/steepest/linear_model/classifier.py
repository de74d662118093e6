"""What linear classifiers share: labels, decisions, sparse coefficients."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from steepest.exceptions import InvalidInputError
from steepest.linear_model.base import LinearModel
from steepest.typing import Array, IntArray
from steepest.validation import as_sparse, check_features, check_supervised, encode_labels


class SparseCoefficients:
    """Storage of ``coef_`` as a sparse matrix, for models in which most coefficients are zero."""

    coef_: Any
    intercept_: Any

    def sparsify(self) -> Any:
        """Store ``coef_`` as a sparse matrix; predictions stay the same. Fit again only after :meth:`densify`."""
        check_is_fitted(self)
        self.coef_ = as_sparse(self.coef_)
        return self

    def densify(self) -> Any:
        """Store ``coef_`` as an array again."""
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def _scores(self, X: Any) -> Array:
        """Return ``X coef_.T + intercept_``, whether ``coef_`` and X are sparse or not."""
        X = check_features(self, X)
        product = X @ self.coef_.T
        dense = product.toarray() if sparse.issparse(product) else np.asarray(product)
        scores: Array = dense + self.intercept_
        return scores


class LinearClassifier(SparseCoefficients, ClassifierMixin, LinearModel):  # type: ignore[misc]  # scikit-learn ships no types
    """A classifier whose class is read from linear scores."""

    classes_: Any

    def _validate(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> tuple[Any, IntArray, Array | None]:
        """Check the data; return X, the number of each sample's class in ``classes_``, and the weights."""
        how = {"accept_sparse": "csr", "order": "C", **how}
        X, y, sample_weight = check_supervised(self, X, y, sample_weight, y_numeric=False, **how)
        self.classes_, numbers = encode_labels(y)
        if len(self.classes_) < 2:
            text = f"y holds one class only, {self.classes_.tolist()[0]!r}: a classifier needs at least 2 classes"
            raise InvalidInputError(text)
        return X, numbers, sample_weight

    def decision_function(self, X: Any) -> Array:
        """Return the scores: (n_samples,), positive for ``classes_[1]``, or (n_samples, n_classes)."""
        scores = self._scores(X)
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """Return the class with the highest score."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[chosen]

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
