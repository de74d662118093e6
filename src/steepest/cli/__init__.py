"""The command line: ``steepest COMMAND``.

A command NAME is the file ``cli/NAME.py`` that defines a click command called ``command``; a file without one is a
helper. The commands are found by reading their files and imported only when they run, so that ``steepest --help``
answers at once.
"""

import ast
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from steepest import __version__
from steepest.cli.outputs import STANDARD_OUTPUT, written_to
from steepest.escaping import escaped
from steepest.exceptions import SteepestError

USAGE_ERROR = 2
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that finds its commands as files and imports each when it is called."""

    folder = Path(__file__).parent
    package = __name__

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in alphabetical order."""
        return sorted(self._summaries())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in self._summaries():
            return None
        found: click.Command = importlib.import_module(f"{self.package}.{_module(name)}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of this name."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            from steepest.validation import did_you_mean  # imports NumPy: only when needed

            hint = did_you_mean(args[0], known, otherwise=f"there are {', '.join(known)}")
            raise click.UsageError(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        summaries = self._summaries()
        with formatter.section("Commands"):
            formatter.write_dl([(name, summaries[name]) for name in sorted(summaries)])

    def main(self, args: Sequence[str] | None = None, *more: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run; errors of the user are one line on stderr and exit code 2."""
        options["standalone_mode"] = False
        if not standalone_mode:
            return super().main(args, *more, **options)
        _ready_streams()
        try:
            code = super().main(args, *more, **options)
            with written_to(STANDARD_OUTPUT):
                sys.stdout.flush()
        except click.ClickException as error:
            _exit_with(error.format_message())
        except SteepestError as error:
            _exit_with(str(error))
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _exit_with(f"{place}{error.strerror or error}")
        except MemoryError as error:
            _exit_with(f"this needs more memory than there is{f' ({error})' if str(error) else ''}")
        except click.Abort:
            sys.exit(INTERRUPTED)
        except Exception as error:  # a defect, here or in the user's own functions; 1 would be a verdict
            click.echo("\n".join(map(escaped, traceback.format_exc().splitlines())), err=True)
            kind = f"{type(error).__name__}: {error}"
            _exit_with(f"unexpected {kind}; if no file of yours explains it, please report it with the lines above")
        sys.exit(code if isinstance(code, int) else 0)

    def _summaries(self) -> dict[str, str]:
        """Return the first docstring line of every file here that defines ``command``, by command name."""
        found: dict[str, str] = {}
        for path in self.folder.glob("[!_]*.py"):
            text = path.read_text(encoding="utf-8")
            if "command" in text and _defines_command(tree := ast.parse(text)):
                found[path.stem.replace("_", "-")] = (ast.get_docstring(tree) or "").split("\n")[0]
        return found


def _module(name: str) -> str:
    return name.replace("-", "_")


def _defines_command(tree: ast.Module) -> bool:
    """Tell whether a module has a function or a variable ``command`` at its top level."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "command":
            return True
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "command" for target in targets):
            return True
    return False


def _ready_streams() -> None:
    """Let a stream of an old encoding show a question mark where it lacks a character; write to none that is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it: what is said there is for nobody
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _exit_with(message: str) -> None:
    """Say in one line what was wrong, and end."""
    click.echo("steepest: " + escaped(" ".join(message.split())), err=True)
    sys.exit(USAGE_ERROR)


HELP = """Machine learning you can check.

\b
Fit a model and see the proof that it is right:
  steepest fit examples/data/diabetes.csv --target progression --model lasso
"""


@click.group(
    cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True
)
@click.version_option(__version__, prog_name="steepest")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Show the help where no command is given."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
