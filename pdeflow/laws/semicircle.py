"""Semicircle laws on the line."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, betaln

from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import at_finite_points, levels, numbers, points, positive, real_array, require_resolved
from .base import OneDimensional


class Semicircle(OneDimensional):
    """The law with the density 2/(πR²) √(R² - (x - center)²) on the line.

    It is the equilibrium of W = x²/2 - log|x| at the radius R = √2 [docs/math.md 2.2]. Its variance is R²/4, and
    (x - center)/(2R) + 1/2 has the Beta(3/2, 3/2) law.

    Parameters
    ----------
    radius : float
        R > 0.
    center : float
        The middle of the support.
    """

    def __init__(self, radius, center=0.0):
        self.radius = positive(radius, "radius")
        center = np.atleast_1d(real_array(center, "center"))
        if center.shape != (1,):
            raise BadInput(f"center has shape {center.shape}. A semicircle lives on the line. Pass one number.")
        require_resolved(center, self.radius / 2, "The semicircle")
        self.center = float(center[0])

    def quantile(self, u: ArrayLike) -> SameShape:
        return self.center + self.radius * (2 * betaincinv(1.5, 1.5, levels(u)) - 1)

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return 2 * self.center - self.quantile(share)

    def cdf(self, x: ArrayLike) -> SameShape:
        z = (numbers(x) - self.center) / self.radius
        return betainc(1.5, 1.5, np.clip((z + 1) / 2, 0.0, 1.0))

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        z2 = ((points(x, 1)[:, 0] - self.center) / self.radius) ** 2
        with np.errstate(divide="ignore"):  # log 0 = -inf outside the support
            return np.log(2 / (np.pi * self.radius)) + 0.5 * np.log(np.maximum(1 - z2, 0.0))

    def mean(self) -> Vector:
        return np.array([self.center])

    def cov(self) -> Matrix:
        return np.array([[self.radius**2 / 4]])

    def entropy(self) -> float:
        """log(πR/2) - E log(1-z²)/2 with E log(1-z²) = 1 - 2 log 2 for the semicircle."""
        return float(np.log(np.pi * self.radius / 2) - 0.5 * (1 - 2 * np.log(2)))

    def power_integral(self, m: float) -> float:
        """∫ρ^m = (2/(πR))^m R B(1/2, m/2 + 1)."""
        return float(np.exp(m * np.log(2 / (np.pi * self.radius)) + np.log(self.radius) + betaln(0.5, m / 2 + 1)))

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        """-y/(R² - y²) with y = x - center, times ρ^power."""
        offset = points(x, 1) - self.center
        inner = np.maximum(self.radius**2 - offset**2, 0.0)
        with np.errstate(divide="ignore"):  # infinite at the edge where the power is too small
            return -offset * inner ** (power / 2 - 1) * (2 / (np.pi * self.radius**2)) ** power

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """∫ρ^(2 power) |∇ log ρ|² dρ behaves like ∫ r^(power - 3/2) dr at the distance r from the edge."""
        return power > 0.5

    def support(self) -> tuple[Vector, Vector] | None:
        return np.array([self.center - self.radius]), np.array([self.center + self.radius])

    def as_semicircle(self) -> Semicircle | None:
        return self

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        return ("Semicircle", 1), np.array([self.center]), np.array([self.radius / 2])

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 0:
            return Estimate(float(np.log(self.radius / 2) - 0.25), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"radius": ((), np.array(self.radius)), "center": ((), np.array(self.center))}

    def spec(self) -> dict[str, Any]:
        return {"law": "Semicircle", "radius": self.radius, "center": self.center}
