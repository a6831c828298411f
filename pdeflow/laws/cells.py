"""Masses in the cells of a grid, where they are known exactly: on the line, of grids, products and mixtures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._core.estimate import together
from .._core.quadrature import kronrod
from .._core.shapes import Numbers, Row

if TYPE_CHECKING:
    from .base import Law


class CellMasses(NamedTuple):
    """Probabilities of the cells of a grid.

    Attributes
    ----------
    mass : array (n_1, ..., n_d)
        The probability of each cell.
    outside : float
        The probability of what lies outside the grid.
    how : str
        How the masses were found, in words.
    """

    mass: Numbers
    outside: float
    how: str


def cell_volumes(axes: Sequence[Row]) -> Numbers:
    """The volume of each cell of the grid with these edges, (n_1, ..., n_d)."""
    volume = np.ones(())
    for edges in axes:
        volume = np.multiply.outer(volume, np.diff(edges))
    return volume


def center_weights(mass: Numbers) -> Numbers:
    """|cell| ρ(centre) from the masses of equal cells: m - (second difference)/24 along each axis, 0 beyond the ends.

    Sums over the centres with these weights integrate smooth functions to fourth order in the width.
    """
    out = mass
    for axis in range(mass.ndim):
        padded = np.pad(out, [(1, 1) if i == axis else (0, 0) for i in range(mass.ndim)])
        out = out - np.diff(padded, 2, axis=axis) / 24
    return out


def line_masses(law: Law, edges: Row, *, smooth: bool = True) -> CellMasses:
    """Differences of the distribution function; in the upper tail, where they cancel, the integrated density.

    The two must agree to the round-off of the difference, else (kinks, atoms) the difference stays.

    Parameters
    ----------
    law : Law
        A law on the line that has a distribution function.
    edges : (n + 1,)
        Edges of the cells, increasing.
    smooth : bool
        False for laws whose density has jumps: the differences stay as they are.
    """
    levels = law.cdf(edges)
    outside = float(levels[0] + (1 - levels[-1]))
    mass = np.diff(levels)
    if smooth and "log_density" in law.answers():
        tail = np.flatnonzero((mass < 1e-8) & (edges[:-1] > edges[np.argmax(mass)]))
        if len(tail):
            z, weight, _ = kronrod(15)
            half = (edges[tail + 1] - edges[tail]) / 2
            x = (edges[tail] + half)[:, None] + half[:, None] * z
            fine = half * (np.exp(law.log_density(x.reshape(-1, 1))).reshape(x.shape) @ weight)
            mass[tail] = np.where(np.abs(fine - mass[tail]) <= 4 * np.finfo(float).eps, fine, mass[tail])
    return CellMasses(mass, outside, "cell masses by the distribution function")


def product_masses(parts: Iterable[CellMasses]) -> CellMasses:
    """The masses of independent blocks of coordinates in the cells of the product of their grids."""
    mass, outside, hows = np.ones(()), 0.0, []
    for block, out, how in parts:
        outside = outside * (block.sum() + out) + mass.sum() * out
        mass = np.multiply.outer(mass, block)
        hows.append(how)
    return CellMasses(mass, float(outside), together(hows))


def mixture_masses(weights: Row, parts: Sequence[CellMasses]) -> CellMasses:
    """The weighted sum of the masses of the components of a mixture."""
    mass = sum((weight * part.mass for weight, part in zip(weights, parts)), start=np.zeros(()))
    outside = float(sum(weight * part.outside for weight, part in zip(weights, parts)))
    return CellMasses(mass, outside, together(part.how for part in parts))


def overlap(mass: Numbers, axis: int, mine: Row, edges: Row) -> Numbers:
    """Masses re-cut along one axis from the edges `mine` to `edges`, as differences of the piecewise linear total."""
    mass = np.moveaxis(mass, axis, 0)
    total = np.concatenate([np.zeros((1, *mass.shape[1:])), np.cumsum(mass, axis=0)])
    i = np.clip(np.searchsorted(mine, edges, side="right") - 1, 0, len(mine) - 2)
    part = np.clip((edges - mine[i]) / (mine[i + 1] - mine[i]), 0.0, 1.0)
    at = total[i] + part.reshape(-1, *(1,) * (mass.ndim - 1)) * (total[i + 1] - total[i])
    return np.moveaxis(np.diff(at, axis=0), 0, axis)


def rest(mass: Numbers, whole: float) -> float:
    """What the masses lack of the whole; less than 1e-14 is the round-off of the sum and counts as nothing."""
    lacking = float(whole - mass.sum())
    return lacking if lacking > 1e-14 else 0.0
