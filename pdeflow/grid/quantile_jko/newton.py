"""The JKO step in quantile coordinates as a finite-dimensional minimisation, by damped Newton.

Unknowns x_0 <= ... <= x_n at levels s_0 < ... < s_n, w_i = s_{i+1} - s_i, Δ_i = x_{i+1} - x_i; the quantile function
is linear between levels, so both the cost and the internal energy below are exact for it.
"""

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..._core.compiled import compiled
from ..._core.errors import Diverged, NotConverged
from .energy import DiscreteEnergy
from .mesh import Nodes

EPS = np.finfo(float).eps
RESIDUAL_TOLERANCE = 1e-10  # of stationarity, relative to the forces that balance in it
ADVICE_ON_KINKS = (
    "If V or W has an infinite slope, or a kink where no internal energy keeps cells open, smooth it, e.g. |x| to "
    "√(x² + ε²), or use ChangCooper or CvxoptJKO."
)
MOST_NEWTON_STEPS = 200  # 3 to 10 are usual, about one more for each doubling that a cell must grow


@compiled(cache=True)
def _power(base, exponent):
    """base^exponent, with the two commonest exponents not left to pow."""
    if exponent == 1:
        return base
    return base * base if exponent == 2 else base**exponent


@compiled(cache=True)
def inner_value(x, y, w, dt, powers, k, center):
    """Cost W2²(x, y)/(2 dt), internal energy plus ∫k (x - center)²/2 dρ, and the round-off of their sum.

    powers : the pairs (c, m) of a sum of powers, ((0, 1),) for none. inf where an internal energy meets an empty cell.
    """
    cost = internal = grain = confined = 0.0
    for i in range(len(w)):
        a, b = x[i] - y[i], x[i + 1] - y[i + 1]
        cost += w[i] * (a * a + a * b + b * b)
        if k > 0:
            a, b = x[i] - center, x[i + 1] - center
            confined += w[i] * (a * a + a * b + b * b)
        if powers[0][0] != 0:
            gap = x[i + 1] - x[i]
            if gap <= 0:
                return np.inf, np.inf, 0.0
            density = w[i] / gap
            # a width is known to EPS |x| of its own nodes, which the pressure turns into energy
            reach = max(abs(x[i]), abs(x[i + 1]))
            for c, m in powers:
                part = c * w[i] * np.log(density) if m == 1 else c * w[i] * _power(density, m - 1) / (m - 1)
                internal += part
                grain += abs(part) + reach * (c * density if m == 1 else abs(m - 1) * abs(part) / gap)
    cost, confined = cost / (6 * dt), k * confined / 6
    return cost, internal + confined, EPS * (grain + cost + confined)


@compiled(cache=True)
def inner_derivatives(x, y, w, dt, powers, k, center):
    """Gradients of cost, internal and confining energy, (n + 1,) each, and the Hessian of their sum by its diagonals.

    ∂U/∂x_i = p_i - p_{i-1} with the pressure p = Σ c ρ^m (m = 1: entropy); h_i = Σ m c ρ^m / Δ_i [docs/math.md 6.2].
    """
    n = len(w)
    pull, push, hold = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    diagonal, off = np.zeros(n + 1), np.zeros(n)
    for i in range(n):
        a, b = x[i] - y[i], x[i + 1] - y[i + 1]
        s = w[i] / (6 * dt)
        pull[i] += s * (2 * a + b)
        pull[i + 1] += s * (a + 2 * b)
        h = 0.0
        if k > 0:
            a, b = x[i] - center, x[i + 1] - center
            hold[i] += k * w[i] / 6 * (2 * a + b)
            hold[i + 1] += k * w[i] / 6 * (a + 2 * b)
            s += k * w[i] / 6
        if powers[0][0] != 0:
            gap = x[i + 1] - x[i]
            total = 0.0
            for c, m in powers:
                pressure = c * _power(w[i] / gap, m)
                total += pressure
                h += m * pressure / gap
            push[i] += total
            push[i + 1] -= total
        diagonal[i] += h + 2 * s
        diagonal[i + 1] += h + 2 * s
        off[i] = s - h
    return pull, push, hold, diagonal, off


