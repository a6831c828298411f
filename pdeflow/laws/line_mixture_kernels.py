"""Compiled loops over shares and places of mixtures of Gaussians on the line; see `line_mixture`.

Offsets and deviations come in one unit in which the largest deviation is about one. `gaps` (k, k) is anchor minus mean;
of -X it is the negative.
"""

import math
from typing import NamedTuple

import numpy as np

from .._core.compiled import compiled
from .._core.quadrature import gauss_legendre

_RULES = [gauss_legendre(nodes) for nodes in (6, 12)]
NODES, WEIGHTS = (np.concatenate([rule[i] for rule in _RULES]) for i in (0, 1))

DENSE = 6e-3  # a step of the shares, relative to them, for which an expansion is worth its time


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
def _expand(t, gap, w, s, size, centre):
    """Write into `centre` the expansions about the offset t: those of the density, and of places in the share.

    centre : (18,), the offset, the share and the density there, how far (in units of x) the second expansion is exact
    to round-off, the density by powers of the distance up to 6, and the distance by powers of (share - share there) /
    density from 1 to 7.
    """
    share, d = 0.0, centre[4:11]
    d[:] = 0.0
    for j in range(len(w)):
        inverse = 1.0 / s[j]
        z = (gap[j] + t) * inverse
        if z > 38.6:
            share += w[j]
        elif z > -38.6:
            share += 0.5 * w[j] * math.erfc(-0.7071067811865476 * z)
            f = 0.3989422804014327 * w[j] * math.exp(-0.5 * z * z) * inverse
            before, hermite = 0.0, 1.0
            for k in range(7):  # the k-th derivative of the density is f times (-1/s)^k He_k(z)
                d[k] += f * hermite
                before, hermite = hermite, z * hermite - k * before
                f *= -inverse / (k + 1)
    centre[0], centre[1], centre[2], centre[3] = t, share, d[0], 0.0
    if not (share > 0.0 and d[0] > 1e-290):
        return
    c, powers = centre[11:18], np.zeros((8, 8))
    c[0] = powers[1, 1] = 1.0
    for n in range(2, 8):  # the inverse series, by its powers
        total = 0.0
        for m in range(2, n + 1):
            power = 0.0
            for j in range(1, n - m + 2):
                power += powers[1, j] * powers[m - 1, n - j]
            powers[m, n] = power
            total += d[m - 1] / (m * d[0]) * power
        c[n - 1] = powers[1, n] = -total
    bend = max(abs(c[4]) ** 0.25, abs(c[5]) ** 0.2, abs(c[6]) ** (1 / 6), 1e-3 / size)
    centre[3] = min((1e-17 * size / bend**7) ** 0.125, 0.1 / bend)


@compiled(cache=True, error_model="numpy")
def _place(v, centre):
    """The place of the share v by an expansion."""
    y, c, t = (v - centre[1]) / centre[2], centre[11:18], 0.0
    for k in range(6, -1, -1):
        t = (t + c[k]) * y
    return centre[0] + t


@compiled(cache=True, error_model="numpy")
def _covers(v, centre):
    return abs(v - centre[1]) <= centre[3] * centre[2]


@compiled(cache=True, error_model="numpy")
def _expansion_for(v, place, follows, gap, w, s, size, centres, used):
    """The row of an expansion that covers the share v, -1 for none: the last one, or a new one ahead of a place.

    follows : whether that place came from the last expansion.
    """
    if follows:
        if _covers(v, centres[used - 1]):
            return used - 1
        place += 0.9 * centres[used - 1, 3]
    if used == len(centres):
        return -1
    _expand(place, gap, w, s, size, centres[used])
    return used if _covers(v, centres[used]) else -1


@compiled(cache=True, error_model="numpy")
def _first_place(v, known, same, table, i, low, high):
    """Where the search for the share v begins: by the last place where that is near, else by the table."""
    if same and known[2] > 0.0 and known[3] > 1e-290:
        step, bend = _towards(v, known[2], known[3], known[4], known[5])
        if bend < 0.1 and low < known[1] + step < high:
            return known[1] + step
    return _start(table, i, low, high, math.log(v))


@compiled(cache=True, error_model="numpy")
def solve(shares, upper, below, above, w, s, gaps, anchor, offset, near, centres):
    """Places of the shares below (or above). A share above a half is measured from the other end.

    Where shares are dense, places come from expansions about some of them. `near` tells the row of `centres` that a
    place was told from, -1 for none.
    """
    mirrored = -gaps
    last, known, reflection, i, used = -1, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), False, 1, 0
    for k in range(len(shares)):
        v = shares[k]
        flipped = v > 0.5
        reflected = flipped != upper
        v = max(1.0 - v if flipped else v, 1e-300)
        table = above if reflected else below
        matrix = mirrored if reflected else gaps
        if not table.share[i - 1] < v <= table.share[i]:  # levels come in turn: most are near the last
            i = min(max(np.searchsorted(table.share, v), 1), len(table.share) - 1)
        c, low, high = _ends(table, i, s, matrix)
        same, row = c == last and reflected == reflection, -1
        if k > 0 and not flipped and abs(v - shares[k - 1]) <= DENSE * v:
            place = known[0] if same else 0.5 * (low + high)
            row = _expansion_for(v, place, same and near[k - 1] >= 0, matrix[c], w, s, s[c], centres, used)
        if row >= 0 and low <= _place(v, centres[row]) <= high:
            used = row + 1
            known = (_place(v, centres[row]), 0.0, 0.0, 0.0, 0.0, 0.0)
        else:
            row = -1
            known = _root(v, _first_place(v, known, same, table, i, low, high), low, high, matrix[c], w, s, s[c])
        t, last, reflection = known[0], c, reflected
        near[k], anchor[k], offset[k] = row, c, -t if reflected else t


