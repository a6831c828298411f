"""Listing: rows that print as an aligned table and convert to a DataFrame."""

import numpy as np

from .._core.files import place_of, write_whole


class Listing:
    """An immutable sequence of dicts with fixed columns. str() aligns them; `to_dataframe()` and `to_csv(path)` need pandas."""

    columns: tuple = ()

    def __init__(self, rows, columns=None):
        self.rows = tuple(rows)
        if columns is not None:
            self.columns = tuple(columns)

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def to_dataframe(self):
        """The rows as a pandas DataFrame, in order."""
        import pandas as pd

        return pd.DataFrame([[row[name] for name in self.columns] for row in self.rows], columns=list(self.columns))

    def to_csv(self, path):
        """Write the rows as CSV; floats in full precision, so that reading them back gives the same bits.

        The file appears whole or not at all; an older one of that name stays until then. Raises `BadInput` where it cannot be written.
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


def _cell(value):
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:.4g}"
    if isinstance(value, np.ndarray | tuple | list):
        return " ".join(_cell(float(entry)) for entry in value)
    return str(value)
