"""Uniform laws on boxes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import at_finite_points, draws, levels, numbers, points, readonly, real_array, require_resolved
from .base import Law
from .cells import CellMasses, line_masses, product_masses


class Uniform(Law):
    """The uniform law on the box [low_1, high_1] x ... x [low_d, high_d].

    Parameters
    ----------
    low, high : (d,) or float
        The corners of the box, low < high in each axis; numbers in dimension 1.
    """

    def __init__(self, low, high):
        low, high = np.atleast_1d(real_array(low, "low")), np.atleast_1d(real_array(high, "high"))
        if low.shape != high.shape or low.ndim != 1 or np.any(low >= high):
            raise BadInput(
                f"low = {low}, high = {high}. They must have one shape (d,) and low < high in each axis. Swap them, "
                "or give "
                "both one shape."
            )
        require_resolved(np.maximum(np.abs(low), np.abs(high)), (high - low) / np.sqrt(12), "The box")
        self.low, self.high = readonly(low), readonly(high)
        self.dim = len(low)

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        return self.low + (self.high - self.low) * rng.random((n, self.dim))

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        x = points(x, self.dim)
        inside = np.all((x >= self.low) & (x <= self.high), axis=1)
        return np.where(inside, -self.entropy(), -np.inf)

    def mean(self) -> Vector:
        return (self.low + self.high) / 2

    def cov(self) -> Matrix:
        return np.diag((self.high - self.low) ** 2 / 12)

    def quantile(self, u: ArrayLike) -> SameShape:
        self._line("quantile")
        return self.low[0] + (self.high[0] - self.low[0]) * levels(u)

    def cdf(self, x: ArrayLike) -> SameShape:
        self._line("cdf")
        return np.clip((numbers(x) - self.low[0]) / (self.high[0] - self.low[0]), 0.0, 1.0)

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"Uniform has dim {self.dim}; {question!r} exists in dim 1 only. Use Uniform(low[i], high[i])."
            )

    def entropy(self) -> float:
        return float(np.sum(np.log(self.high - self.low)))

    def power_integral(self, m: float) -> float:
        return float(np.exp((1 - m) * self.entropy()))

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        return np.zeros_like(points(x, self.dim))

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """False: the density jumps at the edge."""
        return False

    def support(self) -> tuple[Vector, Vector] | None:
        return self.low, self.high

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        return ("Uniform", self.dim), self.mean(), (self.high - self.low) / np.sqrt(12)

    def blocks(self, sizes: Sequence[int]) -> tuple[Law, ...] | None:
        ends = np.cumsum(sizes)
        if ends[-1] != self.dim:
            return None
        return tuple(Uniform(self.low[end - size : end], self.high[end - size : end]) for size, end in zip(sizes, ends))

    def linear_pieces(self) -> tuple[Values, Values] | None:
        return (np.array([0.0, 1.0]), np.append(self.low, self.high)) if self.dim == 1 else None

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if self.dim == 1:
            return super().cell_masses(axes)
        sides = zip(self.low, self.high, axes)
        return product_masses(line_masses(Uniform(low, high), edges) for low, high, edges in sides)

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 0 and self.dim == 1:
            return Estimate(float(np.log(self.high[0] - self.low[0]) - 1.5), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"low": (("dim",), self.low), "high": (("dim",), self.high)}

    def spec(self) -> dict[str, Any]:
        return {"law": "Uniform", "low": self.low.tolist(), "high": self.high.tolist()}
