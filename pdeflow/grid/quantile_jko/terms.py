"""Potential and interaction energies of a law with piecewise linear quantile function, and their derivatives.

Integrals over a cell use its two Gauss points: exact for cubic potentials, fourth order in the cell otherwise.
"""

from typing import Any

import numpy as np

from ..._core.errors import BadInput, NotAvailable, Unsupported
from ...energies.interactions import as_quadratic_attraction, power_terms
from .mesh import Cells, Nodes
from .pairs import pair_derivatives, pair_value

GAUSS_SHARES = np.array([0.5 - np.sqrt(1 / 12), 0.5 + np.sqrt(1 / 12)])  # Gauss points of a cell, per its width


def gauss_points(x: Nodes) -> np.ndarray:
    """(2, n): the two Gauss points of each cell."""
    return x[:-1] + GAUSS_SHARES[:, None] * np.diff(x)


def scatter(force, stiffness, w):
    """Gradient, diagonal and off-diagonal from forces and stiffnesses (2, n) at the Gauss points of cells of mass w."""
    gradient, diagonal = np.zeros(len(w) + 1), np.zeros(len(w) + 1)
    near, far = 1 - GAUSS_SHARES[:, None], GAUSS_SHARES[:, None]
    force, stiffness = force * w / 2, stiffness * w / 2
    gradient[:-1] += np.sum(near * force, axis=0)
    gradient[1:] += np.sum(far * force, axis=0)
    diagonal[:-1] += np.sum(near * near * stiffness, axis=0)
    diagonal[1:] += np.sum(far * far * stiffness, axis=0)
    return gradient, diagonal, np.sum(near * far * stiffness, axis=0)


