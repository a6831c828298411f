"""Entropic transport between weighted clouds by Sinkhorn's iteration, with a bound of what is left of its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from .._core.errors import NotConverged
from .._core.shapes import Numbers, Row
from .._core.threads import one_thread

ROUNDS, SCALINGS = 40, 30  # at most so many rounds of so many scalings and a step of Newton
_COOLING = 4.0  # between the regularisations of the warm start


@dataclass(frozen=True)
class EntropicTransport:
    """min ⟨P, C⟩ + ε KL(P | p ⊗ q): its lower bound `value`, the potentials of that, and `gap` to an upper bound."""

    value: float
    gap: float
    u: Row
    v: Row


@one_thread()
def entropic_transport(cost: Numbers, p: Row, q: Row, epsilon: float, allowed: float) -> EntropicTransport:
    """The optimum to an error of at most `allowed`, in the unit of the cost.

    Parameters
    ----------
    cost : (n, m)
        C.
    p, q : (n,), (m,)
        Positive weights of sum one.
    epsilon : float
        ε, in the unit of the cost.
    allowed : float
        The largest duality gap.

    Raises
    ------
    NotConverged
        Where 40 rounds leave a larger gap.

    Notes
    -----
    Any potentials give a lower bound, any plan an upper one: the plan of the potentials is rounded to its marginals as
    in [altschuler2017, algorithm 2]. Iterations scale the plan; a round begins with the potentials in the log domain,
    so that nothing underflows that counts. The start is near the optimum of larger regularisations. Where mass moves
    slowly, between groups of points far apart, scalings alone would take for ever: each round ends with a step of
    Newton for the lower bound, which is taken where it raises it.
    """
    v = np.zeros(len(q))
    for warm in _warm_start(cost, epsilon):
        u = _softmin(cost - v, q, warm, axis=1)
        v = _softmin(cost - u[:, None], p, warm, axis=0)
    gap, value = np.inf, -np.inf
    for _ in range(ROUNDS):
        u = _softmin(cost - v, q, epsilon, axis=1)
        v = _softmin(cost - u[:, None], p, epsilon, axis=0)
        plan = _plan(cost, u, v, epsilon)
        a, b = np.ones(len(p)), np.ones(len(q))
        for _ in range(SCALINGS):
            a = 1 / (plan @ (b * q))
            b = 1 / ((a * p) @ plan)
        u, v = u + epsilon * np.log(a), v + epsilon * np.log(b)
        value, gap = _bounds(cost, p, q, u, v, epsilon)
        if gap <= allowed:
            return EntropicTransport(value, gap, u, v)
        u, v = _newton(cost, p, q, u, v, epsilon)
    raise _not_converged(len(p), len(q), gap, allowed)


@one_thread()
def self_transport(cost: Numbers, p: Row, epsilon: float, allowed: float) -> EntropicTransport:
    """As `entropic_transport` of a cloud to itself: one potential, found by averaged steps that converge fast."""
    u = np.zeros(len(p))
    for warm in (*_warm_start(cost, epsilon), epsilon):
        u = (u + _softmin(cost - u, p, warm, axis=1)) / 2
    gap = np.inf
    for _ in range(ROUNDS):
        u = (u + _softmin(cost - u, p, epsilon, axis=1)) / 2
        plan, a = _plan(cost, u, u, epsilon), np.ones(len(p))
        for _ in range(10):
            a = np.sqrt(a / (plan @ (a * p)))
        u = u + epsilon * np.log(a)
        value, gap = _bounds(cost, p, p, u, u, epsilon)
        if gap <= allowed:
            return EntropicTransport(value, gap, u, u)
    raise _not_converged(len(p), len(p), gap, allowed)


def _newton(cost: Numbers, p: Row, q: Row, u: Row, v: Row, epsilon: float) -> tuple[Row, Row]:
    """The potentials after a step of Newton for the lower bound, halved up to five times; unchanged if that fails."""
    plan = p[:, None] * _plan(cost, u, v, epsilon) * q
    rows, columns = plan.sum(axis=1), plan.sum(axis=0)
    if not (rows.min() > 0 and columns.min() > 0):
        return u, v
    scaled = plan / rows[:, None]
    # a constant may move from u to v: the last term keeps it where it is
    matrix = np.diag(columns) - plan.T @ scaled + np.outer(columns, columns)
    matrix[np.diag_indices(len(q))] *= 1 + 1e-13
    try:
        dv = cho_solve(cho_factor(matrix), epsilon * (q - columns - (p - rows) @ scaled))
    except np.linalg.LinAlgError:  # round-off: the scalings go on
        return u, v
    du = epsilon * (p - rows) / rows - scaled @ dv
    before = _lower_bound(cost, p, q, u, v, epsilon)
    for step in (1.0, 0.5, 0.25, 0.125, 0.0625):
        moved = u + step * du, v + step * dv
        if _lower_bound(cost, p, q, *moved, epsilon) > before:
            return moved
    return u, v


def _lower_bound(cost: Numbers, p: Row, q: Row, u: Row, v: Row, epsilon: float) -> float:
    with np.errstate(over="ignore"):  # an infinite plan is a bound of -inf
        return float(p @ u + q @ v - epsilon * (p @ _plan(cost, u, v, epsilon) @ q - 1))


def _warm_start(cost: Numbers, epsilon: float) -> list[float]:
    """Regularisations from the largest cost down to ε, which is not among them."""
    steps = int(np.log(max(float(cost.max()) / epsilon, 1.0)) / np.log(_COOLING))
    return [epsilon * _COOLING**k for k in range(steps, 0, -1)]


def _softmin(cost: Numbers, weights: Row, epsilon: float, axis: int) -> Row:
    """-ε log Σ w e^(-c/ε) along an axis."""
    shaped = weights if axis == 1 else weights[:, None]
    return -epsilon * np.asarray(logsumexp(-cost / epsilon, b=shaped, axis=axis))  # typed as a tuple too


def _plan(cost: Numbers, u: Row, v: Row, epsilon: float) -> Numbers:
    """The density exp((u + v - C)/ε) of the plan to p ⊗ q."""
    with np.errstate(under="ignore"):
        return np.exp((u[:, None] + v - cost) / epsilon)


def _bounds(cost: Numbers, p: Row, q: Row, u: Row, v: Row, epsilon: float) -> tuple[float, float]:
    """(lower bound of the optimum, distance of an upper one from it)."""
    plan = p[:, None] * _plan(cost, u, v, epsilon) * q
    lower = float(p @ u + q @ v - epsilon * (plan.sum() - 1))
    plan *= np.minimum(p / plan.sum(axis=1), 1.0)[:, None]
    plan *= np.minimum(q / plan.sum(axis=0), 1.0)
    lacking, missing = p - plan.sum(axis=1), q - plan.sum(axis=0)
    lacking, missing = np.maximum(lacking, 0.0), np.maximum(missing, 0.0)
    if missing.sum() > 0:
        plan += np.outer(lacking, missing / missing.sum())
    # ⟨P, C⟩ + ε KL(P | pq) - lower, summed by pairs: what is small is not the difference of large sums
    density = plan / (p[:, None] * q)
    with np.errstate(divide="ignore", under="ignore"):
        excess = cost - u[:, None] - v + epsilon * np.log(density)
    gap = float(np.sum(np.where(plan > 0, plan * np.where(plan > 0, excess, 0.0), 0.0)))
    gap += float(plan.sum(axis=1) @ u + plan.sum(axis=0) @ v) - lower
    return lower, abs(gap)


def _not_converged(n: int, m: int, gap: float, allowed: float) -> NotConverged:
    return NotConverged(
        f"Entropic transport between clouds of {n} and {m} points is known to {gap:.3g}, where {allowed:.3g} is asked. "
        "Small regularisation converges slowly. Raise regularisation=, or use w2, which has none.",
        residual=float(gap),
    )
