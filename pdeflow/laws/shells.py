"""Masses of spherical shells about the origin, each spread evenly over its shell: a radius that is given on a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from .._core.box_integral import box_integral
from .._core.shapes import Points, Row, Values


def log_sphere_area(dim: int) -> float:
    """log S, S = 2 π^(d/2) / Γ(d/2) the area of the unit sphere of R^dim."""
    return float(np.log(2.0) + dim / 2 * np.log(np.pi) - gammaln(dim / 2))


class Shells(NamedTuple):
    """Probabilities of the shells a_j <= |x| < a_{j+1} in R^dim, with a constant density in each.

    Attributes
    ----------
    edges : (n + 1,)
        The radii a_j >= 0, increasing.
    mass : (n,)
        The probability of each shell.
    dim : int
        d.
    """

    edges: Row
    mass: Values
    dim: int

    def log_volumes(self) -> Values:
        """log of S (b^d - a^d)/d, with S the area of the unit sphere."""
        log_ball = log_sphere_area(self.dim) - np.log(self.dim)
        return log_ball + self.dim * np.log(self.edges[1:]) + np.log(-np.expm1(self._log_share(self.dim)))

    def _log_share(self, power: float) -> Values:
        """log of (a/b)^power, -inf where a shell is a ball."""
        with np.errstate(divide="ignore"):
            return power * np.log(self.edges[:-1] / self.edges[1:])

    def log_densities(self) -> Values:
        """log ρ in each shell, -inf where it holds no mass."""
        with np.errstate(divide="ignore"):  # round-off below zero counts as empty
            return np.log(np.maximum(self.mass, 0.0)) - self.log_volumes()

    def log_density(self, r: Values) -> Values:
        """log ρ at the radii r (n,), -inf beyond the outermost shell."""
        shell = np.searchsorted(self.edges, r, side="right") - 1
        shell = np.where(r == self.edges[-1], len(self.mass) - 1, shell)
        inside = (shell >= 0) & (shell < len(self.mass))
        return np.where(inside, self.log_densities()[np.clip(shell, 0, len(self.mass) - 1)], -np.inf)

    def second_moment(self) -> float:
        """E|x|²: of each shell d/(d + 2) (b^(d+2) - a^(d+2))/(b^d - a^d)."""
        d = self.dim
        share = np.expm1(self._log_share(d + 2)) / np.expm1(self._log_share(d))
        return float(self.mass @ (d / (d + 2) * self.edges[1:] ** 2 * share))

    def entropy(self) -> float:
        """-∫ρ log ρ dx."""
        full = self.mass > 0
        return float(-self.mass[full] @ self.log_densities()[full])

    def power_integral(self, m: float) -> float:
        """∫ρ^m dx."""
        full = self.mass > 0
        return float(np.sum(np.exp(m * self.log_densities()[full] + self.log_volumes()[full])))

    def mean_of(self, function: Callable[[Points], Values]) -> float:
        """E function(|x|) by quadrature, function of radii (n, 1); `NotConverged` where it misses 1e-9."""
        share = -np.expm1(self._log_share(self.dim))
        heights = self.mass * self.dim / (self.edges[1:] * share)

        def weighted(r: Points) -> Values:  # (r/b)^(d-1) in the shell up to b
            shell = np.clip(np.searchsorted(self.edges, r[:, 0], side="right") - 1, 0, len(self.mass) - 1)
            return function(r) * (r[:, 0] / self.edges[shell + 1]) ** (self.dim - 1)

        return box_integral(weighted, (self.edges,), heights, 6, "a function of the radius")

    def spread(self, r: Values) -> Values:
        """Radii that are even in each shell, from radii (n,) that are even on each of its intervals [a, b]."""
        shell = np.clip(np.searchsorted(self.edges, r, side="right") - 1, 0, len(self.mass) - 1)
        low, high = self.edges[shell], self.edges[shell + 1]
        ball = np.exp(self._log_share(self.dim))[shell]
        return high * (ball + (r - low) / (high - low) * (1 - ball)) ** (1 / self.dim)
