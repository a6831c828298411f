"""Laws with a constant density on each cell of a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._core.box_integral import box_integral
from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.quadrature import cell_nodes
from .._core.shapes import Matrix, Numbers, Points, Row, SameShape, Values, Vector
from .._core.short_text import shown
from .._core.validate import (
    COARSEST_POSITIONS,
    at_finite_points,
    draws,
    levels,
    numbers,
    points,
    readonly,
    real_array,
    require_resolved,
)
from .base import Law
from .cells import CellMasses, cell_volumes, overlap, rest
from .linear import cut_steps, mean_gap, steps_of


class GridLaw(Law):
    """A piecewise constant density on a rectangular grid in dimension 1, 2 or 3.

    Parameters
    ----------
    axes : sequence of (n_i + 1,), or (n + 1,)
        The cell edges of each axis, strictly increasing; in dimension 1 one array will do.
    mass : (n_1, ..., n_d)
        The probability of each cell. The sum must be one to 1e-8; the difference is reported as `mass_error` and never
        renormalised away.

    Attributes
    ----------
    mass_error : float
        The sum of the masses minus one.
    min_mass : float
        The smallest mass. Cells below -1e-12 are refused; smaller negatives are kept, and the entropy counts them as
        empty.

    Raises
    ------
    BadInput
        Where the edges do not increase, the shapes do not match, the masses are no probabilities within these limits,
        or the grid lies so far out that floats there are coarser than 1e-3 of the deviation of the law.
    """

    def __init__(self, axes, mass):
        if len(axes) and np.ndim(axes[0]) == 0:  # the edges of one axis, as an array or a list
            axes = (axes,)
        self.axes = tuple(readonly(_edges(axis, i)) for i, axis in enumerate(axes))
        self.dim = len(self.axes)
        if not 1 <= self.dim <= 3:
            raise BadInput(
                f"GridLaw got {self.dim} axes. It has one to three. For more dimensions use Product or Particles."
            )
        shape = tuple(len(axis) - 1 for axis in self.axes)
        mass = real_array(mass, "mass")
        if mass.shape != shape:
            raise BadInput(
                f"mass has shape {mass.shape}; the edges make {shape} cells. Pass one mass per cell (edges are one "
                "longer)."
            )
        self.min_mass = float(mass.min())
        if self.min_mass < -1e-12:
            where = tuple(int(i) for i in np.unravel_index(np.argmin(mass), shape))
            raise BadInput(
                f"mass{list(where)} = {self.min_mass:.3g}. Masses must be >= 0 (to 1e-12). Use a positive scheme or a "
                "smaller step.",
                min_mass=self.min_mass,
            )
        self.mass_error = float(mass.sum() - 1)
        if abs(self.mass_error) > 1e-8:
            raise BadInput(
                f"The masses sum to {mass.sum():.12g}. They must sum to one to 1e-8. Divide by the sum if that is "
                "what you "
                "mean.",
                mass_error=self.mass_error,
            )
        self.mass = readonly(mass)
        for i, axis in enumerate(self.axes):
            far, least = np.max(np.abs(axis)), np.min(np.diff(axis)) / np.sqrt(12)
            if np.finfo(float).eps * far > COARSEST_POSITIONS * least:  # else any law on these cells is wide enough
                require_resolved(np.array([far]), np.sqrt(self.cov()[i, i]), f"axes[{i}]")

    @property
    def volumes(self) -> Numbers:
        """Volume of each cell, of the shape of `mass`."""
        return cell_volumes(self.axes)

    @property
    def centers(self) -> tuple[Row, ...]:
        """Cell centres of each axis."""
        return tuple((axis[1:] + axis[:-1]) / 2 for axis in self.axes)

    @property
    def density(self) -> Numbers:
        """mass / volume, of the shape of `mass`."""
        return self.mass / self.volumes

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        weights = np.maximum(self.mass.ravel(), 0)  # the allowed -1e-12 are empty cells; choice() wants no negatives
        cells = np.unravel_index(rng.choice(weights.size, size=n, p=weights / weights.sum()), self.mass.shape)
        low = np.stack([axis[i] for axis, i in zip(self.axes, cells)], axis=1)
        high = np.stack([axis[i + 1] for axis, i in zip(self.axes, cells)], axis=1)
        return low + (high - low) * rng.random((n, self.dim))

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        x = points(x, self.dim)
        inside = np.ones(len(x), dtype=bool)
        cells = []
        for axis, column in zip(self.axes, x.T):
            cells.append(np.clip(np.searchsorted(axis, column, side="right") - 1, 0, len(axis) - 2))
            inside &= (column >= axis[0]) & (column <= axis[-1])
        with np.errstate(divide="ignore"):  # an empty cell has log density -inf
            return np.where(inside, np.log(np.maximum(self.density[tuple(cells)], 0)), -np.inf)

    def _marginal(self, *kept):
        return self.mass.sum(axis=tuple(i for i in range(self.dim) if i not in kept))

    def mean(self) -> Vector:
        return np.array([self._marginal(i) @ center for i, center in enumerate(self.centers)])

    def cov(self) -> Matrix:
        """Includes the variance h²/12 inside each cell: exact for the piecewise constant density."""
        centers, mean = self.centers, self.mean()
        cov = np.empty((self.dim, self.dim))
        for i in range(self.dim):
            offset = centers[i] - mean[i]
            cov[i, i] = self._marginal(i) @ (offset**2 + np.diff(self.axes[i]) ** 2 / 12)
            for j in range(i):
                cov[i, j] = cov[j, i] = (centers[j] - mean[j]) @ self._marginal(j, i) @ offset
        return cov

    def _cumulative(self, question):
        if self.dim != 1:
            raise self.not_available(question, "it exists in dim 1 only")
        return np.concatenate([[0.0], np.cumsum(self.mass)])

    def quantile(self, u: ArrayLike) -> SameShape:
        total = np.maximum.accumulate(self._cumulative("quantile"))
        u = np.minimum(levels(u), total[-1])  # the sum of the masses is one to round-off only
        first = np.searchsorted(total, 0.0, side="right")  # level 0 is where the mass begins, not where the grid does
        cell = np.clip(np.searchsorted(total, u, side="left"), first, len(self.mass)) - 1
        empty = self.mass[cell] <= 0
        part = np.where(empty, 0.0, (u - total[cell]) / np.where(empty, 1.0, self.mass[cell]))
        edges = self.axes[0]
        return edges[cell] + np.clip(part, 0.0, 1.0) * (edges[cell + 1] - edges[cell])

    def cdf(self, x: ArrayLike) -> SameShape:
        return np.interp(numbers(x), self.axes[0], self._cumulative("cdf"))

    def entropy(self) -> float:
        full = self.mass > 0
        return float(-np.sum(self.mass[full] * np.log(self.density[full])))

    def power_integral(self, m: float) -> float:
        return float(np.sum(np.maximum(self.density, 0) ** m * self.volumes))

    def support(self) -> tuple[Vector, Vector] | None:
        full, low, high = self.mass > 0, [], []
        for i, axis in enumerate(self.axes):
            kept = np.flatnonzero(full.any(axis=tuple(j for j in range(self.dim) if j != i)))
            low.append(axis[kept[0]])
            high.append(axis[kept[-1] + 1])
        return np.array(low), np.array(high)

    def linear_pieces(self) -> tuple[Values, Values] | None:
        """Empty cells are jumps; the negative round-off masses that a grid admits count as empty."""
        if self.dim != 1:
            return None
        full, edges = self.mass > 0, self.axes[0]
        return steps_of(self.mass[full], edges[:-1][full], edges[1:][full])

    def grid_axes(self) -> tuple[Row, ...] | None:
        return self.axes

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if all(np.array_equal(mine, edges) for mine, edges in zip(self.axes, axes)):
            return CellMasses(self.mass, 0.0, "cell masses")
        mass = self.mass
        for i, (mine, edges) in enumerate(zip(self.axes, axes)):
            mass = overlap(mass, i, mine, edges)
        return CellMasses(mass, rest(mass, self.mass.sum()), "cell masses by overlap")

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        """By three Gauss points per axis of every cell; cells are halved where four points disagree."""
        axes, density = self.axes, self.density
        if self.dim == 1:
            edges, heights = cut_steps(axes[0], density, breakpoints)
            axes, density = (edges,), heights
        return Estimate(box_integral(function, axes, density, 3, "a function"), 0.0, "quadrature", "mean")

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 1 and self.dim == 1:
            return Estimate(mean_gap(self._cumulative("cdf"), self.axes[0]), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def quadrature_nodes(self, most: int) -> tuple[Points, Values] | None:
        x, share = cell_nodes(self.axes, 3 if self.mass.size * 3**self.dim <= most else 1)
        return x, np.multiply.outer(self.mass.ravel(), share).ravel()

    def density_steps(self) -> tuple[Row, Row] | None:
        return (self.axes[0], self.density) if self.dim == 1 else None

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return (self.mass,)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        names = ("x", "y", "z")[: self.dim]
        fields = {}
        for name, edges, centers in zip(names, self.axes, self.centers):
            fields[name] = ((name,), centers)
            fields[f"{name}_edges"] = ((f"{name}_edges",), edges)
        density = self.density
        return {
            **fields,
            "mass": (names, self.mass),
            "density": (names, density),
            "mass_error": ((), np.array(self.mass_error)),
            "min_density": ((), np.array(density.min())),
        }

    def __repr__(self) -> str:
        return f"GridLaw(cells={self.mass.shape}, box={shown([(float(a[0]), float(a[-1])) for a in self.axes])})"


def _edges(axis, number):
    axis = real_array(axis, f"axes[{number}]", ndim=1)
    if len(axis) < 2 or np.any(np.diff(axis) <= 0):
        raise BadInput(
            f"axes[{number}] has {len(axis)} edges, smallest gap {np.diff(axis).min(initial=np.inf):.3g}. Edges must "
            "increase strictly. Sort them and drop duplicates."
        )
    return axis
