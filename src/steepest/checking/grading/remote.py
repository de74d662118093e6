"""A learner's functions, called in their own process with limits on time and memory."""

import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from steepest.checking.grading.codec import decode, encode
from steepest.exceptions import InvalidInputError

__all__ = ["Limits", "Remote", "SubmissionFailedError"]

MOST_ANSWER = 256 * 2**20  # bytes of one answer
MUCH_MB = 200.0  # more than what a lesson's functions work with


class SubmissionFailedError(InvalidInputError):
    """A submission that ran too long, used too much memory, raised, or ended its process."""


class Limits:
    """Seconds for one call and for loading the file, and megabytes of memory."""

    def __init__(self, seconds: float = 10.0, memory_mb: int = 4096) -> None:
        self.seconds = seconds
        self.memory_mb = memory_mb


class Remote:
    """The functions of a file in a process of their own.

    Attributes
    ----------
    functions : list of str
        Names that the file defines.
    printed : str
        What it printed so far.
    changed : bool
        Whether a call changed its arguments in place.
    """

    def __init__(self, path: str | Path, limits: Limits) -> None:
        self.limits = limits
        self.printed = ""
        self.changed = False
        self.folder = tempfile.TemporaryDirectory()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
        environment.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
        command = [
            sys.executable,
            "-m",
            "steepest.checking.grading.worker",
            str(Path(path).resolve()),
            str(limits.memory_mb),
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=self.folder.name, env=environment, start_new_session=True,
        )  # fmt: skip
        self._pending = b""
        self.functions: list[str] = []
        self._memory_mb = 0.0  # after the file was loaded

    def __enter__(self) -> "Remote":
        """Wait until the file is loaded."""
        self.functions = list(self._answer(self.limits.seconds + 30.0)["functions"])
        self._memory_mb = resident_mb(self.process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.folder.cleanup()

    def call(self, name: str, arguments: tuple[Any, ...], data: dict[str, Any]) -> Any:
        """Return the result of one call; SubmissionFailedError says why there is none."""
        assert self.process.stdin is not None, "opened with a pipe"
        try:
            self.process.stdin.write((encode([name, list(arguments), data]) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise SubmissionFailedError("the process had ended") from None
        outcome = self._answer(self.limits.seconds)
        self.changed |= bool(outcome["changed"])
        return outcome["result"]

    def _answer(self, seconds: float) -> dict[str, Any]:
        outcome: dict[str, Any] = decode(self._line(seconds).decode())
        self.printed = (self.printed + outcome["printed"])[:2000]
        if "raised" in outcome:
            raise SubmissionFailedError(f"raised {outcome['raised']}")
        return outcome

    def _why_so_long(self) -> str:
        """Say what the process that has to be ended seems to be doing: one that only loops does not grow."""
        used = resident_mb(self.process.pid)
        if used < self._memory_mb + MUCH_MB:
            return "an endless loop?"
        return f"by then it used {used:.0f} MB of memory: an endless loop that keeps what it makes?"

    def _line(self, seconds: float) -> bytes:
        """Next line of the process, or an error once the time is over."""
        assert self.process.stdout is not None, "opened with a pipe"
        end = time.monotonic() + seconds
        parts = [self._pending]
        size = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in parts[-1]:
                if not selector.select(max(end - time.monotonic(), 0.0)):
                    raise SubmissionFailedError(f"took longer than {seconds:g} s ({self._why_so_long()})")
                part = os.read(self.process.stdout.fileno(), 2**20)
                size += len(part)
                if not part:
                    raise SubmissionFailedError("ended its process (exit, or too much memory)")
                if size > MOST_ANSWER:
                    raise SubmissionFailedError("returned more than 256 MiB")
                parts.append(part)
        line, _, self._pending = b"".join(parts).partition(b"\n")
        return line


def resident_mb(pid: int) -> float:
    """Return how much memory a process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):  # no Linux, or the process is gone
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
