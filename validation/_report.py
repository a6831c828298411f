"""What the files of validation/ and benchmarks/ share: the command line, Markdown tables, and where reports go."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

REPORTS = Path(__file__).resolve().parent / "reports"


def command() -> str:
    """What was typed, as a reader of the report can type it: `python validation/... arguments`."""
    file = Path(sys.argv[0]).resolve()
    root = REPORTS.parents[1]
    name = file.relative_to(root) if file.is_relative_to(root) else file.name
    return shlex.join(["python", str(name), *sys.argv[1:]])


def heading(columns: Sequence[str]) -> list[str]:
    """The two lines that begin a Markdown table."""
    return ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence]) -> list[str]:
    """The lines of a Markdown table with these columns; the cells of a row are shown by `str`."""
    return [*heading(columns), *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)]


def run(description: str, figures: Mapping[str, Callable[[], ModuleType]]) -> int:
    """The command line of one paper: `python paper.py FIGURE --options`.

    figures maps each name to a function that imports and returns the module of that table or figure; such a module has
    `arguments(parser)` and `run(options)`. Returns what `run` returns, 0 for None.
    """
    first = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    first.add_argument("figure", choices=list(figures), help="which table or figure to compute")
    first.add_argument("rest", nargs=argparse.REMAINDER, help="its options; FIGURE --help lists them")
    chosen = first.parse_args()
    module = figures[chosen.figure]()
    words = (module.__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog=f"{first.prog} {chosen.figure}", description=words)
    module.arguments(parser)
    return module.run(parser.parse_args(chosen.rest)) or 0
