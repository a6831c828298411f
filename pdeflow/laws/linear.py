"""Piecewise linear quantile functions, as lists of levels and quantiles in which a jump repeats its level."""

from collections.abc import Sequence

import numpy as np

from .._core.shapes import Row


def steps_of(mass: Row, left: Row, right: Row) -> tuple[Row, Row]:
    """(levels, quantiles) of pieces that carry these masses (k,), each evenly spread from left (k,) to right (k,).

    Levels are shares of the total mass, summed in extended precision, so that two ways to write one weight give one
    level. Pieces whose mass (below 1e-16) is lost in the sum of the levels are left out.
    """
    total = np.cumsum(mass, dtype=np.longdouble)
    levels = np.concatenate([[0.0], (total / total[-1]).astype(float)])
    wide = np.diff(levels) > 0
    return jumping(np.append(levels[:-1][wide], levels[-1]), left[wide], right[wide])


def jumping(levels: Row, left: Row, right: Row) -> tuple[Row, Row]:
    """(levels (2k,), quantiles (2k,)) of the pieces from left (k,) to right (k,) between the levels (k + 1,)."""
    return np.repeat(levels, 2)[1:-1], np.stack([left, right], axis=1).ravel()


def mean_gap(level: Row, x: Row) -> float:
    """E|X - Y| = 2∫F(1 - F)dx for the distribution function F that is linear between the points (x, level)."""
    a, b = level[:-1], level[1:]
    return float(2 * (np.diff(x) @ ((a + b) / 2 - (a * a + a * b + b * b) / 3)))


def cut_steps(edges: Row, heights: Row, breakpoints: Sequence[float]) -> tuple[Row, Row]:
    """A piecewise constant density with its panels cut at the breakpoints, and so short that 1024 hold its range.

    A function with a feature between the points of the quadrature is seen then if it is as wide as a panel.
    """
    least = (edges[-1] - edges[0]) / 1024
    parts = np.maximum(1, np.ceil(np.diff(edges) / least * (1 - 1e-12))).astype(int)
    inner = np.asarray(breakpoints, dtype=float)
    inner = inner[(inner > edges[0]) & (inner < edges[-1])]
    if parts.max() == 1 and not len(inner):
        return edges, heights
    rank = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    start = np.repeat(edges[:-1], parts) + np.repeat(np.diff(edges), parts) * rank / np.repeat(parts, parts)
    fine = np.union1d(np.append(start, edges[-1]), inner)
    return fine, heights[np.clip(np.searchsorted(edges, fine[:-1], side="right") - 1, 0, len(heights) - 1)]
