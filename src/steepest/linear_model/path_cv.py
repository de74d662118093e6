"""What the lasso and the elastic net with cross-validation share."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import config_context, get_config
from sklearn.model_selection import check_cv
from sklearn.utils import metadata_routing
from sklearn.utils.parallel import Parallel, delayed

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import one_blas_thread
from steepest.kernels.threads import map_blocks
from steepest.linear_model.coordinate_regressor import CoordinateRegressor
from steepest.linear_model.folds import Fold, column_folds, gram_folds, row_numbers
from steepest.linear_model.path import alpha_grid, order_of, pays_on_a_path, strengths, unfinished, warn_unfinished
from steepest.objectives.linear import LinearObjective
from steepest.penalties import L1
from steepest.penalties import ElasticNet as ElasticNetPenalty
from steepest.solvers.path import follow_path
from steepest.solvers.subproblem import Orders
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_gram, check_positive, check_share


class PathCV(CoordinateRegressor):
    """What the lasso and the elastic net with cross-validation share."""

    l1_ratio: Any

    def _splits(self, X: Any, y: Array, params: dict[str, Any]) -> Iterable[Any]:
        """Return the splits, with what metadata routing hands to the splitter."""
        if not get_config()["enable_metadata_routing"]:
            if params:
                raise InvalidInputError(
                    f"{', '.join(params)}: fit takes further arguments only with metadata routing; "
                    "call sklearn.set_config(enable_metadata_routing=True)"
                )
            handed = {}
        else:
            handed = metadata_routing.process_routing(self, "fit", **params).splitter.split
        splits: Iterable[Any] = check_cv(self.cv).split(X, y, **handed)
        return splits

    def get_metadata_routing(self) -> Any:
        """Return which metadata goes where: to this estimator's fit, and to the splitter."""
        mapping = metadata_routing.MethodMapping().add(caller="fit", callee="split")
        router = metadata_routing.MetadataRouter(owner=self).add_self_request(self)
        return router.add(splitter=check_cv(self.cv), method_mapping=mapping)

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "PathCV":
        """Find alpha (and l1_ratio) by cross-validation, then fit on all data.

        Parameters
        ----------
        X : array or sparse matrix (n_samples, n_features)
            The data.
        y : array (n_samples,)
            The target.
        sample_weight : array (n_samples,), optional
            Weights of the samples, in the fits and in the errors.
        **params
            Metadata for the splitter, with scikit-learn's metadata routing.
        """
        self._check_parameters()
        given = X, y, sample_weight
        how = {"accept_sparse": "csc", "multi_output": False}
        with config_context(assume_finite=True):  # the first pass over X notices what is not finite
            X, y, sample_weight = self._validate(*given, **how)
        splits = row_numbers(self._splits(X, y, params), len(y), sample_weight)
        gram = not sparse.issparse(X) and self._wants_gram(X)
        whole, folds = (gram_folds if gram else column_folds)(X, y, sample_weight, splits, self.fit_intercept)
        self._check_finite([whole], *given, **how)
        ratios = np.atleast_1d(np.asarray(self.l1_ratio, dtype=np.float64))
        grids = [self._grid(whole.c, ratio) for ratio in ratios]
        orders = [[order_of(self.selection, self.random_state) for _ in folds] for _ in ratios]
        paths = [list(zip(ratios, grids, own, strict=True)) for own in zip(*orders, strict=True)]
        jobs = [partial(self._errors, fold, own, X, y, sample_weight) for fold, own in zip(folds, paths, strict=True)]
        found = self._in_threads(jobs)
        n_fits = len(folds) * sum(map(len, grids))
        warn_unfinished(np.concatenate([left for _, left in found]), n_fits, "alphas of all folds")
        errors = np.stack([of_fold for of_fold, _ in found], axis=1)
        ratio = self._choose(errors, ratios, grids)
        alpha = float(self.alpha_)
        penalty = L1(alpha, positive=self.positive) if ratio == 1.0 else ElasticNetPenalty(alpha, ratio, self.positive)
        objective = LinearObjective(
            X, y, penalty=penalty, sample_weight=sample_weight, fit_intercept=self.fit_intercept
        )
        self._run(objective, [whole], sample_weight)
        return self

    def _check_parameters(self) -> None:
        check_positive("eps", self.eps)
        check_positive("tol", self.tol, zero=True)
        check_count("max_iter", self.max_iter)
        check_choice("selection", self.selection, ("cyclic", "random"))
        for ratio in np.atleast_1d(self.l1_ratio).tolist():
            check_share("l1_ratio", ratio)

    def _wants_gram(self, X: Any) -> bool:
        """Return whether folds work on Gram matrices; a given matrix is of no use for them."""
        if isinstance(self.precompute, bool | np.bool_):
            return bool(self.precompute) or X.shape[0] >= 2 * X.shape[1]
        if isinstance(self.precompute, str):
            check_choice("precompute", self.precompute, ("auto",))
        else:
            check_gram("precompute", self.precompute, X.shape[1])
        return bool(pays_on_a_path(*X.shape))

    def _grid(self, c: Array, ratio: float) -> Array:
        if isinstance(self.alphas, Integral):
            return alpha_grid(c, ratio, self.eps, check_count("alphas", self.alphas), self.positive)
        if not np.iterable(self.alphas) or isinstance(self.alphas, str):
            raise InvalidInputError(f"alphas={self.alphas!r}: must be how many, or the strengths themselves")
        given = [check_positive(f"alphas[{i}]", alpha, zero=True) for i, alpha in enumerate(self.alphas)]
        return np.sort(given)[::-1]

    def _in_threads(self, jobs: Sequence[Callable[[], tuple[Array, Array]]]) -> list[tuple[Array, Array]]:
        """Return what the jobs return: in our own threads, or in as many as ``n_jobs`` asks for.

        BLAS keeps to one thread all the while: how it sums must not depend on which job runs beside another.
        """
        with one_blas_thread():
            if self.n_jobs is not None:
                return list(Parallel(n_jobs=self.n_jobs, prefer="threads")(delayed(job)() for job in jobs))
            return map_blocks(lambda i, _: jobs[i](), len(jobs), 1)

    def _errors(
        self, fold: Fold, paths: Sequence[tuple[float, Array, Orders]], X: Any, y: Array, sample_weight: Array | None
    ) -> tuple[Array, Array]:
        """Return the held-out errors (n_ratios, n_alphas) of one fold, and the alphas that did not converge.

        The fold's problem follows one path after the other.
        """
        errors, left = [], []
        for ratio, grid, orders in paths:
            fold.problem.w = np.zeros(X.shape[1])
            path = follow_path(
                fold.problem,
                strengths(grid, ratio, self.positive),
                tolerance=self.tol,
                max_epochs=self.max_iter,
                orders=orders,
            )
            left.append(unfinished(path, grid, self.tol, fold.problem.squared_target))
            errors.append(fold.errors(path, X, y, sample_weight))
        return np.array(errors), np.concatenate(left)

    def _choose(self, errors: Array, ratios: Array, grids: list[Array]) -> float:
        """Set what the search found; return the best l1_ratio."""
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        mean = errors.mean(axis=1)
        i, j = np.unravel_index(np.argmin(mean), mean.shape)
        self.alpha_ = grids[i][j]
        searched = isinstance(self.alphas, Integral) and len(ratios) > 1
        self.alphas_ = np.asarray(grids) if searched else grids[0]
        return float(ratios[i])

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: one target only."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        tags.target_tags.single_output = True
        return tags
