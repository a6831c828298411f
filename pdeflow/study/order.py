"""fit_order: an observed order of convergence with its interval, its floor and an honest verdict."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from .._core.errors import BadInput
from .._core.validate import numbers, positive, real
from .plateau import plateau

ROUND_OFF = 1e-12  # errors that are all below this say "exact": what sums of 1e3 to 1e4 terms of size one lose
WIDEST = 0.25  # orders of schemes lie half an order apart: two of them are told apart if each half-width is below half of that

UNKNOWN_TRUTH = (
    "the error of the truth is unknown in this metric: use pf.finer(method, dt), or stats['error'] in this metric"
)


@dataclass(frozen=True, eq=False)
class Order:
    """What `fit_order` found.

    slope, lower, upper : fitted order and its 95 % t-interval; NaN where fewer than 2 (3) points are left.
    local : (n - 1,) local orders log(e_i/e_{i+1}) / log(h_i/h_{i+1}) of the raw errors from coarse to fine, NaN where undefined.
    used : number of points in the fit. mask : (n,) which ones, in the order given. floor : what was subtracted, at the finest h.
    constant : a of a h^p + floor. verdict : pass, fail, inconclusive, exact or measured. why : the reason in words.
    """

    slope: float
    lower: float
    upper: float
    local: np.ndarray
    used: int
    floor: float
    verdict: str
    why: str
    mask: np.ndarray = field(repr=False)
    constant: float = float("nan")
    expected: float | None = None
    tolerance: float = 0.1

    def __str__(self):
        claimed = "" if self.expected is None else f", expected {self.expected:g} ± {self.tolerance:g}"
        return (
            f"order {self.slope:.3f} [{self.lower:.3f}, {self.upper:.3f}] from {self.used} of {len(self.mask)} points, "
            f"floor {self.floor:.2g}{claimed}: {self.verdict} ({self.why})"
        )


def fit_order(h, error, *, floor=0.0, truth_error=0.0, expected=None, tolerance=0.1, floor_adds="sum") -> Order:
    """Fit error = a h^p + floor and judge p.

    h : (n,) positive, distinct, in any order. error : (n,) >= 0; NaN and inf are dropped, named, and never end as `pass`.
    floor : number or (n,), what is left at h = 0, measured apart; it is subtracted, and points with error <= 3 floor are set
    aside. NaN: unknown. truth_error : number or (n,), the error of the truth itself; NaN: unknown.
    The order is the slope of log(error - floor) on log h with its 95 % t-interval.
    floor_adds : "sum" as above, or "squares" for error² = (a h^p)² + floor². That is how parts of an L2 distance combine which
    do not point the same way, such as sampling noise, or oscillation on a grid, and a smooth error in time: with the sum a
    perfect first-order scheme seen in W2 through a floor of a fifth of its finest error reads 1.10. A floor and a plateau above it
    combine in the same way.

    A plateau at the fine end that `floor` does not explain becomes part of the reported floor, and its points are set
    aside too; its level never exceeds an error it describes. With no floor given that is an observation; above a floor that was
    given (> 0) it is a `fail`: the errors go to another limit. With an unknown floor it is `inconclusive`.

    Verdicts. exact: all errors at round-off (1e-12) or zero, and so is truth_error. inconclusive: fewer than 3 points left; truth_error above a
    tenth of the smallest error used, or unknown; the half-width above 1/4 (or above `tolerance`, if that is larger), or the slope
    off while the interval covers `expected`. pass: |slope - expected| <= tolerance, and the interval covers `expected` or lies
    within the tolerance. fail: else, and whenever the slope is not positive. expected=None: measured.

    Raises `BadInput` for duplicate or non-positive h, negative errors or floors, shapes that do not match, and what is no number.
    """
    floors = _per_point(floor, np.atleast_1d(numbers(h, "h")).shape, "floor")
    return judge(
        h, error, floor=floors, truth_error=truth_error, expected=expected, tolerance=tolerance,
        measured=bool(np.any(floors > 0)), floor_adds=floor_adds,
    )  # fmt: skip


def judge(h, error, *, floor, truth_error, expected, tolerance, measured, floor_adds="sum") -> Order:
    """`fit_order` with the knowledge whether `floor` was measured: a measured floor of zero excuses no plateau either."""
    h, error, floor, truth_error = _checked(h, error, floor, truth_error)
    if floor_adds not in ("sum", "squares"):
        raise BadInput(f"floor_adds is {floor_adds!r}. It must be 'sum' or 'squares'. Choose one.")
    if expected is not None:
        expected = real(expected, "expected")
        if np.isnan(expected):
            raise BadInput("expected is nan. It must be a number, inf for exact, or None. Pass the order claimed.")
    tolerance = positive(tolerance, "tolerance")
    coarse_first = np.argsort(-h)
    log_h = np.log(h)
    finite = np.isfinite(error)
    notes = []
    if not finite.all():
        notes.append(
            "dropped: " + ", ".join(f"error {error[i]:g} at h = {h[i]:.6g}" for i in coarse_first if not finite[i])
        )
    unknown_floor = bool(np.isnan(floor[finite]).any())
    measured = measured and not unknown_floor
    floor = np.where(np.isnan(floor), 0.0, floor)
    excess = _excess(error, floor, floor_adds)
    combine = np.add if floor_adds == "sum" else np.hypot

    def verdict(word, why, mask, slope=np.nan, half=np.nan, constant=np.nan, level=0.0):
        finest = coarse_first[-1] if len(h) else None
        left = np.nan if finest is None or (unknown_floor and level == 0) else combine(floor[finest], level)
        if level > 0 and finite[finest]:  # the finest point may lie below the points that level off
            left = max(floor[finest], min(left, error[finest]))
        return Order(
            float(slope), float(slope - half), float(slope + half), _local(log_h, error, coarse_first), mask.sum(),
            float(left), word, "; ".join([why, *notes]), mask, float(constant), expected, float(tolerance),
        )  # fmt: skip

    nothing = np.zeros(len(h), dtype=bool)
    truth = np.max(truth_error[finite], initial=0.0)  # NaN stays NaN
    if finite.any() and np.all(error[finite] <= ROUND_OFF):
        if not truth <= ROUND_OFF:
            return verdict(
                "inconclusive", f"the errors are at round-off, the truth's own error is {truth:.3g}", nothing
            )
        if finite.all():
            return verdict("exact", f"all {len(h)} errors are at round-off (<= {ROUND_OFF:g})", nothing)
        return verdict("inconclusive", "the errors that are numbers are at round-off", nothing)

    mask = finite & (error > 3 * floor) & (error > ROUND_OFF)
    if (finite & ~mask).any():
        aside = finite & ~mask
        notes.append(
            f"{aside.sum()} point(s) within 3 times the floor {floor[aside].max():.3g} or at round-off set aside"
        )
    seen = _pick(mask, coarse_first)
    level = plateau(log_h[seen], excess[seen])
    if level > 0:
        base = combine(floor, level)
        levelled = mask & (error <= 3 * base)
        about = np.flatnonzero(levelled) if levelled.any() else seen[-1:]  # the points that the note speaks of
        notes.append(
            f"errors level off at {base[about].min():.3g} from h = {h[about].max():.3g} down"
            + ("" if not measured else f", above the measured floor {floor[coarse_first[-1]]:.3g}")
        )
        mask &= ~levelled
    lines = [_line(log_h[mask], np.log(_excess(excess[mask], level, floor_adds)))]
    if level > 0 and mask.sum() >= 3:
        # A plateau seen in the data may combine with a h^p as the metric says, add to it, or cut it off: the straightest line tells.
        lines += [_line(log_h[mask], np.log(excess[mask] - level)), _line(log_h[mask], np.log(excess[mask]))]
    slope, half, constant = min(lines, key=lambda line: line[1])
    found = {"mask": mask, "slope": slope, "half": half, "constant": constant, "level": level}

    if np.isnan(truth):
        return verdict("inconclusive", UNKNOWN_TRUTH, **found)
    smallest = np.min(error[mask]) if mask.any() else np.inf
    if level > 0 and (measured or unknown_floor):
        smallest = min(smallest, level)
    if truth > smallest / 10:
        return verdict(
            "inconclusive",
            f"the truth's own error {truth:.3g} is above a tenth of the smallest error used, {smallest:.3g}: take a finer truth",
            **found,
        )
    if level > 0 and measured and expected is not None:
        return verdict("fail", "the errors do not go down to the measured floor", **found)
    if level > 0 and unknown_floor:
        return verdict("inconclusive", "the floor is unknown, so the plateau may be the method's or a bug's", **found)
    if mask.sum() < 3:
        return verdict("inconclusive", f"{mask.sum()} point(s) left, 3 are needed", **found)
    if expected is None:
        return verdict("measured", "no order was expected", **found)
    word, why = _decide(slope, half, expected, tolerance)
    if word == "pass" and not finite.all():
        word, why = "inconclusive", why + ", but not every error is a number"
    return verdict(word, why, **found)


def _excess(error, floor, floor_adds):
    """What is left of the error without its floor; NaN where the error is below it."""
    if floor_adds == "sum":
        return error - floor
    finite = np.where(np.isfinite(error), error, np.nan)
    return np.sqrt(np.where(finite >= floor, (finite - floor) * (finite + floor), np.nan))


def _decide(slope, half, expected, tolerance):
    off = abs(slope - expected)
    covers = off <= half
    within = off + half <= tolerance
    if expected > 0 and slope <= 0:
        return "fail", "the errors do not fall with h"
    if off > tolerance and not covers:
        return "fail", f"the order is {slope:.3g}, not {expected:g} within {tolerance:g}"
    if off > tolerance or half > max(WIDEST, tolerance):
        return "inconclusive", f"the interval ± {half:.2g} is too wide to decide: more levels or seeds are needed"
    if covers or within:
        return "pass", f"the order is {expected:g} within {tolerance:g}"
    return "fail", f"the interval [{slope - half:.3g}, {slope + half:.3g}] excludes {expected:g}"


def _line(x, y):
    """Slope, half-width of its 95 % interval, and exp(intercept) of the least-squares line."""
    n = len(x)
    if n < 2:
        return np.nan, np.nan, np.nan
    dx = x - x.mean()
    slope = np.sum(dx * (y - y.mean())) / np.sum(dx * dx)
    intercept = y.mean() - slope * x.mean()
    with np.errstate(over="ignore"):
        constant = np.exp(intercept)
    if n < 3:
        return slope, np.nan, constant
    spread = np.sqrt(np.sum((y - intercept - slope * x) ** 2) / (n - 2) / np.sum(dx * dx))
    return slope, stdtrit(n - 2, 0.975) * spread, constant


def _local(log_h, error, order):
    log_h, error = log_h[order], error[order]
    good = np.isfinite(error) & (error > 0)
    log_error = np.log(np.where(good, error, 1.0))
    both = good[1:] & good[:-1]
    return np.where(both, np.diff(log_error) / np.diff(log_h), np.nan)


def _pick(mask, order):
    return order[mask[order]]


def _checked(h, error, floor, truth_error):
    h, error = np.atleast_1d(numbers(h, "h")), np.atleast_1d(numbers(error, "error"))
    if h.ndim != 1 or h.shape != error.shape:
        raise BadInput(f"h has shape {h.shape}, error {error.shape}. Both must be (n,). Give one error a step.")
    if not np.all(np.isfinite(h) & (h > 0)):
        raise BadInput(f"h is {h.tolist()}. Each h must be finite and > 0. Drop or mend the others.")
    if np.any(np.diff(np.sort(h)) <= 1e-9 * np.sort(h)[1:]):
        raise BadInput(f"h is {h.tolist()}, with duplicates. Each h may occur once. Average over seeds first.")
    if np.any(error < 0):
        raise BadInput(f"error is {error.tolist()}. Errors are distances and must be >= 0. Pass their absolute values.")
    return h, error, _per_point(floor, h.shape, "floor"), _per_point(truth_error, h.shape, "truth_error")


def _per_point(value, shape, name):
    array = np.atleast_1d(numbers(value, name))
    if np.ndim(value) and array.shape != shape:
        raise BadInput(f"{name} has shape {array.shape}. It must be a number or one a step, {shape}. Match it.")
    if np.any(array < 0) or np.any(np.isinf(array)):
        raise BadInput(f"{name} is {array.tolist()}. It must be finite and >= 0, or NaN for unknown. Mend it.")
    return np.broadcast_to(array, shape).astype(float)
