"""Transport between weighted clouds by linear programs whose optimum is certified by duality."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from .._core.errors import NotAvailable, NotConverged
from .._core.shapes import Numbers, Points, Values
from .reweighted import differences, transported

ACCEPTED = 1e-10  # duality gap over the transport cost; half of it is the relative error of W2
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class _Plan:
    """A plan as the pairs (rows, columns) that carry mass."""

    rows: np.ndarray
    columns: np.ndarray
    mass: Values


def certified_w2(x: Points, p: Values, y: Numbers, q: Numbers) -> tuple[float, float]:
    """W2 of two weighted clouds and its standard error.

    Parameters
    ----------
    x, y : (n, d), (m, d)
        The points.
    p, q : (n,), (m,)
        Positive weights, taken relative to their sums.

    Returns
    -------
    (float, float)
        The distance and the standard error about its biased mean, from the variance of the dual potentials.

    Raises
    ------
    NotAvailable
        Where the weights differ and POT is not installed.
    NotConverged
        Where no plan was found whose duality gap is below 1e-10 of its own cost, or where the squares of the distances
        leave the range of doubles.

    Notes
    -----
    Lengths are divided by a power of two, which changes no bit, and squared distances are sums of squared differences,
    so that every cost is right to round-off of its own size. For a plan P and potentials with u_i + v_j <= c_ij for all
    pairs the cost of P exceeds the optimum by at most Σ P_ij (c_ij - u_i - v_j). This gap, with what round-off can hide
    in it, is held against the cost Σ P_ij c_ij itself: against the largest c_ij it would say nothing about the
    plan of all points but an outlier. Shares below 1e-14 of both weights of a pair are round-off of the weights and are
    not transported. Clouds on the same points whose weights differ by little are compared by the exact differences of
    the weights, on the line too; differences of at most four roundings of each weight are none.
    """
    found = differences(x, p, y, q)
    if found is not None:
        known = _reweighted(found, p / p.sum(), q / q.sum())
        if known is not None:
            return known
    exponent, cost = _scaled_cost(x, y)
    p, q = p / p.sum(), q / q.sum()
    if not cost.any():
        return 0.0, 0.0
    squared, gap, why = np.inf, np.inf, {}  # why: what went wrong -> POT's result code
    attempts, best = _attempts(p, q, cost, why), None
    while (attempt := _next(attempts, best)) is not None:
        best = squared, gap, u, v = _certificate(cost, *attempt)
        if gap <= ACCEPTED * squared and _has_the_marginals(attempt[0], p, q, cost, squared):
            break
        why[f"a plan of cost {squared:.6g} had the duality gap {gap:.3g}"] = 1
    else:
        raise NotConverged(
            f"Transport between clouds of {len(x)} and {len(y)} points has no certified optimum: {'; '.join(why)} (in "
            f"squared units of 2^{exponent}). Only plans with a gap below {ACCEPTED:g} of their cost are returned. Use "
            "fewer points (n=), points that differ less in size, or equal weights and equally many points.",
            residual=float(gap),
            result_code=list(why.values())[-1],
        )
    u, v = _least_varied(cost, attempt[0], squared, p, q, u, v)
    return _in_units(squared, _variance(p, q, u, v), exponent)


def _in_units(squared, variance, exponent):
    """(W2, stderr) in units of x, from W2² and the variance of W2² in squared units of 2^exponent."""
    with np.errstate(over="ignore", under="ignore"):  # refused below
        value = float(np.ldexp(np.sqrt(squared), exponent))
    if not np.isfinite(value) or (0 < value < np.finfo(float).tiny):
        raise NotConverged(
            f"W2 is 2^{exponent} times {np.sqrt(squared):.6g}, which a double does not hold. Choose a unit of length "
            "in which the points have sizes between 1e-150 and 1e150."
        )
    if squared == 0:
        return 0.0, 0.0
    error = np.sqrt(variance)
    # the root is no line where the error of the square exceeds the square itself
    error = error / (2 * np.sqrt(squared)) if error <= squared else np.sqrt(squared + error) - np.sqrt(squared)
    return value, float(np.ldexp(error, exponent))


def _variance(p, q, u, v):
    return sum(w @ (dual - w @ dual) ** 2 * np.sum(w * w) for w, dual in ((p, u), (q, v)))


def _least_varied(cost, plan, squared, p, q, u, v):
    """Optimal potentials of smaller variance, where one point has a quarter of it: they need not be unique.

    Between groups of points that no mass connects potentials may differ by any number up to the cost of a connection,
    which says nothing about the error. Of all optimal ones those nearest to half of the cost that each point pays are
    taken: the mean of the largest ones that nowhere exceed it and of the smallest ones that nowhere are below it.
    """
    parts = np.concatenate([p * (u - p @ u) ** 2, q * (v - q @ v) ** 2])
    if len(parts) < 16 or not parts.max() > parts.sum() / 4:
        return u, v
    on_plan = cost[plan.rows, plan.columns]
    half = [
        np.bincount(at, plan.mass * on_plan, len(w)) / np.bincount(at, plan.mass, len(w)) / 2
        for at, w in ((plan.rows, p), (plan.columns, q))
    ]
    turned = _Plan(plan.columns, plan.rows, plan.mass)
    low, high = _shortest(cost, plan, on_plan, squared, half[1]), _shortest(cost.T, turned, on_plan, squared, half[0])
    middle = (low + (cost - high[:, None]).min(axis=0)) / 2
    other = (cost - middle).min(axis=1)
    slack = plan.mass @ (on_plan - other[plan.rows] - middle[plan.columns])
    better = abs(slack) <= 1e-6 * squared and _variance(p, q, other, middle) < _variance(p, q, u, v)
    return (other, middle) if better else (u, v)


def _reweighted(found, p, q):
    """(W2, stderr) of clouds on the same points whose weights differ by little; None where that has no certificate."""
    if found.moved == 0:
        return 0.0, 0.0
    pot = _pot()
    if pot is None:
        return None  # the linear program says what is missing
    exponent, cost = _scaled_cost(found.points, found.points)
    result = transported(found, cost, pot)
    if result is None or not result[1] <= ACCEPTED * result[0]:
        return None
    squared, _, potential = result
    return _in_units(squared, _variance(p, q, potential[found.rows], -potential[found.columns]), exponent)


def _scaled_cost(x: Points, y: Numbers) -> tuple[int, Numbers]:
    """(e, squared distances (n, m) in units of 2^e squared), e chosen such that the largest is about one."""
    both = np.concatenate([x, y])
    with np.errstate(under="ignore", over="ignore"):  # what is lost or leaves the range is refused below
        half_extent = np.max(both.max(axis=0) / 2 - both.min(axis=0) / 2)
        exponent = int(np.frexp(half_extent)[1])
        scaled = np.ldexp(both, -exponent)
        back = np.ldexp(scaled, exponent)
        cost = cdist(scaled[: len(x)], scaled[len(x) :], "sqeuclidean")
    lost = False
    if cost.min() < 1e-270:  # squares of differences below 1e-135 of the extent lose digits or vanish
        i, j = np.nonzero(cost < 1e-270)
        lost = np.any(x[i] != y[j])
    if lost or not np.array_equal(back, both):
        raise NotConverged(
            f"The squared distances of clouds of extent {2 * half_extent:.3g} span more than doubles hold. Points may "
            "differ in size by a factor of 1e130. Drop the far points or merge the close ones."
        )
    return exponent, cost


def _attempts(p, q, cost, why):
    """(plan, potential of the columns) from one solver after the other; what failed is noted in `why`.

    It is sent the certificate of each plan, (cost, gap, u, v), whose potentials the later attempts improve.
    """
    equal = len(p) == len(q) and np.all(p == p[0]) and np.all(q == q[0])
    pot = _pot()
    if pot is None and not equal:
        raise NotAvailable(
            "Transport between clouds of different weights or sizes in d > 1 needs POT, which is not installed. Clouds "
            "of equally many points of equal weight, dim 1 and Gaussians need nothing. Run: pip install pdeflow[ot]"
        )
    row = cost.min(axis=1)
    column = (cost - row[:, None]).min(axis=0)
    u, v, squared = row, column, max(p @ row, q @ cost.min(axis=0))
    wide = cost.max() > 1e9 * squared  # too wide for the simplex, which then spends its time on round-off
    if pot is not None and not wide:
        found = _simplex(pot, p, q, cost, u, v, np.inf, why)
        if found is not None:
            squared, _, u, v = yield found
    if equal:
        reduced = cost
        for _ in range(2):  # once more on the reduced costs, where round-off had hidden the optimum
            rows, columns = linear_sum_assignment(reduced)
            squared, _, u, v = yield _Plan(rows, columns, p), np.zeros(len(p))
            reduced = cost - u[:, None] - v
    if pot is not None:
        # costs far above those of the plan cost the simplex its digits and are seldom paid: they are capped. Where one
        # is paid after all, the certificate, which knows the true costs, refuses the plan.
        for factor in (1e2, 1e4, 1e7, 1e1, 1e3, *([np.inf] if wide else [])):
            found = _simplex(pot, p, q, cost, u, v, factor * squared, why)
            if found is not None:
                squared, _, u, v = yield found


def _next(attempts, best):
    """The next attempt, told the certificate of the last one, or None where there is none left."""
    try:
        return attempts.send(best)
    except StopIteration:
        return None


def _pot():
    """The package POT, or None where it is not installed."""
    try:
        import ot
    except ImportError:
        return None
    return ot


def _simplex(pot, p, q, cost, u, v, cap, why):
    """POT's network simplex on the reduced costs c - u - v up to a cap, scaled to about one; None where it failed."""
    reduced = cost - u[:, None]
    reduced -= v
    np.clip(reduced, 0.0, cap, out=reduced)
    size = float(p @ reduced @ q) or 1.0
    reduced /= size
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mass, log = pot.emd(p, q, reduced, numItermax=10_000_000, log=True)
    if log["result_code"] != 1 or log["warning"] is not None:
        said = log["warning"] or "; ".join(str(w.message) for w in caught)
        why[f"POT ended with result code {log['result_code']} ({said}), where only code 1 is an optimum"] = int(
            log["result_code"]
        )
        return None
    # weights are known to round-off: what that makes of two equal ones is no mass to be moved, however far
    rows, columns = np.nonzero(mass)
    moved = mass[rows, columns]
    real = moved > 1e-14 * np.minimum(p[rows], q[columns])
    return _Plan(rows[real], columns[real], moved[real]), v + log["v"] * size


