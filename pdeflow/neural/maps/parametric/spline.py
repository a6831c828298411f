"""Cubic splines that are linear beyond their ends, through the B-splines of their knots; torch but for the tables."""

import functools
import operator
from collections.abc import Iterable
from math import factorial

import numpy as np
import torch
from scipy.interpolate import BSpline


def padded(knots: np.ndarray, degree: int) -> np.ndarray:
    """The knots with `degree` more on either side, at the distance of the first two and the last two."""
    before = knots[0] - (knots[1] - knots[0]) * np.arange(degree, 0, -1)
    after = knots[-1] + (knots[-1] - knots[-2]) * np.arange(1, degree + 1)
    return np.concatenate([before, knots, after])


def pieces(knots: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """(table (pieces, 4, 4), knots as a tensor): on piece j the B-spline j + k is Σ_m table[j, k, m] (y - knot_j)^m."""
    count = len(knots) - 1
    splines = BSpline(padded(knots, 3), np.eye(count + 3), 3)
    taylor = np.stack([splines(knots[:-1], nu=m) / factorial(m) for m in range(4)], axis=-1)  # (pieces, pieces + 3, 4)
    table = np.stack([taylor[j, j : j + 4] for j in range(count)])
    return torch.from_numpy(table), torch.from_numpy(knots)


def lift(knots: np.ndarray) -> tuple[torch.Tensor, float]:
    """(matrix (pieces + 3, pieces), number).

    B-spline coefficients of a spline less the middle one, from the coefficients of its derivative.

    Increments of the coefficients are those of the derivative times a third of the length of three pieces. S'' = 0 at
    the ends makes the first two coefficients of the derivative equal, and the last two. The number is the middle
    coefficient of the identity.
    """
    count, around = len(knots) - 1, padded(knots, 3)
    widths = (around[4 : count + 6] - around[1 : count + 3]) / 3
    sums = np.concatenate([np.zeros((1, count)), np.cumsum(widths[:, None] * _doubled(count), axis=0)])
    middle = (count + 2) // 2
    return torch.from_numpy(sums - sums[middle]), float(around[middle + 1 : middle + 4].mean())


def _doubled(count):
    """(pieces + 2, pieces): the coefficients of the derivative, of which the first and the last stand twice."""
    owner = np.clip(np.arange(count + 2) - 1, 0, count - 1)
    return np.eye(count)[owner]


def inserted(knots: np.ndarray, rates: np.ndarray, finer: np.ndarray) -> np.ndarray:
    """The coefficients (d, finer pieces) of the same derivative, given as (d, pieces), on finer knots."""
    old, new = padded(knots, 2), padded(finer, 2)
    places = np.clip(
        (new[1:-2] + new[2:-1]) / 2, knots[0], knots[-1]
    )  # the averages of inner knots, one per coefficient
    values = BSpline(old, _doubled(len(knots) - 1) @ rates.T, 2)(places)
    return np.linalg.solve(BSpline(new, np.eye(len(places)), 2)(places), values).T[:, 1:-1]


def _weights(table, edges, y):
    """The piece (…) of y and the weights of its four B-splines for value, first and second derivative, (3, 4, …)."""
    index = (torch.searchsorted(edges, y.contiguous(), right=True) - 1).clamp(0, len(edges) - 2)
    start, width = edges[index], (edges[1:] - edges[:-1])[index]
    t = torch.minimum((y - start).clamp(min=0), width)
    over = y - start - t  # beyond the ends: the tangent line goes on
    inside = (over == 0).double()
    local = table[index]  # (…, 4, 4)
    zero, one = torch.zeros_like(t), torch.ones_like(t)
    first = torch.stack([zero, one, 2 * t, 3 * t * t], dim=-1)
    value = torch.stack([one, t, t * t, t**3], dim=-1) + over[..., None] * first
    second = torch.stack([zero, zero, 2 * inside, 6 * t * inside], dim=-1)
    weights = torch.stack([(local @ power[..., None])[..., 0] for power in (value, first, second)])
    return index, weights.movedim(-1, 1).contiguous()


def evaluate(
    table: torch.Tensor, edges: torch.Tensor, coefficients: torch.Tensor, y: torch.Tensor, order: int = 0
) -> torch.Tensor:
    """The splines of coefficients (d, pieces + 3), or a derivative of theirs, at y (d, n)."""
    index, weights = _weights(table, edges, y)
    return _sum(weights[order, k] * torch.gather(coefficients, 1, index + k) for k in range(4))


def _sum(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    return functools.reduce(operator.add, tensors)


class Basis:
    """The B-splines at points y (d, n), coordinate by coordinate."""

    def __init__(self, table: torch.Tensor, edges: torch.Tensor, y: torch.Tensor):
        self.index, self.weights = _weights(table, edges, y.contiguous())
        self.size, self.products = len(edges) + 2, None

    def combine(self, coefficients: torch.Tensor, order: int) -> torch.Tensor:
        """Σ_k c_k B_k (or a derivative) at the points: (d, pieces + 3) -> (n, d)."""
        return _sum(self.weights[order, k] * torch.gather(coefficients, 1, self.index + k) for k in range(4)).T

    def scatter(self, values: torch.Tensor) -> torch.Tensor:
        """Σ_points values B_k: (n, d) -> (d, pieces + 3)."""
        out = torch.zeros(len(self.index), self.size, dtype=torch.float64)
        for k in range(4):
            out.scatter_add_(1, self.index + k, self.weights[0, k] * values.T)
        return out

    def gram(self) -> torch.Tensor:
        """(1/n) Σ_points B_k B_l for each coordinate, (d, pieces + 3, pieces + 3)."""
        if self.products is None:
            out = torch.zeros(len(self.index), self.size**2, dtype=torch.float64)
            for k in range(4):
                for j in range(4):
                    out.scatter_add_(
                        1, (self.index + k) * self.size + self.index + j, self.weights[0, k] * self.weights[0, j]
                    )
            self.products = out.reshape(-1, self.size, self.size) / self.index.shape[1]
        return self.products

    def dense(self, i: int) -> torch.Tensor:
        """B_k at the points of coordinate i, (n, pieces + 3)."""
        out = torch.zeros(self.index.shape[1], self.size, dtype=torch.float64)
        for k in range(4):
            out.scatter_(1, (self.index[i] + k)[:, None], self.weights[0, k, i][:, None])
        return out
