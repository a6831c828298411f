"""Laws on the line that are given by a quantile function."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.level_moments import quantile_moment
from .._core.rising import require_rising
from .._core.shapes import Matrix, SameShape, Vector
from .._core.validate import levels, numbers, require_resolved
from .base import OneDimensional


class FromQuantile(OneDimensional):
    """The law of function(U), U uniform on (0, 1): an exact law on the line by its quantile function.

    Parameters
    ----------
    function : (n,) -> (n,)
        Maps levels in [0, 1] to quantiles, non-decreasing, which is looked at on some 600 levels.

    Raises
    ------
    BadInput
        Where the function falls from one of these levels to the next, or where the law lies so far out that floats
        there are coarser than 1e-3 of its spread.

    Notes
    -----
    Moments are integrals over the level, about 1e-12 of themselves for light tails, kinks and jumps of the function
    included, and 1e-9 at worst: else they raise `NotConverged`. A moment that does not exist raises `NotAvailable`. The
    tails are judged by levels down to 2^-48, and down to 1e-300 where the function has numbers.
    """

    moments_how = "quadrature"

    def __init__(self, function):
        if not callable(function):
            raise BadInput(f"function is {function!r}. It must map levels (n,) to quantiles (n,). Pass a callable.")
        probe = np.asarray(function(np.array([0.25, 0.5, 0.75])), dtype=float)
        if probe.shape != (3,) or not np.all(np.isfinite(probe)) or np.any(np.diff(probe) < 0):
            raise BadInput(
                f"function at 0.25, 0.5, 0.75 gives {probe!r}. It must give finite, non-decreasing values of the same "
                "shape. "
                "Vectorise or correct it."
            )
        self.function = function
        q = require_rising(function, self)
        q = q[np.isfinite(q)]
        spread = float(probe[2] - probe[0]) or float(q[-1] - q[0])
        if spread > 0:  # else it is a single atom
            require_resolved(probe[1:2], spread, "The law")

    def quantile(self, u: ArrayLike) -> SameShape:
        u = levels(u)
        return np.asarray(self.function(np.ravel(u)), dtype=float).reshape(u.shape)

    def cdf(self, x: ArrayLike) -> SameShape:
        x = numbers(x)
        level = np.where(np.isposinf(x.ravel()), 1.0, _level_of(self.function, x.ravel()))
        return np.where(np.isnan(x), np.nan, level.reshape(x.shape))

    def mean(self) -> Vector:
        return np.array([quantile_moment(self.quantile, 1)])

    def cov(self) -> Matrix:
        return np.array([[quantile_moment(self.quantile, 2, float(self.mean()[0]))]])


def _level_of(function, x):
    """The largest u with function(u) <= x, by bisection on [0, 1]."""
    low, high = np.zeros(x.shape), np.ones(x.shape)
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = np.asarray(function(middle)) <= x
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low
