"""Assertions for tests: ``assert_gradient`` and its relatives fail with the audit's report as their message."""

from collections.abc import Callable
from typing import Any

from steepest.checking import GradientReport, check_adjoint, check_gradient, check_hessian, check_jacobian, check_prox

__all__ = ["assert_adjoint", "assert_gradient", "assert_hessian", "assert_jacobian", "assert_prox"]


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
    return _demand(check_gradient(value, gradient, *params, **options))


def assert_jacobian(
    function: Callable[..., Any], jacobian: Callable[..., Any], x: Any, **options: Any
) -> GradientReport:
    """Fail unless ``jacobian`` is that of ``function``; takes what ``check_jacobian`` takes."""
    return _demand(check_jacobian(function, jacobian, x, **options))


def assert_hessian(gradient: Callable[..., Any], hessian: Callable[..., Any], x: Any, **options: Any) -> GradientReport:
    """Fail unless ``hessian`` is the Jacobian of ``gradient``; takes what ``check_hessian`` takes."""
    return _demand(check_hessian(gradient, hessian, x, **options))


def assert_adjoint(A: Any, At: Any, shape: int | tuple[int, ...], **options: Any) -> GradientReport:
    """Fail unless ``At`` is the adjoint of ``A``; takes what ``check_adjoint`` takes."""
    return _demand(check_adjoint(A, At, shape, **options))


def assert_prox(
    value: Callable[..., Any], prox: Callable[..., Any], x: Any, step: float = 0.7, **options: Any
) -> GradientReport:
    """Fail unless ``prox`` is the proximal map of ``value``; takes what ``check_prox`` takes."""
    return _demand(check_prox(value, prox, x, step, **options))


def _demand(report: GradientReport) -> GradientReport:
    __tracebackhide__ = True
    if not report:
        raise AssertionError(str(report))
    return report
