"""W2 on the line from mixtures of Gaussians, to each other and to laws of piecewise linear quantile functions.

The integral of the squared gap over the levels is taken over the places of the mixture, where its density says which
panels are smooth. Modes so far apart that no mass lies between them are pieces of their own, with levels of their own:
what the place of one mode does to the rounding of another is then nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .._core.arrays import power_of_two
from .._core.quadrature import integrate
from .._core.shapes import Row, Values
from ..laws.gaussian import Gaussian
from ..laws.line_mixture import LineMixture
from .reweighted import ROUNDING

Pieces = tuple[Row, Row, Row]
Components = tuple[Row, tuple[Gaussian, ...]]
_APART = 8.5  # deviations beyond which a Gaussian has less than the rounding of a level
_CENTRAL = 1e-15  # knots beyond this share show no feature that counts


class _Modes(NamedTuple):
    """Groups of components with no mass in between, from below, and the levels (k + 1,) at which they meet."""

    levels: np.ndarray
    groups: list[LineMixture]


class _Part(NamedTuple):
    """What a group has in a cell of levels: from the share `skipped` on, the share `held` of its mass."""

    group: LineMixture
    skipped: float
    held: float


class _Half(NamedTuple):
    """One half of a cell of levels: from its lower end upwards, or from its upper end downwards."""

    mass: float
    moved: _Part
    other: _Part
    upper: bool


class _Panels(NamedTuple):
    """Panels of places (k,): the anchors, and both ends as offsets from these."""

    anchor: np.ndarray
    low: Values
    high: Values


def w2_of_mixtures(first: Components, second: Components) -> float:
    """W2 of two mixtures of Gaussians on the line.

    Parameters
    ----------
    first, second : (weights (k,), Gaussians)
        As `Law.gaussian_components` gives them.

    Returns
    -------
    float
        The distance.

    Raises
    ------
    NotConverged
        Where the error estimate of the quadrature stays above 1e-9 W2² + 1e-11 W2 times the extent of a group of
        components.

    Notes
    -----
    Levels between separate groups of components that differ by four roundings of a level count as the same.
    """
    arrays = [_arrays(part) for part in (first, second)]
    size = power_of_two(max(max(np.ptp(np.concatenate([m for _, m, _ in arrays])), s.max()) for _, _, s in arrays))
    mine, yours = (_modes(w, m / size, s / size) for w, m, s in arrays)
    known, halves = 0.0, []
    for mass, one, other in _cells(mine, yours):
        if _is_whole(one) and _is_whole(other):  # of two Gaussians
            a, b = one.group, other.group
            known += mass * ((a.means[0] - b.means[0]) ** 2 + (a.deviations[0] - b.deviations[0]) ** 2)
            continue
        if len(one.group.means) < len(other.group.means):
            one, other = other, one
        halves.append(_Half(mass, one, other, False))
        halves.append(_Half(mass, _from_above(one), _from_above(other), True))
    return size * float(np.sqrt(known + _integral(halves, known)))


def w2_to_pieces(mixture: Components, below: Pieces, above: Pieces) -> float:
    """W2 of a mixture of Gaussians on the line and a law whose quantile function is piecewise linear.

    Parameters
    ----------
    mixture : (weights (k,), Gaussians)
        As `Law.gaussian_components` gives it.
    below, above : (shares (n + 1,), left (n,), right (n,))
        The pieces in the share of the mass below, and in the share above, which runs downwards.

    Returns
    -------
    float
        The distance, to round-off.
    """
    w, m, s = _arrays(mixture)
    centre, ends = m[0], np.concatenate([below[1], below[2]])
    size = power_of_two(max(np.max(np.abs(m - centre)), s.max(), np.max(np.abs(ends - centre))))
    modes = _modes(w, (m - centre) / size, s / size)
    total = 0.0
    for upper, (levels, left, right) in ((False, below), (True, above)):
        left, right = (left - centre) / size, (right - centre) / size
        groups = modes.groups[::-1] if upper else modes.groups
        starts = (1 - modes.levels[::-1] if upper else modes.levels).astype(float)
        for group, start, end in zip(groups, starts[:-1], starts[1:]):
            half = (end - start) / 2
            inside = np.searchsorted(levels, start, side="right"), np.searchsorted(levels, start + half)
            edges = np.concatenate([[start], levels[slice(*inside)], [start + half]])
            real = np.diff(edges) > ROUNDING * edges[1:]
            low, first = edges[:-1][real], inside[0] - 1  # the first edge lies in the piece before the level inside
            i = slice(first, first + len(real)) if real.all() else first + np.flatnonzero(real)
            value, rise = left[i], right[i] - left[i]
            slope = rise  # of steps
            if rise.any():
                slope = rise / (levels[1:][i] - levels[:-1][i])
                value = value + slope * (low - levels[:-1][i])
            mass = end - start
            shares = np.append((low - start) / mass, 0.5)
            shares[0] = 0.0
            total += mass * group.squared_gap(shares, value, slope * mass, upper)
    return size * float(np.sqrt(total))


def _arrays(mixture):
    weights, parts = mixture
    full = np.flatnonzero(weights > 0)
    means = np.array([parts[i].mean()[0] for i in full])
    return weights[full], means, np.array([parts[i].root()[0, 0] for i in full])


def _modes(weights, means, deviations):
    order = np.argsort(means - _APART * deviations, kind="stable")
    weights, means, deviations = weights[order], means[order], deviations[order]
    reach = np.maximum.accumulate(means + _APART * deviations)
    cuts = np.flatnonzero(means[1:] - _APART * deviations[1:] > reach[:-1]) + 1
    total = np.cumsum(weights, dtype=np.longdouble)
    levels = np.concatenate([[0.0], total[cuts - 1] / total[-1], [1.0]])
    groups = [LineMixture(*parts) for parts in zip(*(np.split(part, cuts) for part in (weights, means, deviations)))]
    return _Modes(levels, groups)


def _cells(mine, yours):
    """(mass, part of one law, part of the other) for the levels between which both laws have one group."""
    edges = np.unique(np.concatenate([mine.levels, yours.levels]))
    real = np.append(True, np.diff(edges) > ROUNDING * edges[1:])
    edges = edges[real]
    edges[-1] = 1.0
    for low, high in pairwise(edges):
        yield float(high - low), *(_part(modes, low, high) for modes in (mine, yours))


def _part(modes, low, high):
    i = np.clip(np.searchsorted(modes.levels, (low + high) / 2, side="right") - 1, 0, len(modes.groups) - 1)
    start, end = modes.levels[i], modes.levels[i + 1]
    skipped = low - start if low - start > ROUNDING * low else 0.0
    left_over = end - high if end - high > ROUNDING * end else 0.0
    mass = end - start
    return _Part(modes.groups[i], float(skipped / mass), float((mass - skipped - left_over) / mass))


def _from_above(part):
    skipped = 1 - part.skipped - part.held
    return part._replace(skipped=skipped if skipped > ROUNDING else 0.0)


def _is_whole(part):
    return len(part.group.means) == 1 and part.held == 1


def _integral(halves, known):
    """The sum of ∫(Q_1 - Q_2)² over these halves of cells of levels, over the places of the law that is moved."""
    if not halves:
        return 0.0
    panels = [_panels(half) for half in halves]
    anchor, low, high = (np.concatenate(parts) for parts in zip(*panels))
    owner = np.repeat(np.arange(len(halves)), [len(part.low) for part in panels])
    groups = [part.group for half in halves for part in (half.moved, half.other)]
    scale = max(np.ptp(group.means) + group.deviations.max() for group in groups)

    def integrand(y, parent):
        out = np.empty(y.shape)
        for i in np.unique(owner[parent]):
            rows = owner[parent] == i
            out[rows] = _squared_gap(halves[i], anchor[parent[rows]], y[rows])
        return out

    def tolerances(total):
        total = max(total + known, 0.0)
        root = np.sqrt(total)
        return (
            1e-13 * total + 1e-15 * scale * root + 1e-30 * scale**2,
            1e-9 * total + 1e-11 * scale * root + 1e-22 * scale**2,
        )

    return max(integrate(integrand, (low, high), tolerances, "w2"), 0.0)


def _squared_gap(half, anchor, y):
    """The squared gap times density and mass at the offsets y (k, q) from the anchors (k,)."""
    one, other = half.moved, half.other
    anchor = np.broadcast_to(anchor[:, None], y.shape)
    share, density = one.group.shares(anchor, y, half.upper)
    level = np.clip((share - one.skipped) / one.held, 0.0, 1.0)
    there, place = other.group.places(np.minimum(other.skipped + level * other.held, 1.0), half.upper)
    gap = one.group.means[anchor] - other.group.means[there] + (y - place)
    return half.mass / one.held * density * gap**2


def _panels(half):
    """Panels of the places of the moved law in one half of a cell, with ends at the knots of both laws."""
    one, other = half.moved, half.other
    ends = one.skipped + np.array([0.0, 0.5]) * one.held
    anchor, offset, share = (part[::2] for part in one.group.knots(half.upper))
    inner = (share > ends[0]) & (share < ends[1])
    shares = [ends]
    if len(other.group.means) > 1:
        # a feature of the other law is met where its knots are carried to
        theirs = other.group.knots(half.upper)[2][::2]
        level = (theirs - other.skipped) / other.held
        shares.append(one.skipped + level[(level > _CENTRAL) & (level < 0.5)] * one.held)
    asked = np.concatenate(shares)
    places = one.group.places(asked, half.upper)
    anchor, offset, share = (np.concatenate([a, b[inner]]) for a, b in zip((*places, asked), (anchor, offset, share)))
    means = one.group.means
    position = (means[anchor] - means[0]) + offset
    order = np.lexsort((-position if half.upper else position, share))
    if half.upper:
        order = order[::-1]
    return _between(anchor[order], offset[order], one.group)


def _between(anchor, offset, group):
    """The panels between consecutive places, each told from the anchor that is nearer in deviations."""
    a, b, low, high = anchor[:-1], anchor[1:], offset[:-1], offset[1:]
    first = np.abs(low) * group.deviations[b] <= np.abs(high) * group.deviations[a]
    apart = group.means[b] - group.means[a]
    panels = np.where(first, a, b), np.where(first, low, low - apart), np.where(first, high + apart, high)
    real = panels[2] > panels[1]
    return _Panels(*(part[real] for part in panels))
