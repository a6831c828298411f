"""Uniform laws on spheres."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from scipy.special import gammaln

from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, Vector
from .._core.validate import draws, positive, readonly, real_array, require_resolved
from .base import Law
from .particles import Particles


class Ring(Law):
    """The uniform law on the sphere |x - center| = radius of R^d (a circle for d = 2).

    It has no density. Its covariance is radius²/d times the identity.

    Parameters
    ----------
    radius : float
        > 0.
    center : (d,)
        The middle of the sphere; its length is the dimension.

    Raises
    ------
    BadInput
        Where the center is so far from the origin that floats know positions only to 1e-3 of the spread or worse.
    """

    def __init__(self, radius, center=(0.0, 0.0)):
        self.radius = positive(radius, "radius")
        self.center = readonly(np.atleast_1d(real_array(center, "center")))
        self.dim = real_array(self.center, "center", ndim=1).shape[0]
        require_resolved(self.center, self.radius / np.sqrt(self.dim), "The ring")

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        direction = rng.standard_normal((n, self.dim))
        return self.center + self.radius * direction / np.linalg.norm(direction, axis=1, keepdims=True)

    def mean(self) -> Vector:
        return self.center

    def cov(self) -> Matrix:
        return self.radius**2 / self.dim * np.eye(self.dim)

    def has_density(self) -> bool | None:
        return False

    def support(self) -> tuple[Vector, Vector] | None:
        return self.center - self.radius, self.center + self.radius

    def radial_part(self) -> Law | None:
        """The point mass at the radius, where the centre is the origin."""
        return None if self.dim == 1 or self.center.any() else Particles([self.radius])

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        return ("Ring", self.dim), self.center, np.array([self.radius])

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p > 0 and p != 2:
            value = self.radius**p * sphere_mean_power(p, self.dim)
            return Estimate(float(value), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"radius": ((), np.array(self.radius)), "center": (("dim",), self.center)}

    def spec(self) -> dict[str, Any]:
        return {"law": "Ring", "radius": self.radius, "center": self.center.tolist()}


def sphere_mean_power(p: float, dim: int) -> float:
    """Mean of |x - y|^p over independent uniform points of the unit sphere of R^dim [docs/math.md 2.1]; 1 for p = 0."""
    if dim == 1:
        return 2.0 ** (p - 1)
    half = (dim - 1) / 2
    return float(
        np.exp(p * np.log(2) + gammaln(half + p / 2) + gammaln(dim - 1) - gammaln(half) - gammaln(dim - 1 + p / 2))
    )
