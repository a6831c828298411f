"""What is said beside a verdict: how local orders move, what levels off, what was dropped."""

import numpy as np

from .._core.shapes import Values
from .fit import Fit, Sweep

RISING = -0.25  # a last local order below which errors rise again and do not level off
NOISY = 0.1  # of an error: a standard error above which local orders fall by chance


def approach(sweep: Sweep, fit: Fit, word: str, expected: float | None, tolerance: float) -> list[str]:
    """The note that local orders are still on their way to the order claimed."""
    if word not in ("pass", "inconclusive") or expected is None or not np.isfinite(expected):
        return []
    local = _local_orders_used(sweep, fit)
    if local is None:
        return []
    off = np.abs(local - expected)
    one_side = np.all(local < expected) or np.all(local > expected)
    if not one_side or off[0] <= tolerance or np.any(np.diff(off) >= 0):
        return []
    return [f"still pre-asymptotic: local orders {', '.join(f'{one:.2f}' for one in local)} approach {expected:g}"]


def _local_orders_used(sweep: Sweep, fit: Fit) -> Values | None:
    """The local orders of the points in the fit, above their floor, from coarse to fine; None for fewer than 4."""
    used = sweep.coarse_first[fit.mask[sweep.coarse_first]]
    excess = sweep.excess[used]
    if len(used) < 4 or not np.all(excess > 0):
        return None
    return np.diff(np.log(excess)) / np.diff(sweep.log_h[used])


def levelling(sweep: Sweep, fit: Fit, expected: float | None) -> Values | None:
    """The local orders of points that begin to level off: each below the last, at the end below 1/2 and half of all.

    Half of the first and of the order expected; a scheme of order 4 whose error turns first order does not level off.
    """
    local = _local_orders_used(sweep, fit)
    if local is None or np.any(np.diff(local) >= 0) or local[-1] < RISING:
        return None
    if np.any(sweep.stderr[fit.mask] > NOISY * sweep.error[fit.mask]):
        return None
    usual = local[0] if expected is None or not np.isfinite(expected) else min(local[0], expected)
    return local if local[-1] < min(usual, 1.0) / 2 else None


def left_fixed(sweep: Sweep, fit: Fit, expected: float | None) -> list[str]:
    """The notes on errors that level off, or begin to, with what to look for."""
    local, notes = levelling(sweep, fit, expected), []
    if fit.level == 0:
        if local is None:
            return []
        orders = ", ".join(f"{one:.2f}" for one in local)
        notes = [f"local orders {orders} fall: the errors begin to level off near {np.min(sweep.error[fit.mask]):.3g}"]
    return [
        *notes,
        "another error dominates there, which finer levels do not lower: refine what the sweep leaves fixed (cells, "
        f"particles, an inner tolerance, the truth, whose own error is {_known(sweep.truth)}), or sweep both; or it is "
        "round-off",
    ]


def too_few(fit: Fit) -> str:
    """What to do where fewer than three points are left."""
    count = int(fit.mask.sum())
    if fit.level > 0:
        return f"{count} point(s) left above where the errors level off, 3 are needed: take coarser levels"
    return (
        f"{count} point(s) left, 3 are needed: take coarser or more levels, and several seeds of a random method, "
        "whose spread tells how much a point near its floor says"
    )


def needed_to_decide(sweep: Sweep, fit: Fit, expected: float | None) -> str:
    """What would make an interval narrower."""
    if fit.level > 0 or levelling(sweep, fit, expected) is not None:
        return "coarser levels, or less of what dominates at the fine ones,"
    return "more levels or seeds"


def _known(number: float) -> str:
    return "not known" if np.isnan(number) else f"{number:.3g}"


def unmoved(sweep: Sweep) -> list[str]:
    """The note that the levels of the sweep make no difference."""
    error = sweep.error[sweep.finite]
    if len(error) < 2 or np.ptp(error) > 1e-9 * error.max():
        return []
    return [f"what is swept changes nothing: the error is {error[0]:.3g} at every level"]


def dropped(sweep: Sweep) -> list[str]:
    """The note that names the errors which are NaN or infinite."""
    if sweep.finite.all():
        return []
    odd = (i for i in sweep.coarse_first if not sweep.finite[i])
    return ["dropped: " + ", ".join(f"error {sweep.error[i]:g} at h = {sweep.h[i]:.6g}" for i in odd)]
