"""Markdown reports of a study: verdicts, orders, the error budget, figures, and the long table as CSV."""

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from .._core.errors import BadInput, NotAvailable
from .._core.file_names import file_name
from .._core.files import place_of, write_whole
from .._core.validate import known_arguments
from .._core.validate import text as as_text
from ..study import Claim, Claims, Table
from ..study.growth import levels_of
from ..study.rows import Row, Rows
from . import plot
from .board import aligned

_COST = ("error", "stderr", "seconds", "first_call_seconds", "status")
_JUDGED = tuple("claimed tolerance slope interval used verdict source".split())


@known_arguments
def write(
    table: Table,
    directory: str | os.PathLike[str],
    *,
    title: str,
    claims: Iterable[Claim] | None = None,
    text: str = "",
    command: str = "",
    expected: float | None = None,
    tolerance: float = 0.1,
    figures: bool = True,
) -> Path:
    """Write report.md, table.csv and figures of the table of a study into a folder.

    Parameters
    ----------
    table : Table
        What a study returned.
    directory : str or path
        The folder; it is made if absent.
    title : str
        Title of the report.
    claims : iterable of Claim, optional
        Claims to judge.
    text : str
        Markdown put under the title.
    command : str
        What the reader types to get this report again.
    expected, tolerance : float
        Passed to `Table.orders`.
    figures : bool
        Whether pictures are drawn; without them the report is text alone, small enough to commit.

    Returns
    -------
    Path
        The path of report.md.

    Raises
    ------
    BadInput
        Where the folder cannot be made or written to.
    """
    for name, words in (("title", title), ("text", text), ("command", command)):
        as_text(words, name)
    directory = folder(directory)
    table.to_csv(directory / "table.csv")
    metrics = list(dict.fromkeys(row["metric"] for row in table))
    group = ("problem", "method", *table.others)
    parts = [f"# {title}", text.strip()]
    if command:
        parts.append(f"Made by `{command}` with pdeflow {__version__}, Python {platform.python_version()}.")
    if claims:
        parts += ["## Claims", *_claims(table.claims(claims), table.others)]
    for metric in metrics:
        orders = table.orders(metric, expected=expected, tolerance=tolerance)
        parts += [
            f"## Orders in {metric}",
            _markdown(orders, (*group, "time", "slope", "interval", "used", "floor", "verdict", "local")),
        ]
        whys = {
            tuple(str(row[name]) for name in ("method", "problem", *table.others)): row["why"]
            for row in orders
            if row["verdict"] not in ("pass", "measured") or ";" in row["why"]
        }
        parts.append("\n".join(f"- {_named(key, table.others)}: {why}" for key, why in whys.items()))
        parts += _figures(table, metric, directory) if figures else []
        parts += [
            "### Work and precision",
            _markdown(
                table.work_precision(metric),
                (*group, "time", table.swept, *_COST),
            ),
        ]
    parts += _growth(table, metrics, directory, figures)
    parts.append(_failures(table))
    parts.append(
        "The long table is in [table.csv](table.csv). floor: what the method's representation costs at the truth "
        "itself, with no step taken. Intervals are 95 % intervals of the fitted order; local orders run from coarse "
        "to fine."
    )
    target = directory / "report.md"
    content = "\n\n".join(part for part in parts if part) + "\n"
    write_whole(place_of(target), lambda file: file.write(content), text=True)
    return target


def folder(directory: str | os.PathLike[str]) -> Path:
    """`directory`, made if absent; `BadInput` if it cannot be made or written to."""
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        writable = os.access(directory, os.W_OK)
    except OSError as error:
        raise BadInput(
            f"{str(directory)!r} cannot be made: {error}. A report needs a folder. Choose another one."
        ) from error
    if not writable:
        raise BadInput(f"{str(directory)!r} cannot be written to. A report needs a folder. Choose another one.")
    return directory


def _named(key: Sequence[str], others: Sequence[str]) -> str:
    """Which group of runs is meant, in words: method, problem and the levels of the other axes."""
    levels = "".join(f", {name} = {level}" for name, level in zip(others, key[2:], strict=True))
    return f"{key[0]} on {key[1]}{levels}"


def _claims(claims: Claims, others: Sequence[str]) -> list[str]:
    rows = _markdown(claims, ("method", "metric", "problem", *others, "time", *_JUDGED))
    whys = "\n".join(
        f"- {_named([str(row[name]) for name in ('method', 'problem', *others)], others)}, t = {row['time']:g}: "
        f"{row['verdict']}: {row['why']}"
        for row in claims
        if row["verdict"] != "pass" or ";" in row["why"]
    )
    return [f"Verdict: **{claims.worst}**", rows, whys]


