"""A density on the line, known up to a constant, tabulated on panels: constant, moments, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.polynomial import legendre

from .._core.arrays import underflow_is_zero
from .._core.errors import BadInput, NotConverged
from .._core.quadrature import MOST_PANELS, end_values, first_points, kronrod
from .._core.shapes import Numbers, Points, Row, Values

NODES = 15
TARGET, ACCEPTED = 1e-13, 1e-9  # of the integral: what is aimed at, what is handed out
OWN = 1e-10  # of the integral over a panel itself, so that tails have quantiles
FIRST = 4  # parts of each given panel
STEEP = 3.0  # change of the log density between neighbouring nodes beyond which a panel is halved
FAINT = 120.0  # below the largest log density: what is thinner plays no part
ROUNDS = 60


class DensityTable:
    """∫ exp(log_density) over the line and what follows from it, by Gauss-Kronrod panels that are halved.

    Parameters
    ----------
    log_density : (n, 1) -> (n,)
        Up to a constant; -inf where there is none.
    edges : (k,)
        Places between which the density may have features, increasing, reaching as far as it has mass that counts.
    what : str
        What is tabulated, for messages.

    Raises
    ------
    NotConverged
        Where the error estimate stays above 1e-9 of the integral.
    BadInput
        Where the density is zero everywhere.

    Notes
    -----
    A panel is halved while its two rules differ, while the value at an end is not that of the polynomial through the
    nodes, and while the log density changes so much between neighbouring nodes that, continued at that slope, it might
    rise to one that counts: so a peak narrower than the nodes is closed in on from its slopes.
    """

    def __init__(self, log_density: Callable[[Points], Values], edges: Row, what: str):
        self._log_density, self._what = log_density, what
        parts = edges[:-1, None] + np.diff(edges)[:, None] * np.arange(FIRST) / FIRST
        ends = np.append(parts.ravel(), edges[-1])
        low, high, logs = self._panels(ends[:-1], ends[1:])
        order = np.argsort(low)
        self.low, self.high, logs = low[order], high[order], logs[order]
        self._top = float(logs.max())
        with np.errstate(under="ignore"):
            self._density = np.exp(logs - self._top)
        half = (self.high - self.low) / 2
        self._mass = half * (self._density @ kronrod(NODES)[1])
        self._total = float(self._mass.sum())
        self.log_total = self._top + float(np.log(self._total))

    @underflow_is_zero
    def _panels(self, low: Row, high: Row) -> tuple[Row, Row, Numbers]:
        """The ends of the panels and the log density (k, 15) at their nodes."""
        _, weight, coarse = kronrod(NODES)
        ends, beyond = end_values(NODES), 1 - kronrod(NODES)[0][-1]
        kept: list[tuple[Row, Row, Numbers]] = []
        top, total, missed, spent = -np.inf, 0.0, 0.0, 0
        span = high[-1] - low[0]
        for _ in range(ROUNDS):
            places = first_points(low, high)
            logs = np.asarray(self._log_density(places.reshape(-1, 1))).reshape(places.shape)
            raised = max(top, float(logs.max()))
            if not raised > -np.inf:
                raise BadInput(
                    f"The density of {self._what} is zero at all {places.size} places where it was looked at. It must "
                    "be positive somewhere. Check the weight."
                )
            shrunk = np.exp(top - raised) if top > -np.inf else 0.0
            top, total, missed, spent = raised, total * shrunk, missed * shrunk, spent + len(low)
            half, values = (high - low) / 2, np.exp(logs - top)
            inner, at_ends = values[:, :-2], values[:, -2:]
            parts = half * (inner @ weight)
            errors = half * np.abs(inner @ (weight - coarse))
            errors = np.maximum(errors, half * beyond * np.abs(at_ends - inner @ ends).max(axis=1))
            whole = total + parts.sum()
            share = np.maximum(2 * half / span, 1 / len(half))
            narrow = half <= 4e-16 * np.maximum(np.abs(low), np.abs(high))
            rough = (errors > TARGET * whole * share) | ((errors > OWN * parts) & (parts > 1e-40 * whole))
            open_ = (rough | _may_hide(logs, top)) & ~narrow
            kept.append((low[~open_], high[~open_], logs[~open_, :-2]))
            total, missed = total + parts[~open_].sum(), missed + errors[~open_].sum()
            if not open_.any():
                break
            if spent > MOST_PANELS:
                kept.append((low[open_], high[open_], logs[open_, :-2]))
                total, missed = whole, missed + errors[open_].sum()
                break
            middle = (low[open_] + high[open_]) / 2
            low, high = np.concatenate([low[open_], middle]), np.concatenate([middle, high[open_]])
        if not missed <= ACCEPTED * total:
            raise NotConverged(
                f"The quadrature for {self._what} ended with error {missed:.3g} on {total:.6g}; accepted is 1e-9 of "
                "it. Piecewise smooth weights and densities converge. Check them for noise.",
                residual=float(missed / total),
            )
        return tuple(np.concatenate(part) for part in zip(*kept))  # pyright: ignore[reportReturnType]

    @property
    def _levels(self) -> Row:
        return np.concatenate([[0.0], np.cumsum(self._mass)]) / self._total

    def moments(self) -> tuple[float, float]:
        """Mean and variance."""
        half = (self.high - self.low) / 2
        x = (self.low + half)[:, None] + half[:, None] * kronrod(NODES)[0]
        share = half[:, None] * self._density * kronrod(NODES)[1] / self._total
        mean = float(np.sum(share * x))
        return mean, float(np.sum(share * (x - mean) ** 2))

    def edges(self) -> Row:
        """Ends of the panels that have mass that counts."""
        full = np.flatnonzero(self._mass > 1e-30 * self._total)
        return np.append(self.low[full[0] : full[-1] + 1], self.high[full[-1]])

    def cdf(self, x: Numbers) -> Numbers:
        """The share of the mass up to x, of the shape of x."""
        panel = np.clip(np.searchsorted(self.low, x, side="right") - 1, 0, len(self.low) - 1)
        inside = np.clip((x - self.low[panel]) / (self.high[panel] - self.low[panel]), 0.0, 1.0)
        values = np.array(self._levels[panel], dtype=float)
        some = np.isfinite(x) & (inside > 0)
        half = (self.high - self.low)[panel[some]] / 2
        rising = _integrated(_to_legendre() @ self._density.T)[:, panel[some]]
        values[some] += half * legendre.legval(2 * inside[some] - 1, rising, tensor=False) / self._total
        values = np.where(x >= self.high[-1], 1.0, np.where(x <= self.low[0], 0.0, values))
        return np.clip(values, 0.0, 1.0)

    def quantile(self, u: Numbers) -> Numbers:
        """The place up to which there is the share u, of the shape of u; above 1/2 it is counted from the other end."""
        u = np.asarray(u, dtype=float)
        out, above = np.empty(u.shape), u > 0.5
        levels, low = self._levels, u[~above]
        panel = np.clip(np.searchsorted(levels, low, side="left") - 1, 0, len(self._mass) - 1)
        out[~above] = self._places(panel, (low - levels[panel]) * self._total)
        out[above] = self.upper_quantile(1 - u[above])
        return out

    def upper_quantile(self, share: Numbers) -> Numbers:
        """The place beyond which there is this share, of its shape; small shares are not rounded."""
        above = np.concatenate([np.cumsum(self._mass[::-1])[::-1], [0.0]]) / self._total
        back = np.clip(np.searchsorted(above[::-1], np.ravel(share), side="left") - 1, 0, len(self._mass) - 1)
        panel = len(self._mass) - 1 - back
        return self._places(panel, (above[panel] - np.ravel(share)) * self._total).reshape(np.shape(share))

    def _places(self, panel: np.ndarray, mass: Row) -> Row:
        """The place in each panel up to which it holds this mass, by Newton's method kept in a bracket."""
        out = np.empty(len(panel))
        for start in range(0, len(panel), 1 << 16):
            part = slice(start, start + (1 << 16))
            out[part] = self._some_places(panel[part], mass[part])
        return out

    def _some_places(self, panel: np.ndarray, mass: Row) -> Row:
        half = (self.high - self.low)[panel] / 2
        whole = np.maximum(self._mass[panel] / half, 1e-300)
        goal = np.clip(mass / half, 0.0, whole)
        z, left = 2 * goal / whole - 1, np.arange(len(panel))
        series = _to_legendre() @ self._density.T
        rising, a, b = _integrated(series), np.full(len(panel), -1.0), np.ones(len(panel))
        for _ in range(60):
            at, here = z[left], panel[left]
            gap = legendre.legval(at, rising[:, here], tensor=False) - goal[left]
            slope = legendre.legval(at, series[:, here], tensor=False)
            a[left], b[left] = np.where(gap <= 0, at, a[left]), np.where(gap >= 0, at, b[left])
            new = at - gap / np.where(slope > 0, slope, np.inf)
            good = (new >= a[left]) & (new <= b[left]) & (slope > 0)
            z[left] = np.where(good, new, (a[left] + b[left]) / 2)
            done = (np.abs(gap) <= 4e-16 * whole[left]) | (good & (np.abs(new - at) <= 1e-14))
            left = left[~done & (b[left] - a[left] > 1e-15)]
            if not len(left):
                break
        return self.low[panel] + half * (1 + z)


def _may_hide(logs: Numbers, top: float) -> np.ndarray:
    """Whether a peak that counts may lie between two nodes of a panel, at most as much higher as they differ."""
    ordered = np.concatenate([logs[:, -2:-1], logs[:, :-2], logs[:, -1:]], axis=1)
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(ordered, axis=1))
        steps = np.where(np.isfinite(steps), steps, 0.0)
        reach = np.maximum(ordered[:, 1:], ordered[:, :-1]) + steps
    return np.any((steps > STEEP) & (reach > top - FAINT), axis=1)


@cache
def _to_legendre() -> Numbers:
    """From values at the nodes to Legendre coefficients, (15, 15)."""
    return np.linalg.inv(legendre.legvander(kronrod(NODES)[0], NODES - 1))


def _integrated(series: Numbers) -> Numbers:
    """The Legendre series (16, n) of the integrals from -1 of the series (15, n)."""
    return legendre.legint(series, lbnd=-1, axis=0)
