"""Clouds whose points carry density values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import draws, flag, readonly
from .base import Law
from .cells import CellMasses
from .particles import Particles


class DensityAtPoints(Law):
    """A law that is known by draws of it and by its density at these draws: what particle methods with density give.

    Parameters
    ----------
    x : (n, d) or (n,)
        The points; (n,) in dimension 1.
    log_values : (n,)
        Log density at each of them, or that plus a constant; -inf where there is none.
    weights : (n,), optional
        Probability of each point, as in `Particles`. By default 1/n each.
    relative : bool, default False
        Whether the constant is not known. Then no density is answered; `normalised` finds the constant by another
        density of the points.

    Attributes
    ----------
    cloud : Particles
        The points and their weights.
    log_values : (n,)
        As given.
    relative : bool
        As given.

    Notes
    -----
    Draws and moments are those of the cloud. The density is known at draws only (`sample_with_log_density`), which is
    enough for `metrics.kl` of it to a law with a density, but not for the other way round. Whether the points are
    distributed by the density that they carry is the business of the method that moved them, and not checked.
    """

    def __init__(self, x: ArrayLike, log_values: ArrayLike, weights: ArrayLike | None = None, relative: bool = False):
        self.cloud = Particles(x, weights)
        self.dim = self.cloud.dim
        values = np.asarray(log_values, dtype=float)
        if values.shape != (len(self.cloud.x),):
            raise BadInput(
                f"log_values has shape {values.shape} for {len(self.cloud.x)} points. There must be one value a point. "
                "Match them."
            )
        bad = np.isnan(values) | (values == np.inf)
        if bad.any():
            point = int(np.argmax(bad))
            raise BadInput(
                f"log_values is {values[point]} at point {point}. It must be finite, or -inf where the density is 0. "
                "Correct it there."
            )
        self.log_values = readonly(values)
        self.relative = flag(relative, "relative")

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """n draws of the cloud, with replacement."""
        return self.cloud.sample(n, rng)

    def sample_with_log_density(self, n: int, rng: np.random.Generator) -> tuple[Points, Values]:
        """n points, drawn with replacement, and their values."""
        if self.relative:
            raise self.not_available(
                "sample_with_log_density", "its values lack a constant: `normalised(density)` finds it"
            )
        n = draws(n, rng)
        weights = None if self.cloud.equal else self.cloud.weights / self.cloud.weights.sum()
        which = rng.choice(len(self.log_values), size=n, p=weights)
        return self.cloud.x[which], self.log_values[which]

    def normalised(self, density: Law) -> DensityAtPoints:
        """The law with the constant for which Σ w_i v_i/p(x_i) = 1, v the values and p another density of the points.

        Parameters
        ----------
        density : Law
            With log_density: the law by which the points are distributed, or an estimate of it. With the kernel density
            estimate of the points themselves it is the constant of the published runs [mokrov2022].

        Returns
        -------
        DensityAtPoints
            The same points and weights; not relative.

        Notes
        -----
        It estimates ∫v dx = 1 by importance sampling, and is as good as the points fill the space.
        """
        log_ratio = self.log_values - density.log_density(self.cloud.x)
        top = log_ratio.max()
        if not np.isfinite(top):
            raise BadInput(
                f"The ratio of the values to {density!r:.200} is {np.exp(top):g} at a point. The density must be "
                "positive at all points, and one of the values too. Take a density that covers the points."
            )
        constant = top + np.log(self.cloud.weights @ np.exp(log_ratio - top))
        weights = None if self.cloud.equal else self.cloud.weights
        return DensityAtPoints(self.cloud.x, self.log_values - constant, weights)

    def reweighted(self, density: Law) -> Particles:
        """The cloud with weights w_i v_i/p(x_i), divided by their sum: the law that the values stand for, where the
        points are distributed by p.

        Parameters
        ----------
        density : Law
            As for `normalised`.

        Returns
        -------
        Particles
        """
        law = self.normalised(density)
        weights = law.cloud.weights * np.exp(law.log_values - density.log_density(self.cloud.x))
        return Particles(self.cloud.x, weights / weights.sum())

    def mean(self) -> Vector:
        return self.cloud.mean()

    def cov(self) -> Matrix:
        return self.cloud.cov()

    def quantile(self, u: ArrayLike) -> SameShape:
        return self.cloud.quantile(u)

    def cdf(self, x: ArrayLike) -> SameShape:
        return self.cloud.cdf(x)

    @property
    def mass_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The sum of the weights minus one."""
        return self.cloud.mass_error

    def has_density(self) -> bool | None:
        return True

    def support(self) -> tuple[Vector, Vector] | None:
        return self.cloud.support()

    def linear_pieces(self) -> tuple[Values, Values] | None:
        return self.cloud.linear_pieces()

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        return self.cloud.cell_masses(axes)

    def projected(self, direction: Vector) -> Law | None:
        return self.cloud.projected(direction)

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        return self.cloud.mean_of(function, breakpoints)

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return (self.cloud.x,)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {
            **(self.cloud.fields() or {}),
            "log_values": (("sample",), self.log_values),
            "relative": ((), np.array(float(self.relative))),
        }

    def __repr__(self) -> str:
        kind = ", relative" if self.relative else ""
        return f"DensityAtPoints(n={len(self.log_values)}, dim={self.dim}{kind})"
