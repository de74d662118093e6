"""Checks of what users hand in; the only file that inspects it."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array, IntArray

SQUARED = 500
"""Numbers between 2 to minus this power and 2 to it have squares, and sums of those, that a double can hold."""
MOST_INTEGER_LABELS = 10_000
"""Labels from a range of fewer integers are counted instead of sorted."""


def check_positive(name: str, value: Any, *, zero: bool = False) -> float:
    """Return ``value`` if it is a finite number above 0 (or not below, with ``zero``); name it if it is not."""
    allowed = "a finite number not below 0" if zero else "a finite number above 0"
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise InvalidInputError(f"{name}={value!r}: must be {allowed}")
    if value < 0 or (value == 0 and not zero):
        raise InvalidInputError(f"{name}={value!r}: must be {allowed}")
    return float(value)


def check_share(name: str, value: Any, *, ends: bool = True) -> float:
    """Return ``value`` if it is a number between 0 and 1, which themselves are allowed with ``ends``."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and (0.0 <= value <= 1.0 if ends else 0.0 < value < 1.0)):
        raise InvalidInputError(f"{name}={value!r}: must lie {'' if ends else 'strictly '}between 0 and 1")
    return float(value)


def check_number(name: str, value: Any) -> float:
    """Return ``value`` if it is a finite number."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise InvalidInputError(f"{name}={value!r}: must be a finite number")
    return float(value)


def check_seed(value: Any) -> None:
    """Refuse a ``random_state`` that is none, also where nothing is drawn."""
    integer = isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < 2**32
    if not (value is None or value is np.random or integer or isinstance(value, np.random.RandomState)):
        allowed = "an integer from 0 to 2**32 - 1, a numpy RandomState or None"
        raise InvalidInputError(f"random_state={value!r}: must be {allowed}")


def check_generator(random_state: Any) -> np.random.Generator | None:
    """Return a generator for a seed or a generator; None for None."""
    if random_state is None:
        return None
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"random_state={random_state!r}: must be an integer not below 0, a numpy Generator or None"
        ) from None


def check_gram(name: str, value: Any, n_features: int) -> Array:
    """Return ``value`` as the Gram matrix of so many features."""
    try:
        gram = np.asarray(value)
    except ValueError:  # ragged
        gram = np.empty((), dtype=object)
    if gram.ndim != 2 or gram.dtype.kind not in "fiub":
        raise InvalidInputError(
            f"{name}={value!r}: must be True, False, 'auto' or a matrix (n_features, n_features) of numbers"
        )
    if gram.shape != (n_features, n_features):
        shape = (n_features, n_features)
        raise InvalidInputError(f"{name} has shape {gram.shape}: must be {shape} for X with {n_features} features")
    if not np.all(np.isfinite(gram)):
        raise InvalidInputError(f"{name} holds NaN or infinity: must be finite")
    return gram


def check_count(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return ``value`` if it is an integer of at least ``minimum``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise InvalidInputError(f"{name}={value!r}: must be an integer of at least {minimum}")
    return int(value)


def check_shown(verbose: Any, n_jobs: Any) -> None:
    """Refuse what tells neither how much to print nor how many jobs to run, also where nothing is printed or shared."""
    if not isinstance(verbose, bool | np.bool_ | Integral) or verbose < 0:
        raise InvalidInputError(f"verbose={verbose!r}: must be True, False or an integer not below 0")
    if not (n_jobs is None or isinstance(n_jobs, Integral)):
        raise InvalidInputError(f"n_jobs={n_jobs!r}: must be an integer or None")


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInputError(f"{name}={value!r}: must be True or False")
    return bool(value)


def check_functions(name: str, value: Any, example: str) -> tuple[Any, ...]:
    """Return several functions, of which there may be none; one alone that is in no list is refused.

    Examples
    --------
    >>> check_functions("observers", print, "[print]")
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: observers=<built-in function print>: must be a list, as in observers=[print]
    """
    functions = tuple(value) if isinstance(value, Iterable) else (None,)
    if idle := next((function for function in functions if isinstance(function, type)), None):
        raise InvalidInputError(f"{name}: {idle.__name__} is a class: make one of it, as in {name}={example}")
    if not all(map(callable, functions)):
        raise InvalidInputError(f"{name}={value!r}: must be a list, as in {name}={example}")
    return functions


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``; otherwise name the nearest one."""
    choices = list(choices)
    if value in choices:
        return str(value)
    hint = did_you_mean(str(value), choices, cutoff=0.5)
    known = ", ".join(map(repr, choices))
    raise InvalidInputError(f"{name}={value!r}: must be one of {known}{'; ' + hint if hint else ''}")


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """Return the question whether the nearest of the known words was meant; ``otherwise`` where none is near.

    Examples
    --------
    >>> did_you_mean("sgin", ["sign", "factor"])
    "did you mean 'sign'?"
    >>> did_you_mean("L-BFGS-B", ["newton", "lbfgs"])
    "did you mean 'lbfgs'?"
    >>> did_you_mean("x", ["sign", "factor"], otherwise="there are two")
    'there are two'
    """
    lowered = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(lowered), n=1, cutoff=cutoff)
    return f"did you mean {lowered[near[0]]!r}?" if near else otherwise


