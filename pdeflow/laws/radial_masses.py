"""Masses of radial laws of the plane in the cells of a grid, in closed form where the radius is piecewise simple.

With the distribution function F of the radius the density is the divergence of F(r) x/(2π r²), so that the mass of a
cell is what this field carries out through its four sides. On a line x_1 = a, where r² = a² + t², it is
∫ F a/(a² + t²) dt/(2π), elementary where F is c0 + c1 r + c2 r².
"""

from typing import NamedTuple

import numpy as np

from .._core.shapes import Numbers, Row, Values

ROUND_OFF = 1e-15  # what a cell may lie below zero by


class RadialPieces(NamedTuple):
    """The distribution function of a radius by pieces, F(r) = low + slope (r - a) + bend (r² - a²) for a <= r <= b.

    Attributes
    ----------
    knots : (n + 1,)
        The ends a and b of the pieces, increasing from 0 or above; F is 0 before the first, where no mass lies.
    mass : (n,)
        The probability of each piece.
    jumps : (n + 1,)
        The probability of each knot itself.
    square : bool
        Whether F grows like r² in a piece (mass spread evenly over the shell), else like r (along the radius).
    """

    knots: Row
    mass: Values
    jumps: Values
    square: bool


def planar_radial_masses(x: Row, y: Row, pieces: RadialPieces) -> Numbers:
    """The masses of the cells with edges x (n + 1,) and y (k + 1,), shape (n, k).

    Inside the median of the radius F is summed from the origin outwards, outside 1 - F from infinity inwards, so that
    masses in a tail, or in a hole around the origin, have a small relative error.
    """
    inner = _carried_out(x, y, pieces, outwards=True)
    outer = _carried_out(x, y, pieces, outwards=False)
    origin = _share_of_origin(x)[:, None] * _share_of_origin(y)
    total = np.append(0.0, np.cumsum(pieces.mass)) + np.cumsum(pieces.jumps)
    middle = np.hypot((x[1:] + x[:-1])[:, None] / 2, (y[1:] + y[:-1]) / 2)
    within = middle < pieces.knots[np.searchsorted(total, 0.5)]
    mass = np.where(within, inner, origin - outer)
    return np.where((mass < 0) & (mass > -ROUND_OFF), 0.0, mass)


def _share_of_origin(edges: Row) -> Values:
    """1 for the cell that holds 0, a half for each of two that share it, else 0."""
    return ((edges[:-1] < 0) & (edges[1:] > 0)) + 0.5 * (edges[:-1] == 0) + 0.5 * (edges[1:] == 0)


def _carried_out(x: Row, y: Row, pieces: RadialPieces, outwards: bool) -> Numbers:
    """What F x/(2π r²), or (1 - F) x/(2π r²), carries out of each cell."""
    across = np.array([_along_line(a, y, pieces, outwards) for a in x])
    along = np.array([_along_line(b, x, pieces, outwards) for b in y])
    return (np.diff(across, axis=0) + np.diff(along, axis=0).T) / (2 * np.pi)


def _along_line(a: float, t: Row, pieces: RadialPieces, outwards: bool) -> Values:
    """∫ F a/(a² + t²) dt, or that of 1 - F, between neighbours of t (k + 1,) increasing; (k,)."""
    if a == 0:
        return np.zeros(len(t) - 1)
    below = _from_foot(abs(a), np.abs(t), pieces, outwards)
    low, high, left, right = t[:-1], t[1:], below[:-1], below[1:]
    if outwards:  # below is the integral from the foot of the line, t = 0
        found = np.where(low >= 0, right - left, np.where(high <= 0, left - right, left + right))
    else:  # below is the integral from |t| to infinity
        foot = _from_foot(abs(a), np.zeros(1), pieces, outwards)[0]
        found = np.where(low >= 0, left - right, np.where(high <= 0, right - left, 2 * foot - left - right))
    return np.sign(a) * found


def _from_foot(a: float, t: Values, pieces: RadialPieces, outwards: bool) -> Values:
    """∫ F a/(a² + s²) ds over s from 0 to t >= 0 (k,), or that of 1 - F over s from t to infinity; a > 0."""
    knots, mass, jumps, square = pieces
    begin, end = knots[:-1], knots[1:]
    # F just after each knot, and 1 - F just before it: sums of masses alone, so that both tails are accurate
    after = np.append(0.0, np.cumsum(mass)) + np.cumsum(jumps)
    left = np.append(np.cumsum(mass[::-1])[::-1], 0.0) + np.cumsum(jumps[::-1])[::-1]
    rate = mass / ((end - begin) * (end + begin) if square else end - begin)
    if outwards:
        constant = after[:-1] - rate * (begin**2 if square else begin)
        constant = np.concatenate(([0.0], constant, [after[-1]]))
        rate = np.concatenate(([0.0], rate, [0.0]))
    else:
        constant = left[1:] + rate * (end**2 if square else end)
        constant = np.concatenate(([left[0]], constant, [0.0]))
        rate = -np.concatenate(([0.0], rate, [0.0]))

    def primitive(piece: np.ndarray, s: Values) -> Values:
        grown = a * s if square else a * np.arcsinh(s / a)
        return constant[piece] * np.arctan(s / a) + rate[piece] * grown

    # the pieces, from that of the foot on, change where r passes a knot; piece i lies before knots[i]
    places = np.sqrt(np.maximum((knots - a) * (knots + a), 0.0))
    every = np.arange(len(knots))
    ends = primitive(every, places) - primitive(every, np.append(0.0, places[:-1]))
    piece = np.searchsorted(places, t, side="right")
    start = np.append(0.0, places)[piece]
    if outwards:
        return np.append(0.0, np.cumsum(ends))[piece] + primitive(piece, t) - primitive(piece, start)
    beyond = np.append(np.cumsum(ends[::-1])[::-1], 0.0)  # of pieces from each on to the last knot; 1 - F = 0 after it
    stop = np.append(places, np.inf)[piece]
    inside = piece < len(knots)
    found = np.zeros(len(t))
    now = piece[inside]
    found[inside] = primitive(now, stop[inside]) - primitive(now, t[inside]) + beyond[now + 1]
    return found
