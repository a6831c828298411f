"""Laws on the line whose quantile function is piecewise linear."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._core.box_integral import box_integral
from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import at_finite_points, levels, numbers, points, readonly, real_array
from .base import OneDimensional
from .cells import CellMasses, line_masses
from .linear import cut_steps, mean_gap


class Quantiles(OneDimensional):
    """The law whose quantile function is piecewise linear through the points (levels_i, q_i).

    Its density is piecewise constant; where two quantiles coincide it has an atom and no density.

    Parameters
    ----------
    q : (n,)
        The quantiles, non-decreasing.
    levels : (n,)
        Their levels, strictly increasing from 0 to 1.
    """

    def __init__(self, q, levels):
        q, s = real_array(q, "q", ndim=1), real_array(levels, "levels", ndim=1)
        if len(q) != len(s) or len(q) < 2:
            raise BadInput(f"{len(q)} quantiles and {len(s)} levels. There must be one each, at least two. Match them.")
        if s[0] != 0 or s[-1] != 1 or np.any(np.diff(s) <= 0):
            raise BadInput(
                f"levels run from {s[0]} to {s[-1]}. They must increase strictly from 0 to 1. Give the end quantiles "
                "the "
                "levels 0 and 1."
            )
        if np.any(np.diff(q) < 0):
            i = int(np.argmin(np.diff(q)))
            raise BadInput(f"q[{i + 1}] = {q[i + 1]} < q[{i}] = {q[i]}. Quantiles must not decrease. Sort them.")
        self.q, self.levels = readonly(q), readonly(s)

    def quantile(self, u: ArrayLike) -> SameShape:
        return np.interp(levels(u), self.levels, self.q)

    def cdf(self, x: ArrayLike) -> SameShape:
        """Right-continuous: where two quantiles coincide the jump is counted."""
        x = numbers(x)
        i = np.clip(np.searchsorted(self.q, x, side="right") - 1, 0, len(self.q) - 2)
        gap = self.q[i + 1] - self.q[i]
        part = np.where(gap > 0, (x - self.q[i]) / np.where(gap > 0, gap, 1.0), 1.0)
        value = self.levels[i] + np.clip(part, 0.0, 1.0) * (self.levels[i + 1] - self.levels[i])
        return np.where(x < self.q[0], 0.0, np.where(x >= self.q[-1], 1.0, value))

    def _widths(self, question):
        w, gap = np.diff(self.levels), np.diff(self.q)
        if np.any(gap <= 0):
            raise self.not_available(question, "two quantiles coincide, so the law has an atom")
        return w, gap

    def answers(self) -> list[str]:
        atom = np.any(np.diff(self.q) <= 0)
        density = ("log_density", "entropy", "power_integral")
        return [name for name in super().answers() if not (atom and name in density)]

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        w, gap = self._widths("log_density")
        x = points(x, 1)[:, 0]
        i = np.clip(np.searchsorted(self.q, x, side="right") - 1, 0, len(gap) - 1)
        return np.where((x >= self.q[0]) & (x <= self.q[-1]), np.log(w / gap)[i], -np.inf)

    def mean(self) -> Vector:
        return np.array([np.diff(self.levels) @ (self.q[1:] + self.q[:-1]) / 2])

    def cov(self) -> Matrix:
        a, b = self.q[:-1] - self.mean(), self.q[1:] - self.mean()
        return np.array([[np.diff(self.levels) @ (a * a + a * b + b * b) / 3]])

    def entropy(self) -> float:
        w, gap = self._widths("entropy")
        return float(-np.sum(w * np.log(w / gap)))

    def power_integral(self, m: float) -> float:
        w, gap = self._widths("power_integral")
        return float(np.sum(gap * (w / gap) ** m))

    def has_density(self) -> bool | None:
        return bool(np.all(np.diff(self.q) > 0))

    def linear_pieces(self) -> tuple[Values, Values] | None:
        return self.levels, self.q

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        return line_masses(self, axes[0], smooth=False)

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        """By six Gauss points of every piece, which is halved where seven disagree; atoms are summed."""
        edges, heights = cut_steps(*self.density_steps(), breakpoints)
        atom = np.diff(self.q) <= 0
        value = float(np.diff(self.levels)[atom] @ function(self.q[:-1][atom][:, None])) if atom.any() else 0.0
        if len(heights):
            value += box_integral(function, (edges,), heights, 6, "a function")
        return Estimate(value, 0.0, "quadrature", "mean")

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 1:
            return Estimate(mean_gap(self.levels, self.q), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def density_steps(self) -> tuple[Row, Row]:
        """An atom has no height: its piece is left out."""
        gap = np.diff(self.q)
        wide = gap > 0
        return np.append(self.q[:-1][wide], self.q[-1]), np.diff(self.levels)[wide] / gap[wide]

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return (self.q,)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"level": (("level",), self.levels), "quantile": (("level",), self.q)}

    def __repr__(self) -> str:
        return f"Quantiles(n={len(self.q)}, support=[{self.q[0]:.6g}, {self.q[-1]:.6g}])"
