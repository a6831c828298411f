"""Rows: a sequence of rows that prints as an aligned table and converts to a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.files import place_of, write_whole
from .._core.short_text import LONGEST_REPR, cut
from .._core.value import Value

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]  # column -> value; which type a value has depends on the column


SHOWN_ROWS = 50  # of a long table in a notebook; `str` shows all


class Rows(Value):
    """An immutable sequence of rows, each a dict with the same columns; `str` aligns them.

    Two are equal where they have the same columns and cells; a NaN equals a NaN.

    Parameters
    ----------
    rows : iterable of dict
        Column -> value.
    columns : sequence of str, optional
        The columns that are shown and exported, in order; the default is that of the class.
    """

    columns: tuple[str, ...] = ()

    def __init__(self, rows: Iterable[Row], columns: Sequence[str] | None = None):
        self.rows = tuple(rows)
        if columns is not None:
            self.columns = tuple(columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]

    def to_dataframe(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame, in order."""
        import pandas as pd

        # an Index, which the stubs of pandas want for columns
        return pd.DataFrame([[row[name] for name in self.columns] for row in self.rows], columns=pd.Index(self.columns))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as CSV, floats in full precision, so that reading them back gives the same bits.

        Parameters
        ----------
        path : str or path
            The file appears whole or not at all; an older one of that name stays until then.

        Raises
        ------
        BadInput
            Where the file cannot be written.
        """
        write_whole(place_of(path), lambda file: self.to_dataframe().to_csv(file, index=False), text=True)

    def described(self) -> dict[str, Any]:
        """What `==` compares: the columns and the cells."""
        return {"columns": self.columns, "rows": [[row.get(name) for name in self.columns] for row in self.rows]}

    def visible(self) -> tuple[str, ...]:
        """The columns that `str` and a notebook show; the default is all."""
        return self.columns

    def __str__(self) -> str:
        return "\n".join(self._lines(self.rows))

    def _lines(self, rows: Sequence[Row], widest: int | None = None) -> list[str]:
        columns = self.visible()
        cells = [list(columns), *([_cell(row[name]) for name in columns] for row in rows)]
        if widest is not None:
            cells = [[cut(cell, widest) for cell in line] for line in cells]
        widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        ]

    def __repr__(self) -> str:
        """The whole table where it is small, else as many of its first rows as fit into 1,000 characters."""
        head = self.rows[:SHOWN_ROWS]
        if len(head) == len(self.rows) and sum(map(len, lines := self._lines(head))) + len(lines) <= LONGEST_REPR:
            return "\n".join(lines)
        name, columns = type(self).__name__, cut(", ".join(self.visible()), LONGEST_REPR // 2)
        first = f"{name} of {len(self.rows)} rows (print shows all): {columns}"
        lines = self._lines(head, 60)[1:]
        room, shown = LONGEST_REPR - len(first), []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            shown.append(line)
        return "\n".join([first, *shown])

    def _repr_html_(self) -> str:
        """The table in a notebook, up to 50 rows of it."""
        columns = self.visible()
        lines = [_html_row("th", columns)]
        lines += [_html_row("td", [cut(_cell(row[name]), 300) for name in columns]) for row in self.rows[:SHOWN_ROWS]]
        more = len(self.rows) - SHOWN_ROWS
        note = f"<p>... and {more} more rows: print() or .to_dataframe() shows all.</p>" if more > 0 else ""
        return f"<table>\n{chr(10).join(lines)}\n</table>{note}"


def _html_row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _cell(value) -> str:
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:.4g}"
    if isinstance(value, np.ndarray | tuple | list):
        return " ".join(_cell(float(entry)) for entry in value)
    return str(value)
