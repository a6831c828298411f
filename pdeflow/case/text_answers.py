"""Answers as text: blocks of comma separated numbers, each begun by a line that says which step, time and seed."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Numbers
from .._core.short_text import shown
from ..laws import Law
from .answers import columns_of, from_table, law_of, require_answer

KEYS = ("answer", "dt", "time", "seed", "rows")
_PAIR = re.compile(r"([A-Za-z_]+)\s*=\s*([^\s,;]+)")


@dataclass
class Block:
    """Rows of text between two lines that say what they are.

    head : what the line says, by key. line : its number. rows, lines : what follows, and on which lines.
    """

    head: Mapping[str, str]
    line: int
    rows: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def decoded(data: bytes, where: str) -> str:
    """The text of an answer, in UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadInput(
            f"{where}, line {line}: byte {error.start} is no UTF-8 text. An answer in text is plain numbers. Write "
            "text, or a whole NPZ or HDF5 file."
        ) from None


def blocks_of(text: str) -> list[Block]:
    """The blocks of a text in order; the first has an empty head where rows come before any line that says more."""
    blocks: list[Block] = []
    for number, row in enumerate(text.splitlines(), start=1):
        row = row.strip()
        if row.startswith("#"):
            pairs = {key: value for key, value in _PAIR.findall(row) if key in KEYS}
            if pairs:
                blocks.append(Block(pairs, number))
        elif row:
            if not blocks:
                blocks.append(Block({}, number))
            blocks[-1].rows.append(row)
            blocks[-1].lines.append(number)
    return blocks


def law_of_block(block: Block, answer: str, dim: int, where: str) -> Law:
    """The law that the rows of a block are.

    Raises
    ------
    Diverged
        For a number that is not finite; the message names the line.
    BadInput
        For rows that are no such answer; the message names the line.
    """
    require_answer(answer, dim, f"{where}, line {block.line}")
    columns = columns_of(answer, dim)
    rows, lines = block.rows, block.lines
    if rows and not _is_number(_cells(rows[0])[0]):
        names = tuple(cell.strip("\"' ") for cell in _cells(rows[0]))
        if names != columns:
            raise BadInput(
                f"{where}, line {lines[0]}: {shown(rows[0], 200)} is neither numbers nor the names of the columns. "
                f"These are {','.join(columns)}. Write them so, or no names at all."
            )
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise BadInput(
            f"{where}, line {block.line}: no numbers follow. An answer of {answer} has at least one row of "
            f"{','.join(columns)}. Write them."
        )
    if str(len(rows)) != block.head.get("rows", str(len(rows))):
        raise BadInput(
            f"{where}, line {block.line} says rows={block.head['rows']}, and {len(rows)} follow. They must be as many. "
            "Write the file again: it was cut, or the number is wrong."
        )
    table = _numbers(rows, lines, columns, where)
    arrays, at = from_table(answer, table, dim, where, lines)
    return law_of(answer, arrays, dim, where, at)


def text_of(columns: tuple[str, ...], table: Numbers, head: str = "") -> str:
    """A table of numbers as text, in full precision, under `head` and the names of its columns."""
    file = io.StringIO()
    file.write(f"{head}{','.join(columns)}\n")
    np.savetxt(file, table, fmt="%.17g", delimiter=",", newline="\n")
    return file.getvalue()


def _numbers(rows: list[str], lines: list[int], columns: tuple[str, ...], where: str) -> Numbers:
    """The table of numbers, (rows, columns); the fast reader first, which names no line."""
    try:
        table = np.loadtxt(rows, delimiter="," if "," in rows[0] else None, ndmin=2, comments=None)
    except ValueError:
        table = np.empty((0, 0))
    if table.shape == (len(rows), len(columns)):
        return table
    for row, line in zip(rows, lines, strict=True):
        cells = _cells(row)
        if len(cells) != len(columns):
            raise BadInput(
                f"{where}, line {line}: {len(cells)} number(s), {shown(row, 100)}. Each row has {len(columns)}: "
                f"{','.join(columns)}. Separate them by commas, and write decimals with a point."
            )
        wrong = next((cell for cell in cells if not _is_number(cell)), None)
        if wrong is not None:
            raise BadInput(
                f"{where}, line {line}: {shown(wrong, 100)} is no number. Each row is {','.join(columns)}. Write plain "
                "numbers such as 1.5e-3."
            )
    raise BadInput(
        f"{where}: rows are separated by commas in some lines and by blanks in others. One way is needed. Use commas."
    )


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in (row.split(",") if "," in row else row.split())]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
