"""The command line: argument parsing only. Heavy modules are imported inside the commands, so that --help is quick."""

import inspect
import io
import sys
import traceback
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any

import click

from .. import __version__
from .._core.errors import PdeflowError
from .case import case, judge
from .compare import compare
from .grade import grade
from .reference import reference
from .score import score
from .show import show
from .study import study

# exit codes of `study` and `judge`: 0 pass, 1 fail, 2 inconclusive, 3 error; the others: 0 or 3 (check, diff: 1)
ERROR = 3


class _Exit:
    """Turns what escapes a command into an exit code: a message for pdeflow's own errors, a traceback for the rest."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, SystemExit):
            return
        if issubclass(kind, KeyboardInterrupt | click.exceptions.Abort):
            click.echo("Stopped. What is whole is kept; the same command goes on from there.", err=True)
            sys.exit(130)
        if isinstance(error, click.ClickException):
            error.show(file=sys.stderr or io.StringIO())
        elif issubclass(kind, PdeflowError):
            click.echo(f"{kind.__name__}: {error}", err=True)
        else:
            traceback.print_exception(kind, error, trace)
        sys.exit(ERROR)


def main() -> None:
    """Entry point. Exit code 3 on any error, so that 1 and 2 always are verdicts."""
    for stream in (sys.stdout, sys.stderr):  # a letter that the encoding of the stream lacks is written as \\uXXXX
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with _Exit():
        sys.exit(commands(standalone_mode=False) or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pdeflow")
def commands() -> None:
    """Numerical Wasserstein gradient flows, checked against their ground truth."""


@commands.command("list", short_help="Problems, methods, metrics, laws by name.")
def list_() -> None:
    """Problems, methods, metrics, laws, potentials and kernels by name."""
    import pdeflow as pf

    click.echo("problems (pf.problems)")
    for name, build in pf.problems.CATALOGUE.items():
        click.echo(f"  {name}({_fields(build)})\n      {(inspect.getdoc(build) or name).splitlines()[0]}")
    click.echo("methods, with their fields and defaults")
    for folder in ("grid", "particle", "neural"):
        absent: list[str] = []
        for name in getattr(pf, folder).__all__:
            thing = _optional(getattr(pf, folder), name)
            if isinstance(thing, str):
                absent.append(thing)
            elif isinstance(thing, type) and issubclass(thing, pf.Method):
                click.echo(f"  pf.{folder}.{name}({_fields(thing)})")
        if absent:  # the same package keeps them all away: one sentence says it
            more = f" The same holds for {len(absent) - 1} more names of pf.{folder}." if absent[1:] else ""
            click.echo(f"  {absent[0]}{more}")
    for folder in ("metrics", "laws", "potentials", "interactions"):
        names = [name for name in getattr(pf, folder).__all__ if name not in ("from_spec", "Metric", "metric")]
        click.echo(f"{folder} (pf.{folder})\n  {', '.join(names)}")


def _fields(build: Callable[..., Any]) -> str:
    """The fields of a method, or the arguments of a builder, with their defaults."""
    defaults = inspect.signature(build).parameters.values()
    return ", ".join(str(field.replace(annotation=inspect.Parameter.empty)) for field in defaults)


def _optional(folder: ModuleType, name: str) -> Any:
    """The named thing, or the reason why an optional package keeps it away."""
    try:
        return getattr(folder, name)
    except PdeflowError as error:
        return str(error)


for command in (study, case, judge, grade, reference, show, score, compare):
    commands.add_command(command)
