"""pdeflow study: run a validation file and judge its claims."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .._core.errors import BadInput
from .._core.short_text import did_you_mean, shown

if TYPE_CHECKING:
    from ..study import Claim, Table
    from ..study.rows import Rows


def load_validation(file: str | Path) -> ModuleType:
    """The module of a validation file.

    Parameters
    ----------
    file : str or path
        A Python file with a function `study(scale)` or a Study named `study`, and a list `CLAIMS` if something is
        asserted.

    Returns
    -------
    module
        It has `study`, and may have `CLAIMS`. Its name in `sys.modules` is `study_file_` and the name of the file, so
        that a file named like a module of Python stands in nobody's way.

    Raises
    ------
    BadInput
        For a file without such a name, and for one that raises an error: the message names the line.

    Notes
    -----
    The file may import files beside it: their folder comes after the modules of Python itself and before installed
    packages. `StudyFolder` puts it there and takes it away.
    """
    path = Path(file)
    folders = dict.fromkeys([Path("validation/claims"), path.parent])
    known = sorted(
        str(p)
        for folder in folders
        for p in folder.glob("*.py")
        if p.is_file() and "def study(" in p.read_text(encoding="utf-8", errors="replace")
    )
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    here = f"Here: {', '.join(known[:MOST_NAMED]) or 'none'}{more}."
    if not path.exists():
        near = did_you_mean(str(path), known) if known else ""
        raise BadInput(f"There is no file {str(path)!r}. A validation file has study(scale) and CLAIMS. {here}{near}")
    if not path.is_file() or path.suffix != ".py":
        raise BadInput(f"{str(path)!r} is not a Python file. A validation file has study(scale) and CLAIMS. {here}")
    module = executed(path)
    asked = getattr(module, "study", None)
    if _is_study(asked):
        return module
    if not callable(asked):
        raise BadInput(
            f"{path} defines no study. It must have `study = pf.Study(...)` or `def study(scale='quick') -> pf.Study`, "
            f"and may have `CLAIMS`. Add one. {here}"
        )
    if not inspect.signature(module.study).parameters:
        raise BadInput(f"study() in {path} takes no argument. It must take the scale. Write def study(scale='quick').")
    return module


def _is_study(thing: object) -> bool:
    """Whether a thing is run, and not called, to make a table."""
    return not callable(thing) and callable(getattr(thing, "run", None))


def executed(path: Path) -> ModuleType:
    """The module of a Python file, run with its folder on the path of imports; `BadInput` that names a wrong line."""
    name = "study_file_" + "".join(c if c.isalnum() and c.isascii() else "_" for c in path.stem)
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None and spec.loader is not None  # which they are for a .py file
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses, pickles and the source of its classes look for it
    for pickler in ("cloudpickle", "joblib.externals.cloudpickle"):  # joblib brought its own until 1.5
        try:
            importlib.import_module(pickler).register_pickle_by_value(module)  # workers cannot import it by that name
        except ModuleNotFoundError:
            continue
    with StudyFolder(path), _NamedLine(path):
        spec.loader.exec_module(module)
    return module


class StudyFolder:
    """The folder of a study file on the path of imports, while its block runs."""

    def __init__(self, path: Path):
        self.folder = str(path.resolve().parent)

    def __enter__(self) -> None:
        installed = [i for i, place in enumerate(sys.path) if Path(place).name in ("site-packages", "dist-packages")]
        sys.path.insert(installed[0] if installed else len(sys.path), self.folder)

    def __exit__(self, *_: object) -> None:
        if self.folder in sys.path:
            sys.path.remove(self.folder)


class _NamedLine:
    """Turns an error of a study file into a `BadInput` that names the last line of that folder that ran."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception):  # Ctrl-C and sys.exit() are no errors
            return
        folder = str(self.path.resolve().parent)
        lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folder)]
        where = f"line {lines[-1].lineno} of {lines[-1].filename}, `{lines[-1].line}`" if lines else "no line of it"
        if isinstance(error, SyntaxError):
            where = f"line {error.lineno} of {error.filename}, `{(error.text or '').strip()}`"
        raise BadInput(
            f"{self.path} raises {type(error).__name__}: {error} (in {where}). A study file must load without an "
            "error. Correct that line."
        ) from error


MOST_NAMED = 12  # files in a message


