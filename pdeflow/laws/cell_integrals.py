"""Masses of any law in the cells of a grid: exact where it knows them, else by adaptive quadrature of its density."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .._core.errors import NotAvailable, NotConverged
from .._core.quadrature import gauss_and_lobatto
from .._core.shapes import Row
from .base import Law
from .cells import CellMasses, mixture_masses, product_masses, rest
from .turned_products import moved_masses

TOLERANCE = 1e-9  # of the sum over all cells of what the two rules differ by
POINTS = 20_000_000  # evaluations of the density beyond those of the first round: some seconds
_CHUNK = 1 << 18  # points held at a time


def cell_masses(law: Law, axes: Sequence[Row]) -> CellMasses:
    """The masses of a law in the cells of a grid, the mass outside it, and how they were found.

    What the law knows exactly (see `Law.cell_masses`) is taken from it; products are taken block by block and mixtures
    component by component; affine images of two independent laws on the line by integrals along the grid lines. All
    else is quadrature of the density in every cell, refined until two rules agree to 1e-9 in all.

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
    pushed = law.pushed_from()
    turned = moved_masses(*pushed, axes) if pushed is not None and law.dim == 2 else None
    if turned is not None:
        return turned
    mixture = law.gaussian_components()
    if mixture is not None and len(mixture[1]) > 1:
        weights, components = mixture
        full = np.flatnonzero(weights > 0)
        return mixture_masses(weights[full], [cell_masses(components[i], axes) for i in full])
    if "log_density" in law.answers():
        mass = box_masses(law, axes)
        return CellMasses(mass, rest(mass, 1.0), "cell masses by quadrature of the density")
    raise NotAvailable(
        f"{type(law).__name__} (dim {law.dim}) has neither cdf nor log_density, so its cell masses are not known. Use "
        "a law with a density, or Particles of a sample."
    )


def box_masses(law, axes) -> np.ndarray:
    """∫ρ over each cell, shape (n_1, ..., n_d), by the Gauss and Lobatto rules of 5 nodes an axis, which must agree.

    Boxes on which they differ are halved in every axis until the differences sum to at most 1e-9. Two rules also agree
    where both overlook a peak, so a box is halved too while it holds a probe (`_probes`) whose density is ten times
    that of its nodes; and an edge of the support may cut a box between all nodes, so a box with nodes on both sides
    counts with all it may hold. Raises `NotConverged` beyond 2e7 evaluations (an edge or a kink of the density inside
    the grid), or if the masses sum to more than one.
    """
    shape = tuple(len(edges) - 1 for edges in axes)
    grid = np.meshgrid(*[(edges[1:] + edges[:-1]) / 2 for edges in axes], indexing="ij")
    halves = np.meshgrid(*[np.diff(edges) / 2 for edges in axes], indexing="ij")
    center, half = (np.stack([column.ravel() for column in part], axis=1) for part in (grid, halves))
    mass, owner = np.zeros(len(center)), np.arange(len(center))
    probe, height = _probes(law, axes)
    cells = [np.searchsorted(edges, column, side="right") - 1 for edges, column in zip(axes, probe.T)]
    home = np.asarray(np.ravel_multi_index(cells, shape))
    spent, points = 0.0, 0
    value, error, top = _two_rules(law, center, half)
    while True:
        with np.errstate(under="ignore"):
            hidden = (height > top[home] + np.log(10)) & (np.exp(height) * np.prod(2 * half[home], axis=1) > 1e-12)
        overlooked = np.zeros(len(center), dtype=bool)
        overlooked[home[hidden]] = True
        order = np.argsort(np.where(overlooked, np.inf, error))  # NaN comes last and is never accepted
        total = spent + np.cumsum(np.where(overlooked, np.inf, error)[order])
        if total[-1] <= TOLERANCE:
            np.add.at(mass, owner, value)
            break
        fine = order[total <= (spent + TOLERANCE) / 2]
        np.add.at(mass, owner[fine], value[fine])
        spent += error[fine].sum()
        rest = np.setdiff1d(np.arange(len(center)), fine)
        more = len(rest) * 2 ** len(axes) * 2 * 5 ** len(axes)
        if points + more > POINTS:
            raise NotConverged(
                f"The cell masses of {type(law).__name__} (dim {law.dim}) by quadrature: two rules still differ by "
                f"{np.sum(error[rest]):.3g} in {len(rest)} boxes; {TOLERANCE:g} in all is accepted, and {POINTS:.0e} "
                "evaluations are the limit. Densities without edges and kinks converge. Use a product of 1-D laws or a "
                "mixture with diagonal covariances (exact), or Particles of a sample.",
                residual=float(np.sum(error[rest])),
            )
        points += more
        center, half, owner, probe, height, home = _halved(rest, center, half, owner, probe, height, home)
        value, error, top = _two_rules(law, center, half)
    if not mass.sum() <= 1 + 10 * TOLERANCE:
        raise NotConverged(
            f"The cell masses of {type(law).__name__} (dim {law.dim}) sum to {mass.sum():.12g} by quadrature. The "
            "density of a law integrates to one. Check its log_density.",
            residual=float(mass.sum() - 1),
        )
    return mass.reshape(shape)


