"""One-dimensional laws given by their quantile function."""

import numpy as np
from numpy.polynomial.legendre import leggauss

from ..arrays import readonly, real_array
from ..errors import BadInput
from .base import OneDimensional, levels


class Quantiles(OneDimensional):
    """The law whose quantile function is piecewise linear through (levels[i], q[i]); its density is piecewise constant.

    q : (n,) non-decreasing. levels : (n,) strictly increasing from 0 to 1.
    """

    def __init__(self, q, levels):
        q, s = real_array(q, "q", ndim=1), real_array(levels, "levels", ndim=1)
        if len(q) != len(s) or len(q) < 2:
            raise BadInput(f"{len(q)} quantiles and {len(s)} levels. There must be one each, at least two. Match them.")
        if s[0] != 0 or s[-1] != 1 or np.any(np.diff(s) <= 0):
            raise BadInput(
                f"levels run from {s[0]} to {s[-1]}. They must increase strictly from 0 to 1. Give the end quantiles the levels 0 and 1."
            )
        if np.any(np.diff(q) < 0):
            i = int(np.argmin(np.diff(q)))
            raise BadInput(f"q[{i + 1}] = {q[i + 1]} < q[{i}] = {q[i]}. Quantiles must not decrease. Sort them.")
        self.q, self.levels = readonly(q), readonly(s)

    def quantile(self, u):
        return np.interp(levels(u), self.levels, self.q)

    def cdf(self, x):
        """Right-continuous: where two quantiles coincide the jump is counted."""
        x = np.asarray(x, dtype=float)
        i = np.clip(np.searchsorted(self.q, x, side="right") - 1, 0, len(self.q) - 2)
        gap = self.q[i + 1] - self.q[i]
        part = np.where(gap > 0, (x - self.q[i]) / np.where(gap > 0, gap, 1.0), 1.0)
        value = self.levels[i] + np.clip(part, 0.0, 1.0) * (self.levels[i + 1] - self.levels[i])
        return np.where(x < self.q[0], 0.0, np.where(x >= self.q[-1], 1.0, value))

    def _widths(self, question):
        w, gap = np.diff(self.levels), np.diff(self.q)
        if np.any(gap <= 0):
            raise self._lacks(f"{question} (two quantiles coincide, so the law has an atom)")
        return w, gap

    def log_density(self, x):
        w, gap = self._widths("log_density")
        x = real_array(x, "x").reshape(-1)
        i = np.clip(np.searchsorted(self.q, x, side="right") - 1, 0, len(gap) - 1)
        return np.where((x >= self.q[0]) & (x <= self.q[-1]), np.log(w / gap)[i], -np.inf)

    def mean(self):
        return np.array([np.diff(self.levels) @ (self.q[1:] + self.q[:-1]) / 2])

    def cov(self):
        a, b = self.q[:-1] - self.mean(), self.q[1:] - self.mean()
        return np.array([[np.diff(self.levels) @ (a * a + a * b + b * b) / 3]])

    def entropy(self):
        w, gap = self._widths("entropy")
        return float(-np.sum(w * np.log(w / gap)))

    def power_integral(self, m):
        w, gap = self._widths("power_integral")
        return float(np.sum(gap * (w / gap) ** m))

    def __repr__(self):
        return f"Quantiles(n={len(self.q)}, support=[{self.q[0]:.6g}, {self.q[-1]:.6g}])"


class FromQuantile(OneDimensional):
    """The law of function(U), U uniform on (0, 1): an exact 1-D law by its quantile function.

    function : non-decreasing, vectorised, (n,) levels -> (n,). Moments are integrals over the level by composite
    Gauss-Legendre rules graded towards 0 and 1 (exact to about 1e-13 for the laws of this package).
    """

    def __init__(self, function):
        if not callable(function):
            raise BadInput(f"function is {function!r}. It must map levels (n,) to quantiles (n,). Pass a callable.")
        probe = np.asarray(function(np.array([0.25, 0.5, 0.75])), dtype=float)
        if probe.shape != (3,) or not np.all(np.isfinite(probe)) or np.any(np.diff(probe) < 0):
            raise BadInput(
                f"function at 0.25, 0.5, 0.75 gives {probe!r}. It must give finite, non-decreasing values of the same shape. Vectorise or mend it."
            )
        self.function = function

    def quantile(self, u):
        u = levels(u)
        return np.asarray(self.function(np.ravel(u)), dtype=float).reshape(u.shape)

    def cdf(self, x):
        x = np.asarray(x, dtype=float)
        return _level_of(self.function, x.ravel()).reshape(x.shape)

    def mean(self):
        u, weight = graded_rule()
        return np.array([weight @ self.quantile(u)])

    def cov(self):
        u, weight = graded_rule()
        return np.array([[weight @ (self.quantile(u) - self.mean()) ** 2]])


def _level_of(function, x):
    """The largest u with function(u) <= x, by bisection on [0, 1]."""
    low, high = np.zeros(x.shape), np.ones(x.shape)
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = np.asarray(function(middle)) <= x
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def graded_rule(panels: int = 44, nodes: int = 16):
    """Points u (n,) in (0, 1) and weights (n,): Gauss-Legendre on panels that halve towards both ends.

    The panels next to 0 and 1 have width 2^-panels, so that the logarithmic growth of quantile functions is resolved
    (44 is the most for which 1 - u still differs from 1).
    """
    z, w = leggauss(nodes)
    half = np.concatenate([[0.0], 0.5 ** np.arange(panels, 0, -1.0)])
    width, left = np.diff(half), half[:-1]
    u = (left[:, None] + width[:, None] * (z + 1) / 2).ravel()
    v = (width[:, None] * w / 2).ravel()
    return np.concatenate([u, 1 - u[::-1]]), np.concatenate([v, v[::-1]])
