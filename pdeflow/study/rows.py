"""Rows: a sequence of rows that prints as an aligned table and converts to a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.files import place_of, write_whole

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]  # column -> value; which type a value has depends on the column


class Rows:
    """An immutable sequence of rows, each a dict with the same columns; `str` aligns them.

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

    def __str__(self):
        cells = [list(self.columns), *([_cell(row[name]) for name in self.columns] for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        )

    def __repr__(self):
        return str(self)


def _cell(value) -> str:
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:.4g}"
    if isinstance(value, np.ndarray | tuple | list):
        return " ".join(_cell(float(entry)) for entry in value)
    return str(value)