def _two_rules(law, center, half):
    """(∫ρ over each box by Gauss, a bound of its error, largest log density at the nodes)."""
    dim = center.shape[1]
    sums, top, bottom = [], np.full(len(center), -np.inf), np.full(len(center), np.inf)
    volume = np.prod(half, axis=1)
    for z, w in gauss_and_lobatto():
        node = np.array(list(itertools.product(z, repeat=dim)))
        weight = np.prod(np.array(list(itertools.product(w, repeat=dim))), axis=1)
        parts = []
        for start in range(0, len(center), max(1, _CHUNK // len(node))):
            cut = slice(start, start + max(1, _CHUNK // len(node)))
            x = center[cut, None] + half[cut, None] * node
            logs = law.log_density(x.reshape(-1, dim)).reshape(x.shape[:2])
            top[cut] = np.maximum(top[cut], logs.max(axis=1))
            bottom[cut] = np.minimum(bottom[cut], logs.min(axis=1))
            with np.errstate(under="ignore"):
                parts.append(np.exp(logs) @ weight)
        sums.append(np.concatenate(parts) * volume)
    edge = (bottom == -np.inf) & (top > -np.inf)
    with np.errstate(under="ignore"):
        whole = np.exp(top) * volume * 2**dim
    return sums[0], np.where(edge, whole, np.abs(sums[1] - sums[0])), top


def _halved(rest, center, half, owner, probe, height, home):
    """The 2^d children of the boxes `rest`, and the probes that lie in them."""
    dim = center.shape[1]
    corner = np.array(list(itertools.product((0, 1), repeat=dim)))
    place = np.full(len(center), -1)
    place[rest] = np.arange(len(rest))
    kept = place[home] >= 0
    probe, height, home = probe[kept], height[kept], home[kept]
    upper = (probe >= center[home]) @ (1 << np.arange(dim)[::-1])  # number of the corner, in the order of `corner`
    home = place[home] * len(corner) + upper
    small = np.repeat(half[rest] / 2, len(corner), axis=0)
    center = np.repeat(center[rest], len(corner), axis=0) + np.tile(2 * corner - 1, (len(rest), 1)) * small
    return center, small, np.repeat(owner[rest], len(corner)), probe, height, home


def _probes(law, axes):
    """Points inside the box where the law has density, and its log there: they show where to look and enter no value.

    Drawn from a fixed seed, so that masses depend on law and grid alone. Of a Gaussian: points out to some 7 standard
    deviations. Else: draws, and draws mirrored in one another, which reach beyond the edge of a peak of the same kind.
    """
    rng = np.random.default_rng(0)
    if law.as_gaussian() is not None:
        x = 2 * law.sample(2000, rng) - law.mean()
    elif "sample" in law.answers():
        x = law.sample(1000, rng)
        x = np.concatenate([x, *[2 * x - np.roll(x, shift, axis=0) for shift in (1, 2, 3)]])
    else:
        x = np.empty((0, law.dim))
    low, high = (np.array([edges[end] for edges in axes]) for end in (0, -1))
    x = x[np.all((x >= low) & (x < high), axis=1)]
    height = law.log_density(x) if len(x) else np.empty(0)
    known = height > -np.inf
    return x[known], height[known]
