"""Sums of a Gaussian kernel over the particles near each other, by columns of cells: O(n) memory, no pairs kept.

Particles lie in columns: cells of a square lattice in all coordinates but the last, and sorted by the last one inside
each. A group is a few consecutive particles of a column; what lies within the reach of a group is one run of every
column nearby. Inner loops run over the group, so that they vectorise, and every particle is summed over the others in
one order: the same bits for every number of threads.
"""

from dataclasses import dataclass

import numpy as np

from ..._core.compiled import FMA, compiled, exp_negative
from ..._core.shapes import Points, Values

LANES = 32  # particles of a group
COLUMNS_IN_REACH = 2  # columns are as wide as this part of the reach, so that few of a group lie far apart
MOST_COLUMNS = 4  # for each particle; beyond, columns are made wider, which costs time and changes no sum but its order


@dataclass(frozen=True, eq=False)
class Columns:
    """A cloud in its columns.

    Attributes
    ----------
    order : (n,)
        Which particle stands where.
    x : (n, d)
        The particles in that order.
    starts : (columns + 1,)
        Where each column begins.
    shape : (2,)
        Columns in the first and the second coordinate, 1 where these are no coordinates of columns.
    low : (2,)
        Where the lattice begins.
    width : float
        Of a column.
    groups : (g, 3)
        The first particle of each group, the one after its last, and its column.
    """

    order: np.ndarray
    x: Points
    starts: np.ndarray
    shape: np.ndarray
    low: Values
    width: float
    groups: np.ndarray


def in_columns(x: Points, reach: float) -> Columns:
    """The particles x (n, d), d = 1, 2 or 3, in columns for sums over all within `reach`."""
    n, dim = x.shape
    low, extent = np.zeros(2), np.zeros(2)
    low[: dim - 1] = x[:, : dim - 1].min(axis=0)
    extent[: dim - 1] = np.ptp(x[:, : dim - 1], axis=0)
    width = reach / COLUMNS_IN_REACH
    while np.prod(np.floor(extent / width) + 1) > MOST_COLUMNS * n + 1:
        width *= 2
    shape = (np.floor(extent / width) + 1).astype(np.int64)
    place = np.zeros((n, 2), dtype=np.int64)
    place[:, : dim - 1] = np.minimum((x[:, : dim - 1] - low[: dim - 1]) / width, shape[: dim - 1] - 1)
    column = place[:, 0] * shape[1] + place[:, 1]
    order = np.lexsort((x[:, -1], column))
    held = np.bincount(column, minlength=int(shape[0] * shape[1]))
    starts = np.concatenate([[0], np.cumsum(held)])
    each = -(-held // LANES)
    which = np.repeat(np.arange(len(held)), each)
    first = starts[which] + LANES * (np.arange(len(which)) - np.repeat(np.cumsum(each) - each, each))
    groups = np.stack([first, np.minimum(first + LANES, starts[which + 1]), which], axis=1)
    return Columns(order, np.ascontiguousarray(x[order]), starts, shape, low, width, groups)


@compiled(nogil=True)
def _first_at_least(sorted_last, begin, end, value):
    """The first index in [begin, end) at which the last coordinate is >= value, else end."""
    while begin < end:
        middle = (begin + end) // 2
        if sorted_last[middle, sorted_last.shape[1] - 1] < value:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled(nogil=True)
def _gap(low, high, left, right):
    """The distance of the intervals [low, high] and [left, right]."""
    return max(0.0, left - high, low - right)


@compiled(nogil=True, fastmath=FMA, error_model="numpy")
def _add_run(begin, end, own, own_factor, x, rate, mass, factor, forces, squared, weight, total):
    """Add to the sums of a group those over the particles [begin, end); squared, weight (LANES,) are work space."""
    for other in range(begin, end):
        squared[:] = 0.0
        for i in range(len(own)):
            for j in range(LANES):
                squared[j] += (own[i, j] - x[other, i]) ** 2
        for j in range(LANES):
            weight[j] = mass[other] * exp_negative(-rate * squared[j])
        if not forces:
            for j in range(LANES):
                total[0, j] += weight[j]
            continue
        for j in range(LANES):
            weight[j] *= own_factor[j] + factor[other]
        for i in range(len(own)):
            for j in range(LANES):
                total[i, j] += weight[j] * (own[i, j] - x[other, i])


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def near_sums(begin, end, groups, x, starts, shape, low, width, reach, rate, mass, factor, forces, out):
    """Sums over all particles within `reach` of each, and some a little further away.

    Without `forces` out[i, 0] = Σ_j m_j k(x_i - x_j); with them out[i] = Σ_j m_j (f_i + f_j) k(x_i - x_j)(x_i - x_j),
    with k(z) = exp(-rate |z|²). x : (n, d) in columns; mass, factor : (n,), in the same order.
    """
    dim = x.shape[1]
    last = dim - 1
    own, total = np.zeros((dim, LANES)), np.zeros((dim, LANES))
    squared, weight, own_factor = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    around = int(np.ceil(reach / width))
    for group in range(begin, end):
        first, stop, column = groups[group, 0], groups[group, 1], groups[group, 2]
        size = stop - first
        for j in range(LANES):  # lanes beyond the group repeat its last particle
            p = min(first + j, stop - 1)
            own_factor[j] = factor[p]
            for i in range(dim):
                own[i, j] = x[p, i]
        total[:] = 0.0
        row, line = column // shape[1], column % shape[1]
        for a in range(max(0, row - around), min(shape[0], row + around + 1)):
            left = low[0] + a * width
            apart = 0.0 if last < 1 else _gap(own[0].min(), own[0].max(), left, left + width)
            for b in range(max(0, line - around), min(shape[1], line + around + 1)):
                left = low[1] + b * width
                across = 0.0 if last < 2 else _gap(own[1].min(), own[1].max(), left, left + width)
                room = reach * reach - apart * apart - across * across
                if room < 0.0:
                    continue
                half = np.sqrt(room)
                here = a * shape[1] + b
                from_ = _first_at_least(x, starts[here], starts[here + 1], own[last, 0] - half)
                to = _first_at_least(x, from_, starts[here + 1], own[last, size - 1] + half)
                _add_run(from_, to, own, own_factor, x, rate, mass, factor, forces, squared, weight, total)
        for j in range(size):
            for i in range(dim if forces else 1):
                out[first + j, i] = total[i, j]