def check_numbers(name: str, value: Any, *, objects: bool = False) -> Array:
    """Return ``value`` as an array of real numbers, with ``objects`` also those that Python objects hold.

    Examples
    --------
    >>> check_numbers("X", [["a"]])
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: X has dtype <U1: must be real numbers
    """
    try:
        array = np.asarray(value)
        if objects and array.dtype == object:
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:  # ragged nested sequences among them
        raise InvalidInputError(f"{name}: must be a regular array of numbers ({error})") from None
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"{name} has dtype {array.dtype}: must be real numbers")
    return array


def check_parameters(name: str, value: Any) -> Array:
    """Return ``value`` as a new float array of any shape; complex, non-finite, empty or textual input is refused."""
    array = check_numbers(name, value)
    if array.size == 0:
        raise InvalidInputError(f"{name} has shape {array.shape}: must hold at least one number")
    if not np.all(np.isfinite(array)):
        raise InvalidInputError(f"{name} holds NaN or infinity: must be finite")
    dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.float64
    return np.array(array, dtype=dtype)


def check_supervised(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    accept_sparse: Any = False,
    multi_output: bool = False,
    y_numeric: bool = True,
    reset: bool = True,
    order: str | None = None,
    finite: bool = True,
) -> tuple[Any, Any, Array | None]:
    """Check the data of a ``fit`` once, at the door, as scikit-learn does, and record the features seen.

    With ``finite=False`` the caller promises to notice NaN and infinity in a dense ``X`` by itself, which saves a
    reading of the data.

    Returns
    -------
    X : array or sparse array (n_samples, n_features)
        float32 if it came so, otherwise float64; not copied if it need not be.
    y : array (n_samples,) or (n_samples, n_outputs)
        In the dtype of ``X`` if ``y_numeric``.
    sample_weight : array (n_samples,) or None
        Not negative, not all zero, in the dtype of ``X``.
    """
    from sklearn import get_config
    from sklearn.utils.validation import _check_sample_weight, validate_data

    sought = finite and not get_config()["assume_finite"]
    if reset and is_plain(X, order, finite=sought) and _plain_target(y, len(X), numeric=y_numeric):
        record_features(estimator, X)
    else:
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse=accept_sparse,
            multi_output=multi_output,
            y_numeric=y_numeric,
            dtype=[np.float64, np.float32],
            order=order,
            reset=reset,
            ensure_all_finite=finite or hasattr(X, "tocsr"),
        )
    if y_numeric:
        if hasattr(y, "tocsr"):
            raise TypeError("Sparse data was passed for y, but dense data is required. Use '.toarray()' to convert it.")
        y = np.asarray(y, dtype=X.dtype)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        if not np.any(sample_weight):
            raise InvalidInputError("sample_weight is zero everywhere: at least one sample must count")
    return X, y, sample_weight


def record_features(estimator: Any, X: Array) -> None:
    """Record the features of plain data, which have no names."""
    estimator.n_features_in_ = X.shape[1]
    vars(estimator).pop("feature_names_in_", None)  # of an earlier fit


