"""The command line: argument parsing only. Heavy modules are imported inside the commands, so that --help is quick."""

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

import click

from .. import __version__
from .._core.errors import BadInput, PdeflowError

ERROR = (
    3  # exit codes of `study`: 0 pass, 1 fail, 2 inconclusive, 3 error; every other command: 0 or 3 (check, diff: 1)
)


class _Exit:
    """Turns what escapes a command into an exit code: a message for pdeflow's own errors, a traceback for the rest."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None or issubclass(kind, SystemExit):
            return
        if issubclass(kind, KeyboardInterrupt | click.exceptions.Abort):
            click.echo("Stopped. What is whole is kept; the same command goes on from there.", err=True)
            sys.exit(130)
        if issubclass(kind, click.ClickException):
            error.show()
        elif issubclass(kind, PdeflowError):
            click.echo(f"{kind.__name__}: {error}", err=True)
        else:
            traceback.print_exception(kind, error, trace)
        sys.exit(ERROR)


def main():
    """Entry point. Exit code 3 on any error, so that 1 and 2 always are verdicts."""
    with _Exit():
        sys.exit(commands(standalone_mode=False) or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pdeflow")
def commands():
    """Numerical Wasserstein gradient flows, checked against their ground truth."""


@commands.command("list")
def list_():
    """Problems, methods, metrics, laws, potentials and kernels by name."""
    import pdeflow as pf

    click.echo("problems (pf.problems)")
    for name, build in pf.problems.CATALOGUE.items():
        click.echo(f"  {name}{inspect.signature(build)}\n      {inspect.getdoc(build).splitlines()[0]}")
    click.echo("methods, with their fields and defaults")
    for folder in ("grid", "particle", "neural"):
        for name in getattr(pf, folder).__all__:
            thing = _optional(getattr(pf, folder), name)
            if isinstance(thing, str):
                click.echo(f"  pf.{folder}.{name}: {thing}")
            elif isinstance(thing, type) and issubclass(thing, pf.Method):
                click.echo(f"  pf.{folder}.{name}{inspect.signature(thing)}")
    for folder in ("metrics", "laws", "potentials", "interactions"):
        names = [name for name in getattr(pf, folder).__all__ if name != "from_spec"]
        click.echo(f"{folder} (pf.{folder})\n  {', '.join(names)}")


def _optional(folder, name):
    """The named thing, or the reason why an optional package keeps it away."""
    try:
        return getattr(folder, name)
    except PdeflowError as error:
        return str(error)


def load_validation(path):
    """The functions `study` and list `CLAIMS` of a validation file; `BadInput` if it has no `study`."""
    path = Path(path)
    known = [
        str(p) for p in sorted(Path("validation/claims").glob("*.py")) if "def study(" in p.read_text(encoding="utf-8")
    ]
    here = f"Here: {', '.join(known) or 'none'}."
    if not path.is_file() or path.suffix != ".py":
        raise BadInput(f"{str(path)!r} is no Python file. A validation file has study(scale) and CLAIMS. {here}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "study", None)):
        raise BadInput(
            f"{path} defines no study. It must have `def study(scale='quick') -> pf.Study` and may have `CLAIMS`. Add it. {here}"
        )
    if not inspect.signature(module.study).parameters:
        raise BadInput(f"study() in {path} takes no argument. It must take the scale. Write def study(scale='quick').")
    return module


@commands.command()
@click.argument("file", type=click.Path())
@click.option(
    "--scale", type=click.Choice(["quick", "paper"]), default="quick", show_default=True, help="Size of the study."
)
@click.option("--jobs", default=1, show_default=True, help="Runs side by side (joblib).")
@click.option("--store", type=click.Path(), help="Folder of finished runs; a second call redoes nothing that is whole.")
@click.option("--report", "report_to", type=click.Path(), help="Folder for report.md, table.csv and figures.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def study(file, scale, jobs, store, report_to, quiet):
    """Run the study of a validation FILE, print its table of orders and the verdicts on its claims.

    Exit code: 0 pass, 1 fail, 2 inconclusive, 3 error.
    """
    module = load_validation(file)
    if report_to:
        from ..report import markdown as report

        report.folder(report_to)  # before the runs, not after
    table = module.study(scale).run(store=store, jobs=jobs, progress=not quiet)
    claims = getattr(module, "CLAIMS", [])
    for metric in dict.fromkeys(row["metric"] for row in table):
        click.echo(f"orders in {metric}\n{table.orders(metric)}\n")
    verdicts = table.claims(claims) if claims else None
    if report_to:
        command = f"pdeflow study {file} --scale {scale}"
        title = (inspect.getdoc(module) or Path(file).stem).splitlines()[0]
        text = "\n".join((inspect.getdoc(module) or "").splitlines()[1:])
        click.echo(
            f"report: {report.write(table, report_to, title=title, claims=claims, text=text, command=command)}\n"
        )
    if verdicts is None:
        click.echo("No claims in this file: nothing is judged.")
        return 0
    click.echo(f"claims\n{verdicts}\n\nverdict: {verdicts.worst}")
    return verdicts.exit_code


@commands.group()
def reference():
    """Make, show, check and compare HDF5 reference files."""


@reference.command("make")
@click.argument("recipe")
@click.option("--directory", default=".", show_default=True, type=click.Path(), help="Where the file goes.")
@click.option("--overwrite", is_flag=True, help="Replace a file there that answers another question or is damaged.")
def make(recipe, directory, overwrite):
    """Run a RECIPE (a name in references/recipes, or a Python file) and write its reference file."""
    from .. import reference as files

    click.echo(files.make(recipe, directory, overwrite=overwrite))


@reference.command("show")
@click.argument("file", type=click.Path())
def show_reference(file):
    """Attributes and variables of a reference FILE."""
    from .. import reference as files

    click.echo(files.describe_file(file))


@reference.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
def check(files):
    """Validate reference FILES; exit code 1 if any is not valid."""
    from .. import reference

    bad = 0
    for file in files:
        faults = reference.check(file)
        bad += bool(faults)
        click.echo(f"{file}: {'valid' if not faults else 'NOT VALID'}")
        for fault in faults:
            click.echo(f"  {fault}")
    return 1 if bad else 0


@reference.command()
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
def diff(first, second):
    """Differences of two reference files; exit code 1 if there are any."""
    from .. import reference as files

    differences = files.diff(first, second)
    for difference in differences:
        click.echo(difference)
    click.echo("no differences" if not differences else f"{len(differences)} difference(s)")
    return 1 if differences else 0


@reference.command()
@click.argument("file", type=click.Path())
@click.option("--verify", is_flag=True, help="Only compare: make it again in memory and leave FILE alone.")
def remake(file, verify):
    """Make a reference FILE again by its recipe; with --verify, compare and exit with 1 if it differs.

    The recipe is the one named in the file, looked for in recipes/ beside it and in references/recipes.
    """
    from .. import reference as files

    if verify:
        differences = files.verify(file)
        for difference in differences:
            click.echo(difference)
        click.echo(
            f"{file}: {'its recipe makes the same file' if not differences else 'DIFFERS from what its recipe makes'}"
        )
        return 1 if differences else 0
    path = Path(file)
    recipe = path.parent / "recipes" / f"{path.stem}.py"
    click.echo(files.make(recipe if recipe.is_file() else path.stem, path.parent, overwrite=True))
    return 0


@commands.command()
@click.argument("file", type=click.Path())
@click.option("--figure", type=click.Path(), help="Draw the densities of a 1-D reference into this picture.")
def show(file, figure):
    """A reference file (.h5) or the long table of a report (.csv), as text."""
    if Path(file).suffix == ".csv":
        import pandas as pd

        if not Path(file).is_file() or Path(file).stat().st_size == 0:
            raise BadInput(f"{file!r} is no file or empty. A table is the table.csv of a report. Name one.")
        click.echo(pd.read_csv(file).to_string(index=False))
        return
    from .. import reference as files

    click.echo(files.describe_file(file))
    if figure:
        from ..report import plot

        stored = files.load(file)
        times = stored.trajectory.times
        plot.density(stored.trajectory, times=times[:: max(1, len(times) // 6)]).savefig(figure, dpi=130)
        click.echo(f"figure: {figure}")
