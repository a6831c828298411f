"""Board: one row per problem and method with error, cost, verdict and rank; as CSV, Markdown and text."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.files import place_of, write_whole
from .._core.short_text import cut, shown
from ..study.rows import Row, Rows

CLASSES = ("classical", "particle", "neural", "own")
_TEXTS = ("problem", "class", "method", "metric", "level_kind", "verdict", "status", "why")
_COUNTS = ("dim", "seeds", "rank", "overall")
_LISTS = ("steps", "errors", "stderrs", "costs")
BEYOND = 2.0  # standard errors by which two errors must differ to have different ranks
_WIDEST = 80  # characters of a reason in a table for readers
READING = (  # what readers of a board are told of its columns
    ("error", "that of the finest step dt whose runs all succeeded, mean over the seeds ± its standard error."),
    (
        "times level",
        "the error over the null level of the metric, or over the floor of the method: 1 is as good as an exact solver "
        "with this representation.",
    ),
    (
        "rank",
        f"place by error within the class; methods whose errors differ by less than {BEYOND:g} standard errors share "
        "it.",
    ),
    (
        "verdict",
        "whether the errors fall with dt by the order claimed, or faster. `fail` does not say that a method is wrong, "
        "but that another error than that of the step dominates, which no smaller step mends: that of the "
        "representation where times level is near 1, else that of cells, points, draws, regularisation or training at "
        "these sizes. What regularisation and training add grows with the number of steps. `inconclusive`: the errors "
        "do not stand out enough from their noise and floor.",
    ),
    (
        "status",
        "empty where all steps succeeded, else how the first of them ended that did not. After a step that is out of "
        "time no smaller one is tried.",
    ),
)


class Board(Rows):
    """What methods reach on problems: one row per problem and method.

    The columns are

    - problem, dim (its dimension), class (classical, particle, neural or own), method, metric, time;
    - dt, error, stderr, seeds: the finest step whose runs are all `ok`, the mean of its errors over the seeds and the
      standard error of that mean, 0 where nothing is random;
    - level, level_kind: the null level of the metric, or the floor of the method where the metric knows none: what an
      exact solver of the same representation reaches; times_level is error/level;
    - truth_error: the error of the truth itself;
    - order, lower, upper, verdict: the order in dt with its 95 % interval, and whether it is the one claimed;
    - cpu_seconds: median over seeds, at that step, with what compiling took there; kernel_seconds: CPU time of a fixed
      computation in the same run, median; kernel_spread: the standard deviation of its logarithm. Times are compared
      in units of the kernel;
    - rank: place by error among methods of the class; overall: among all. Methods whose errors differ by less than two
      standard errors of the difference share a place; 0 without an error;
    - status: `ok`, or that of the first level, from coarse to fine, that is not; why: the reason;
    - budget: CPU seconds that a run could take, infinite without one;
    - steps, errors, stderrs, costs: all steps dt from coarse to fine, with their errors and CPU seconds.

    A number that does not exist is NaN.
    """

    columns = (
        *("problem", "dim", "class", "method", "metric", "time", "dt", "error", "stderr", "seeds"),
        *("level", "level_kind", "times_level", "truth_error", "order", "lower", "upper", "verdict"),
        *("cpu_seconds", "kernel_seconds", "kernel_spread", "rank", "overall", "status", "why", "budget"),
        *("steps", "errors", "stderrs", "costs"),
    )

    def __init__(self, rows: Iterable[Row]):
        super().__init__(_ranked(list(rows)))

    def visible(self) -> tuple[str, ...]:
        return tuple(key for _, key, _ in SHOWN)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the board as CSV; `read_board` gives it back bit by bit.

        Parameters
        ----------
        path : str or path
            The file appears whole or not at all. Lists (steps, errors) are numbers with spaces between them.

        Raises
        ------
        BadInput
            Where the file cannot be written.
        """

        def write(file: Any) -> None:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(self.columns)
            lines.writerows([_written(row[name]) for name in self.columns] for row in self.rows)

        write_whole(place_of(path), write, text=True)

    def to_markdown(self, path: str | os.PathLike[str], *, title: str = "Board", command: str = "") -> None:
        """Write the board as Markdown: one table a problem, best methods first, and what has no error, with reasons.

        Parameters
        ----------
        path : str or path
            The file appears whole or not at all.
        title : str
            Heading.
        command : str
            What the reader types to get this board again.

        Raises
        ------
        BadInput
            Where the file cannot be written.
        """
        parts = [f"# {title}\n"]
        if command:
            parts.append(f"Made by `{command}`.\n")
        parts.append("\n".join(f"- {name}: {words}" for name, words in READING) + "\n")
        for problem, rows in self.by_problem():
            measured, failed = split(rows)
            parts.append(f"## {problem}\n")
            if measured:
                columns = [name for name, _, _ in SHOWN[1:]]
                parts.append(aligned(columns, [[write(row) for _, _, write in SHOWN[1:]] for row in measured]) + "\n")
            parts += [f"- {line}" for line in without_error(failed)]
            parts += [""] if failed else []
        write_whole(place_of(path), lambda file: file.write("\n".join(parts).rstrip() + "\n"), text=True)

    def by_problem(self) -> Iterator[tuple[str, list[Row]]]:
        """The rows of each problem, ordered by error; those without one come last."""
        for problem in dict.fromkeys(row["problem"] for row in self.rows):
            rows = [row for row in self.rows if row["problem"] == problem]
            yield problem, sorted(rows, key=lambda row: (math.isnan(row["error"]), row["error"]))


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that have an error, and those that have none."""
    measured = [row for row in rows if not math.isnan(row["error"])]
    return measured, [row for row in rows if math.isnan(row["error"])]


def without_error(rows: Sequence[Row], widest: int = 160) -> list[str]:
    """One sentence per status and reason for rows that have no error, the methods joined."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        reasons.setdefault((row["status"], _sentence(row["why"], widest)), []).append(row["method"])
    return [f"{', '.join(methods)}: {status}. {why}" for (status, why), methods in reasons.items()]


