"""Distribution and quantile functions of mixtures of Gaussians on the line, at places that are told from the means.

A place is the number of a component, its anchor, and the offset from the mean of that component: at a distance of 100
from the origin a number is rounded to 1e-14, which is a hundred-thousandth of a deviation of 1e-9. A level is the share
of the mass below or above, whichever is asked for, so that both tails keep all digits.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from .._core.arrays import underflow_is_zero
from .._core.quadrature import gauss_legendre
from .._core.shapes import Numbers, Row, Values

SMALLEST = 1e-300  # of the shares: what is less is taken as this
# Deviations from a mean at which the distribution function is tabulated; beyond 38.5 no double holds it.
_TAIL = np.array([9.5, 11.5, 14.0, 18.0, 24.0, 38.5])
_FINE, _COARSE = (np.concatenate([-_TAIL[::-1], np.linspace(-8, 8, n), _TAIL]) for n in (33, 9))
_RULES_OF_STEPS = ((3, 0.0, 1e-3), (6, 1e-3, 0.13), (12, 0.13, np.inf))  # nodes, half widths in deviations
_CENTRES = 400  # expansions at most, and the least number of shares for which there are any
_MANY = 16  # components, from which on the table has the coarse steps


class LineMixture:
    """Σ w_i N(mean_i, deviation_i²) on the line; weights are taken relative to their sum, those of zero are left out.

    Parameters
    ----------
    weights, means, deviations : (k,)
        Of the components; lengths in units of x.
    """

    def __init__(self, weights: Values, means: Values, deviations: Values):
        full = weights > 0
        self.weights, self.means, self.deviations = weights[full] / weights[full].sum(), means[full], deviations[full]
        # in units of a power of two, so that third powers of deviations stay numbers
        self._exponent = int(np.frexp(self.deviations.max())[1])
        m, self._s = (np.ldexp(part, -self._exponent) for part in (self.means, self.deviations))
        self._gaps = m[:, None] - m

    @cached_property
    def _tables(self) -> tuple[Any, Any]:
        """The shares below and above, as `kernels.Table`; those above are the shares of -X below."""
        kernels = self._kernels()
        steps = _FINE if len(self._s) <= _MANY else _COARSE
        anchor = np.repeat(np.arange(len(self._s)), len(steps))
        offset = np.outer(self._s, steps).ravel()
        order = np.argsort(offset - self._gaps[0][anchor], kind="stable")
        anchor, offset = anchor[order], offset[order]
        below = kernels.Table(anchor, offset, *kernels.tabulated(anchor, offset, self.weights, self._s, self._gaps))
        anchor, offset = anchor[::-1].copy(), -offset[::-1]
        above = kernels.Table(anchor, offset, *kernels.tabulated(anchor, offset, self.weights, self._s, -self._gaps))
        return below, above

    @staticmethod
    def _kernels() -> Any:
        """The compiled loops: one Gaussian is answered without them, so that it costs no import of the compiler."""
        from . import line_mixture_kernels

        return line_mixture_kernels

    @underflow_is_zero
    def places(self, shares: Numbers, upper: bool = False) -> tuple[np.ndarray, Numbers]:
        """Anchors and offsets, in units of x, of the quantiles of these shares of the mass below (or above)."""
        if len(self.means) == 1:
            offset = self.deviations[0] * ndtri(np.maximum(shares, SMALLEST))
            return np.zeros(offset.shape, dtype=np.int64), -offset if upper else offset
        anchor, offset, _, _ = self._solved(np.ascontiguousarray(shares, dtype=float).ravel(), upper)
        return anchor.reshape(np.shape(shares)), np.ldexp(offset, self._exponent).reshape(np.shape(shares))

    def _solved(self, shares: Values, upper: bool) -> tuple[np.ndarray, Values, np.ndarray, np.ndarray]:
        """Anchors and offsets (n,) in units of the largest deviation, and the expansions that they were told from."""
        anchor, near = np.empty((2, len(shares)), dtype=np.int64)
        offset, centres = np.empty(len(shares)), np.empty((_CENTRES if len(shares) >= _CENTRES else 0, 18))
        if len(shares):
            (below, above), solve = self._tables, self._kernels().solve
            solve(shares, upper, below, above, self.weights, self._s, self._gaps, anchor, offset, near, centres)
        return anchor, offset, near, centres

    def quantile(self, shares: Numbers, upper: bool = False) -> Numbers:
        """The places of these shares of the mass below (or above), in units of x; infinite at 0 and 1."""
        anchor, offset = self.places(shares, upper)
        end = np.where(np.asarray(shares) == 0, -np.inf, np.where(np.asarray(shares) == 1, np.inf, 0.0))
        return self.means[anchor] + offset + (-end if upper else end)

    @underflow_is_zero
    def shares(self, anchor: np.ndarray, offset: Numbers, upper: bool = False) -> tuple[Numbers, Numbers]:
        """The share of the mass below (or above) places, and the density there, in 1 / (unit of x)."""
        sign = -1.0 if upper else 1.0
        if len(self.means) == 1:
            z = sign * offset / self.deviations[0]
            return ndtr(z), np.exp(-0.5 * z * z) / (self.deviations[0] * np.sqrt(2 * np.pi))
        flat, where = np.ldexp(offset, -self._exponent).ravel(), np.ravel(anchor)
        share, density = self._kernels().shares_at(where, sign * flat, self.weights, self._s, sign * self._gaps)
        return share.reshape(np.shape(offset)), np.ldexp(density, -self._exponent).reshape(np.shape(offset))

    def knots(self, upper: bool = False) -> tuple[np.ndarray, Values, Values]:
        """Anchors, offsets and shares of places, from the outside inwards, between which the density is smooth."""
        sign = -1.0 if upper else 1.0
        if len(self.means) == 1:
            return np.zeros(len(_FINE), dtype=np.int64), sign * self.deviations[0] * _FINE, ndtr(_FINE)
        table = self._tables[int(upper)]
        return table.anchor, np.ldexp(sign * table.offset, self._exponent), table.share

    @underflow_is_zero
    def squared_gap(self, shares: Row, start: Row, slope: Row, upper: bool = False) -> float:
        """∫(Q(v) - L(v))² dv over the shares v below (or above), for lines L between given shares.

        Parameters
        ----------
        shares : (k + 1,)
            Where the lines begin and end, increasing from 0 or more to at most 1.
        start, slope : (k,)
            L at the lower end of each, and its slope.

        Returns
        -------
        float
            The integral in squared units of x, to round-off. It is taken over the places: Gauss rules between knots
            half a deviation apart (or two, of many components) are exact to 1e-14.
        """
        sign = -1.0 if upper else 1.0
        means, start, slope = (np.ldexp(sign * part, -self._exponent) for part in (self.means, start, slope))
        if len(means) == 1:
            total = _gap_to_gaussian(shares, start - means[0], slope, self._s[0])
            return float(np.ldexp(total, 2 * self._exponent))
        kernels, shares = self._kernels(), np.ascontiguousarray(shares)
        anchor, offset, near, centres = self._solved(shares, upper)
        total = kernels.squared_gap(
            shares, start, slope, (anchor, sign * offset, near, centres), self._tables[int(upper)], means,
            self.weights, self._s, sign * self._gaps, kernels.NODES, kernels.WEIGHTS,
        )  # fmt: skip
        return float(np.ldexp(total, 2 * self._exponent))


def _gap_to_gaussian(shares, start, slope, deviation):
    """∫(deviation z - line)² over the levels of one Gaussian, by Gauss rules in z between the ends of the lines."""
    z = ndtri(np.maximum(shares, SMALLEST))
    edges = np.union1d(z, _FINE[(_FINE > z[0]) & (_FINE < z[-1])])
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    line = np.clip(np.searchsorted(z, middle, side="right") - 1, 0, len(start) - 1)
    steps, total = not np.any(slope), 0.0
    for nodes, low, high in _RULES_OF_STEPS if steps else ((6, 0.0, 0.05), (12, 0.05, np.inf)):
        rows = np.flatnonzero((half > low) & (half <= high))
        if not len(rows):
            continue
        x, w = gauss_legendre(nodes)
        y, at = middle[rows, None] + half[rows, None] * x, line[rows, None]
        gap = deviation * y - start[at]
        if not steps:
            gap -= slope[at] * (ndtr(y) - shares[at])
        total += float(half[rows] @ ((gap * gap * np.exp(-0.5 * y * y)) @ w))
    return total / np.sqrt(2 * np.pi)
