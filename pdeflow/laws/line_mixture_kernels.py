"""Compiled loops over shares and places of mixtures of Gaussians on the line; see `line_mixture`.

Offsets and deviations come in one unit in which the largest deviation is about one. `gaps` (k, k) is anchor minus mean;
of -X it is the negative.
"""

import math
from typing import NamedTuple

import numpy as np

from .._core.compiled import compiled
from .._core.quadrature import gauss_legendre

_RULES = [gauss_legendre(nodes) for nodes in (3, 6, 12)]
NODES, WEIGHTS = (np.concatenate([rule[i] for rule in _RULES]) for i in (0, 1))


class Table(NamedTuple):
    """The distribution function at the knots, which increase: its logarithm and how a place rises with that."""

    anchor: np.ndarray
    offset: np.ndarray
    share: np.ndarray
    log: np.ndarray
    rise: np.ndarray


@compiled(cache=True, error_model="numpy")
def _below(t, gap, w, s):
    """The share below the offset t from an anchor and the density with two derivatives there; gap is anchor - means."""
    share, p, p1, p2 = 0.0, 0.0, 0.0, 0.0
    for j in range(len(w)):
        z = (gap[j] + t) / s[j]
        if z > 38.6:
            share += w[j]
        elif z > -38.6:
            share += 0.5 * w[j] * math.erfc(-0.7071067811865476 * z)
            f = 0.3989422804014327 * w[j] * math.exp(-0.5 * z * z) / s[j]
            p += f
            p1 -= f * z / s[j]
            p2 += f * (z * z - 1.0) / (s[j] * s[j])
    return share, p, p1, p2


@compiled(cache=True, error_model="numpy")
def _density(t, gap, w, s):
    """The density at the offset t from an anchor."""
    p = 0.0
    for j in range(len(w)):
        z = (gap[j] + t) / s[j]
        if -38.6 < z < 38.6:
            p += 0.3989422804014327 * w[j] * math.exp(-0.5 * z * z) / s[j]
    return p


@compiled(cache=True, error_model="numpy")
def shares_at(anchor, offset, w, s, gaps):
    share, density = np.empty(len(offset)), np.empty(len(offset))
    for i in range(len(offset)):
        share[i], density[i], _, _ = _below(offset[i], gaps[anchor[i]], w, s)
    return share, density


@compiled(cache=True, error_model="numpy")
def tabulated(anchor, offset, w, s, gaps):
    """Share, its logarithm and the rise of places with it (k,) at the knots."""
    share, log, rise = np.empty(len(offset)), np.empty(len(offset)), np.empty(len(offset))
    last = 0.0
    for i in range(len(offset)):
        here, p, _, _ = _below(offset[i], gaps[anchor[i]], w, s)
        last = max(last, here)  # equal to round-off, in a stretch without mass
        share[i] = last
        log[i] = math.log(last) if last > 0 else -np.inf
        rise[i] = last / p if p > 1e-290 * last else np.inf
    return share, log, rise


@compiled(cache=True, error_model="numpy")
def _ends(table, i, s, gaps):
    """The common anchor of the knots i - 1 and i, which is near, and their offsets from it."""
    a, b = table.anchor[i - 1], table.anchor[i]
    low, high = table.offset[i - 1], table.offset[i]
    if abs(low) * s[b] <= abs(high) * s[a]:
        return a, low, max(low, high + gaps[b, a])
    return b, min(high, low + gaps[a, b]), high


@compiled(cache=True, error_model="numpy")
def _start(table, i, low, high, log):
    """A first place between two knots, by the cubic through logarithms of shares there."""
    width = table.log[i] - table.log[i - 1]
    d0, d1 = table.rise[i - 1] * width, table.rise[i] * width
    if not (width > 0 and d0 < 3 * (high - low) and d1 < 3 * (high - low)):  # of a finite number, and rising
        return 0.5 * (low + high)
    a = (log - table.log[i - 1]) / width
    b = 1.0 - a
    # measured from the lower end
    return low + (high - low) * a * a * (3.0 - 2.0 * a) + a * b * (b * d0 - a * d1)


@compiled(cache=True, error_model="numpy")
def _towards(v, share, p, p1, p2):
    """The step to the share v by the inverse function in the logarithm of the share, and how far that series bends."""
    excess = share - v
    log = math.log1p(excess / v) if abs(excess) < 0.5 * v else math.log(share / v)
    r = p / share
    h, q1, q2 = -log / r, p1 / p, p2 / p
    a2, a3 = 0.5 * (q1 - r), (q2 - 3.0 * r * q1 + 2.0 * r * r) / 6.0
    bend = abs(h) * max(abs(a2), math.sqrt(abs(a3)))
    if bend < 0.3:
        return h * (1.0 - h * (a2 - h * (2.0 * a2 * a2 - a3))), bend
    return (h / (1.0 + a2 * h) if a2 * h > -0.5 else h), bend