@click.command(short_help="Run a study and judge its claims.")
@click.argument("file", type=click.Path())
@click.option(
    "--scale",
    type=click.Choice(["quick", "paper"]),
    default="quick",
    show_default=True,
    help="What a function study(scale) is called with.",
)
@click.option("--jobs", default=1, show_default=True, help="Runs side by side (joblib).")
@click.option("--store", type=click.Path(), help="Folder of finished runs; a second call redoes nothing that is whole.")
@click.option("--report", "report_to", type=click.Path(), help="Folder for report.md, table.csv and figures.")
@click.option("--budget", type=float, help="CPU seconds of a run; one that takes more ends as `out of time`.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def study(
    file: str, scale: str, jobs: int, store: str | None, report_to: str | None, budget: float | None, quiet: bool
) -> int:
    """Run the study of a Python FILE, print its table of orders and the verdicts on its claims.

    FILE holds `study = pf.Study(...)`, or `def study(scale)` that returns one, and may hold a list CLAIMS.

    Exit code: 0 pass, 1 fail, 2 inconclusive, 3 error.
    """
    module = load_validation(file)
    if report_to:
        from ..report import markdown as report  # which loads matplotlib

        report.folder(report_to)  # before the runs, not after
    with StudyFolder(Path(file)):
        asked = _asked(module, file, scale)
        table = asked.run(store=store, jobs=jobs, progress=not quiet, budget=budget)
    claims = getattr(module, "CLAIMS", [])
    words = (inspect.getdoc(module) or "").splitlines()
    title = words[0] if words else Path(file).stem
    head = Heading(title, "\n".join(words[1:]), f"pdeflow study {file} --scale {scale}")
    return conclude(table, claims, report_to, head, "No claims in this file: nothing is judged.")


def _asked(module: ModuleType, file: str, scale: str) -> Any:
    """The study of a file: itself, or what its function returns for this scale."""
    if _is_study(module.study):
        if scale != "quick":
            raise BadInput(
                f"--scale {scale} is given, and `study` in {file} is a Study, which has one size. A scale needs a "
                "function. Write def study(scale='quick'), or drop --scale."
            )
        return module.study
    asked = module.study(scale)
    if not callable(getattr(asked, "run", None)):
        raise BadInput(f"study({scale!r}) in {file} gave {shown(asked)}. It must give a Study. Return pf.Study(...).")
    return asked


class Heading(NamedTuple):
    """What stands at the head of a report: its title, a text, and the command that makes it again."""

    title: str
    text: str
    command: str


def conclude(table: Table, claims: Sequence[Claim], report_to: str | None, head: Heading, unjudged: str) -> int:
    """Print errors and orders of a table and the verdicts on its claims, write the report, and return the exit code.

    unjudged : what is said where nothing is claimed.
    """
    for metric in dict.fromkeys(row["metric"] for row in table):
        click.echo(f"errors in {metric}: means over the seeds ± their standard errors\n{_errors(table, metric)}\n")
        for line in dict.fromkeys(
            f"{row['method']} on {row['problem']}: {row['status']}. {row['why']}\n"
            for row in table
            if row["metric"] == metric and row["status"] != "ok"
        ):
            click.echo(line)
        click.echo(f"orders in {metric}\n{_orders(table, metric) if claims else table.orders(metric)}\n")
    verdicts = table.claims(claims) if claims else None
    if report_to:
        from ..report import markdown as report

        click.echo(f"report: {report.write(table, report_to, claims=list(claims), **head._asdict())}\n")
    if verdicts is None:
        click.echo(unjudged)
        return 0
    click.echo(f"claims\n{verdicts}\n\nverdict: {verdicts.worst}")
    return verdicts.exit_code


def _orders(table: Table, metric: str) -> Rows:
    """The orders without a verdict, which the claims below have: what is left of `why` are remarks."""
    from ..study.order import NOTHING_EXPECTED
    from ..study.rows import Rows

    orders = table.orders(metric)
    rows = [{**row, "why": row["why"].removeprefix(NOTHING_EXPECTED).removeprefix("; ")} for row in orders]
    left_out = {"verdict"} if any(row["why"] for row in rows) else {"verdict", "why"}
    return Rows(rows, [name for name in orders.visible() if name not in left_out])


def _errors(table: Table, metric: str) -> Rows:
    """One row per problem, method and time, one column per level."""
    from ..study.rows import Rows

    names, columns, rows = ("problem", "method", *table.others, "time"), dict[str, None](), []
    for group in table.select(metric).values():
        cells = {}
        for level in table.levels(group):
            value = level[table.swept]
            noise = f" ± {level['stderr']:.1g}" if level["stderr"] > 0 else ""
            shown_level = f"{table.swept} = {value:.4g}" if isinstance(value, float) else f"{table.swept} = {value}"
            cells[shown_level] = f"{level['error']:.3g}{noise}" if level["status"] == "ok" else level["status"]
        columns.update(dict.fromkeys(cells))
        rows.append({**{name: group[0][name] for name in names}, **cells})
    return Rows([{**dict.fromkeys(columns, "-"), **row} for row in rows], (*names, *columns))
