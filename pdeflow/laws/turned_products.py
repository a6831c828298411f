"""Cell masses in the plane of affine images of two independent laws on the line, by integrals along the grid lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from .._core.quadrature import gauss_legendre, kronrod
from .._core.shapes import Matrix, Numbers, Row, Values, Vector
from .affine_images import composed
from .base import Law
from .cells import CellMasses, rest
from .maps import Map

TOLERANCE = 1e-9  # of the sum of what the two rules differ by, along all lines; 1e-16 and exact where both have steps
FAINT = 1e-13  # masses below are looked at again
_PANELS = 8  # that a piece between two breakpoints is cut into at most, by halving, where the rules differ


def turned_masses(laws: Sequence[Law], matrix: Matrix, shift: Vector, axes: Sequence[Row]) -> CellMasses | None:
    """The masses of matrix (U, V) + shift in the cells of a grid, for independent U and V on the line.

    With the distribution function P of U and the density q of V, Green's theorem makes of the mass of a cell

        ∫∫ p(u) q(v) du dv = ∮ P(u) q(v) dv

    along its edges, in the coordinates (u, v). Where both laws are constant on cells, the integrand is linear on each
    piece of an edge between two of their steps, and the result is exact. Else edges are cut where the densities have
    their features (`Law.density_edges`), so that no peak is overlooked, and the Kronrod rule of 15 nodes must agree
    with the Gauss rule.

    Parameters
    ----------
    laws : two laws
        U and V, each with a distribution function and a density.
    matrix : (2, 2)
        Invertible.
    shift : (2,)
        In units of x.
    axes : two arrays of edges
        Increasing.

    Returns
    -------
    CellMasses or None
        None where a law has no distribution function or density or does not tell its features, or where the two rules
        differ by more than 1e-9 in all. Each mass is known to about 1e-16; fainter ones are those of three Gauss points
        an axis of the density, which is of the right size where a density has steps.
    """
    breaks = [_features(law) for law in laws]
    known = [places for places in breaks if places is not None]
    if len(known) < len(laws):
        return None
    inverse = np.linalg.inv(matrix)
    exact = all(law.density_steps() is not None for law in laws)
    along, error = [], 0.0
    for k in (0, 1):
        nodes, direction, rows = axes[k], inverse[:, k], []
        for other in axes[1 - k]:
            start = inverse @ (np.array([0.0, other] if k == 0 else [other, 0.0]) - shift)
            row, difference = _along(laws, known, exact, start, direction, nodes)
            rows.append(row)
            error += difference
        along.append(np.array(rows))
    if not error <= TOLERANCE:
        return None
    across, up = along[0], along[1]  # (n_2 + 1, n_1) along axis 0 and (n_1 + 1, n_2) along axis 1
    mass = np.sign(np.linalg.det(inverse)) * (across[:-1].T + up[1:] - across[1:].T - up[:-1])
    _fill_faint(mass, laws, inverse, shift, axes)
    return CellMasses(mass, rest(mass, 1.0), "cell masses by integrals along the grid lines")


def _fill_faint(mass: Numbers, laws: Sequence[Law], inverse: Matrix, shift: Vector, axes: Sequence[Row]) -> None:
    """Masses below `FAINT`, in place, by three Gauss points an axis of the density, where both agree to round-off.

    The differences of integrals along lines know them to 1e-16 only; relative entropies look at their logarithm.
    """
    faint = np.argwhere(mass < FAINT)
    z, weight = gauss_legendre(3)
    halves = [np.diff(edges)[faint[:, k]] / 2 for k, edges in enumerate(axes)]
    middles = [edges[faint[:, k]] + half for k, (edges, half) in enumerate(zip(axes, halves))]
    fine = np.zeros(len(faint))
    with np.errstate(under="ignore"):
        for (a, wa), (b, wb) in product(zip(z, weight), repeat=2):
            y = (np.stack([middles[0] + a * halves[0], middles[1] + b * halves[1]], axis=1) - shift) @ inverse.T
            fine += wa * wb * np.exp(laws[0].log_density(y[:, :1]) + laws[1].log_density(y[:, 1:]))
    fine *= halves[0] * halves[1] * abs(np.linalg.det(inverse))
    where = tuple(faint.T)
    mass[where] = np.where(np.abs(fine - mass[where]) <= 1e-15, fine, mass[where])


def _features(law: Law) -> Row | None:
    """The places on the line where the density has a step or a feature; None where it or they are not known."""
    if law.has_density() is not True or not {"cdf", "log_density"} <= set(law.answers()):
        return None
    steps = law.density_steps()
    places = law.density_edges() if steps is None else steps[0]
    return None if places is None else places[np.isfinite(places)]


def _along(
    laws: Sequence[Law], edges: Sequence[Row], exact: bool, start: Vector, direction: Vector, nodes: Row
) -> tuple[Values, float]:
    """∫ P(u) q(v) dv between the nodes s of the line start + s direction, and what two rules differ by."""
    breaks = [nodes]
    for place, slope, steps in zip(start, direction, edges):
        if slope != 0 and len(steps):
            crossed = (steps - place) / slope
            breaks.append(crossed[(crossed > nodes[0]) & (crossed < nodes[-1])])
    s = np.unique(np.concatenate(breaks))
    first, second = laws
    if exact:
        low, level = (law.cdf(place + s * slope) for law, place, slope in zip(laws, start, direction))
        value, error = (low[1:] + low[:-1]) / 2 * np.diff(level), 0.0
    else:
        value, error = _by_rules(first, second, start, direction, s)
    return np.add.reduceat(value, np.searchsorted(s, nodes[:-1])), error


def _by_rules(first: Law, second: Law, start: Vector, direction: Vector, s: Row) -> tuple[Values, float]:
    """The integrals over the pieces between the places s, and the sum of what the rules differ by."""
    z, weight, gauss = kronrod(15)
    total, error = np.zeros(len(s) - 1), 0.0
    low, high, owner, panels = s[:-1], s[1:], np.arange(len(s) - 1), 1
    while len(owner):
        half = (high - low) / 2
        x = ((low + high) / 2)[:, None] + half[:, None] * z
        with np.errstate(under="ignore"):
            density = np.exp(second.log_density((start[1] + x * direction[1]).reshape(-1, 1))).reshape(x.shape)
            values = first.cdf(start[0] + x * direction[0]) * density * direction[1]
            fine, coarse = half * (values @ weight), half * (values @ gauss)
        rough = np.abs(fine - coarse) > 1e-15
        done = ~rough if panels < _PANELS else np.ones(len(owner), dtype=bool)
        np.add.at(total, owner[done], fine[done])
        error += float(np.abs(fine - coarse)[done].sum())
        middle, panels = (low + high) / 2, 2 * panels
        low, high = (np.concatenate(pair) for pair in ((low[~done], middle[~done]), (middle[~done], high[~done])))
        owner = np.tile(owner[~done], 2)
    return total, error


def moved_masses(base: Law, maps: Sequence[Map], axes: Sequence[Row]) -> CellMasses | None:
    """`turned_masses` of the image of a law of the plane, where it has two factors and the maps are affine."""
    laws = base.factors()
    if laws is None or len(laws) != 2 or not maps or not all(move.affine for move in maps):
        return None
    return turned_masses(laws, *composed(maps), axes)
