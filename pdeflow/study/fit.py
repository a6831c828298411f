"""The fit of error = a h^p + floor: which points count, where they level off, and the straightest line through them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares
from scipy.special import chdtri, fdtri, stdtrit

from .._core.errors import BadInput
from .._core.shapes import Values
from .._core.validate import numbers
from ..metrics.metric import FloorAdds
from .evidence import Series, centre

ROUND_OFF = 1e-12  # of the scale; errors that are all below it say "exact": what sums of 1e3 to 1e4 terms lose


@dataclass(frozen=True)
class Line:
    """error = a h^p as a line through log error over log h; NaN where there are too few points.

    Parameters
    ----------
    slope : float
        The order p.
    lower, upper : float
        The ends of its 95 % interval; it needs 3 points.
    constant : float
        a of a h^p.
    """

    slope: float = float("nan")
    lower: float = float("nan")
    upper: float = float("nan")
    constant: float = float("nan")

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, eq=False)
class Sweep:
    """The errors of a sweep, checked; an unknown floor is zero and `unknown_floor`.

    scale : the size of what the errors compare; None where nothing is said of it, NaN where it could not be found.
    stderr : the standard error of each error, 0 where nothing is known of it.
    """

    h: Values
    error: Values
    floor: Values
    truth_error: Values
    floor_adds: FloorAdds
    measured: bool
    unknown_floor: bool
    scale: float | None
    stderr: Values

    @cached_property
    def known_scale(self) -> bool:
        return self.scale is not None and bool(np.isfinite(self.scale))

    @cached_property
    def round_off(self) -> float:
        """The size of round-off; without a scale it is that of numbers of size one."""
        return round_off(self.scale) if self.scale is not None and self.known_scale else ROUND_OFF

    @cached_property
    def at_round_off(self) -> bool:
        """Whether there are errors, and all of them are at round-off."""
        return bool(self.finite.any() and np.all(self.error[self.finite] <= self.round_off))

    @cached_property
    def log_h(self) -> Values:
        return np.log(self.h)

    @cached_property
    def finite(self) -> np.ndarray:
        """Which errors are numbers."""
        return np.isfinite(self.error)

    @cached_property
    def coarse_first(self) -> np.ndarray:
        """The indices from the coarsest step to the finest."""
        return np.argsort(-self.h)

    @cached_property
    def truth(self) -> float:
        """The largest error of the truth at a point in use; NaN stays NaN."""
        return float(np.max(self.truth_error[self.finite], initial=0.0))

    @cached_property
    def excess(self) -> Values:
        return self.without(self.error, self.floor)

    def without(self, error: Values, floor: Values | float) -> Values:
        """What is left of the error without its floor; NaN where the error is below it."""
        if self.floor_adds == "sum":
            return error - floor
        finite = np.where(np.isfinite(error), error, np.nan)
        return np.sqrt(np.where(finite >= floor, (finite - floor) * (finite + floor), np.nan))

    def joined(self, floor: Any, level: float) -> Any:
        """A floor and a level above it as one."""
        return floor + level if self.floor_adds == "sum" else np.hypot(floor, level)


def round_off(scale: float) -> float:
    """What round-off makes of numbers of this size; 0 for a size that is not known."""
    return ROUND_OFF * scale if np.isfinite(scale) else 0.0


@dataclass(frozen=True, eq=False)
class Fit:
    """The points in the fit, the straight line through them, the level of a plateau (0.0 for none), and the series.

    series : the points in the fit with their noise, without the plateau; None for fewer than 3.
    """

    mask: np.ndarray
    line: Line = field(default_factory=Line)
    level: float = 0.0
    series: Series | None = None


def fitted(sweep: Sweep) -> tuple[Fit, list[str]]:
    """The points above floor and plateau with the straightest line through them, and notes on those set aside.

    A point with noise counts however near it is to its floor: to choose by its value would bend what is left.
    """
    error, floor, notes = sweep.error, sweep.floor, []
    above = (error > 3 * floor) & (error > (0 if sweep.at_round_off else sweep.round_off))
    mask = sweep.finite & (above | (sweep.stderr > sweep.round_off))
    aside = sweep.finite & ~mask
    if aside.any():
        notes.append(
            f"{aside.sum()} point(s) within 3 times the floor {floor[aside].max():.3g} or at round-off set aside"
        )
    seen = sweep.coarse_first[mask[sweep.coarse_first]]
    level = plateau(sweep.log_h[seen], sweep.excess[seen]) if np.all(sweep.excess[seen] > 0) else 0.0
    if level > 0 and not _out_of_model(_series(sweep, mask)):
        level = 0.0
    if level > 0:
        base = sweep.joined(floor, level)
        levelled = mask & (error <= 3 * base)
        about = np.flatnonzero(levelled) if levelled.any() else seen[-1:]  # the points that the note speaks of
        above = f", above the measured floor {floor[sweep.coarse_first[-1]]:.3g}" if sweep.measured else ""
        notes.append(f"errors level off at {base[about].min():.3g} from h = {sweep.h[about].max():.3g} down{above}")
        mask &= ~levelled
    log_h, excess = sweep.log_h[mask], sweep.excess[mask]
    left = [sweep.without(excess, level)]
    if level > 0 and mask.sum() >= 3:
        # A plateau seen in the data may combine with a h^p as the metric says, add to it, or cut it off:
        # the straightest line tells which.
        left += [excess - level, excess]
    with np.errstate(invalid="ignore", divide="ignore"):
        lines = [_line(log_h, np.log(values)) for values in left]
    best = min(range(len(lines)), key=lambda i: lines[i].half_width)
    series = (
        _series(sweep, mask)
        if level == 0
        else Series(sweep.h[mask], left[best], sweep.stderr[mask] * error[mask] / left[best], 0 * excess)
    )
    return Fit(mask, lines[best], level, series if mask.sum() >= 3 else None), notes


def _series(sweep: Sweep, mask: np.ndarray) -> Series:
    """The points of the mask; a floor of points without noise is taken out as it is."""
    if np.any(sweep.stderr[mask] > 0):
        return Series(sweep.h[mask], sweep.error[mask], sweep.stderr[mask], sweep.floor[mask], sweep.floor_adds)
    return Series(sweep.h[mask], sweep.excess[mask], sweep.stderr[mask], 0 * sweep.floor[mask])


def _out_of_model(series: Series) -> bool:
    """Whether no order describes the points, with all that the model allows for; once in a thousand by chance."""
    freedom = len(series.h) - 2
    return bool(centre(series).misfit > chdtri(freedom, 1e-3))


def plateau(log_h: Values, error: Values) -> float:
    """The level c > 0 at which errors, given from coarse to fine, stop falling; 0.0 where they do not.

    The level is never above the smallest error. Two signs are accepted. A flat tail: at least 3 points within a factor
    2, where the order seen on the coarser ones would have gained a factor 4. A bend: a h^p + c describes all points
    better than a h^p (F test at 95 %), and the last two local orders are below 0.65 and 0.4 of the largest, and below
    0.5 and 0.25, so that a scheme of order 4 whose error turns first order shows no bend. Before the bend, the errors
    must have halved. Errors that rise again (twofold) at the fine end are not a plateau.
    """
    n = len(error)
    if n < 4 or error[-1] > 2 * error.min():
        return 0.0  # too few to tell, or rising again
    log_e = np.log(error)
    local = np.diff(log_e) / np.diff(log_h)
    tail = _flat_tail(log_h, log_e, local)
    fit = _bend(log_h, log_e, local)
    if tail:
        # The bend's asymptote where it describes the data to 1 %, else the mean of the flat points themselves.
        level = np.exp(log_e[-3:].mean())
        if fit is not None and fit[2] <= n * 1e-4 and fit[0] <= np.exp(log_e[-tail:].mean()):
            level = fit[0]
        return float(min(level, error.min()))
    if fit is None or n < 5:
        return 0.0
    level, power, squares, straight = fit
    better = (straight - squares) > fdtri(1, n - 3, 0.95) * max(squares, 1e-24) / (
        n - 3
    )  # squares of logarithms: no unit
    # Near a plateau the local order is p (1 - c/e). A change from order p to p/2 stays above these bounds.
    bent = power > 0 and local[-1] < min(0.25, 0.4 * local.max()) and local[-2] < min(0.5, 0.65 * local.max())
    return float(min(level, error.min())) if better and bent and error[0] >= 2 * level else 0.0


def _flat_tail(log_h, log_e, local) -> int:
    """Number of points in the flat tail, 0 if there is none."""
    found = 0
    for k in range(3, len(log_e)):
        # the mean rate: one noisy local order decides nothing
        coarse = (log_e[0] - log_e[-k]) / (log_h[0] - log_h[-k])
        flat = np.ptp(log_e[-k:]) <= np.log(2)
        fell = log_e[: len(log_e) - k].max() - log_e[-k:].mean() >= np.log(2)
        if flat and fell and coarse * (log_h[-k] - log_h[-1]) >= np.log(4):
            found = k
    return found


def _bend(log_h, log_e, local) -> tuple[float, float, float, float] | None:
    """Level, power and sum of squares of log(a h^p + c), and the sum of squares of the line; None without a fit."""
    rate = local.max()
    if rate <= 0:
        return None

    def residual(parameters):
        intercept, power, log_c = parameters
        return np.logaddexp(intercept + power * log_h, log_c) - log_e

    start = (log_e[0] - rate * log_h[0], rate, log_e.min() - 0.1)
    with np.errstate(all="ignore"):  # a trial far off may overflow; what comes out is checked
        fit = least_squares(residual, start, x_scale="jac", max_nfev=200)
    if not fit.success or not np.isfinite(fit.x).all():
        return None
    line = np.polynomial.Polynomial.fit(log_h, log_e, 1)(log_h)
    level = np.exp(min(fit.x[2], log_e.max()))
    return level, fit.x[1], 2 * fit.cost, np.sum((line - log_e) ** 2)


def _line(x: Values, y: Values) -> Line:
    """The least-squares line through (x, y) = (log h, log error)."""
    n = len(x)
    if n < 2:
        return Line()
    dx = x - x.mean()
    slope = np.sum(dx * (y - y.mean())) / np.sum(dx * dx)
    intercept = y.mean() - slope * x.mean()
    with np.errstate(over="ignore"):
        constant = np.exp(intercept)
    if n < 3:
        return Line(float(slope), constant=float(constant))
    spread = np.sqrt(np.sum((y - intercept - slope * x) ** 2) / (n - 2) / np.sum(dx * dx))
    half = stdtrit(n - 2, 0.975) * spread
    return Line(float(slope), float(slope - half), float(slope + half), float(constant))


def local_orders(sweep: Sweep) -> np.ndarray:
    log_h, error = sweep.log_h[sweep.coarse_first], sweep.error[sweep.coarse_first]
    good = np.isfinite(error) & (error > 0)
    log_error = np.log(np.where(good, error, 1.0))
    both = good[1:] & good[:-1]
    return np.where(both, np.diff(log_error) / np.diff(log_h), np.nan)


def checked_sweep(h, error, floor, truth_error, measured, floor_adds, scale, stderr: ArrayLike) -> Sweep:
    h, error = vector(h, "h"), vector(error, "error")
    if h.ndim != 1 or h.shape != error.shape:
        raise BadInput(f"h has shape {h.shape}, error {error.shape}. Both must be (n,). Pass one error per step size.")
    if not np.all(np.isfinite(h) & (h > 0)):
        raise BadInput(f"h is {h.tolist()}. Each h must be finite and > 0. Correct or drop the others.")
    if np.any(np.diff(np.sort(h)) <= 1e-9 * np.sort(h)[1:]):
        raise BadInput(f"h is {h.tolist()}, with duplicates. Each h may occur once. Average over seeds first.")
    if np.any(error < 0):
        raise BadInput(f"error is {error.tolist()}. Errors are distances and must be >= 0. Pass their absolute values.")
    floor, truth_error = per_point(floor, h.shape, "floor"), per_point(truth_error, h.shape, "truth_error")
    if floor_adds not in ("sum", "squares"):
        raise BadInput(f"floor_adds is {floor_adds!r}. It must be 'sum' or 'squares'. Pass one of the two.")
    unknown = bool(np.isnan(floor[np.isfinite(error)]).any())
    known_floor = np.where(np.isnan(floor), 0.0, floor)
    stderr = np.nan_to_num(per_point(stderr, h.shape, "stderr"))
    adds = cast(FloorAdds, floor_adds)
    return Sweep(h, error, known_floor, truth_error, adds, measured and not unknown, unknown, scale, stderr)


def vector(values, name) -> np.ndarray:
    return np.atleast_1d(numbers(values, name))


def per_point(value, shape, name) -> np.ndarray:
    array = vector(value, name)
    if np.ndim(value) and array.shape != shape:
        raise BadInput(
            f"{name} has shape {array.shape}. It must be a number or one number per step size, {shape}. Match it."
        )
    if np.any(array < 0) or np.any(np.isinf(array)):
        raise BadInput(f"{name} is {array.tolist()}. It must be finite and >= 0, or NaN for unknown. Correct it.")
    return np.broadcast_to(array, shape).astype(float)