@compiled(cache=True)
def solve_tridiagonal(diagonal, off, right):
    """Solutions (n + 1, k) of the symmetric tridiagonal system by LDLᵀ, and whether it is positive definite."""
    n = len(diagonal)
    pivot, out = diagonal.copy(), right.copy()
    for i in range(1, n):
        if not pivot[i - 1] > 0:
            return out, False
        factor = off[i - 1] / pivot[i - 1]
        pivot[i] -= factor * off[i - 1]
        for j in range(out.shape[1]):
            out[i, j] -= factor * out[i - 1, j]
    if not pivot[n - 1] > 0:
        return out, False
    for j in range(out.shape[1]):
        out[n - 1, j] /= pivot[n - 1]
        for i in range(n - 2, -1, -1):
            out[i, j] = (out[i, j] - off[i] * out[i + 1, j]) / pivot[i]
    return out, True


class Objective:
    """x -> W2²(x, y)/(2 dt) + F(x) for the nodes x (n + 1,) of a law, its derivatives and its Newton steps."""

    def __init__(self, energy: DiscreteEnergy, y: Nodes, dt: float):
        self.energy, self.y, self.dt = energy, y, dt
        powers = energy.powers or ((0.0, 1.0),)  # a tuple, so that one power costs no loop: its length is compiled in
        self._compiled = y, energy.cell_mass, dt, powers, *energy.confinement

    def value(self, x: Nodes) -> tuple[float, float, float, float]:
        """The objective, its round-off, the energy F(x) and the cost."""
        cost, internal, grain = inner_value(x, *self._compiled)
        others = [term.value(x) for term in self.energy.terms] if np.isfinite(internal) else []
        energy = internal + sum(others)
        if np.isfinite(energy):
            grain += sum(term.roundoff(x, value) for term, value in zip(self.energy.terms, others))
        return cost + energy, grain, float(energy), cost

    def size(self, force: Nodes) -> float:
        """L2(ρ) norm of a force given by its nodal integrals."""
        return float(np.sqrt(np.sum(force * force / self.energy.node_mass)))

    def linearise(self, x: Nodes) -> tuple[Nodes, float, float, Any]:
        """Total gradient, scale of the forces in it, their round-off, and the Hessian as (diagonal, off, dense)."""
        pull, push, hold, diagonal, off = inner_derivatives(x, *self._compiled)
        total, scale, dense = pull + push + hold, self.size(pull) + self.size(push) + self.size(hold), None
        lost = np.zeros(len(x))
        for term in self.energy.terms:
            gradient, more, beside, block = term.derivatives(x)
            total, diagonal, off = total + gradient, diagonal + more, off + beside
            scale += self.size(gradient)
            if term.shift != 0:  # its points are floats far from 0
                lost += abs(term.shift) * np.abs(more)
                lost[:-1] += abs(term.shift) * np.abs(beside)
                lost[1:] += abs(term.shift) * np.abs(beside)
            dense = block if dense is None or block is None else dense + block
        # node j is stored to EPS/2 |x_j|, which entry (i, j) of the Hessian turns into a force on node i; row by row,
        # because a far tail (max |x| of 1e9) is soft and must not set the round-off of the bulk
        reach = np.abs(x)
        force = np.abs(diagonal) * reach
        force[:-1] += np.abs(off) * reach[1:]
        force[1:] += np.abs(off) * reach[:-1]
        if dense is not None:
            force += np.abs(dense) @ reach
        return total, scale, float(EPS) / 2 * self.size(force + lost), (diagonal, off, dense)

    def newton_step(self, gradient: Nodes, hessian: Any, shift: float) -> Nodes | None:
        """-(H + shift · diag(q)/dt)⁻¹ gradient, or None if the matrix is not positive definite."""
        diagonal, off, dense = hessian
        node_mass, attraction = self.energy.node_mass, self.energy.attraction
        diagonal = diagonal + shift * node_mass / self.dt
        if dense is None:
            sides = [-gradient, node_mass] if attraction else [-gradient]
            solution, definite = solve_tridiagonal(diagonal, off, np.stack(sides, axis=1))
            if not definite:
                return None
            step = solution[:, 0]
            if not attraction:
                return step
            image = solution[:, 1]
            left = 1 - attraction * (node_mass @ image)  # Sherman-Morrison
            return step + image * (attraction * (node_mass @ step) / left) if left > 0 else None
        matrix = dense - attraction * np.multiply.outer(node_mass, node_mass)
        i = np.arange(len(diagonal))
        matrix[i, i] += diagonal
        matrix[i[:-1], i[1:]] += off
        matrix[i[1:], i[:-1]] += off
        try:
            return cho_solve(cho_factor(matrix, lower=True, overwrite_a=True), -gradient)
        except np.linalg.LinAlgError:  # not positive definite
            return None