def _figures(table: Table, metric: str, directory: Path) -> list[str]:
    """One set of figures per problem; the file's name says the problem and the metric."""
    lines = []
    for problem in dict.fromkeys(row["problem"] for row in table):
        drawings: list[tuple[str, Callable[..., Any]]] = [
            ("convergence", plot.convergence),
            ("work_precision", plot.work_precision),
            ("error_parts", plot.error_parts),
        ]
        for kind, draw in drawings:
            name = file_name(kind, problem, metric, ending=".png")
            try:
                figure = draw(table, metric, problem=problem)
            except NotAvailable as reason:  # no finite error of this problem: the table says why
                lines.append(f"No figure {kind} of {problem}: {reason}")
                continue
            write_whole(place_of(directory / name), partial(figure.savefig, format="png", dpi=100))
            lines.append(f"![{kind} of {problem} in {metric}]({name})")
    return lines


def _growth(table: Table, metrics: Sequence[str], directory: Path, figures: bool) -> list[str]:
    """How errors and costs grow along the parameters of the problem that were swept."""
    parts = []
    for axis in [axis.name for axis in table.axes if axis.kind == "parameter" and axis.name != "problem_seed"]:
        if not all(_is_size(row[axis]) for row in table):
            continue
        others = tuple(name for name in table.along(axis).others if name != "problem_seed")
        growths = [(metric, table.growth("error", axis, metric=metric)) for metric in metrics]
        growths += [("", table.growth(cost, axis)) for cost in ("cpu_seconds", "memory")]
        rows = [{**row, "of": f"{metric} {row['of']}".strip()} for metric, found in growths for row in found]
        columns = ("problem", "method", *others, "of", "exponent", "interval", "law", "why")
        parts += [f"## Growth along {axis}", _markdown(Rows(rows), columns)]
        for metric in metrics:
            parts.append(f"### {metric} along {axis}")
            parts.append(_levels(table, axis, metric))
            parts += [_growth_figure(table, axis, metric, directory)] if figures else []
    return parts


def _levels(table: Table, axis: str, metric: str) -> str:
    """Means over draws of the problem and seeds, with the error of the exact discrete sequence."""
    columns = ("runs", axis, "repeats", "error", "stderr", "exact sequence", "ratio", "worst ratio", "CPU seconds")
    rows = []
    for name, levels in levels_of(table, axis, metric, None, "cpu_seconds").items():
        for level in levels:
            numbers = (level.error, level.stderr, level.sequence, level.ratio, level.worst_ratio, level.cost)
            rows.append(dict(zip(columns, (name, level.level, len(level.errors), *numbers), strict=True)))
    words = (
        "Means over the repeats (draws of the problem and seeds), and the median of the seconds. `exact sequence`: the "
        "error of the exact discrete sequence; `ratio`: the mean error over the mean of that; `worst ratio`: the "
        "largest of a single run."
    )
    return f"{_markdown(Rows(rows), columns)}\n\n{words}"


def _growth_figure(table: Table, axis: str, metric: str, directory: Path) -> str:
    name = file_name("growth", axis, metric, ending=".png")
    try:
        figure = plot.growth(table, axis, metric=metric)
    except NotAvailable as reason:
        return f"No figure of growth: {reason}"
    write_whole(place_of(directory / name), partial(figure.savefig, format="png", dpi=100))
    return f"![growth of {metric} along {axis}]({name})"


def _is_size(level: Any) -> bool:
    return isinstance(level, int | float) and not isinstance(level, bool) and level > 0


def _failures(table: Table) -> str:
    rows: dict[tuple[str, ...], list[Row]] = {}
    for row in table:
        if row["status"] != "ok":
            rows.setdefault((row["problem"], row["method"], row["status"], row["why"]), []).append(row)
    if not rows:
        return ""
    lines = [
        f"- {method} on {problem}: {status} ({len(group)} rows). {why}"
        for (problem, method, status, why), group in rows.items()
    ]
    return "\n".join(["## Rows that are not ok", "", *lines])


def _markdown(rows: Rows, columns: Sequence[str]) -> str:
    """Aligned Markdown table of the chosen columns; `interval` joins lower and upper."""
    return aligned(columns, [[_cell(row, name) for name in columns] for row in rows])


def _cell(row: Row, name: str) -> str:
    if name == "interval":
        return "-" if np.isnan(row["lower"]) else f"[{row['lower']:.3f}, {row['upper']:.3f}]"
    value = row[name]
    if isinstance(value, np.ndarray | tuple | list):
        return " ".join("-" if np.isnan(entry) else f"{entry:.2f}" for entry in value)
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:.4g}"
    return str(value)
