"""The grid on which two laws are compared by the masses of its cells."""

from __future__ import annotations

import numpy as np

from .._core.shapes import Row
from ..laws import Law


def common_grid(first: Law, second: Law) -> tuple[Row, ...] | None:
    """The edges on which two laws are compared: those of the grid among them, None if neither is a grid.

    Of two grids it is the one with fewer cells (a tie goes to the first, the approximation), because a finer one
    aggregates and a coarser one has no detail to give.
    """
    grids = [axes for axes in (first.grid_axes(), second.grid_axes()) if axes is not None]
    return min(grids, key=lambda axes: np.prod([len(edges) - 1 for edges in axes])) if grids else None
