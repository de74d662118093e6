"""How a kernel is compiled: one decorator, and one notice on a terminal at the first compilation.

Kernels call each other, and only what Python calls need be machine code. Numba would optimise every kernel that
another calls on its own and turn it into machine code, and do so again as a part of its caller, and of the caller's
caller. Here such a *part* stays as it was written, until the kernel that Python calls is optimised as a whole.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba.core import caching, codegen, compiler, event, registry
from numba.core.runtime.nrt import rtsys

from steepest.loading import uncollected

F = TypeVar("F", bound=Callable[..., Any])


OPTIONS: dict[str, Any] = {
    "nopython": True,
    "nogil": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


class Part(codegen.JITCodeLibrary):
    """The instructions of a kernel that others call: linked into them, never executed by themselves."""

    @property
    def codegen(self) -> Any:
        """What knows the addresses of machine code; here is none."""
        return self

    def set_env(self, *_: Any) -> None:
        """Nothing to do."""

    def get_pointer_to_function(self, name: str) -> int:
        """Return that there is no machine code."""
        return 0

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]  # numba types it in part
        self._finalized = True


class PartCompiler(compiler.Compiler):
    """Compile as far as a caller needs it."""

    def __init__(self, typing: Any, target: Any, library: Any, *how: Any) -> None:
        library = Part(target.codegen(), "part")  # type: ignore[no-untyped-call]
        super().__init__(typing, target, library, *how)  # type: ignore[no-untyped-call]


class Store(caching.FunctionCache):
    """The machine code of a kernel on disk."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what there is for a signature.

        Numba would first declare all that it can compile, which takes longer than to read a kernel and helps only
        who compiles: that is done then.
        """
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # numba types it in part


class Kernel(registry.CPUDispatcher):
    """A function that is compiled when called, and in another form when called by a kernel."""

    def __init__(self, py_func: Callable[..., Any], locals: Any = None, targetoptions: Any = None) -> None:
        locals, targetoptions = locals or {}, targetoptions or {}
        super().__init__(py_func, locals, targetoptions)
        self._cache = Store(py_func)  # type: ignore[no-untyped-call]
        part = {**targetoptions, "no_cpython_wrapper": True}
        self._part = registry.CPUDispatcher(py_func, locals, part, PartCompiler)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how a kernel calls this one."""
        return self._part.get_call_template(args, kws)

    def get_overload(self, signature: Any) -> Any:
        """Return what stands for the part in its caller."""
        return self._part.get_overload(signature)

    def compiled_part(self, signature: Any) -> Any:
        """Return the part itself."""
        return self._part.get_compile_result(signature)

    def compile(self, signature: Any) -> Any:
        """Compile, or load what was compiled before."""
        with uncollected():
            return super().compile(signature)


class Choice(registry.CPUDispatcher):
    """What a kernel calls where the types of the arguments tell which kernel that is."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how the kernel for these types is called."""
        return self.py_func(*args).get_call_template(args, kws)

    def get_overload(self, signature: Any) -> Any:
        """Return what stands for it in its caller."""
        return self.py_func(*signature).get_overload(signature)


def compiled(function: F) -> F:
    """Compile ``function`` at its first call, without the interpreter lock, and keep the result on disk.

    The order of floating-point operations is kept as written, except that a product and a sum may be fused and
    a reduction may run in several SIMD lanes; NaN and infinity keep their meaning.
    """
    return cast(F, Kernel(function, targetoptions=OPTIONS))


def borrowing(function: F) -> F:
    """Compile a kernel that only works on arrays it is given, and makes none: it need not count who holds them.

    Counting costs some nanoseconds whenever an array is taken out of a tuple, or a row out of a matrix: much, for a
    kernel called with a few numbers. What it calls must be compiled so, too.
    """
    return cast(F, Kernel(function, targetoptions={**OPTIONS, "_nrt": False}))


def chosen(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call what ``function`` returns for the compiler's types of the arguments: the others stay uncompiled.

    It gets all arguments by their places.
    """
    return cast(Callable[..., Any], Choice(function))


def inlined(function: F) -> F:
    """Compile ``function`` as part of every kernel that calls it: for the levels between a loop and what it calls.

    It is copied into each of them before types are inferred, and never called.
    """
    return cast(F, registry.CPUDispatcher(function, targetoptions={**OPTIONS, "inline": "always"}))


class _Notice(event.Listener):
    """Say once, on a terminal, that the first use of a kernel takes some seconds."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said and sys.stderr.isatty():
            print("steepest: compiling kernels for this machine, once ...", file=sys.stderr)
        self.said = True

    def on_end(self, event: Any) -> None:
        """Nothing to do when a compilation ends."""


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]  # numba types it in part