def is_plain(X: Any, order: str | None = None, *, finite: bool) -> bool:
    """Return whether X is such an array that scikit-learn's checks would find nothing to say or to change.

    They take a tenth of a millisecond, mostly to find out that X is no data frame: as long as a small fit.
    """
    plain = type(X) is np.ndarray and X.ndim == 2 and X.size > 0 and X.dtype in (np.float64, np.float32)
    ordered = plain and (order is None or X.flags[order])
    return bool(ordered and (not finite or _finite_sum(X)))


def _plain_target(y: Any, n_samples: int, *, numeric: bool) -> bool:
    """Return the same of one target of so many samples."""
    if type(y) is not np.ndarray or y.shape != (n_samples,) or y.dtype.kind not in ("fiu" if numeric else "fiubU"):
        return False
    return y.dtype.kind != "f" or _finite_sum(y)


def _finite_sum(numbers: Array) -> bool:
    """Return whether the sum is finite: then all of the numbers are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(np.add.reduce(numbers, axis=None))


def encode_labels(y: Any) -> tuple[Any, IntArray]:
    """Return the sorted classes and each sample's class number; targets that are no classes are refused.

    Integers from a short range are counted instead of sorted, which on a million labels is ten times faster.

    Examples
    --------
    >>> encode_labels(np.array(["b", "a", "b"]))
    (array(['a', 'b'], dtype='<U1'), array([1, 0, 1]))
    """
    from sklearn.utils.multiclass import check_classification_targets

    y = np.asarray(y)
    if y.dtype.kind in "iu" and y.ndim == 1 and len(y):
        low, high = int(y.min()), int(y.max())
        if high - low < MOST_INTEGER_LABELS:
            first = y.dtype.type(low)
            shifted = (y - first).view(f"u{y.itemsize}").astype(np.intp)  # right even where it wraps
            present = np.bincount(shifted, minlength=high - low + 1) > 0
            classes = np.flatnonzero(present).astype(y.dtype) + first
            places = np.cumsum(present) - 1
            return classes, shifted if present.all() else places[shifted]
    check_classification_targets(y)
    classes, numbers = np.unique(y, return_inverse=True)
    return classes, numbers


def as_sparse(A: Array) -> Any:
    """Return ``A`` without its zeros, in rows: a matrix or an array, as scikit-learn's ``sparse_interface`` says.

    Examples
    --------
    >>> type(as_sparse(np.eye(2))).__name__
    'csr_matrix'
    """
    from scipy import sparse
    from sklearn import get_config

    return sparse.csr_array(A) if get_config()["sparse_interface"] == "sparray" else sparse.csr_matrix(A)


def check_squares(name: str, A: Any, *, small: bool = True) -> None:
    """Refuse numbers the largest of which has a square that overflows or, with ``small``, one that vanishes."""
    numbers = A.data if hasattr(A, "tocsr") else A
    if not numbers.size or numbers.dtype == np.float32:  # whose squares a double holds, all of them
        return
    largest = float(max(numbers.max(), -numbers.min()))
    exponent = math.frexp(largest)[1]
    if largest == 0.0 or not math.isfinite(largest) or not (exponent > SQUARED or (small and exponent < -SQUARED)):
        return
    squares = "overflow" if exponent > 0 else "vanish"
    raise InvalidInputError(
        f"{name} holds numbers of about {largest:.0e}, whose squares {squares}: divide {name} by {largest:.0e}; the "
        "coefficients are then multiplied by it"
    )


def check_features(estimator: Any, X: Any, *, accept_sparse: Any = "csr") -> Any:
    """Check the data of a ``predict`` or ``transform`` against what ``fit`` saw."""
    from sklearn.utils.validation import check_is_fitted, validate_data

    seen = vars(estimator)
    if "feature_names_in_" not in seen and is_plain(X, finite=True) and X.shape[1] == seen.get("n_features_in_"):
        return X
    check_is_fitted(estimator)
    return validate_data(estimator, X, accept_sparse=accept_sparse, dtype=[np.float64, np.float32], reset=False)
