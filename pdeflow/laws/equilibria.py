"""Stationary laws of interaction energies."""

import numpy as np
from scipy.special import betainc, betaincinv, betaln

from .._core.errors import BadInput
from .._core.validate import draws, levels, numbers, points, positive, readonly, real_array
from .base import Law, OneDimensional


class Semicircle(OneDimensional):
    """ρ(x) = 2/(πR²) √(R² - (x - center)²): the equilibrium of W = x²/2 - log|x| at radius R = √2 [docs/math.md 2.2].

    Variance R²/4. (x - center)/(2R) + 1/2 has the Beta(3/2, 3/2) law.
    """

    def __init__(self, radius, center=0.0):
        self.radius = positive(radius, "radius")
        center = np.atleast_1d(real_array(center, "center"))
        if center.shape != (1,):
            raise BadInput(f"center has shape {center.shape}. A semicircle lives on the line. Pass one number.")
        self.center = float(center[0])

    def quantile(self, u):
        return self.center + self.radius * (2 * betaincinv(1.5, 1.5, levels(u)) - 1)

    def cdf(self, x):
        z = (numbers(x) - self.center) / self.radius
        return betainc(1.5, 1.5, np.clip((z + 1) / 2, 0.0, 1.0))

    def log_density(self, x):
        z2 = ((points(x, 1)[:, 0] - self.center) / self.radius) ** 2
        with np.errstate(divide="ignore"):  # log 0 = -inf outside the support
            return np.log(2 / (np.pi * self.radius)) + 0.5 * np.log(np.maximum(1 - z2, 0.0))

    def mean(self):
        return np.array([self.center])

    def cov(self):
        return np.array([[self.radius**2 / 4]])

    def entropy(self):
        """log(πR/2) - E log(1-z²)/2 with E log(1-z²) = 1 - 2 log 2 for the semicircle."""
        return float(np.log(np.pi * self.radius / 2) - 0.5 * (1 - 2 * np.log(2)))

    def power_integral(self, m):
        """∫ρ^m = (2/(πR))^m R B(1/2, m/2 + 1)."""
        return float(np.exp(m * np.log(2 / (np.pi * self.radius)) + np.log(self.radius) + betaln(0.5, m / 2 + 1)))

    def spec(self):
        return {"law": "Semicircle", "radius": self.radius, "center": self.center}


class Ring(Law):
    """The uniform law on the sphere |x - center| = radius of R^d (a circle for d = 2): singular, so it has no density.

    radius : > 0. center : (d,); d is read from it. Covariance radius²/d I.
    """

    def __init__(self, radius, center=(0.0, 0.0)):
        self.radius = positive(radius, "radius")
        self.center = readonly(np.atleast_1d(real_array(center, "center")))
        self.dim = real_array(self.center, "center", ndim=1).shape[0]

    def sample(self, n, rng):
        n = draws(n, rng)
        direction = rng.standard_normal((n, self.dim))
        return self.center + self.radius * direction / np.linalg.norm(direction, axis=1, keepdims=True)

    def mean(self):
        return self.center

    def cov(self):
        return self.radius**2 / self.dim * np.eye(self.dim)

    def spec(self):
        return {"law": "Ring", "radius": self.radius, "center": self.center.tolist()}