def number(value: float) -> str:
    """Three digits of a number, "-" for one that does not exist."""
    return "-" if math.isnan(value) else f"{value:.3g}"


def _error(row: Row) -> str:
    return number(row["error"]) + (f" ± {row['stderr']:.1g}" if row["stderr"] > 0 else "")


def _order(row: Row) -> str:
    interval = "" if math.isnan(row["lower"]) else f" [{row['lower']:.2f}, {row['upper']:.2f}]"
    return ("-" if math.isnan(row["order"]) else f"{row['order']:.2f}") + interval


def _state(row: Row) -> str:
    return "" if row["status"] == "ok" else f"{row['status']}: {_sentence(row['why'], _WIDEST)}"


def _sentence(text: str, widest: int) -> str:
    """The first sentence of a reason, with three dots where it is cut."""
    first = text.replace("\n", " ").split(". ")[0]
    return first if len(first) <= widest else first[:widest].rsplit(" ", 1)[0] + " ..."


def _place(row: Row) -> str:
    return "-" if row["rank"] == 0 else f"{row['rank']}"


# column for readers, the column that sorts it, and what is written
SHOWN: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("problem", "problem", lambda row: row["problem"]),
    ("class", "class", lambda row: row["class"]),
    ("rank", "rank", _place),
    ("method", "method", lambda row: row["method"]),
    ("error", "error", _error),
    ("times level", "times_level", lambda row: number(row["times_level"])),
    ("CPU seconds", "cpu_seconds", lambda row: number(row["cpu_seconds"])),
    ("dt", "dt", lambda row: "-" if math.isnan(row["error"]) else number(row["dt"])),
    ("order", "order", _order),
    ("verdict", "verdict", lambda row: row["verdict"]),
    ("status", "status", _state),
)


def _ranked(rows: list[Row]) -> list[Row]:
    """The rows with their places in the class and overall."""

    def place(row: Row, others: list[Row]) -> int:
        if math.isnan(row["error"]):
            return 0
        return 1 + sum(
            other["error"] + BEYOND * math.hypot(other["stderr"], row["stderr"]) < row["error"] for other in others
        )

    ranked = []
    for row in rows:
        rivals = [other for other in rows if other["problem"] == row["problem"]]
        same = [other for other in rivals if other["class"] == row["class"]]
        ranked.append({**row, "rank": place(row, same), "overall": place(row, rivals)})
    return ranked


def aligned(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """An aligned table in Markdown."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in cells]
    widths = [max(len(line[i]) for line in (columns, *cells)) for i in range(len(columns))]
    lines = [columns, ["-" * width for width in widths], *cells]
    return "\n".join(
        "| " + " | ".join(c.ljust(width) for c, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _written(value: Any) -> str:
    if isinstance(value, tuple | list | np.ndarray):
        return " ".join(repr(float(entry)) for entry in value)
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def read_board(path: str | os.PathLike[str]) -> Board:
    """The board of a CSV file.

    Parameters
    ----------
    path : str or path
        What `Board.to_csv` wrote, or a folder that holds it as board.csv.

    Returns
    -------
    Board
        Equal to the one that was written.

    Raises
    ------
    BadInput
        For a file that is missing or is no board.
    """
    place = Path(path)
    place = place / "board.csv" if place.is_dir() else place
    try:
        with open(place, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{str(place)!r} cannot be read: {error}. A board is a CSV file, or a folder with board.csv. "
            "Write one by `pdeflow score --out FOLDER`."
        ) from error
    if not lines or tuple(lines[0]) != Board.columns:
        head = shown(lines[0] if lines else [], 100)
        raise BadInput(
            f"{str(place)!r} begins with {head}. A board has the columns {cut(', '.join(Board.columns), 100)}. "
            "Write one by `pdeflow score --out FOLDER`."
        )
    rows = [_row(line, place, at) for at, line in enumerate(lines[1:], start=2)]
    if not rows:
        raise BadInput(f"{str(place)!r} has no rows. A board has at least one. Run `pdeflow score` again.")
    pairs = [(row["problem"], row["method"]) for row in rows]
    for pair in pairs:
        if pairs.count(pair) > 1:
            raise BadInput(
                f"{str(place)!r} has {pairs.count(pair)} rows of {pair[1]} on {pair[0]}. A board has one of each. "
                "Run `pdeflow score` again."
            )
    return Board(rows)


def _row(line: list[str], place: Path, at: int) -> Row:
    try:
        cells = dict(zip(Board.columns, line, strict=True))
        return {name: _value(name, cell) for name, cell in cells.items()}
    except ValueError as error:
        raise BadInput(
            f"Line {at} of {str(place)!r} is not one of a board: {error}. Each column has its number or word. "
            "Run `pdeflow score` again."
        ) from error


def _value(name: str, cell: str) -> Any:
    if name in _TEXTS:
        return cell
    if name in _LISTS:
        return tuple(float(word) for word in cell.split())
    return int(cell) if name in _COUNTS else float(cell)