def _certificate(cost: Numbers, plan: _Plan, potential: Numbers) -> tuple[float, float, Numbers, Numbers]:
    """(cost of the plan, bound of its excess over the optimum, u (n,), v (m,)) with u_i + v_j <= c_ij.

    The potentials are first those given. Where their gap is too large they are replaced by shortest distances in the
    residual graph of the plan from all columns at once: these are at most of the size of the plan's own costs, whatever
    the other costs are, so that round-off in them is small against the cost of the plan.
    """
    on_plan = cost[plan.rows, plan.columns]
    squared = float(plan.mass @ on_plan)
    best: tuple[float, Numbers, Numbers] = (np.inf, potential, potential)
    for start in (lambda: potential, lambda: _shortest(cost, plan, on_plan, squared)):
        v = start()
        u = (cost - v).min(axis=1)
        v = (cost - u[:, None]).min(axis=0)
        slack = on_plan - u[plan.rows] - v[plan.columns]
        size = on_plan + np.abs(u[plan.rows]) + np.abs(v[plan.columns])
        # the slacks on the plan, and what round-off of 4 EPS can hide in them and in the minima of which u and v are
        gap = float(plan.mass @ (np.maximum(slack, 0.0) + 8 * EPS * size))
        if gap < best[0] or not np.isfinite(best[0]):
            best = gap, u, v
        if gap <= ACCEPTED * squared:
            break
    return squared, *best


