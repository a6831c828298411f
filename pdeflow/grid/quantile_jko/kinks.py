"""Kinks of a potential, where its gradient jumps: where they are, and their energy integrated exactly."""

from typing import Any

import numpy as np

from .mesh import Cells, Nodes
from .terms import PotentialTerm, Term

SMALLEST_JUMP = 1e-7  # of the largest slope: what changes less is smooth, or round-off of the gradient
SCANNED, PARTS, MOST = 2048, 16, 32  # intervals of the scan, parts that one is cut into, intervals looked into


def find_kinks(potential: Any, lower: float, upper: float) -> list[tuple[float, float]]:
    """(k, jump) of each k in [lower, upper] where the gradient of the potential jumps by a finite amount.

    The intervals of a scan whose change of gradient is out of line with their neighbours' are cut into 16 parts, again
    and again, down to neighbouring floats. A change that shrinks with the interval is smooth; one that stays is a jump.
    """
    if not upper > lower:
        return []
    edges = np.linspace(lower, upper, SCANNED + 1)
    slopes = np.asarray(potential.grad(edges[:, None]), dtype=float)[:, 0]
    change = np.diff(slopes)
    beside = (np.append(change[1:], change[-1]) + np.append(change[0], change[:-1])) / 2
    odd = np.abs(change - beside)
    size = float(np.abs(slopes).max())
    found: list[tuple[float, float]] = []
    if not np.isfinite(size):
        return found
    for i in np.argsort(-odd, kind="stable")[:MOST]:
        if odd[i] <= SMALLEST_JUMP * size:
            break
        left, right, jump, last = edges[i], edges[i + 1], change[i], np.inf
        while right - left > 4 * max(np.spacing(abs(left)), np.spacing(abs(right)), 1e-15 * (upper - lower)):
            cuts = np.linspace(left, right, PARTS + 1)
            steps = np.diff(np.asarray(potential.grad(cuts[:, None]), dtype=float)[:, 0])
            j = int(np.argmax(np.abs(steps)))
            left, right, last, jump = cuts[j], cuts[j + 1], jump, steps[j]
            if abs(jump) <= SMALLEST_JUMP * size:
                break
        if abs(jump) > SMALLEST_JUMP * size and 0.7 < abs(jump / last) < 1.5:
            k = float((left + right) / 2)
            if all(abs(k - other) > 1e-12 * (upper - lower) for other, _ in found):
                found.append((k, float(jump)))
    return sorted(found)


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
