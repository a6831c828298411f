"""pdeflow score: a board of methods on the standard battery."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._core.errors import BadInput
from .._core.short_text import did_you_mean
from .study import executed

if TYPE_CHECKING:
    from ..problems import Problem
    from ..report import Entry


@click.command()
@click.argument("methods", metavar="[METHOD]...", nargs=-1)
@click.option(
    "--problems",
    "named",
    multiple=True,
    help="Names of problems separated by commas, such as 'ou 1,double_well'; the option may be repeated.  "
    "[default: standard]",
)
@click.option("--out", default="board", show_default=True, type=click.Path(), help="Folder of the board.")
@click.option("--budget", default=4.0, show_default=True, help="CPU seconds of a run.")
@click.option("--jobs", default=1, show_default=True, help="Runs side by side (joblib).")
@click.option("--store", type=click.Path(), help="Folder of finished runs; a second call redoes nothing that is whole.")
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--order", default=1.0, show_default=True, help="The order in dt that methods of your own claim.")
@click.option("--quiet", is_flag=True, help="No progress.")
def score(
    methods: Sequence[str],
    named: Sequence[str],
    out: str,
    budget: float,
    jobs: int,
    store: str | None,
    seed: int,
    order: float,
    quiet: bool,
) -> int:
    """Rank methods on a battery of problems.

    The board has errors, costs, verdicts and ranks.

    METHOD is a method of the house, such as QuantileJKO, or one of your own as FILE.py:NAME, an object with init, step
    and law. Methods of your own alone are ranked among all those of the house; without METHOD the house is alone.

    Your method meets every problem of the battery: its init must raise pf.Unsupported for those that it does not treat,
    which makes a row that says so; any other error ends the board. A pf.External is not told which problem it is to
    solve: name the one that it solves by --problems. Try --problems "ou 1" first; --store keeps what is finished.

    The board is written as board.html, board.md, board.tex and board.csv; `pdeflow compare` compares two.

    Exit code: 0 the board is written, 3 error.
    """
    import shlex

    from ..applications import TIME, standard_metric, standard_truth
    from ..report import folder, to_html, to_latex
    from ..report import score as scored

    problems = ",".join(named) or "standard"
    chosen, entries = _problems(problems), _entries(methods, order)
    place = folder(out)  # before the runs, not after
    board = scored(
        chosen,
        entries,
        {"sliced_w2": standard_metric},
        time=TIME,
        against=standard_truth,
        budget=budget,
        seed=seed,
        jobs=jobs,
        store=store,
        progress=not quiet,
    )
    words = [*methods, "--problems", problems, "--budget", f"{budget:g}", "--seed", f"{seed}"]
    command = shlex.join(["pdeflow", "score", *words])
    title = "Methods on " + ("the standard battery" if problems == "standard" else problems)
    board.to_csv(place / "board.csv")
    to_html(board, place / "board.html", title=title, command=command)
    to_latex(board, place / "board.tex", caption=f"Made by {command}")
    board.to_markdown(place / "board.md", title=title, command=command)
    click.echo(board)
    click.echo(f"board: {place / 'board.html'} (also board.md, board.tex and board.csv)")
    return 0


def _problems(names: str) -> dict[str, Problem]:
    """The problems of the battery, all or those named."""
    from ..applications import standard_problems

    known = standard_problems()
    if names == "standard":
        return known
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in known:
            raise BadInput(
                f"--problems has {name!r}. Possible: standard, {', '.join(known)}.{did_you_mean(name, list(known))}"
            )
    return {name: known[name] for name in asked}


def _entries(methods: Sequence[str], order: float) -> list[Entry]:
    """The methods that are named, after those of the house where none of them is."""
    from ..applications import HOUSE, house_methods, standard_problems

    for name in methods:
        if ":" not in name and name not in HOUSE:
            cure = did_you_mean(name, list(HOUSE))
            if name in standard_problems():
                cure = f" {name!r} is a problem: pass it by --problems."
            elif name.endswith(".py"):
                cure = f" Name the object too: {name}:NAME."
            raise BadInput(f"METHOD is {name!r}. Possible: {', '.join(HOUSE)}, or FILE.py:NAME.{cure}")
    named = [name for name in methods if ":" not in name]
    return [*house_methods(named or HOUSE), *(_own(name, order) for name in methods if ":" in name)]


def _own(name: str, order: float) -> Entry:
    """The method NAME of FILE.py."""
    from ..report import Entry

    file, _, variable = name.rpartition(":")
    path = Path(file)
    if not path.is_file() or path.suffix != ".py":
        raise BadInput(f"METHOD is {name!r}, and {file!r} is no Python file. It must be FILE.py:NAME. Pass its path.")
    sys.path.append(str(path.resolve().parent))  # for the whole command: workers import what lies beside the file
    module = executed(path)
    if not hasattr(module, variable):
        raise BadInput(
            f"{file} has no {variable!r}. METHOD names an object of the file. Add `{variable} = MySolver()`."
        )
    return Entry(variable, getattr(module, variable), order=order)
