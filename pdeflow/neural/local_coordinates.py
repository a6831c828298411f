"""The coordinates in which particles are held and maps are trained: those of the law, not those of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .._core.errors import Unsupported
from .._core.shapes import Points, Vector
from ..laws import Law
from ..laws.draws import drawn
from .requirements import answer

FAR = 32.0  # spreads from 0 beyond which a coordinate is counted from another origin: five of 24 bits of float32
PLAIN_UNITS = 10  # powers of two around 1 in which the spread may lie without a unit of its own
DISTINCT = 1024  # double precision must have this many numbers within one spread of a law, or its shape is lost


@dataclass(frozen=True, eq=False)
class LocalCoordinates:
    """x = center + unit · y, with y the coordinates in which single precision holds the law.

    Parameters
    ----------
    center : (d,) array
        In units of x: 0 in every coordinate whose mean is less than `FAR` spreads from 0, else the mean rounded to a
        power of two of that order. Laws near 0 so have y = x, bit by bit.
    unit : float
        A power of two, in units of x: 1 where the spread is within 2^±PLAIN_UNITS. So it costs no round-off.
    """

    center: Vector
    unit: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether y = x."""
        return self.unit == 1 and not self.center.any()

    def outward(self, y: Any) -> Any:
        """The points x, (n, d), of y: y itself where the coordinates are plain, else in double precision.

        Numpy arrays or torch tensors.
        """
        if self.plain:
            return y
        if isinstance(y, torch.Tensor):
            return torch.as_tensor(self.center, dtype=torch.float64, device=y.device) + self.unit * y.double()
        return self.center + self.unit * np.asarray(y, dtype=float)

    def differences(self, y: Any) -> Any:
        """Differences of points, (n, d), in units of x: they know no centre. Double precision as `outward`."""
        if self.plain:
            return y
        return self.unit * (y.double() if isinstance(y, torch.Tensor) else np.asarray(y, dtype=float))

    def inward(self, x: Points) -> Points:
        """The coordinates y of points x, (n, d), in double precision."""
        return (np.asarray(x, dtype=float) - self.center) / self.unit

    def within(self, other: LocalCoordinates) -> LocalCoordinates:
        """These coordinates in terms of others, which are the y of `other`."""
        return LocalCoordinates((self.center - other.center) / other.unit, self.unit / other.unit)

    def asked(self, function: Callable[[Any], Any], part: object, y: torch.Tensor) -> torch.Tensor:
        """function(x) at the points x of y, in the dtype of the answer; `Unsupported` where it takes no such tensor."""
        if self.plain:
            return function(y)
        return answer(
            function,
            part,
            self.outward(y),
            "A law far from 0, or of a spread far from 1, is seen in double precision. Let it take such tensors "
            "(module.double(), constants of x.dtype), or move and scale the problem.",
        )


def coordinates_of(mean: Vector, spread: Vector) -> LocalCoordinates:
    """The coordinates for a law of this mean (d,) and these standard deviations (d,) of its coordinates.

    Raises `Unsupported` where double precision cannot tell the law's points apart.
    """
    require_resolved(mean, spread)
    whole = float(np.sqrt(np.mean(spread**2)))
    if not (whole > 0 and np.isfinite(whole) and np.isfinite(mean).all()):
        return LocalCoordinates(np.zeros(len(mean)))
    power = float(np.round(np.log2(whole)))
    own = np.where(spread > 0, spread, whole)
    step = 2 * FAR * 2.0 ** np.round(np.log2(own))
    center = np.where(np.abs(mean) <= FAR * own, 0.0, step * np.round(mean / step))
    return LocalCoordinates(center, 1.0 if abs(power) <= PLAIN_UNITS else 2.0**power)


def require_resolved(mean: Vector, spread: Vector) -> None:
    """`Unsupported` where neighbouring numbers at the mean are as far apart as the law is wide."""
    gap = np.spacing(np.abs(mean))
    lost = (spread > 0) & (spread < DISTINCT * gap)
    if lost.any():
        i = int(np.argmax(lost))
        raise Unsupported(
            f"Coordinate {i} of the law has mean {mean[i]:.6g} and standard deviation {spread[i]:.3g}, where "
            f"neighbouring numbers of double precision are {gap[i]:.3g} apart. There must be {DISTINCT} numbers within "
            "one standard deviation, or its shape is lost to round-off. Move the origin of the problem (the law and "
            "the potential) nearer to the law."
        )


def require_resolved_law(law: Law) -> None:
    """`Unsupported` where double precision cannot hold the law where it lies, by its moments or by 64 of its points."""
    if {"mean", "cov"} <= set(law.answers()):
        mean, spread = law.mean(), np.sqrt(np.diag(law.cov()))
    else:
        x = drawn(law, 64, np.random.default_rng(0))
        mean, spread = x.mean(axis=0), x.std(axis=0)
    require_resolved(np.asarray(mean, dtype=float), np.asarray(spread, dtype=float))


@dataclass(frozen=True, eq=False)
class Cloud:
    """Particles in single (or double) precision, in coordinates of their own.

    Parameters
    ----------
    points : (n, d) array
        y, in the dtype of training.
    coordinates : LocalCoordinates
        What y means.
    """

    points: Points
    coordinates: LocalCoordinates

    @classmethod
    def of(cls, x: Points, dtype: Any) -> Cloud:
        """The cloud of the points x, (n, d)."""
        x = np.asarray(x)
        coordinates = coordinates_of(x.mean(axis=0, dtype=float), x.std(axis=0, dtype=float))
        return cls((x if coordinates.plain else coordinates.inward(x)).astype(dtype), coordinates)

    @property
    def x(self) -> Points:
        """The points in the user's coordinates, in double precision unless these are y."""
        return self.coordinates.outward(self.points)

    def moved(self, points: Points) -> Cloud:
        """The cloud of these points y of the same coordinates, counted anew where the law has moved far."""
        old = self.coordinates
        mean, spread = points.mean(axis=0, dtype=float), points.std(axis=0, dtype=float)
        new = coordinates_of(old.outward(mean), old.differences(spread))
        if new.unit == old.unit and np.array_equal(new.center, old.center):
            return Cloud(points, old)
        return Cloud(new.within(old).inward(points).astype(points.dtype), new)
