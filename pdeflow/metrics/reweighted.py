"""W2 between clouds on nearly the same points with nearly the same weights.

Where the weights differ by little, almost all mass stays, and a linear program for all of it drowns what moves in its
own rounding: here the differences of the weights are transported alone, in their own unit. Mass may go from point to
point, for each hop pays the square of its length: what counts are shortest paths over squared distances. That is the
optimum as long as no point has to pass on more mass than it holds.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from .._core.arrays import power_of_two
from .._core.shapes import Numbers, Points, Row

ROUNDING = 4 * float(np.finfo(float).eps)  # weights and levels that differ by less of themselves are the same
_MOST_MOVED = 1e-3  # of the mass; more is left to the linear program


class Differences(NamedTuple):
    """What two clouds have more or less at each point that has mass in one of them.

    points (k, d), without repetitions; the place of each point of either cloud among them; mass (2, k) of both; more
    (k,), the share of the first cloud minus that of the second, exact to rounding of its own; moved, the sum of its
    positive parts.
    """

    points: Numbers
    rows: np.ndarray
    columns: np.ndarray
    mass: Numbers
    more: Row
    moved: float


def differences(x: Points, p: Row, y: Numbers, q: Row) -> Differences | None:
    """The differences of two clouds, or None where they are more than a thousandth of the mass."""
    probes = x[[0, len(x) // 2, -1]]
    if not (probes[:, None, :] == y).all(axis=2).any():
        return None
    points, place = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
    place = place.ravel()
    rows, columns = place[: len(x)], place[len(x) :]
    mass = np.stack([np.bincount(at, w / w.sum(), len(points)) for at, w in ((rows, p), (columns, q))])
    if np.abs(mass[0] - mass[1]).sum() / 2 > _MOST_MOVED:
        return None
    more = _exact_differences((rows, p), (columns, q), len(points))
    if np.all(np.abs(more) <= ROUNDING * mass.max(axis=0)):
        more[:] = 0.0
    return Differences(points, rows, columns, mass, more, math.fsum(more[more > 0]))


def _exact_differences(first: tuple[np.ndarray, Row], second: tuple[np.ndarray, Row], count: int) -> Row:
    """The share of the mass at each point in the first cloud minus that in the second, rounded once.

    Points that hold the same two numbers have the same difference, which is computed once for all of them.
    """
    held = np.empty((2, count), dtype=object)
    for cloud, (at, weights) in enumerate((first, second)):
        if len(np.unique(at)) == len(at):
            held[cloud] = 0.0
            held[cloud, at] = weights
        else:
            held[cloud] = _held(at, weights, count)
    kinds: dict[tuple[Any, Any], int] = {}
    kind = [kinds.setdefault(pair, len(kinds)) for pair in zip(*held.tolist(), strict=True)]
    values = [[Fraction(value) for value in pair] for pair in kinds]
    often = np.bincount(kind).tolist()
    total = [sum(value[cloud] * n for value, n in zip(values, often, strict=True)) for cloud in (0, 1)]
    return np.array([float(a / total[0] - b / total[1]) for a, b in values])[kind]


def _held(place: np.ndarray, weights: Row, count: int) -> list[Fraction]:
    """The mass at each point, as fractions."""
    held = [Fraction(0)] * count
    for at, weight in zip(place.tolist(), weights.tolist(), strict=True):
        held[at] += Fraction(weight)
    return held


def w2_of_differences_on_the_line(found: Differences) -> float | None:
    """W2 on the line, where mass goes to the next point only; None where a point would pass on more than it holds."""
    over = np.cumsum(found.more)
    over[-1] = 0.0
    before = np.append(0.0, over[:-1])
    forwards, back = np.maximum(over, 0.0), np.maximum(-over, 0.0)
    out = forwards + np.maximum(-before, 0.0), np.maximum(before, 0.0) + back
    if np.any(np.stack(out) > found.mass):
        return None
    gaps = np.diff(found.points[:, 0])
    if not len(gaps):
        return 0.0
    size = power_of_two(gaps.max())
    return size * float(np.sqrt(np.abs(over[:-1]) @ (gaps / size) ** 2))


def transported(found: Differences, cost: Numbers, pot: Any) -> tuple[float, float, Row] | None:
    """(squared W2, bound of its error, potential (k,)) for the squared distances (k, k) of the points.

    The potential f has f_i - f_j <= cost_ij, and Σ more_i f_i is the optimum. Round-off of f in this inequality, for
    paths of all points, is part of the bound. None where POT fails or a point would pass on more than it holds.
    """
    here, there = np.flatnonzero(found.more > 0), np.flatnonzero(found.more < 0)
    # as a sparse matrix: of a dense one scipy takes what is below 1e-8 for missing
    paths: Any = shortest_path(csr_array(cost), method="FW", return_predecessors=True)
    length, before = paths
    give, take = found.more[here], -found.more[there]
    give, take = give / give.sum(), take / take.sum()
    between = length[np.ix_(here, there)]
    size = float(give @ between @ take)
    plan, log = pot.emd(give, take, between / size, numItermax=10_000_000, log=True)
    if log["result_code"] != 1 or log["warning"] is not None:
        return None
    out = _passed_on(found.moved * plan, here, there, before)
    if np.any(out > found.mass):
        return None
    potential = (length[:, there] - log["v"] * size).min(axis=1)
    potential -= potential.mean()
    primal = found.moved * float(np.sum(plan * between))
    dual = math.fsum(found.more * potential)
    excess = potential[:, None] - potential - cost
    away = ~np.eye(len(cost), dtype=bool)
    missed = max(float(excess[away].max()), 0.0)
    hidden = min(missed * found.moved * len(cost), max(float((excess[away] / cost[away]).max()), 0.0) * dual)
    return dual, max(primal - dual, 0.0) + hidden, potential


def _passed_on(plan, here, there, before):
    """The mass (2, k) that each point sends, and that it gets, along the paths of the plan."""
    moved = np.zeros((2, len(before)))
    for i, j in zip(*np.nonzero(plan), strict=True):
        start, at = here[i], there[j]
        while at != start:
            moved[1, at] += plan[i, j]
            at = before[start, at]
            moved[0, at] += plan[i, j]
    return moved
