"""Nested balls, each drawn from uniformly: the reference of the power energy."""

from dataclasses import dataclass
from math import ceil, lgamma, log, pi

import numpy as np

from ..._core.errors import BadInput
from ..._core.shapes import Points, Values


def ball_volume(dim: int, radius: float) -> float:
    """Volume of a ball in R^dim."""
    return float(np.exp(dim / 2 * log(pi) - lgamma(dim / 2 + 1) + dim * np.log(radius)))


@dataclass(frozen=True)
class NestedBalls:
    """Balls about the origin of R^dim with radii inner = r_1 < ... < r_K = outer, in equal ratios of at most 2.

    Points are drawn uniformly from each ball in turn; the mixture q(z) = (1/K) Σ_{|z| <= r_k} 1/Ω_k is positive on the
    whole of the largest, so the mean of f/q is ∫f dz over it without bias, whatever f. One ball is the uniform
    reference of Proposition 2 [fan2022iclr]. With more, a few stragglers far from the bulk do not take its points away:
    in a ball that is stretched tenfold in the plane, one draw in a hundred would meet the law.

    Parameters
    ----------
    dim : int
        d.
    inner, outer : float
        The smallest and the largest radius.
    """

    dim: int
    inner: float
    outer: float

    @property
    def radii(self) -> Values:
        """(K,), increasing."""
        k = 1 + max(0, ceil(np.log2(self.outer / self.inner)))
        return np.array([self.outer]) if k == 1 else np.geomspace(self.inner, self.outer, k)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Points, Values]:
        """(points (n, dim), weights 1/(n q), (n,)): Σ weights f(points) estimates ∫f dz over the largest ball.

        Point i is of ball i mod K. Raises `BadInput` where n is smaller than the number of balls.
        """
        radii = self.radii
        if n < len(radii):
            raise BadInput(
                f"A batch of {n} for {len(radii)} nested balls, from radius {self.inner:.3g} to {self.outer:.3g}. "
                "Each ball "
                "needs a point. Use a larger batch."
            )
        ball = np.arange(n) % len(radii)
        share = np.bincount(ball) / n
        direction = rng.standard_normal((n, self.dim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        distance = rng.random(n) ** (1 / self.dim) * radii[ball]
        heights = np.array([a / ball_volume(self.dim, r) for a, r in zip(share, radii)])
        density = np.cumsum(heights[::-1])[::-1]  # of the mixture between two radii
        place = np.minimum(np.searchsorted(radii, distance), len(radii) - 1)  # round-off beyond the last
        return direction * distance[:, None], 1 / (n * density[place])
