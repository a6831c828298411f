"""pdeflow study: run a validation file and judge its claims."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import click

from .._core.errors import BadInput


def load_validation(file: str | Path) -> ModuleType:
    """The module of a validation file.

    Parameters
    ----------
    file : str or path
        A Python file with a function `study(scale)`, and a list `CLAIMS` if something is asserted.

    Returns
    -------
    module
        It has `study`, and may have `CLAIMS`.

    Raises
    ------
    BadInput
        For a file without such a function.
    """
    path = Path(file)
    known = [
        str(p) for p in sorted(Path("validation/claims").glob("*.py")) if "def study(" in p.read_text(encoding="utf-8")
    ]
    here = f"Here: {', '.join(known) or 'none'}."
    if not path.is_file() or path.suffix != ".py":
        raise BadInput(f"{str(path)!r} is not a Python file. A validation file has study(scale) and CLAIMS. {here}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # which they are for a .py file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "study", None)):
        raise BadInput(
            f"{path} defines no study. It must have `def study(scale='quick') -> pf.Study` and may have `CLAIMS`. Add "
            f"the function. {here}"
        )
    if not inspect.signature(module.study).parameters:
        raise BadInput(f"study() in {path} takes no argument. It must take the scale. Write def study(scale='quick').")
    return module


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--scale", type=click.Choice(["quick", "paper"]), default="quick", show_default=True, help="Size of the study."
)
@click.option("--jobs", default=1, show_default=True, help="Runs side by side (joblib).")
@click.option("--store", type=click.Path(), help="Folder of finished runs; a second call redoes nothing that is whole.")
@click.option("--report", "report_to", type=click.Path(), help="Folder for report.md, table.csv and figures.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def study(file: str, scale: str, jobs: int, store: str | None, report_to: str | None, quiet: bool) -> int:
    """Run the study of a validation FILE, print its table of orders and the verdicts on its claims.

    Exit code: 0 pass, 1 fail, 2 inconclusive, 3 error.
    """
    module = load_validation(file)
    from ..report import markdown as report  # here, so that --help is quick

    if report_to:
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