def minimise(objective: Objective, start: Nodes) -> tuple[Nodes, dict[str, float]]:
    """Minimiser x of the objective from a start with Δ > 0 (if it has a barrier), and the facts of the search.

    Newton with a Levenberg shift where the Hessian is not positive definite, steps cut at 0.95 of the way to an empty
    cell (if there is a barrier) and halved until the objective falls. Ends when |∇| <= 1e-10 of the forces plus 4
    times their round-off, judged at the x returned; else `NotConverged`.
    """
    x, shift, largest = start, 0.0, 0.0
    found = objective.value(x)
    residual = np.inf
    for iteration in range(MOST_NEWTON_STEPS + 1):
        gradient, scale, roundoff, hessian = objective.linearise(x)
        size = objective.size(gradient)
        if not np.isfinite(size) or not np.isfinite(found[0]):
            raise Diverged(
                f"The JKO objective is {found[0]} with gradient {size} at Newton step {iteration}. Both must stay "
                "finite. Use a smaller dt or correct the energy.",
                iteration=iteration,
            )
        residual = size / scale if scale > 0 else 0.0
        if size <= RESIDUAL_TOLERANCE * scale + 4 * roundoff:
            return x, {
                "iterations": iteration,
                "gradient": residual,
                "roundoff": roundoff / scale if scale > 0 else 0.0,
                "energy": found[2],
                "distance": float(np.sqrt(2 * objective.dt * found[3])),
                "shift": largest,
            }
        if iteration == MOST_NEWTON_STEPS:
            break
        step, shift = _definite_step(
            objective, gradient, hessian, shift, {"iterations": iteration, "residual": residual}
        )
        largest = max(largest, shift)
        x, found = _line_search(
            objective, x, found, step, float(gradient @ step), {"iterations": iteration, "residual": residual}
        )
    raise NotConverged(
        f"Newton ended after {MOST_NEWTON_STEPS} steps with relative residual {residual:.3g}; "
        f"{RESIDUAL_TOLERANCE:g} is wanted. Use a smaller dt or fewer points, and check that grad is the gradient "
        f"of value (pdeflow.checks.gradient). {ADVICE_ON_KINKS}",
        iterations=MOST_NEWTON_STEPS,
        residual=residual,
    )


def _definite_step(
    objective: Objective, gradient: Nodes, hessian: Any, shift: float, facts: dict[str, float]
) -> tuple[Nodes, float]:
    """A Newton step and its Levenberg shift: a quarter of the last one, raised until the matrix is definite."""
    shift = shift / 4 if shift > 1e-3 else 0.0
    while (step := objective.newton_step(gradient, hessian, shift)) is None:
        shift = max(4 * shift, 1e-2)
        if shift > 1e18:
            raise NotConverged(
                f"No shift makes the Newton matrix positive definite (residual {facts['residual']:.3g}). Use a smaller "
                "dt.",
                **facts,
            )
    return step, shift


def _line_search(
    objective: Objective, x: Nodes, found: tuple[float, ...], step: Nodes, slope: float, facts: dict[str, float]
) -> tuple[Nodes, tuple[float, float, float, float]]:
    """The first point along the step, halved again and again, where the objective falls, and the objective there."""
    value, grain, fraction = found[0], found[1], 1.0
    if objective.energy.barrier:
        gaps, change = np.diff(x), np.diff(step)
        if objective.energy.origin is not None:  # the first node keeps off the origin as nodes do off each other
            gaps, change = np.append(gaps, x[0] - objective.energy.origin), np.append(change, step[0])
        closing = change < 0
        if closing.any():
            fraction = min(1.0, 0.95 * float(np.min(-gaps[closing] / change[closing])))
    while True:
        trial = x + fraction * step
        new = objective.value(trial)
        # below the round-off of the objective a decrease cannot be seen: then the gradient alone judges
        if new[0] <= value + 1e-4 * fraction * slope + 8 * (grain + new[1]):
            return trial, new
        fraction /= 2
        if fraction < 1e-14:
            raise NotConverged(
                f"The line search of Newton step {facts['iterations']} found no decrease (residual "
                f"{facts['residual']:.3g}, wanted {RESIDUAL_TOLERANCE:g}). Check that grad is the gradient of value "
                f"(pdeflow.checks.gradient), or use a smaller dt. {ADVICE_ON_KINKS}",
                **facts,
            )
