"""One-dimensional laws given by their quantile function."""

import numpy as np
from numpy.polynomial.legendre import leggauss

from .._core.errors import BadInput
from .._core.validate import levels, numbers, points, readonly, real_array
from .base import OneDimensional


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
        x = numbers(x)
        i = np.clip(np.searchsorted(self.q, x, side="right") - 1, 0, len(self.q) - 2)
        gap = self.q[i + 1] - self.q[i]
        part = np.where(gap > 0, (x - self.q[i]) / np.where(gap > 0, gap, 1.0), 1.0)
        value = self.levels[i] + np.clip(part, 0.0, 1.0) * (self.levels[i + 1] - self.levels[i])
        return np.where(x < self.q[0], 0.0, np.where(x >= self.q[-1], 1.0, value))

    def _widths(self, question):
        w, gap = np.diff(self.levels), np.diff(self.q)
        if np.any(gap <= 0):
            raise self._lacks(question, "two quantiles coincide, so the law has an atom")
        return w, gap

    def answers(self):
        atom = np.any(np.diff(self.q) <= 0)
        density = ("log_density", "entropy", "power_integral")
        return [name for name in super().answers() if not (atom and name in density)]

    def log_density(self, x):
        w, gap = self._widths("log_density")
        x = points(x, 1)[:, 0]
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

    function : non-decreasing, vectorised, (n,) levels -> (n,). Moments are integrals over the level by `level_integral`
    (relative error about 1e-12, kinks and jumps of the function included).
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
        x = numbers(x)
        return _level_of(self.function, x.ravel()).reshape(x.shape)

    def mean(self):
        return np.array([level_integral(self.quantile)])

    def cov(self):
        mean = self.mean()
        return np.array([[level_integral(lambda u: (self.quantile(u) - mean) ** 2)]])


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


def level_integral(function, nodes: int = 16, tolerance: float = 1e-14) -> float:
    """∫_0^1 function(u) du; function : (n,) levels -> (n,), may grow like a power of log u at the ends, may have kinks and jumps.

    The panels of `graded_rule`, each halved where its Gauss-Legendre value and that of its two halves differ by more
    than `tolerance` of the whole. A jump is closed in on by bisection, 50 times at most.
    """
    z, w = leggauss(nodes)
    half = np.concatenate([[0.0], 0.5 ** np.arange(44, 0, -1.0)])
    left, width = np.tile(half[:-1], 2), np.tile(np.diff(half), 2)
    right_end = np.arange(len(left)) >= len(half) - 1  # panels measured from level 1 downwards

    def integrals(left, width, right_end):
        v = left[:, None] + width[:, None] * (z + 1) / 2
        values = np.asarray(function(np.where(right_end[:, None], 1 - v, v).ravel()), dtype=float)
        return values.reshape(v.shape) @ w * width / 2

    coarse, total, scale = integrals(left, width, right_end), 0.0, None
    for _ in range(50):
        scale = np.sum(np.abs(coarse)) if scale is None else scale
        left_half = integrals(left, width / 2, right_end)
        right_half = integrals(left + width / 2, width / 2, right_end)
        # the panels at levels 0 and 1 stay whole: finer nodes would round to the ends themselves
        rough = (np.abs(left_half + right_half - coarse) > tolerance * scale) & (left > 0)
        total += np.sum(np.where(left > 0, left_half + right_half, coarse)[~rough])
        left = np.concatenate([left[rough], left[rough] + width[rough] / 2])
        coarse = np.concatenate([left_half[rough], right_half[rough]])
        width, right_end = np.tile(width[rough] / 2, 2), np.tile(right_end[rough], 2)
        if not len(left):
            break
    return float(total + np.sum(coarse))
