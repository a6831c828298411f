"""Masses of a law in the cells of a grid."""

import numpy as np

from .._core.errors import NotAvailable
from ..laws import GaussianMixture, GridLaw, Particles, Product, Quantiles
from .cell_integrals import box_masses
from .pair import answers, split_law, together
from .quadrature import kronrod


def common_grid(first, second):
    """The edges on which two laws are compared: those of the grid among them; of two grids, of the one with fewer cells (a tie
    goes to the first, the approximation), because a finer one aggregates and a coarser one has no detail to give."""
    grids = [law for law in (first, second) if isinstance(law, GridLaw)]
    return min(grids, key=lambda grid: grid.mass.size).axes if grids else None


def cell_masses(law, axes):
    """(mass (n_1, ..., n_d), mass outside the box, how).

    A grid: overlap of its piecewise constant density. A cloud: counting. Dim 1: differences of the distribution function.
    Products, and Gaussians and Uniforms that are such: products over the blocks. Mixtures: sums over the components, so that
    those with diagonal covariances are exact too. Else quadrature of the density in every cell, refined until two rules agree to
    1e-9 in all; `NotConverged` where they do not (see `box_masses`).
    """
    if isinstance(law, GridLaw):
        if all(np.array_equal(mine, edges) for mine, edges in zip(law.axes, axes)):
            return law.mass, 0.0, "cell masses"
        mass = law.mass
        for i, (mine, edges) in enumerate(zip(law.axes, axes)):
            mass = _overlap(mass, i, mine, edges)
        return mass, _rest(mass, law.mass.sum()), "cell masses by overlap"
    if isinstance(law, Particles):
        mass, _ = np.histogramdd(law.x, bins=axes, weights=law.weights)
        return mass, _rest(mass, law.weights.sum()), "cell masses by counting"
    if answers(law, "cdf"):
        levels = law.cdf(axes[0])
        outside = float(levels[0] + (1 - levels[-1]))
        return _line_masses(law, axes[0]), outside, "cell masses by the distribution function"
    parts = law.laws if isinstance(law, Product) else split_law(law, [1] * law.dim) if law.dim > 1 else None
    if parts is not None:
        return _product(parts, axes)
    if isinstance(law, GaussianMixture):
        return _sum(law.weights, law.components, axes)
    if answers(law, "log_density"):
        mass = box_masses(law, axes)
        return mass, _rest(mass, 1.0), "cell masses by quadrature of the density"
    raise NotAvailable(
        f"{type(law).__name__} (dim {law.dim}) has neither cdf nor log_density, so its cell masses are not known. Use a law with a "
        "density, or Particles of a sample."
    )


def _product(parts, axes):
    mass, outside, hows, start = np.ones(()), 0.0, [], 0
    for part in parts:
        block, out, how = cell_masses(part, axes[start : start + part.dim])
        outside = outside * (block.sum() + out) + mass.sum() * out
        mass = np.multiply.outer(mass, block)
        hows.append(how)
        start += part.dim
    return mass, float(outside), together(hows)


def _sum(weights, components, axes):
    full = [(weight, *cell_masses(law, axes)) for weight, law in zip(weights, components) if weight > 0]
    mass = sum(weight * part for weight, part, _, _ in full)
    return mass, float(sum(weight * out for weight, _, out, _ in full)), together(how for *_, how in full)


def _line_masses(law, edges):
    """Differences of the distribution function; in the upper tail, where they cancel to nothing, the integrated density.

    The two must agree to the round-off of the difference, else (kinks, atoms) the difference stays.
    """
    mass = np.diff(law.cdf(edges))
    if isinstance(law, Quantiles) or not answers(law, "log_density"):
        return mass
    tail = np.flatnonzero((mass < 1e-8) & (edges[:-1] > edges[np.argmax(mass)]))
    if len(tail):
        z, weight, _ = kronrod(15)
        half = (edges[tail + 1] - edges[tail]) / 2
        x = (edges[tail] + half)[:, None] + half[:, None] * z
        fine = half * (np.exp(law.log_density(x.ravel())).reshape(x.shape) @ weight)
        mass[tail] = np.where(np.abs(fine - mass[tail]) <= 4 * np.finfo(float).eps, fine, mass[tail])
    return mass


def _rest(mass, whole):
    rest = float(whole - mass.sum())
    return rest if rest > 1e-14 else 0.0  # below: round-off of the sum


def _overlap(mass, axis, mine, edges):
    """Masses along one axis re-cut from the edges `mine` to `edges`: differences of the piecewise linear cumulative mass."""
    mass = np.moveaxis(mass, axis, 0)
    total = np.concatenate([np.zeros((1, *mass.shape[1:])), np.cumsum(mass, axis=0)])
    i = np.clip(np.searchsorted(mine, edges, side="right") - 1, 0, len(mine) - 2)
    part = np.clip((edges - mine[i]) / (mine[i + 1] - mine[i]), 0.0, 1.0)
    at = total[i] + part.reshape(-1, *(1,) * (mass.ndim - 1)) * (total[i + 1] - total[i])
    return np.moveaxis(np.diff(at, axis=0), 0, axis)
