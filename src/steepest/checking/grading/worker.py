"""The process in which a learner's file runs: it receives points, sends back what the functions return.

It decides nothing. The comparison happens in the grader's process, so that a submission can hand in numbers
only, not a verdict.
"""

import contextlib
import io
import os
import runpy
import sys
import threading
import time
from typing import Any

import numpy as np

from steepest.checking.grading.codec import decode, encode

__all__ = ["main"]


def main(path: str, memory_mb: int) -> None:
    """Load ``path`` under limits, then answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr = io.StringIO()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory(memory_mb)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    namespace: dict[str, Any] = {}
    with _Reporting(answers) as outcome:
        namespace.update(runpy.run_path(path, run_name="submission"))
        outcome["functions"] = [name for name, part in namespace.items() if callable(part)]
    for line in requests:
        name, arguments, data = decode(line)
        with _Reporting(answers) as outcome:
            before = encode([arguments, data])
            outcome["result"] = namespace[name](*arguments, **data)
            outcome["changed"] = encode([arguments, data]) != before


class _Reporting(contextlib.AbstractContextManager[dict[str, Any]]):
    """Send the outcome filled in inside the block, with what was printed and what was raised."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers
        self.outcome: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        sys.stdout = sys.stderr = io.StringIO()
        np.seterr(all="ignore")
        return self.outcome

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        printed = sys.stdout.getvalue() if isinstance(sys.stdout, io.StringIO) else ""
        self.outcome["printed"] = printed[:2000]
        if error is not None:
            self.outcome = {"printed": printed[:2000], "raised": _describe(error, trace)}
        try:
            line = encode(self.outcome)
        except (TypeError, ValueError) as unsendable:
            line = encode({"printed": printed[:2000], "raised": f"the result is not an array of numbers: {unsendable}"})
        self.answers.write(line + "\n")
        self.answers.flush()
        return True


def _describe(error: BaseException, trace: Any) -> str:
    """Type, text, and the line of the submission in which it happened."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "submission":
            line = trace.tb_lineno
        trace = trace.tb_next
    text = str(error)
    if isinstance(error, SyntaxError) and error.lineno:
        line, text = error.lineno, error.msg
    where = f" (line {line})" if line else ""
    text = text or ("more memory is needed than the limit allows" if isinstance(error, MemoryError) else "")
    return f"{type(error).__name__}: {text}{where}"


def _end_with_parent(parent: int) -> None:
    """End this process once the grader is gone, so that an endless loop in a submission does not outlive it."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _limit_memory(memory_mb: int) -> None:
    """Bound the address space where the system can."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
