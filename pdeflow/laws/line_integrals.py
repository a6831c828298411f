"""Integrals over the line of functions of the densities of laws, on panels that know where the laws live."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import BadInput, NotConverged
from .._core.quadrature import first_points, integrate, kronrod
from .._core.shapes import Numbers, Values
from .base import Law

MASS_ERROR = 1e-6  # of a density: more is no rounding of a formula or a table
_NUMBERS = 1 << 22  # held at a time by the widest array
_ROUNDS = 80  # of the search for roots; bisection alone takes 60

Logs = list[Numbers]


class LineDensities:
    """The log densities of some laws on the panels that they need.

    Places are kept as offsets from anchors, the centres of Gaussian components: at a distance of 1e6 a number has an
    absolute rounding of 1e-10, which is a millionth of a width of 1e-4. The densities of Gaussian components are taken
    at the offset itself, piecewise constant ones by the panel; other laws are asked at the rounded place.

    Parameters
    ----------
    laws : sequence of Law
        Laws on the line that answer `log_density`; at least one of them says where it lives (`Law.density_edges`).

    Attributes
    ----------
    low, high : (k,)
        The ends of the panels, as offsets from the anchor of each panel.
    """

    def __init__(self, laws: Sequence[Law]):
        self.laws = laws
        found = [edges for law in laws if (edges := law.density_edges()) is not None]
        edges = np.unique(np.concatenate(found))
        mixtures = [law.gaussian_components() for law in laws]
        centres = [part.mean()[0] for mixture in mixtures if mixture is not None for part in mixture[1]]
        anchors = np.unique(centres) if centres else np.zeros(1)
        middle = edges[:-1] / 2 + edges[1:] / 2
        between = anchors[:-1] / 2 + anchors[1:] / 2
        self._anchor = anchors[np.searchsorted(between, middle)]
        self.low, self.high = edges[:-1] - self._anchor, edges[1:] - self._anchor
        self._parts = [self._components(mixture) for mixture in mixtures]
        self._heights = [_log_heights(law, middle) for law in laws]
        self._parent = np.arange(len(self.low))
        self._seen = None

    def _components(self, mixture):
        """(log of weight/deviation (c,), deviation (c,), anchor minus mean (k, c)) of a mixture of Gaussians."""
        if mixture is None:
            return None
        full = np.flatnonzero(mixture[0] > 0)
        deviation = np.array([np.sqrt(mixture[1][i].cov()[0, 0]) for i in full])
        mean = np.array([mixture[1][i].mean()[0] for i in full])
        factor = np.log(mixture[0][full]) - np.log(deviation) - 0.5 * np.log(2 * np.pi)
        return factor, deviation, self._anchor[:, None] - mean

    def split(self, panel: np.ndarray, places: Values) -> None:
        """Cut the panels with these numbers at these places (offsets from their anchors)."""
        edges = np.concatenate([self.low, self.high, places])
        owner = np.concatenate([self._parent, self._parent, panel])
        order = np.lexsort((edges, owner))
        edges, owner = edges[order], owner[order]
        real = (owner[:-1] == owner[1:]) & (edges[:-1] < edges[1:])
        self.low, self.high, self._parent = edges[:-1][real], edges[1:][real], owner[:-1][real]

    @underflow_is_zero
    def logs(self, y: Numbers, panel: np.ndarray) -> Logs:
        """The log densities (k, q) of every law at the offsets y (k, q) in the panels (k,)."""
        panel = self._parent[panel]
        known = zip(self.laws, self._parts, self._heights)
        return [self._log(law, part, heights, y, panel) for law, part, heights in known]

    def _log(self, law, part, heights, y, panel):
        if heights is not None:
            return np.broadcast_to(heights[panel][:, None], y.shape)
        if part is None:
            return asked_log_density(law, self._anchor[panel][:, None] + y)
        factor, deviation, shift = part
        rows = max(1, _NUMBERS // (y.shape[1] * len(factor)))
        return np.concatenate(
            [
                _log_sum(factor, (shift[panel[i : i + rows], None, :] + y[i : i + rows, :, None]) / deviation)
                for i in range(0, len(y), rows)
            ]
        )

    @underflow_is_zero
    def first_look(self) -> tuple[Values, Numbers, Logs]:
        """Half widths (k,), offsets (k, 17) and log densities (k, 17) at the Kronrod points and both ends of panels.

        The ends are taken on their own side of a jump. The first round of `integral` asks at the same points and gets
        these answers.
        """
        y = first_points(self.low, self.high)
        logs = self.logs(y, np.arange(len(y)))
        self._seen = y, logs
        order = [-2, *range(y.shape[1] - 2), -1]
        return (self.high - self.low) / 2, y[:, order], [log[:, order] for log in logs]

    @underflow_is_zero
    def integral(
        self,
        integrand: Callable[[Logs], Numbers],
        tolerances: Callable[[float], tuple[float, float]],
        what: str,
    ) -> float:
        """∫ integrand(log densities) dx; `NotConverged` where the error estimate stays above what is accepted."""

        def at(y, panel):
            if self._seen is not None and np.array_equal(self._seen[0], y):
                return integrand(self._seen[1])
            return integrand(self.logs(y, panel))

        return integrate(at, (self.low, self.high), tolerances, what)

    @underflow_is_zero
    def require_mass(self, half: Values, logs: Logs) -> None:
        """`BadInput` for a law whose density does not integrate to one, judged by a first look and then in earnest.

        What a law without `density_edges` has outside the panels is not known: only a mass above one is refused.
        """
        weight = kronrod(15)[1]
        for i, law in enumerate(self.laws):
            located = law.density_edges() is not None
            with np.errstate(over="ignore"):  # of a density that is none
                mass = float(half @ (np.exp(logs[i][:, 1:-1]) @ weight))
            if _wrong(mass, located):
                mass = self.integral(lambda logs, i=i: np.exp(logs[i]), lambda _: (1e-9, 1e-7), "a density")
            if _wrong(mass, located):
                raise BadInput(
                    f"The density of {law!r:.200} integrates to {mass:.9g} on the line. A law has mass one (to "
                    f"{MASS_ERROR:g}). Correct its log_density or its quantile; pf.checks.law compares them.",
                    mass=mass,
                )


@underflow_is_zero
def density_mean(law: Law, per_mass: Callable[[Numbers], Numbers]) -> float:
    """∫ρ per_mass(log ρ) dx of a law on the line whose density and whose place are known.

    Raises
    ------
    BadInput
        Where the density does not integrate to one.
    NotConverged
        Where the error estimate misses 1e-9 of the value, or what lies in the outermost panels is more than that.
    """
    densities = LineDensities([law])
    half, _, logs = densities.first_look()
    densities.require_mass(half, logs)

    def integrand(logs):
        r = np.exp(logs[0])
        full = r > 1e-300  # what is thinner lies in the panels at the ends, which are judged below
        return np.where(full, r * per_mass(np.where(full, logs[0], 0.0)), 0.0)

    parts = half * (integrand(logs)[:, 1:-1] @ kronrod(15)[1])
    size, ends = float(np.sum(np.abs(parts))), float(np.max(np.abs(parts[[0, -1]])))
    if ends > 1e-10 * size:
        raise NotConverged(
            f"The panels at the ends of {law!r:.200} hold {ends:.3g} of an internal energy of {size:.3g}; 1e-10 of it "
            "is accepted. Powers m of the density far from 0 converge. Use a larger m or a law of bounded support.",
            residual=ends,
        )
    return densities.integral(
        integrand,
        lambda total: (1e-13 * abs(total) + 1e-15 * size, 1e-9 * abs(total) + 1e-14 * size),
        "internal energy",
    )


def _log_heights(law, middle):
    """The log density (k,) at the middles of panels, in which it is constant; None where the density has no steps."""
    steps = law.density_steps()
    if steps is None:
        return None
    edges, heights = steps
    inside = (middle >= edges[0]) & (middle <= edges[-1])
    cell = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, len(heights) - 1)
    with np.errstate(divide="ignore"):  # an empty cell has log density -inf
        return np.where(inside, np.log(np.maximum(heights[cell], 0)), -np.inf)


def _wrong(mass, located):
    return not mass <= 1 + MASS_ERROR or (located and mass < 1 - MASS_ERROR)


def _log_sum(factor, z):
    """log Σ exp(factor - z²/2) over the last axis."""
    logs = factor - 0.5 * z * z
    if logs.shape[-1] == 1:
        return logs[..., 0]
    top = logs.max(axis=-1)
    return np.log(np.exp(logs - top[..., None]).sum(axis=-1)) + top


def asked_log_density(law: Law, x: Numbers) -> Numbers:
    """The log density of a law at the places x (k, q); `BadInput` for an answer of another shape, or NaN."""
    logs = np.asarray(law.log_density(x.reshape(-1, 1)))
    if logs.shape != (x.size,) or np.isnan(logs).any():
        what = "NaN" if logs.shape == (x.size,) else f"shape {logs.shape}"
        raise BadInput(
            f"log_density of {law!r:.200} gives {what} at points of shape ({x.size}, 1). It must give ({x.size},) "
            "numbers, -inf outside the support. Correct it; pf.checks.law names the place."
        )
    return logs.reshape(x.shape)


def sign_changes(
    gap: Callable[[Numbers, np.ndarray], Numbers], y: Numbers, values: Numbers, enough: float
) -> tuple[np.ndarray, Values]:
    """The panels and the places in them where a function changes its sign.

    Parameters
    ----------
    gap : (places (k, 1), panels (k,)) -> (k, 1)
        The function.
    y, values : (n, q)
        Places in each panel, increasing, and the function there.
    enough : float
        A root is found when the function there, times the width of the bracket, is no more than this.

    Returns
    -------
    panels (k,), places (k,)
        Two changes between neighbouring places are found where the parabola through three of them has its end there.
    """
    panel, at = np.nonzero(_touches(values))
    if len(panel):
        place = _vertex(y, values, panel, at)
        there = gap(place[:, None], panel)[:, 0]
        crossing = there * values[panel, at] < 0
        panel, at, place, there = panel[crossing], at[crossing], place[crossing], there[crossing]
    else:
        place = there = np.empty(0)
    cut, left = np.nonzero((values[:, :-1] >= 0) != (values[:, 1:] >= 0))
    owner = np.concatenate([cut, panel, panel])
    a = np.concatenate([y[cut, left], y[panel, at - 1], place])
    b = np.concatenate([y[cut, left + 1], place, y[panel, at + 1]])
    start = np.concatenate([values[cut, left], values[panel, at - 1], there])
    end = np.concatenate([values[cut, left + 1], there, values[panel, at + 1]])
    return owner, _roots(lambda x, which: gap(x[:, None], owner[which])[:, 0], a, b, start, end, enough)


def _touches(values):
    """Where a function of one sign comes nearer to zero than at both neighbours."""
    size, same = np.abs(values), np.sign(values)
    out = np.zeros(values.shape, dtype=bool)
    inner = size[:, 1:-1]
    out[:, 1:-1] = (inner < size[:, :-2]) & (inner < size[:, 2:]) & (inner > 0)
    out[:, 1:-1] &= (same[:, :-2] == same[:, 1:-1]) & (same[:, 1:-1] == same[:, 2:])
    return out


def _vertex(y, values, panel, at):
    """The end of the parabola through three neighbouring places."""
    x = [y[panel, at + i] for i in (-1, 0, 1)]
    f = [values[panel, at + i] / values[panel, at] for i in (-1, 0, 1)]
    low, high = (f[1] - f[0]) / (x[1] - x[0]), (f[2] - f[1]) / (x[2] - x[1])
    return np.clip(x[1] - (low * (x[2] - x[1]) + high * (x[1] - x[0])) / (2 * (high - low)), x[0], x[2])


def _roots(function, a, b, at_a, at_b, enough):
    """Roots in the brackets [a, b] (k,) with values of two signs at their ends, by Ridders' method."""
    left, out = np.arange(len(a)), (a + b) / 2
    for _ in range(_ROUNDS):
        if not len(left):
            break
        low, high, f, g = a[left], b[left], at_a[left], at_b[left]
        middle = (low + high) / 2
        m = function(middle, left)
        big = np.maximum(np.maximum(np.abs(f), np.abs(g)), np.abs(m))
        f, g, m = f / big, g / big, m / big
        root = np.sqrt(np.maximum(m * m - f * g, 1e-300))
        new = np.clip(middle + (middle - low) * np.where(f >= 0, 1.0, -1.0) * m / root, low, high)
        n = function(new, left) / big
        x = np.stack([low, np.minimum(middle, new), np.maximum(middle, new), high])
        v = np.stack([f, np.where(middle <= new, m, n), np.where(middle <= new, n, m), g])
        pair = np.argmax((v[:-1] >= 0) != (v[1:] >= 0), axis=0), np.arange(len(left))
        a[left], b[left] = x[pair], x[pair[0] + 1, pair[1]]
        at_a[left], at_b[left] = v[pair] * big, v[pair[0] + 1, pair[1]] * big
        out[left] = np.where(n == 0, new, np.where(m == 0, middle, np.where(np.abs(n) < np.abs(m), new, middle)))
        width = np.abs(b[left] - a[left])
        done = (width <= 4e-16 * np.maximum(np.abs(a[left]), np.abs(b[left]))) | (n == 0) | (m == 0)
        done |= np.minimum(np.abs(n), np.abs(m)) * big * (high - low) <= enough
        done |= (np.minimum(np.abs(n), np.abs(m)) <= 1e-14) | (width <= 1e-12 * (high - low))
        left = left[~done]
    return out
