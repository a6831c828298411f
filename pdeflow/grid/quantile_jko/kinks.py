"""Kinks of a potential, where its gradient jumps: where they are, and their energy integrated exactly."""

from typing import Any

import numpy as np

from .mesh import Cells, Nodes
from .terms import PotentialTerm, Term

SMALLEST_JUMP = 1e-7  # of the largest slope: what changes less is smooth, or round-off of the gradient
SCANNED, PARTS, MOST = 2048, 16, 256  # intervals of the scan, parts that one is cut into, intervals looked into


def find_kinks(potential: Any, lower: float, upper: float) -> list[tuple[float, float]]:
    """(k, jump) of each k in [lower, upper] where the gradient of the potential jumps by a finite amount.

    The intervals of a scan whose change of gradient is out of line with their neighbours' are cut into 16 parts, and
    the parts out of line again, down to neighbouring floats: several kinks in one interval part on the way. A change
    that shrinks with the interval is smooth; one that stays is a jump.
    """
    if not upper > lower:
        return []
    edges = np.linspace(lower, upper, SCANNED + 1)
    slopes = _slopes(potential, edges)
    change = np.diff(slopes)
    beside = (np.append(change[1:], change[-1]) + np.append(change[0], change[:-1])) / 2
    odd = np.abs(change - beside)
    size = float(np.abs(slopes).max())
    if not np.isfinite(size):
        return []
    least = SMALLEST_JUMP * size
    left, right = _largest(odd, least, edges[:-1], edges[1:])
    grain = max(float(np.spacing(max(abs(lower), abs(upper)))), 1e-15 * (upper - lower))
    while len(left) > 0 and np.any(right - left > 4 * grain):
        cuts = left[:, None] + (right - left)[:, None] * np.linspace(0.0, 1.0, PARTS + 1)
        steps = np.diff(_slopes(potential, cuts.ravel()).reshape(cuts.shape), axis=1)
        odd = np.abs(steps - np.median(steps, axis=1, keepdims=True))
        left, right = _largest(odd.ravel(), least, cuts[:, :-1].ravel(), cuts[:, 1:].ravel())
    found: list[tuple[float, float]] = []
    order = np.argsort(left)
    left, right = left[order], right[order]
    groups = np.flatnonzero(np.diff(left, prepend=-np.inf) > 64 * grain)  # a kink on a cut shows on both sides of it
    for first, end in zip(groups, np.append(groups[1:], len(left))):
        a, b = float(left[first]), float(right[end - 1])
        if b - a > 16 * grain:  # a slope that grows without bound is odd all about
            continue
        near, far = (float(np.diff(_slopes(potential, np.array([a - d, b + d])))[0]) for d in (grain, 64 * grain))
        if abs(near) > least and 0.7 < abs(near / far) < 1.5:
            found.append((_place(potential, a - grain, b + grain), near))
    return found


def _slopes(potential: Any, x: np.ndarray) -> np.ndarray:
    """V' at the points x (n,)."""
    return np.asarray(potential.grad(x[:, None]), dtype=float)[:, 0]


def _largest(odd: np.ndarray, least: float, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals that are odd by more than `least`, of many the `MOST` oddest."""
    kept = np.argsort(-odd, kind="stable")[:MOST]
    kept = kept[odd[kept] > least]
    return left[kept], right[kept]


def _place(potential: Any, a: float, b: float) -> float:
    """Where V' passes the middle of its values at a and b, between neighbouring floats."""
    low, high = _slopes(potential, np.array([a, b]))
    while a < (middle := a + (b - a) / 2) < b:
        slope = _slopes(potential, np.array([middle]))[0]
        if slope == (low + high) / 2:
            return float(middle)  # the value at the kink itself, as of sign(0)
        a, b = (middle, b) if (slope < (low + high) / 2) == (low < high) else (a, middle)
    return float(b)


class KinkTerm(Term):
    """Σ jump/2 ∫|x - k| dρ, exact for a density that is constant on cells.

    It has a continuous gradient as long as the cells are open, and a Hessian that jumps where a node passes k.
    """

    def __init__(self, kinks: list[tuple[float, float]], w: Cells):
        self.kinks, self.w = kinks, w

    def shifted(self, shift: float) -> Term:
        return KinkTerm([(k - shift, jump) for k, jump in self.kinks], self.w)

    def value(self, x: Nodes) -> float:
        total = 0.0
        for k, jump in self.kinks:
            a, b = x[:-1] - k, x[1:] - k
            crossed = (a < 0) & (b > 0)
            gap = np.where(crossed, b - a, 1.0)
            total += jump / 2 * float(self.w @ np.where(crossed, (a * a + b * b) / (2 * gap), np.abs(a + b) / 2))
        return total

    def derivatives(self, x: Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
        gradient, diagonal, off = np.zeros(len(x)), np.zeros(len(x)), np.zeros(len(x) - 1)
        for k, jump in self.kinks:
            a, b = x[:-1] - k, x[1:] - k
            crossed = (a < 0) & (b > 0)
            gap = np.where(crossed, b - a, 1.0)
            side, weight = np.sign(a + b) / 2, jump / 2 * self.w
            near, far = np.where(crossed, b / gap, 0.0), np.where(crossed, -a / gap, 0.0)
            gradient[:-1] += weight * np.where(crossed, near * near - 0.5, side)
            gradient[1:] += weight * np.where(crossed, 0.5 - far * far, side)
            bend = 2 * weight / gap
            diagonal[:-1] += bend * near * near
            diagonal[1:] += bend * far * far
            off += bend * near * far
        return gradient, diagonal, off, None


class WithoutKinks:
    """A potential less its kinks, jump/2 |x - k| each: it has a continuous gradient."""

    def __init__(self, potential: Any, kinks: list[tuple[float, float]]):
        self.potential, self.kinks = potential, kinks

    def value(self, x):
        return self.potential.value(x) - sum(jump / 2 * np.abs(x[:, 0] - k) for k, jump in self.kinks)

    def grad(self, x):
        return self.potential.grad(x) - sum(jump / 2 * np.sign(x - k) for k, jump in self.kinks)


def potential_terms(potential: Any, w: Cells, x: Nodes) -> list[Term]:
    """The terms of ∫V dρ for laws about the nodes x: one, or two where V has kinks there."""
    span = float(x[-1] - x[0])
    plain = PotentialTerm(potential, w)
    if span <= 0 or not hasattr(potential, "grad") or getattr(potential, "grad_function", 0) is None:
        return [plain]
    kinks = find_kinks(potential, float(x[0]), float(x[-1]))
    return [plain] if not kinks else [PotentialTerm(WithoutKinks(potential, kinks), w), KinkTerm(kinks, w)]