class Term:
    """A part of the energy as a function of the nodes x (n + 1,), which are given less `shift`."""

    shift = 0.0

    def value(self, x: Nodes) -> float:
        """The energy."""
        raise NotImplementedError

    def roundoff(self, x: Nodes, value: float) -> float:
        """The round-off of the `value` that was found at x."""
        return float(np.finfo(float).eps) * abs(value)

    def shifted(self, shift: float) -> "Term":
        """The same term for nodes that are given less `shift`; itself where it sees differences of nodes only."""
        return self

    def derivatives(self, x: Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Gradient (n + 1,), and of the Hessian diagonal (n + 1,), off-diagonal (n,) and a dense part or None."""
        raise NotImplementedError


class PotentialTerm(Term):
    """∫V dρ. Where V has no Hessian, the Newton matrix takes differences of ∇V; the gradient itself stays that of V."""

    def __init__(self, potential: Any, w: Cells, shift: float = 0.0):
        self.potential, self.w, self.shift = potential, w, shift

    def shifted(self, shift: float) -> Term:
        return PotentialTerm(self.potential, self.w, shift)

    def roundoff(self, x: Nodes, value: float) -> float:
        """A point far from 0 is known to EPS |shift|, which the force turns into energy."""
        if self.shift == 0:
            return super().roundoff(x, value)
        force = np.abs(self._gradient(gauss_points(x).ravel() + self.shift)).reshape(2, -1)
        return super().roundoff(x, value) + float(np.finfo(float).eps * abs(self.shift) * np.sum(force @ self.w))

    def _finite(self, values, points, name):
        flat = np.asarray(values, dtype=float).reshape(points.shape)
        if not np.all(np.isfinite(flat)):
            i = int(np.argmin(np.isfinite(flat)))
            raise BadInput(
                f"The potential's {name} is {flat[i]} at x = {points[i]:.10g}. "
                "It must be finite wherever the law has mass. Correct it there.",
                x=float(points[i]),
                value=float(flat[i]),
            )
        return flat

    def _gradient(self, points):
        try:
            gradient = self.potential.grad(points[:, None]) if hasattr(self.potential, "grad") else None
        except NotAvailable:
            gradient = None
        if gradient is None:
            raise Unsupported(
                f"QuantileJKO needs the gradient of the potential, and {self.potential!r} has none. "
                "Pass FromFunction(value, grad=...) or use ChangCooper."
            )
        return self._finite(gradient, points, "gradient")

    def _hessian(self, points):
        try:
            if hasattr(self.potential, "hessian"):
                return self._finite(self.potential.hessian(points[:, None]), points, "Hessian")
        except NotAvailable:
            pass  # FromFunction has none
        unit = min(1.0, float(points.max() - points.min()))  # the law's own size, where it is small
        step = np.maximum(1e-5 * (unit + np.abs(points - self.shift)), 1e4 * np.spacing(np.abs(points)))
        return (self._gradient(points + step) - self._gradient(points - step)) / (2 * step)

    def value(self, x):
        points = gauss_points(x).ravel() + self.shift
        values = self._finite(self.potential.value(points[:, None]), points, "value")
        return float(np.sum(values.reshape(2, -1) @ self.w) / 2)

    def derivatives(self, x):
        points = gauss_points(x).ravel() + self.shift
        force, stiffness = self._gradient(points).reshape(2, -1), self._hessian(points).reshape(2, -1)
        return (*scatter(force, stiffness, self.w), None)


class VarianceTerm(Term):
    """attraction/2 · Var, for W = attraction z²/2.

    The rank-one part -attraction q qᵀ of its Hessian is left to the solver.
    """

    def __init__(self, attraction: float, w: Cells):
        self.attraction, self.w = attraction, w

    def _offset(self, x):
        return gauss_points(x) - float(self.w @ (x[1:] + x[:-1])) / 2

    def value(self, x):
        offset = self._offset(x)
        return self.attraction * float(np.sum((offset * offset) @ self.w)) / 4

    def derivatives(self, x):
        offset = self._offset(x)
        return (*scatter(self.attraction * offset, np.full(offset.shape, self.attraction), self.w), None)


class DistanceTerm(Term):
    """½∬ sign |x - y| dρ dρ = sign ∫(2s - 1) Q(s) ds: linear in the nodes as long as they stay in order."""

    def __init__(self, sign: float, levels: Nodes, w: Cells):
        left = (2 * levels[:-1] - 1) / 2
        self.load = np.zeros(len(levels))
        self.load[:-1] += sign * w * (left + w / 3)
        self.load[1:] += sign * w * (left + 2 * w / 3)

    def value(self, x):
        return float(self.load @ x)

    def derivatives(self, x):
        return self.load, np.zeros(len(x)), np.zeros(len(x) - 1), None


class PowerPairTerm(Term):
    """½∬ coefficient k_p(x - y) dρ dρ with k_p = |z|^p/p, log|z| for p = 0; -1 < p < 2. Dense: O(n²) time and memory.

    A cell with itself and with its neighbours, where the kernel is singular, is integrated exactly.
    """

    def __init__(self, coefficient: float, p: float, w: Cells):
        self.coefficient, self.p, self.w = float(coefficient), float(p), w

    def value(self, x):
        return self.coefficient * pair_value(x, self.w, self.p) if np.all(np.diff(x) > 0) else np.inf

    def derivatives(self, x):
        gradient, dense = pair_derivatives(x, self.w, self.p)
        return self.coefficient * gradient, np.zeros(len(x)), np.zeros(len(x) - 1), self.coefficient * dense


class SmoothPairTerm(Term):
    """½∬W(x - y) dρ dρ for a kernel smooth at 0, all pairs of Gauss points. Dense: O(n²) time and memory.

    The Newton matrix takes differences of ∇W; the gradient is that of the kernel.
    """

    def __init__(self, kernel: Any, w: Cells):
        self.kernel, self.w = kernel, w
        self.mass = np.concatenate([w, w]) / 2

    def _pairs(self, function, points, change=0.0):
        z = points[:, None] - points[None, :] + change
        return np.asarray(function(z.reshape(-1, 1)), dtype=float).reshape(z.shape)

    def value(self, x):
        values = self._pairs(self.kernel.value, gauss_points(x).ravel())
        return float(self.mass @ values @ self.mass) / 2

    def derivatives(self, x):
        points = gauss_points(x).ravel()
        n, step = len(self.w), 1e-5 * (float(points.max() - points.min()) or 1e-3)  # of the law's own size, if any
        force = self._pairs(self.kernel.grad, points) @ self.mass
        curve = (self._pairs(self.kernel.grad, points, step) - self._pairs(self.kernel.grad, points, -step)) / (
            2 * step
        )
        gradient, diagonal, off = scatter(force.reshape(2, n), (curve @ self.mass).reshape(2, n), self.w)
        curve *= -np.multiply.outer(self.mass, self.mass)
        spread = np.zeros((n + 1, 2 * n))  # nodes -> Gauss points, transposed
        i = np.arange(n)
        for k, share in enumerate(GAUSS_SHARES):
            spread[i, k * n + i], spread[i + 1, k * n + i] = 1 - share, share
        return gradient, diagonal, off, spread @ ((curve + curve.T) / 2) @ spread.T


def interaction_terms(kernel: Any, levels: Nodes, w: Cells) -> tuple[list[Term], float, bool]:
    """Terms of ½∬W dρ dρ, the strength of its quadratic attraction, and whether it repels at contact.

    A kernel that repels at contact keeps cells open.
    """
    if kernel is None:
        return [], 0.0, False
    if as_quadratic_attraction(kernel) is not None:
        return [VarianceTerm(kernel.strength, w)], kernel.strength, False
    powers = power_terms(kernel)
    if powers is not None:
        terms: list[Term] = []
        attraction = 0.0
        for factor, p in powers:
            if p <= -1:
                raise Unsupported(
                    f"{kernel!r} has the exponent {p}; on the line any density then has infinite energy. "
                    "Use exponents above -1."
                )
            if p == 2:
                terms.append(VarianceTerm(factor, w))
                attraction += factor
            elif p == 1:
                terms.append(DistanceTerm(factor, levels, w))
            elif p < 2:
                terms.append(PowerPairTerm(factor, p, w))
            else:
                terms.append(SmoothPairTerm(_OnePower(factor, p), w))
        return terms, attraction, powers[-1][1] < 1
    if getattr(kernel, "singular", False):
        raise Unsupported(
            f"{kernel!r} is singular at 0 and no built-in kernel, so its integral over a cell is not known. "
            "Use LogRepulsion, PowerLaw, or a kernel finite at 0."
        )
    return [SmoothPairTerm(kernel, w)], 0.0, False


class _OnePower:
    """sign |z|^p / p for p > 2."""

    def __init__(self, sign, p):
        self.sign, self.p = sign, p

    def value(self, z):
        return self.sign * np.abs(z[:, 0]) ** self.p / self.p

    def grad(self, z):
        return self.sign * np.abs(z) ** (self.p - 1) * np.sign(z)
