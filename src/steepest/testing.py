"""Assertions for tests: ``assert_gradient`` and its relatives fail with the audit's report as their message."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from steepest.checking import GradientReport, check_adjoint, check_gradient, check_hessian, check_jacobian, check_prox
from steepest.checking.grading import Grade, grade

__all__ = ["assert_adjoint", "assert_full_marks", "assert_gradient", "assert_hessian", "assert_jacobian", "assert_prox"]


def assert_gradient(
    value: Callable[..., Any], gradient: Callable[..., Any], *params: Any, **options: Any
) -> GradientReport:
    """Fail unless ``gradient`` is the derivative of ``value``; takes what ``check_gradient`` takes.

    A gradient about which nothing can be told fails too: a test that cannot tell proves nothing.

    Examples
    --------
    >>> from steepest.testing import assert_gradient
    >>> report = assert_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0)
    >>> assert_gradient(lambda x: x**3, lambda x: -3 * x**2, 2.0)
    Traceback (most recent call last):
        ...
    AssertionError: The gradient disagrees with the value in x.
    ...
    """
    __tracebackhide__ = True
    return _demand(check_gradient(value, gradient, *params, **options))


def assert_jacobian(
    function: Callable[..., Any], jacobian: Callable[..., Any], x: Any, **options: Any
) -> GradientReport:
    """Fail unless ``jacobian`` is that of ``function``; takes what ``check_jacobian`` takes.

    Examples
    --------
    >>> report = assert_jacobian(lambda x: 2 * x, lambda x: [[2.0, 0.0], [0.0, 2.0]], [1.0, 3.0])
    """
    __tracebackhide__ = True
    return _demand(check_jacobian(function, jacobian, x, **options))


def assert_hessian(gradient: Callable[..., Any], hessian: Callable[..., Any], x: Any, **options: Any) -> GradientReport:
    """Fail unless ``hessian`` is the Jacobian of ``gradient``; takes what ``check_hessian`` takes.

    Examples
    --------
    >>> report = assert_hessian(lambda x: 2 * x, lambda x: [[2.0, 0.0], [0.0, 2.0]], [1.0, 3.0])
    """
    __tracebackhide__ = True
    return _demand(check_hessian(gradient, hessian, x, **options))


def assert_adjoint(A: Any, At: Any, shape: int | tuple[int, ...], **options: Any) -> GradientReport:
    """Fail unless ``At`` is the adjoint of ``A``; takes what ``check_adjoint`` takes.

    Examples
    --------
    >>> report = assert_adjoint(lambda u: 2 * u, lambda v: 2 * v, 3)
    """
    __tracebackhide__ = True
    return _demand(check_adjoint(A, At, shape, **options))


def assert_prox(
    value: Callable[..., Any], prox: Callable[..., Any], x: Any, step: float = 0.7, **options: Any
) -> GradientReport:
    """Fail unless ``prox`` is the proximal map of ``value``; takes what ``check_prox`` takes.

    Examples
    --------
    >>> report = assert_prox(lambda z: 0.5 * z @ z, lambda x, t: x / (1 + t), [1.0, -2.0])
    """
    __tracebackhide__ = True
    return _demand(check_prox(value, prox, x, step, **options))


def assert_full_marks(template: str | Path, submission: str | Path, *, seed: int = 0) -> Grade:
    r"""Fail unless a learner's file earns every point of a teacher's template; the message holds the reasons.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "lesson.py").write_text("parameters = {'x': 2.0}\ndef value(x): return x**2")
    >>> _ = (folder / "mine.py").write_text("def gradient(x): return 2 * x")
    >>> assert_full_marks(folder / "lesson.py", folder / "mine.py").points
    1.0
    """
    __tracebackhide__ = True
    result = grade(template, submission, seed=seed)
    if not result:
        raise AssertionError(str(result))
    return result


def _demand(report: GradientReport) -> GradientReport:
    __tracebackhide__ = True
    if not report:
        raise AssertionError(str(report))
    return report