def _shortest(cost, plan, on_plan, squared, start: np.ndarray | float = 0.0):
    """Shortest distances (m,) to the columns in the residual graph of the plan, from all columns at distances (m,).

    A row moves mass from a column of the plan to any other: the edge has the difference of the two costs. A plan that
    is not optimal has a cycle of negative length; then the distances of the last sweep are returned.
    """
    rows, columns = plan.rows, plan.columns
    tolerance = 1e-12 * squared
    v = np.zeros(cost.shape[1]) + start
    u = np.full(cost.shape[0], -np.inf)
    np.maximum.at(u, rows, on_plan - v[columns])
    moved = np.arange(cost.shape[0])
    lowest = v.min() - 1.01 * on_plan.sum()  # no path without a cycle is shorter
    for _ in range(len(cost) + 2):
        nearer = (cost[moved] - u[moved][:, None]).min(axis=0)
        closer = nearer < v - tolerance
        if not closer.any() or v.min() < lowest:
            break
        v[closer] = nearer[closer]
        touched = np.flatnonzero(closer[columns])
        before = u.copy()
        np.maximum.at(u, rows[touched], on_plan[touched] - v[columns[touched]])
        moved = np.flatnonzero(u > before)
        if not len(moved):
            break
    return v


def _has_the_marginals(plan, p, q, cost, squared):
    """Whether the plan moves all mass from p to q, each to 1e-9 of itself or of no weight in the cost."""
    for given, which, axis in ((p, plan.rows, 1), (q, plan.columns, 0)):
        lacking = np.abs(np.bincount(which, plan.mass, len(given)) - given)
        if np.any((lacking > 1e-9 * given) & (lacking * cost.max(axis=axis) > 1e-11 * squared)):
            return False
    return True
