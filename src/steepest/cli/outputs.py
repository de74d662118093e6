"""What commands write: files that are checked before the run, and JSON for machines."""

import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from steepest.cli.options import Decorator
from steepest.exceptions import InvalidInputError

STANDARD_OUTPUT = "standard output"
BROKEN_PIPE = 128 + 13  # what a shell makes of SIGPIPE
PICTURES, ANIMATIONS = (".png", ".svg", ".pdf"), (".gif", ".html")


class OutputFile(click.Path):
    """A file to be written, refused before the run if it cannot be.

    Parameters
    ----------
    *kinds : str
        The endings that its name may have; any if there are none.
    """

    name = "file"

    def __init__(self, *kinds: str) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self.kinds = kinds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        path, option = Path(value), param.opts[0] if param else self.name
        wrong = "'': must be the name of a file" if str(value) == "" else self._wrong(path)
        if wrong:
            raise InvalidInputError(f"{option} {wrong}")
        return path

    def _wrong(self, path: Path) -> str:
        """Return what is wrong with the path, if anything."""
        if self.kinds and path.suffix.lower() not in self.kinds:
            return f"{path}: the name must end in {_listed(self.kinds)}"
        if path.is_dir():
            return f"{path}: a directory; name a file in it"
        if not path.parent.is_dir():
            return f"{path}: there is no directory {path.parent}"
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            return f"{path}: cannot be written (permission denied)"
        return ""


def _listed(kinds: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def output_option(name: str, text: str, *kinds: str) -> Decorator:
    """Return an option that names a file to be written; of these kinds, which its help lists, if some are given."""
    return click.option(
        name, type=OutputFile(*kinds), metavar="FILE", help=f"{text} ({', '.join(kinds)})." if kinds else f"{text}."
    )


json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def written_to(name: str | Path) -> Iterator[None]:
    """Let what goes wrong in writing say to which file: the system names it in opening, not where a disk is full.

    Examples
    --------
    >>> with written_to("run.png"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
        ...
    OSError: [Errno 28] No space left on device: 'run.png'
    """
    try:
        yield
    except BrokenPipeError:  # no error, but a reader that has gone away
        raise
    except OSError as error:
        error.filename = str(name)
        raise


def print_json(record: Any) -> None:
    """Print a record as JSON, in ASCII; a number that is not finite is null."""
    from steepest.report.record import as_record

    try:
        with written_to(STANDARD_OUTPUT):
            json.dump(as_record(record), sys.stdout, indent=2, allow_nan=False)
            click.echo()
    except BrokenPipeError:
        end_unread()


def end_unread() -> NoReturn:
    """End as a process does whose reader has gone away; click and rich would take 1, which may be a verdict."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(BROKEN_PIPE)


def check_apart(read: str, written: Mapping[str, Path | None]) -> None:
    """Refuse, before the run, a file that would be written over what is read, or over another.

    Examples
    --------
    >>> check_apart("data.csv", {"--save-trace": Path("run"), "--plot": None})
    """
    taken = {} if read == "-" else {Path(read).resolve(): "the file that is read"}
    for option, path in written.items():
        if path is None:
            continue
        if path.resolve() in taken:
            raise InvalidInputError(f"{option} {path}: is {taken[path.resolve()]}; name another")
        taken[path.resolve()] = f"where {option} goes"


def say_written(*paths: Path | None, as_json: bool = False) -> None:
    """Say which files were written, unless a machine listens."""
    written = [path for path in paths if path is not None]
    if as_json or not written:
        return
    from steepest.cli.terminal import terminal

    console = terminal()
    console.print()
    for path in written:
        console.print(f"Wrote {path}", soft_wrap=True)


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure; a letter that its font lacks is drawn as a box, which need not be said of each."""
    with warnings.catch_warnings(), written_to(path):
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure.savefig(path)


def save_animation(animation: Any, path: Path) -> None:
    """Write an animation as a GIF, or as a page of its own with controls."""
    with warnings.catch_warnings(), written_to(path):
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        if path.suffix.lower() == ".gif":
            animation.save(path, writer="pillow")
        else:
            path.write_text(animation.to_jshtml(), encoding="utf-8")