@compiled(cache=True, error_model="numpy")
def _rule(half, middle, gap, s, straight):
    """First and last node of the Gauss rule that is exact to round-off on a panel; `straight` is a line of no slope."""
    finest = 0.0
    for j in range(len(s)):
        if abs(gap[j] + middle) < half + 12.0 * s[j]:
            finest = max(finest, half / s[j])
    return (0, 6) if finest <= (0.13 if straight else 0.05) else (6, 18)


@compiled(cache=True, error_model="numpy")
def _by_derivatives(half, far, p, p1, p2, p3, p4):
    """∫(t + lead)² p over a panel; `far` is t + lead in its middle, p to p4 are derivatives times powers of `half`."""
    even = p + p2 / 6.0 + p4 / 120.0
    odd = p1 / 3.0 + p3 / 30.0
    square = p / 3.0 + p2 / 10.0 + p4 / 168.0
    return 2.0 * half * (far * far * even + half * (2.0 * far * odd + half * square))


@compiled(cache=True, error_model="numpy")
def _narrow_panel(half, middle, lead, gap, w, s):
    """∫(t + lead)² p over a panel so narrow that the density is its Taylor polynomial of degree 4; NaN on others."""
    p, p1, p2, p3, p4 = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(len(w)):
        inverse = 1.0 / s[j]
        z, u = (gap[j] + middle) * inverse, half * inverse
        if abs(z) < u + 12.0:
            if u > 1e-3:
                return math.nan
            zz = z * z
            f = 0.3989422804014327 * w[j] * math.exp(-0.5 * zz) * inverse
            p += f
            f *= u
            p1 -= f * z
            f *= u
            p2 += f * (zz - 1.0)
            f *= u
            p3 -= f * z * (zz - 3.0)
            p4 += f * u * (zz * (zz - 6.0) + 3.0)
    return _by_derivatives(half, lead + middle, p, p1, p2, p3, p4)


@compiled(cache=True, error_model="numpy")
def _panel(low, high, lead, slope, share, gap, w, s, nodes, weights):
    """∫(t + lead - slope (share below t - share))² p over the offsets from low to high."""
    half, middle, total = 0.5 * (high - low), 0.5 * (high + low), 0.0
    if not half > 0.0:
        return 0.0
    if slope == 0.0:
        total = _narrow_panel(half, middle, lead, gap, w, s)
        if not math.isnan(total):
            return total
        total = 0.0
    begin, stop = _rule(half, middle, gap, s, slope == 0.0)
    for q in range(begin, stop):
        t = middle + half * nodes[q]
        if slope == 0.0:
            total += weights[q] * _density(t, gap, w, s) * (lead + t) ** 2
        else:
            below, p, _, _ = _below(t, gap, w, s)
            total += weights[q] * p * (lead + t - slope * (below - share)) ** 2
    return half * total


@compiled(cache=True, error_model="numpy")
def _expanded_panel(low, high, lead, centre):
    """∫(t + lead)² p over a panel by the expansion of the density about a centre that is near."""
    half, x, d = 0.5 * (high - low), 0.5 * (high + low) - centre[0], centre[4:11]
    p = d[0] + x * (d[1] + x * (d[2] + x * (d[3] + x * (d[4] + x * (d[5] + x * d[6])))))
    p1 = half * (d[1] + x * (2.0 * d[2] + x * (3.0 * d[3] + x * (4.0 * d[4] + x * (5.0 * d[5] + x * 6.0 * d[6])))))
    p2 = half**2 * (2.0 * d[2] + x * (6.0 * d[3] + x * (12.0 * d[4] + x * (20.0 * d[5] + x * 30.0 * d[6]))))
    p3 = half**3 * (6.0 * d[3] + x * (24.0 * d[4] + x * (60.0 * d[5] + x * 120.0 * d[6])))
    p4 = half**4 * (24.0 * d[4] + x * (120.0 * d[5] + x * 360.0 * d[6]))
    return _by_derivatives(half, lead + 0.5 * (high + low), p, p1, p2, p3, p4)


@compiled(cache=True, error_model="numpy")
def squared_gap(shares, start, slope, solved, table, means, w, s, gaps, nodes, weights):
    """∫(line - place)² p over the places of consecutive shares, from knot to knot.

    solved : (anchor, offset, near, centres) of the shares, as `solve` gives them.
    """
    anchor, offset, near, centres = solved
    total, last = 0.0, len(table.share)
    knot = np.searchsorted(table.share, shares[0], side="right")
    for i in range(len(start)):
        a, x = anchor[i], offset[i]
        if slope[i] == 0.0 and near[i] >= 0 and near[i] == near[i + 1]:
            while knot < last and table.share[knot] < shares[i + 1]:
                knot += 1
            total += _expanded_panel(x, offset[i + 1], means[a] - start[i], centres[near[i]])
            continue
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
