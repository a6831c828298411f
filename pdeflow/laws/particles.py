"""Weighted point clouds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import draws, levels, numbers, readonly, real_array
from .base import Law
from .cells import CellMasses, rest
from .linear import jumping, steps_of

if TYPE_CHECKING:
    from .maps import Map


class Particles(Law):
    """The cloud Σ w_i δ_{x_i}: the empirical law of particles.

    Parameters
    ----------
    x : (n, d) or (n,)
        The positions; (n,) in dimension 1.
    weights : (n,), optional
        At least 0, with the sum one to 1e-10. By default 1/n each.

    Attributes
    ----------
    equal : bool
        Whether no weights were given.
    """

    def __init__(self, x, weights=None):
        x = real_array(x, "x")
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim != 2 or x.shape[0] == 0:
            raise BadInput(f"x has shape {x.shape}. Particles are an (n, d) array with n >= 1. Reshape it.")
        self.x = readonly(x)
        self.dim = x.shape[1]
        self.equal = weights is None
        weights = np.full(len(x), 1 / len(x)) if self.equal else real_array(weights, "weights", ndim=1)
        if len(weights) != len(x):
            raise BadInput(f"{len(x)} particles and {len(weights)} weights. There must be one weight each. Match them.")
        if weights.min() < 0 or abs(weights.sum() - 1) > 1e-10:
            raise BadInput(
                f"weights sum to {weights.sum():.12g}, smallest {weights.min():.3g}. They must be >= 0 and sum to one. "
                "Divide by their sum."
            )
        self.weights = readonly(weights)

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """n draws with replacement: the law of a cloud is the cloud, nothing is smoothed."""
        n = draws(n, rng)
        which = (
            rng.integers(len(self.x), size=n)
            if self.equal
            else rng.choice(len(self.x), size=n, p=self.weights / self.weights.sum())
        )
        return self.x[which]

    def mean(self) -> Vector:
        return self.weights @ self.x

    def cov(self) -> Matrix:
        offset = self.x - self.mean()
        return (offset * self.weights[:, None]).T @ offset

    def _sorted(self, question):
        if self.dim != 1:
            raise self.not_available(question, "it exists in dim 1 only")
        order = np.argsort(self.x[:, 0], kind="stable")
        return self.x[order, 0], np.cumsum(self.weights[order])

    def quantile(self, u: ArrayLike) -> SameShape:
        x, total = self._sorted("quantile")
        u = levels(u)
        if self.equal:  # k/n has no exact cumulative sum; count instead
            return x[np.clip(np.ceil(u * len(x) * (1 - 1e-13)).astype(int) - 1, 0, len(x) - 1)]
        u = np.maximum(u - 1e-14, 5e-324)  # round-off of the sums; level 0 is the first particle that has weight
        return x[np.clip(np.searchsorted(total, u, side="left"), 0, len(x) - 1)]

    def cdf(self, x: ArrayLike) -> SameShape:
        at, total = self._sorted("cdf")
        x = numbers(x)
        return np.where(np.isnan(x), np.nan, np.concatenate([[0.0], total])[np.searchsorted(at, x, side="right")])

    @property
    def mass_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The sum of the weights minus one."""
        return float(self.weights.sum()) - 1

    def has_density(self) -> bool | None:
        return False

    def support(self) -> tuple[Vector, Vector] | None:
        full = self.x[self.weights > 0]
        return full.min(axis=0), full.max(axis=0)

    def atoms(self) -> tuple[Points, Values] | None:
        return self.x, self.weights

    def linear_pieces(self) -> tuple[Values, Values] | None:
        if self.dim != 1:
            return None
        if self.equal:
            x = np.sort(self.x[:, 0])
            return jumping(np.arange(len(x) + 1) / len(x), x, x)
        order = np.argsort(self.x[:, 0], kind="stable")
        x, weights = self.x[order, 0], self.weights[order]
        full = weights > 0
        return steps_of(weights[full], x[full], x[full])

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        mass, _ = np.histogramdd(self.x, bins=axes, weights=self.weights)
        return CellMasses(mass, rest(mass, self.weights.sum()), "cell masses by counting")

    def projected(self, direction: Vector) -> Law | None:
        return Particles(self.x @ direction, None if self.equal else self.weights)

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        return Estimate(float(self.weights @ function(self.x)), 0.0, "closed form", "mean")

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return (self.x,)

    def pushed(self, move: Map) -> Law:
        """The cloud of the moved particles."""
        return Particles(move(self.x), None if self.equal else self.weights)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {
            "samples": (("sample", "dim"), self.x),
            "weights": (("sample",), self.weights),
            "weighted": ((), np.array(0.0 if self.equal else 1.0)),
            "mass_error": ((), np.array(self.mass_error)),
        }

    def __repr__(self) -> str:
        return f"Particles(n={len(self.x)}, dim={self.dim})"
