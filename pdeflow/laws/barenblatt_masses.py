"""Masses of the Barenblatt profiles of the plane in the cells of a grid."""

import numpy as np
from scipy.special import betainc, gammaln

from .._core.quadrature import gauss_legendre
from .._core.shapes import Numbers, Row

NODES = 16  # Gauss points of a piece
GRADE = 4  # power of the grading towards the cut, where the integrand has a root
LONGEST = 0.25  # of a piece in t; longer ones are cut
PARTS = 8  # that all pieces are cut into then


def planar_masses(x: Row, y: Row, power: float) -> Numbers:
    """∫ (q + 1)/π (1 - r²)_+^q over the cells with edges x (n + 1,) and y (k + 1,), shape (n, k), q = power > 0.

    With x = sin t the integral over y is, for every t, cos^(2q+2) t times a function of y/cos t, smooth but where the
    circle cuts the line y = y_j. There each piece of t is cut too, and the nodes are graded towards the cut.
    """
    t = np.arcsin(np.clip(x, -1.0, 1.0))
    if np.diff(t).max() > LONGEST:
        finer = np.sin(np.append(np.linspace(t[:-1], t[1:], PARTS, endpoint=False).T.ravel(), t[-1]))
        return planar_masses(finer, y, power).reshape(len(x) - 1, PARTS, -1).sum(axis=1)
    begin, end = t[:-1, None], t[1:, None]
    # where |y_j| meets the circle: cos t = |y_j|, at -cut and at cut
    cut = np.arccos(np.clip(np.abs(y), 0.0, 1.0))[None, :]
    below = np.zeros((len(x) - 1, len(y)))  # masses of the columns below each y_j
    low, high = np.clip(-cut, begin, end), np.clip(cut, begin, end)
    middle = (low + high) / 2
    for cut_end, other in ((low, begin), (low, middle), (high, middle), (high, end)):
        below += _piece(cut_end, other, y, power)
    return np.diff(below, axis=1)


def _piece(first: Numbers, last: Numbers, y: Row, power: float) -> Numbers:
    """The mass below each y_j (n, k + 1) for t between `first` and `last`, with nodes graded towards `first`."""
    nodes, weights = gauss_legendre(NODES)
    total, length = np.zeros(first.shape), last - first
    full = np.flatnonzero(np.abs(length) > 0)
    rows, columns = np.unravel_index(full, length.shape)
    begin, span, level = first.ravel()[full], length.ravel()[full], y[columns]
    found = np.zeros(len(full))
    for node, weight in zip(nodes, weights):
        s = (node + 1) / 2
        cosine = np.cos(begin + span * s**GRADE)
        z = np.clip(level / np.maximum(cosine, 1e-300), -1.0, 1.0)
        share = betainc(power + 1, power + 1, (1 + z) / 2)  # of the line, below the level
        found += weight * GRADE / 2 * s ** (GRADE - 1) * cosine ** (2 * power + 2) * share
    # the whole line holds c cos^(2q+1) t dx, dx = cos t dt
    constant = np.exp(gammaln(power + 2) - gammaln(power + 1.5)) / np.sqrt(np.pi)
    total[rows, columns] = constant * found * np.abs(span)
    return total
