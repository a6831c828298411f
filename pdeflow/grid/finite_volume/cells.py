"""The grid of a run of FiniteVolume and the discrete energy on it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..._core.errors import BadInput, NotAvailable
from ..._core.shapes import Numbers, Row
from ...energies.internal import InternalEnergy
from ..box_domain import grid_values
from ..convolution import Convolution

LEAST_DENSITY = 1e-200  # at which U' and U'' are asked where the density is less: log 0 has no value


class Evaluation(NamedTuple):
    """The discrete energy at a density, and its gradient.

    Attributes
    ----------
    field : (n_1, ..., n_d)
        V + W*ρ at the centres.
    slope : (n_1, ..., n_d)
        U'(ρ).
    pressure : (n_1, ..., n_d)
        p(ρ) = ρ U'(ρ) - U(ρ).
    energy : float
        Σ_j (U(ρ_j) + V_j ρ_j + ½ (W*ρ)_j ρ_j) |cell|.
    scale : float
        The sum of the absolute values of these terms, which round-off is a share of.
    """

    field: Numbers
    slope: Numbers
    pressure: Numbers
    energy: float
    scale: float


@dataclass(frozen=True)
class Cells:
    """Equal cells between no-flux walls, with the parts of the energy on them.

    Attributes
    ----------
    edges : tuple of (n_i + 1,)
        Cell edges of each axis.
    widths : (d,)
        Widths of a cell.
    values : (n_1, ..., n_d)
        V at the centres, zeros without potential.
    internal : InternalEnergy or None
        U.
    convolution : Convolution or None
        With the kernel W.
    stiffness : float
        The fastest rate at which a unit density decays by repulsion, 0 without kernel, see `convolution.stiffness`.
    capped : bool
        Whether U'(0) is infinite, so that velocities next to empty cells are bounded by the pressure, see `explicit`.
    """

    edges: tuple[Row, ...]
    widths: Row
    values: Numbers
    internal: InternalEnergy | None
    convolution: Convolution | None
    stiffness: float
    capped: bool

    @property
    def volume(self) -> float:
        """Of one cell."""
        return float(np.prod(self.widths))

    def evaluate(self, density: Numbers) -> Evaluation:
        """The discrete energy and its gradient at a density (n_1, ..., n_d)."""
        field = self.values
        if self.convolution is not None:
            field = field + self.convolution(density * self.volume)
        slope, pressure = np.zeros_like(density), np.zeros_like(density)
        if self.internal is not None:
            slope = np.asarray(self.internal.derivative(np.maximum(density, LEAST_DENSITY)), dtype=float)
            pressure = np.asarray(self.internal.pressure(density), dtype=float)
        parts = density * slope - pressure + density * (field + self.values) / 2
        scale = np.abs(density * slope) + np.abs(pressure) + np.abs(density * field) + np.abs(density * self.values)
        return Evaluation(field, slope, pressure, float(parts.sum()) * self.volume, float(scale.sum()) * self.volume)

    def slopes(self, density: Numbers) -> tuple[Numbers, Numbers]:
        """(U'(ρ), U''(ρ)), zeros without internal energy; U'' by differences where the internal energy has none."""
        if self.internal is None:
            return np.zeros_like(density), np.zeros_like(density)
        r = np.maximum(density, LEAST_DENSITY)
        slope = np.asarray(self.internal.derivative(r), dtype=float)
        try:
            return slope, np.asarray(self.internal.second_derivative(r), dtype=float)
        except NotAvailable:  # only the speed of Newton's method depends on it
            step = 1e-6 * r
            return slope, (np.asarray(self.internal.derivative(r + step)) - slope) / step

    def diffusivity(self, density: Numbers) -> float:
        """The largest p'(ρ), by one-sided differences where U is not a sum of powers."""
        if self.internal is None:
            return 0.0
        terms, top = self.internal.terms(), float(density.max())
        if terms is not None:  # p' = Σ c m ρ^(m-1), which rises
            return float(sum(c * m * top ** (m - 1) for c, m in terms))
        r = np.maximum(density, LEAST_DENSITY)
        step = 1e-6 * r
        return float(np.max((np.asarray(self.internal.pressure(r + step)) - self.internal.pressure(r)) / step))


def potential_on_cells(potential: Any, edges: tuple[Row, ...]) -> Numbers:
    """V at the centres of the cells, checked for kind, shape and finiteness."""
    centers = [(axis[1:] + axis[:-1]) / 2 for axis in edges]
    values = grid_values(potential, centers)
    if np.isinf(values).any():
        where = np.unravel_index(np.argmax(values), values.shape)
        x = [float(axis[i]) for axis, i in zip(centers, where)]
        raise BadInput(
            f"The potential is inf at x = {x}. It must be finite on the whole grid: walls of FiniteVolume are the ends "
            "of its domain. Pass lower= and upper= that leave the point out.",
            x=x,
        )
    return values
