"""The energy -s E log r of the radius of a law that is invariant under rotations, for nodes on the half line."""

import numpy as np

from .mesh import Cells, Nodes
from .terms import Term

NEAR = 0.2  # half the width of a cell over its middle, below which a series takes over from differences of logarithms
POWERS = np.arange(1, 12)  # of t²: the next is 0.2^24 / 600, below round-off


def _shape(t: Cells) -> tuple[Cells, Cells, Cells]:
    """g, g', g'' at t in [0, 1], where the mean of log r over [m (1 - t), m (1 + t)] is log m + g(t).

    g = [(1 + t) log(1 + t) - (1 - t) log(1 - t)]/(2t) - 1 = -Σ t^(2k)/(2k (2k + 1)); g' and g'' are infinite at 1.
    """
    k, near = POWERS, np.minimum(t, NEAR)[:, None]
    series = (
        -(near ** (2 * k) / (2 * k * (2 * k + 1))).sum(1),
        -(near ** (2 * k - 1) / (2 * k + 1)).sum(1),
        -((2 * k - 1) * near ** (2 * k - 2) / (2 * k + 1)).sum(1),
    )
    far = np.maximum(t, NEAR)
    with np.errstate(divide="ignore", invalid="ignore"):  # at t = 1, where a cell begins at the origin
        below = np.where(far < 1, (1 - far) * np.log1p(-far), 0.0)
        slope = np.arctanh(far)
        direct = (
            ((1 + far) * np.log1p(far) - below) / (2 * far) - 1,
            (far - slope) / far**2,
            2 * slope / far**3 - 1 / far**2 - 1 / (far**2 * (1 - far) * (1 + far)),
        )
    first, second, third = (np.where(t < NEAR, one, other) for one, other in zip(series, direct, strict=True))
    return first, second, third


class RadiusTerm(Term):
    """-s Σ w_i (mean of log r over cell i): exact for a density of the radius that is constant on cells.

    With s = T (d - 1) it is what the entropy of the law in R^d has beyond that of its radius. The force at the origin
    is infinite and points away from it, so nodes stay above 0.
    """

    def __init__(self, strength: float, w: Cells, shift: float = 0.0):
        self.strength, self.w, self.shift = strength, w, shift

    def shifted(self, shift: float) -> Term:
        return RadiusTerm(self.strength, self.w, shift)

    def _cells(self, x: Nodes) -> tuple[Cells, Cells]:
        """The middle of each cell, and half its width over the middle."""
        low, high = x[:-1] + self.shift, x[1:] + self.shift
        middle = (low + high) / 2
        return middle, (high - low) / (2 * middle)

    def _means(self, x: Nodes) -> Cells:
        middle, t = self._cells(x)
        return np.log(middle) + _shape(t)[0]

    def value(self, x: Nodes) -> float:
        inside = x[0] + self.shift >= 0 and np.all(np.diff(x) > 0)
        return -self.strength * float(self.w @ self._means(x)) if inside else np.inf

    def roundoff(self, x: Nodes, value: float) -> float:
        """Of a sum of logarithms of both signs."""
        middle, _ = self._cells(x)
        grain = 1 + np.abs(np.log(middle)) + abs(self.shift) / middle
        return float(np.finfo(float).eps) * self.strength * float(self.w @ grain)

    def derivatives(self, x: Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
        middle, t = self._cells(x)
        _, slope, bend = _shape(t)
        low, high = 1 + t, 1 - t
        with np.errstate(invalid="ignore"):  # 0 times infinity where a cell begins at the origin
            weight = -self.strength * self.w
            force = weight / (2 * middle) * np.stack([1 - slope * low, 1 + np.where(high > 0, slope * high, 0.0)])
            square = weight / (4 * middle**2)
            near = square * (bend * low**2 + 2 * slope * low - 1)
            far = square * (np.where(high > 0, bend * high**2 - 2 * slope * high, -0.5) - 1)
            beside = square * (2 * t * slope - bend * low * high - 1)
        gradient, diagonal = np.zeros(len(x)), np.zeros(len(x))
        gradient[:-1] += force[0]
        gradient[1:] += force[1]
        diagonal[:-1] += near
        diagonal[1:] += far
        return gradient, diagonal, beside, None
