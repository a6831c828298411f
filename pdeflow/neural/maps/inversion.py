"""Inverting a convex map: batched Newton on ψ(x) - yᵀx with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..._core.shapes import Points
from ...laws.maps import Certificate, certified

if TYPE_CHECKING:
    from .convex import ConvexMap

CHUNK = 1 << 22  # numbers held at a time by the widest array of a chunk


def invert(move: ConvexMap, y: Points, tolerance: float | None = None, most: int = 100) -> tuple[Points, Certificate]:
    """(x, Certificate) with T(x) = y, (n, d) -> (n, d), in the dtype of y (numpy).

    Damped Newton with the closed-form Hessian until the residual reaches round-off (eps) or falls no more.
    `NotConverged` with residual and count where it then exceeds `tolerance` (default 64 eps: 1.4e-14 in float64,
    7.6e-6 in float32).
    """
    y = np.asarray(y)
    eps = float(np.finfo(y.dtype).eps)
    tolerance = 64 * eps if tolerance is None else tolerance
    move = move.astype(y.dtype)
    chunk = max(64, CHUNK // move.numbers_a_point())
    x, residual, rounds = np.empty_like(y), np.empty(len(y)), 0
    for start in range(0, len(y), chunk):
        part = slice(start, start + chunk)
        x[part], residual[part], used = _newton(move, y[part], eps, most)
        rounds = max(rounds, used)
    return x, certified(residual, rounds, tolerance, "Use float64, more steps, or")


def _newton(move, y, goal, most):
    size = move.scale + np.linalg.norm(y - move.center, axis=1)
    middle, slope = move.value_and_hessian(move.center[None])
    x = move.center + np.linalg.solve(slope[0], (y - middle).T).T  # the inverse of the tangent map at the centre
    at_y = y.copy()  # or the point itself, whichever is nearer
    first, second = (np.linalg.norm(move(start) - y, axis=1) for start in (x, at_y))
    x = np.where((first < second)[:, None], x, at_y).astype(y.dtype)
    best, best_residual = x.copy(), np.full(len(y), np.inf)
    open_ = np.arange(len(y))
    damping = np.ones(len(y))
    step = np.zeros_like(y)
    for count in range(most + 1):
        moved, hessian = move.value_and_hessian(x[open_])
        gap = y[open_] - moved
        residual = np.linalg.norm(gap, axis=1) / size[open_]
        old = best_residual[open_]
        better = residual < (1 - 0.25 * np.minimum(damping[open_], 1)) * old
        keep = open_[better]
        best[keep], best_residual[keep] = x[keep], residual[better]
        if better.any():
            step[keep] = np.linalg.solve(hessian[better], gap[better][:, :, None])[:, :, 0]
        damping[keep] = 1.0
        damping[open_[~better]] /= 2
        stalled = ~better & ((damping[open_] < 1e-3) | (old <= 16 * goal))
        open_ = open_[~((best_residual[open_] <= goal) | stalled)]
        if not len(open_) or count == most:
            break
        x[open_] = best[open_] + damping[open_, None].astype(y.dtype) * step[open_]
    return best, best_residual, count
