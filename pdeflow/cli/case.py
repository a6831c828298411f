"""pdeflow case: list, export and example-output; pdeflow judge: the verdict on files of answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._core.errors import BadInput, Unsupported
from .study import Heading, conclude

if TYPE_CHECKING:
    from ..case import Case


@click.group(short_help="Problems for a program in any language.")
def case() -> None:
    """Problems as folders that a program in any language can solve."""


@case.command("list", short_help="The standard cases, their times and steps.")
def list_() -> None:
    """The standard cases: their equation, times and steps."""
    from .. import case as cases
    from ..case.equation import equation_of

    for name in cases.STANDARD:
        one = cases.standard(name)
        steps = ", ".join(f"{level:g}" for level in one.levels)
        times = ", ".join(f"{time:g}" for time in one.times)
        click.echo(f"{name}\n  {equation_of(one.problem).formula}\n  times {times}; dt {steps}")


@case.command(short_help="Write a case as a folder.")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(), help="Folder that is made.")
@click.option("--levels", help="Steps dt in place of the standard ones, separated by commas: 0.1,0.05,0.025.")
@click.option("--times", help="Times in place of the standard ones, separated by commas.")
@click.option("--metrics", help="Metrics in place of the standard ones, separated by commas: w2,mean_error.")
@click.option("--set", "constants", multiple=True, metavar="NAME=VALUE", help="A constant: temperature=0.5 or dim=3.")
def export(
    name: str, out: str, levels: str | None, times: str | None, metrics: str | None, constants: tuple[str, ...]
) -> None:
    """Write the case NAME (see `pdeflow case list`) as a folder: README.md, case.json and the initial law as data.

    NAME may be a reference file (.h5) too: its laws are then the truth, and --levels and --times are needed.
    """
    from .. import case as cases

    click.echo(cases.export(_case(name, levels, times, metrics, constants), out))


@case.command("example-output", short_help="Write what a program should write.")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(), help="Folder that is made.")
@click.option("--answer", type=click.Choice(["samples", "quantiles", "masses"]), help="What is written.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="Number of seeds.")
def example_output(name: str, out: str, answer: str | None, seeds: int) -> None:
    """Write what a program is expected to write for the case NAME (or an exported folder), by a method of the house."""
    from .. import case as cases

    chosen = _case(name, None, None, None)
    click.echo(cases.write_results(chosen, _house_method(chosen, answer), out, seeds=range(seeds)))


@click.command(short_help="Judge the files that a program wrote.")
@click.argument("folder", type=click.Path())
@click.option("--results", required=True, type=click.Path(), help="Folder of CSV, NPZ and HDF5 files, or one file.")
@click.option("--order", type=float, help="The order in dt that is claimed, in every metric.")
@click.option("--at-least", type=float, help="The least order in dt that is claimed, in every metric.")
@click.option("--tolerance", default=0.1, show_default=True, type=float, help="How far the observed order may lie off.")
@click.option("--name", default="results", show_default=True, help="What the table calls the program.")
@click.option("--jobs", default=1, show_default=True, help="Comparisons side by side (joblib).")
@click.option("--report", "report_to", type=click.Path(), help="Folder for report.md, table.csv and figures.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def judge(
    folder: str,
    results: str,
    order: float | None,
    at_least: float | None,
    tolerance: float,
    name: str,
    jobs: int,
    report_to: str | None,
    quiet: bool,
) -> int:
    """Judge the answers of a program to the case that `pdeflow case export` wrote into FOLDER.

    Exit code: 0 pass, 1 fail, 2 inconclusive, 3 error.
    """
    from .. import case as cases
    from ..study import Claim

    if report_to:
        from ..report import markdown as report  # which loads matplotlib

        report.folder(report_to)  # before the work, not after
    asked = cases.load(folder)
    table = cases.judge(asked, results, name=name, jobs=jobs, progress=not quiet)
    metrics = dict.fromkeys(row["metric"] for row in table)
    said = {"--order": order, "--at-least": at_least}
    claims = [
        Claim(
            name,
            metric,
            number if option == "--order" else None,
            tolerance,
            f"pdeflow judge {folder} {option} {number:g}",
            number if option == "--at-least" else None,
        )
        for option, number in said.items()
        if number is not None
        for metric in metrics
    ]
    options = "".join(f" {option} {number:g}" for option, number in said.items() if number is not None)
    head = Heading(f"{name} on {asked.name}", "", f"pdeflow judge {folder} --results {results}{options}")
    return conclude(table, claims, report_to, head, "No --order or --at-least is claimed: nothing is judged.")


def _case(
    name: str, levels: str | None, times: str | None, metrics: str | None, constants: tuple[str, ...] = ()
) -> Case:
    """A standard case, that of an exported folder, or that of a reference file, with what the options change."""
    from dataclasses import replace

    from .. import case as cases
    from .. import reference as references
    from ..problems import rebuild

    changes: dict[str, Any] = {"levels": _numbers(levels, "levels"), "times": _numbers(times, "times")}
    changes["metrics"] = None if metrics is None else [word.strip() for word in metrics.split(",")]
    changes = {key: value for key, value in changes.items() if value is not None}
    if Path(name).suffix in (".h5", ".hdf5"):
        if constants:
            raise BadInput(f"--set is given, and {name} is a reference file, whose constants are fixed. Drop --set.")
        stored = references.load(name)
        if stored.problem is None:
            raise BadInput(f"{name} does not hold its problem: {stored.provenance['problem_note']}. Choose another.")
        if not {"levels", "times"} <= set(changes):
            raise BadInput(f"{name} is a reference file. It says neither times nor steps. Pass --times and --levels.")
        return cases.Case(stored.problem, truth=stored, name=Path(name).stem, **changes)
    chosen = cases.load(name) if Path(name).is_dir() else cases.standard(name)
    if constants:
        changes["problem"] = rebuild(chosen.problem.name, {**chosen.problem.params, **_constants(constants)})
        if changes["problem"].dim != chosen.problem.dim:
            changes.setdefault("metrics", None)  # those of the new dimension
    return replace(chosen, **changes)


def _constants(texts: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE as arguments of a builder; values are JSON, or texts."""
    import json

    found = {}
    for text in texts:
        name, equal, value = text.partition("=")
        if not equal or not name:
            raise BadInput(f"--set is {text!r}. It must be NAME=VALUE. Write e.g. --set temperature=0.5.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _numbers(text: str | None, name: str) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise BadInput(f"--{name} is {text!r}. It must be numbers separated by commas. Write e.g. 0.5,0.25.") from None


def _house_method(chosen: Case, answer: str | None) -> Any:
    """The first method of the house that can start on the problem of a case, among those that answer so."""
    import numpy as np

    from .. import grid, particle
    from ..method import initial_state

    builders: dict[str, Callable[[], Any]] = {
        "samples": lambda: particle.EulerMaruyama(),
        "quantiles": lambda: grid.QuantileJKO(points=400),
        "masses": lambda: grid.ChangCooper(),
    }
    asked = builders if answer is None else {answer: builders[answer]}
    for kind, build in asked.items():
        try:
            if kind in chosen.answers():
                method = build()
                initial_state(chosen.problem, method, np.random.default_rng(0), dt=min(chosen.levels))
                return method
        except Unsupported:
            continue
    raise Unsupported(
        f"No method of the house answers {chosen.name!r} with {' or '.join(asked)} quickly enough for an example. "
        "Every case of `pdeflow case list` on the line has one. Take one of these, or another --answer."
    )
