"""Scaled chi laws: what |x| obeys for a Gaussian x that is invariant under rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammainc, gammainccinv, gammaincinv, gammaln

from .._core.shapes import Matrix, Points, SameShape, Values, Vector
from .._core.validate import at_finite_points, count, levels, numbers, points, positive
from .base import OneDimensional


class Chi(OneDimensional):
    """The law of |x| for x ~ N(0, scale² I) on R^degrees, on the half line r >= 0.

    Its density is 2 (r/s)^(k-1) e^(-r²/(2 s²)) / (s 2^(k/2) Γ(k/2)) with k = degrees and s = scale.

    Parameters
    ----------
    degrees : int
        k >= 1, the dimension of x.
    scale : float
        s > 0, the standard deviation of each coordinate of x.
    """

    def __init__(self, degrees, scale=1.0):
        self.degrees, self.scale = count(degrees, "degrees"), positive(scale, "scale")

    def _log_constant(self) -> float:
        half = self.degrees / 2
        return float((1 - half) * np.log(2.0) - gammaln(half) - np.log(self.scale))

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        z = points(x, 1)[:, 0] / self.scale
        with np.errstate(divide="ignore", invalid="ignore"):  # log 0 = -inf at the origin for k > 1
            power = 0.0 if self.degrees == 1 else (self.degrees - 1) * np.log(z)
            return np.where(z >= 0, self._log_constant() + power - z * z / 2, -np.inf)

    def quantile(self, u: ArrayLike) -> SameShape:
        return self.scale * np.sqrt(2 * gammaincinv(self.degrees / 2, levels(u)))

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return self.scale * np.sqrt(2 * gammainccinv(self.degrees / 2, levels(share)))

    def cdf(self, x: ArrayLike) -> SameShape:
        z = numbers(x) / self.scale
        with np.errstate(over="ignore"):
            return np.where(np.isnan(z), np.nan, gammainc(self.degrees / 2, np.maximum(z, 0.0) ** 2 / 2))

    def mean(self) -> Vector:
        half = self.degrees / 2
        return np.array([self.scale * np.sqrt(2.0) * np.exp(gammaln(half + 0.5) - gammaln(half))])

    def cov(self) -> Matrix:
        return np.array([[self.scale**2 * self.degrees - self.mean()[0] ** 2]])

    def entropy(self) -> float:
        half = self.degrees / 2
        mean_log = (digamma(half) + np.log(2.0)) / 2  # E log(r/s)
        return float(half - self._log_constant() - (self.degrees - 1) * mean_log)

    def power_integral(self, m: float) -> float:
        half = (m * (self.degrees - 1) + 1) / 2  # ∫z^(2 half - 1) e^(-m z²/2) dz = Γ(half) (2/m)^half / 2
        log_value = m * self._log_constant() + gammaln(half) + half * np.log(2 / m) - np.log(2.0) + np.log(self.scale)
        return float(np.exp(log_value))

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        r = points(x, 1)
        with np.errstate(divide="ignore"):  # infinite at the origin for k > 1
            score = (self.degrees - 1) / r - r / self.scale**2 if self.degrees > 1 else -r / self.scale**2
        return score * np.exp(power * self.log_density(r))[:, None] if power else score

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """∫r^((k-1)(2 power + 1) - 2) dr is finite at 0 where the exponent is above -1."""
        return self.degrees == 1 or (self.degrees - 1) * (2 * power + 1) > 1

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"degrees": ((), np.array(float(self.degrees))), "scale": ((), np.array(self.scale))}

    def spec(self) -> dict[str, Any]:
        return {"law": "Chi", "degrees": self.degrees, "scale": self.scale}
