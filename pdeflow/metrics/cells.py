"""Masses of a law in the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._core.errors import NotAvailable
from .._core.shapes import Row
from ..laws import Law
from ..laws.cells import CellMasses, mixture_masses, product_masses, rest
from .cell_integrals import box_masses
from .pair import answers


def common_grid(first: Law, second: Law) -> tuple[Row, ...] | None:
    """The edges on which two laws are compared: those of the grid among them, None if neither is a grid.

    Of two grids it is the one with fewer cells (a tie goes to the first, the approximation), because a finer one
    aggregates and a coarser one has no detail to give.
    """
    grids = [axes for axes in (first.grid_axes(), second.grid_axes()) if axes is not None]
    return min(grids, key=lambda axes: np.prod([len(edges) - 1 for edges in axes])) if grids else None


def cell_masses(law: Law, axes: Sequence[Row]) -> CellMasses:
    """The masses of a law in the cells of a grid, the mass outside it, and how they were found.

    What the law knows exactly (see `Law.cell_masses`) is taken from it; products are taken block by block and mixtures
    component by component. Everything else is quadrature of the density in every cell, refined until two rules agree to
    1e-9 in all.

    Parameters
    ----------
    law : Law
        The law.
    axes : sequence of (n_i + 1,)
        The cell edges of each axis, increasing.

    Returns
    -------
    CellMasses
        mass (n_1, ..., n_d), outside, how.

    Raises
    ------
    NotAvailable
        Where the law has neither a distribution function nor a density.
    NotConverged
        Where the two rules do not agree (see `box_masses`).
    """
    exact = law.cell_masses(axes)
    if exact is not None:
        return exact
    factors = law.factors()
    if factors is not None:
        ends = np.cumsum([part.dim for part in factors])
        return product_masses([cell_masses(part, axes[end - part.dim : end]) for part, end in zip(factors, ends)])
    mixture = law.gaussian_components()
    if mixture is not None and len(mixture[1]) > 1:
        weights, components = mixture
        full = np.flatnonzero(weights > 0)
        return mixture_masses(weights[full], [cell_masses(components[i], axes) for i in full])
    if answers(law, "log_density"):
        mass = box_masses(law, axes)
        return CellMasses(mass, rest(mass, 1.0), "cell masses by quadrature of the density")
    raise NotAvailable(
        f"{type(law).__name__} (dim {law.dim}) has neither cdf nor log_density, so its cell masses are not known. Use "
        "a law with "
        "a density, or Particles of a sample."
    )