@compiled(cache=True, error_model="numpy")
def _root(v, t, low, high, gap, w, s, size):
    """The place in [low, high] below which the share v lies, from the start t, and where it was last told from.

    The inverse function is expanded in the logarithm of the share, to fourth order; bisection where that leads out.
    """
    share, p, p1, p2 = 0.0, 0.0, 0.0, 0.0
    for _ in range(200):
        share, p, p1, p2 = _below(t, gap, w, s)
        excess = share - v
        if share > 0.0 and excess == 0.0:
            return t, t, share, p, p1, p2
        if excess < 0.0:
            low = t
        else:
            high = t
        new, sure = 0.5 * (low + high), False
        if share > 0.0 and p > 1e-290:
            step, bend = _towards(v, share, p, p1, p2)
            if low < t + step < high:
                new = t + step
                sure = bend < 0.3 and bend * bend * bend * abs(step) <= 1e-16 * max(abs(new), size)
                sure = sure or abs(step) <= 1e-16 * abs(new)
        if sure or high - low <= 2e-16 * max(abs(low), abs(high)):
            return new, t, share, p, p1, p2
        t = new
    return t, t, share, p, p1, p2


@compiled(cache=True, error_model="numpy")
def solve(shares, upper, below, above, w, s, gaps, anchor, offset):
    """Places of the shares below (or above). A share above a half is measured from the other end.

    A place starts from the last one where that is near, else from the table.
    """
    mirrored = -gaps
    last, known, reflection = -1, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), False
    for k in range(len(shares)):
        v = shares[k]
        flipped = v > 0.5
        reflected = flipped != upper
        v = max(1.0 - v if flipped else v, 1e-300)
        table = above if reflected else below
        matrix = mirrored if reflected else gaps
        i = min(max(np.searchsorted(table.share, v), 1), len(table.share) - 1)
        c, low, high = _ends(table, i, s, matrix)
        start, near = 0.0, False
        if c == last and reflected == reflection and known[2] > 0.0 and known[3] > 1e-290:
            step, bend = _towards(v, known[2], known[3], known[4], known[5])
            start = known[1] + step
            near = bend < 0.1 and low < start < high
        if not near:
            start = _start(table, i, low, high, math.log(v))
        known = _root(v, start, low, high, matrix[c], w, s, s[c])
        t, last, reflection = known[0], c, reflected
        anchor[k], offset[k] = c, -t if reflected else t


@compiled(cache=True, error_model="numpy")
def _rule(half, middle, gap, s, straight):
    """First and last node of the Gauss rule that is exact to round-off on a panel; `straight` is a line of no slope."""
    finest = 0.0
    for j in range(len(s)):
        if abs(gap[j] + middle) < half + 12.0 * s[j]:
            finest = max(finest, half / s[j])
    if straight and finest <= 1e-3:
        return 0, 3
    return (3, 9) if finest <= (0.13 if straight else 0.05) else (9, 21)


@compiled(cache=True, error_model="numpy")
def _narrow_panel(half, middle, lead, gap, w, s):
    """∫(t + lead)² p over a panel so narrow that the density is its Taylor polynomial of degree 4."""
    p, p1, p2, p3, p4 = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(len(w)):
        z = (gap[j] + middle) / s[j]
        if -38.6 < z < 38.6:
            u, zz = half / s[j], z * z
            f = 0.3989422804014327 * w[j] * math.exp(-0.5 * zz) / s[j]
            p += f
            f *= u
            p1 -= f * z
            f *= u
            p2 += f * (zz - 1.0)
            f *= u
            p3 -= f * z * (zz - 3.0)
            p4 += f * u * (zz * (zz - 6.0) + 3.0)
    far = lead + middle
    even = p + p2 / 6.0 + p4 / 120.0
    odd = p1 / 3.0 + p3 / 30.0
    square = p / 3.0 + p2 / 10.0 + p4 / 168.0
    return 2.0 * half * (far * far * even + half * (2.0 * far * odd + half * square))


@compiled(cache=True, error_model="numpy")
def _panel(low, high, lead, slope, share, gap, w, s, nodes, weights):
    """∫(t + lead - slope (share below t - share))² p over the offsets from low to high."""
    half, middle, total = 0.5 * (high - low), 0.5 * (high + low), 0.0
    if not half > 0.0:
        return 0.0
    begin, stop = _rule(half, middle, gap, s, slope == 0.0)
    if begin == 0:
        return _narrow_panel(half, middle, lead, gap, w, s)
    for q in range(begin, stop):
        t = middle + half * nodes[q]
        if slope == 0.0:
            total += weights[q] * _density(t, gap, w, s) * (lead + t) ** 2
        else:
            below, p, _, _ = _below(t, gap, w, s)
            total += weights[q] * p * (lead + t - slope * (below - share)) ** 2
    return half * total


@compiled(cache=True, error_model="numpy")
def squared_gap(shares, start, slope, anchor, offset, table, means, w, s, gaps, nodes, weights):
    """∫(line - place)² p over the places (anchor, offset) of consecutive shares, from knot to knot."""
    total, last = 0.0, len(table.share)
    knot = np.searchsorted(table.share, shares[0], side="right")
    for i in range(len(start)):
        a, x = anchor[i], offset[i]
        inside = True
        while inside:
            inside = knot < last and table.share[knot] < shares[i + 1]
            b, y = anchor[i + 1], offset[i + 1]
            if inside:
                b, y = table.anchor[knot], table.offset[knot]
                knot += 1
            # both ends are told from the anchor that is nearer in deviations
            if abs(x) * s[b] <= abs(y) * s[a]:
                c, low, high = a, x, y + gaps[b, a]
            else:
                c, low, high = b, x + gaps[a, b], y
            total += _panel(low, high, means[c] - start[i], slope[i], shares[i], gaps[c], w, s, nodes, weights)
            if low < high:
                a, x = b, y
    return total
