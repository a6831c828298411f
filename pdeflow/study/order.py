"""fit_order: an observed order of convergence with its interval, its floor and an honest verdict."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.validate import flag, known_arguments, positive, real
from .._core.value import Value
from ..metrics.metric import FloorAdds
from .evidence import centre, interval, odds, words
from .fit import Fit, Line, Sweep, checked_sweep, fitted, local_orders, per_point, vector
from .notes import approach, dropped, left_fixed, needed_to_decide, too_few, unmoved

WIDEST = 0.25  # orders of schemes lie half an order apart: half-widths below half of that tell two of them apart
NOTHING_EXPECTED = "no order was expected"
UNKNOWN_TRUTH = (
    "the error of the truth is unknown in this metric: use pf.finer(method, dt), or stats['error'] in this metric"
)


@dataclass(frozen=True, eq=False)
class Order(Value):
    """What `fit_order` found.

    Parameters
    ----------
    line : Line
        The fitted line; `slope`, `lower`, `upper` and `constant` are read from it.
    local : (n - 1,) array
        Local orders log(e_i/e_{i+1}) / log(h_i/h_{i+1}) of the raw errors from coarse to fine, NaN where undefined.
    mask : (n,) array of bool
        The points in the fit, in the order in which they were given.
    floor : float
        What was subtracted, at the finest h.
    verdict : str
        pass, fail, inconclusive, exact or measured.
    why : str
        The reason in words.
    expected : float or None
        The order that was claimed.
    tolerance : float
        How far the slope may lie from it.
    at_least : bool
        Whether larger orders were claimed too.

    Attributes
    ----------
    slope, lower, upper : float
        The fitted order and the ends of its 95 % interval; NaN where fewer than 2 (3) points are left.
    constant : float
        a of a h^p + floor.
    used : int
        Number of points in the fit.
    """

    line: Line
    local: np.ndarray
    mask: np.ndarray = field(repr=False)
    floor: float
    verdict: str
    why: str
    expected: float | None = None
    tolerance: float = 0.1
    at_least: bool = False

    @property
    def slope(self) -> float:
        return self.line.slope

    @property
    def lower(self) -> float:
        return self.line.lower

    @property
    def upper(self) -> float:
        return self.line.upper

    @property
    def constant(self) -> float:
        return self.line.constant

    @property
    def used(self) -> int:
        return int(self.mask.sum())

    def __str__(self):
        least = "at least " if self.at_least else ""
        claimed = "" if self.expected is None else f", expected {least}{self.expected:g} ± {self.tolerance:g}"
        return (
            f"order {self.slope:.3f} [{self.lower:.3f}, {self.upper:.3f}] from {self.used} of {len(self.mask)} points, "
            f"floor {self.floor:.2g}{claimed}: {self.verdict} ({self.why})"
        )


@known_arguments
def fit_order(
    h: ArrayLike,
    error: ArrayLike,
    *,
    floor: ArrayLike = 0.0,
    truth_error: ArrayLike = 0.0,
    stderr: ArrayLike = 0.0,
    expected: float | None = None,
    tolerance: float = 0.1,
    floor_adds: FloorAdds = "sum",
    scale: float | None = None,
    at_least: bool = False,
) -> Order:
    """Fit error = a h^p + floor and judge the order p.

    Parameters
    ----------
    h : (n,) array_like
        Step sizes, positive and distinct, in any order.
    error : (n,) array_like
        Errors >= 0. NaN and inf are dropped, are named in the reason, and never end as `pass`.
    floor : float or (n,) array_like
        What is left at h = 0, measured separately. It is subtracted, and points with error <= 3 floor are set aside.
        NaN where it is unknown.
    truth_error : float or (n,) array_like
        The error of the truth itself. NaN where it is unknown.
    stderr : float or (n,) array_like
        The standard error of each error, such as that of a mean over seeds. 0 or NaN where nothing is known of it; the
        scatter is then estimated from what the fit leaves.
    expected : float or None
        The order that is claimed, inf for exact; None to measure only.
    tolerance : float
        How far the slope may lie from `expected`.
    floor_adds : {"sum", "squares"}
        "sum" as above, or "squares" for error² = (a h^p)² + floor². That is how parts of an L2 distance combine which
        do not point the same way, such as sampling noise, or oscillation on a grid, and a smooth error in time: with
        the sum a perfect first-order scheme seen in W2 through a floor of a fifth of its finest error reads 1.10. A
        floor and a plateau above it combine in the same way.
    scale : float, optional
        The size of what the errors compare, in their unit, such as the variance for errors of variances: 1e-12 of it is
        round-off. Without it the numbers count as of size one, and errors that are all below 1e-12 as round-off unless
        they fall with a clear order. A study passes the scale of its metric.
    at_least : bool
        Whether `expected` is the least order that is claimed: a larger one is within the claim, whatever its size.

    Returns
    -------
    Order
        The order with its 95 % interval, and the verdict.

    Raises
    ------
    BadInput
        For duplicate or non-positive h, negative errors or floors, shapes that do not match, and values that are not
        numbers.

    Notes
    -----
    The model is error = a h^p (1 + b r + c r²) with r = h/h_max, |b| <= 1 and |c| <= 1/2 up to soft ends, joined with
    the floor and with normal noise of standard error `stderr`; errors near zero count as folded. Without a stderr the
    relative scatter is one of 1 % to 81 %, which the errors tell. With a stderr, no point is set aside for being near
    the floor, whose own uncertainty counts as 5 % of it. The evidence for an order is the logarithm of the likelihood
    averaged over a, b and c; the interval is the central 95 % of its exponential. Error rates are in docs/math.md,
    section 14.1.

    A plateau at the fine end that neither an order nor `floor` explains becomes part of the reported floor, and its
    points are set aside too; its level never exceeds an error that it describes. With no floor given that is an
    observation; above a floor that was given (> 0) it is a `fail`: the errors go to another limit. With an unknown
    floor it is `inconclusive`.

    The verdicts:

    - exact: all errors are at round-off (1e-12 of the scale) or zero, and so is truth_error.
    - fail: an order out of the tolerance has 5 more evidence than every order within it, or the slope of errors without
      noise is not positive.
    - pass: an order within the tolerance has 3.45 more evidence than the order half an order above `expected`, 3 more
      than that half an order below (3.45 without a stderr), and none out of the tolerance has 3 more. Where the levels
      tell half an order by more than four standard errors, 0.8 less for each further one is enough, down to 1. Where
      `tolerance` is above 1/4, these orders lie `tolerance` + 1/4 away.
    - three points without a stderr cannot show b and c: the t-interval of a straight line must then be narrower than
      ± 1/4 and cover `expected`, or lie within the tolerance; it fails where `expected` is outside of both.
    - inconclusive: everything else; fewer than 3 points; errors that stand out of their noise by less than 5 standard
      errors; a truth_error unknown or above a tenth of the smallest error used.
    - measured: expected is None.
    """
    floors = per_point(floor, vector(h, "h").shape, "floor")
    return judge(
        h,
        error,
        floor=floors,
        truth_error=truth_error,
        stderr=stderr,
        expected=expected,
        tolerance=tolerance,
        measured=bool(np.any(floors > 0)),
        floor_adds=floor_adds,
        scale=None if scale is None else positive(scale, "scale"),
        at_least=flag(at_least, "at_least"),
    )


def judge(
    h: ArrayLike,
    error: ArrayLike,
    *,
    floor: ArrayLike,
    truth_error: ArrayLike,
    expected: float | None,
    tolerance: float,
    measured: bool,
    floor_adds: FloorAdds = "sum",
    scale: float | None = None,
    stderr: ArrayLike = 0.0,
    at_least: bool = False,
) -> Order:
    """`fit_order`, told whether `floor` was measured: a measured floor of zero excuses no plateau either.

    scale : NaN where a metric has one that could not be found.
    """
    sweep = checked_sweep(h, error, floor, truth_error, measured, floor_adds, scale, stderr)
    expected, tolerance = _checked_claim(expected, tolerance)
    notes = dropped(sweep)
    found = _at_round_off(sweep)
    if found is not None:
        fit = Fit(np.zeros(len(sweep.h), dtype=bool))
    else:
        fit, more = fitted(sweep)
        notes += more
        judged = None
        if fit.series is not None:
            judged = _judged(fit, expected, tolerance, at_least)
            fit = replace(fit, line=judged[1])
        found = _unfit_truth(sweep, fit) or _verdict(sweep, fit, expected, tolerance, judged, at_least)
        notes = approach(sweep, fit, found[0], expected, tolerance) + unmoved(sweep) + notes
        notes += [] if found[0] == "pass" else left_fixed(sweep, fit, expected)
    word, why = found
    return Order(
        fit.line,
        local_orders(sweep),
        fit.mask,
        _floor_left(sweep, fit.level),
        word,
        "; ".join([why, *notes]),
        expected,
        tolerance,
        at_least,
    )


def _judged(fit: Fit, expected: float | None, tolerance: float, at_least: bool) -> tuple[str, Line]:
    """The word on the claim, and the best order with its interval."""
    assert fit.series is not None
    noisy = fit.series.noisy
    if expected is not None and expected > 0 and fit.line.slope <= 0 and not noisy:
        return "fail", fit.line
    if len(fit.series.h) == 3 and not noisy:  # too few for a, p, b and c
        return _straight(fit.line, expected, tolerance, at_least), fit.line
    middle = centre(fit.series)
    lower, upper = interval(fit.series, middle)
    line = Line(float(middle.order), float(lower), float(upper), float(middle.constant))
    if expected is None or np.isinf(expected):
        return "fail", line
    return str(words(*odds(fit.series, expected, tolerance, middle, at_least))[()]), line


def _straight(line: Line, expected: float | None, tolerance: float, at_least: bool) -> str:
    """The word on the claim by the t-interval of a straight line."""
    over, half = line.slope - (0.0 if expected is None else expected), line.half_width
    off = max(-over, 0.0) if at_least else abs(over)
    if off > tolerance:
        return "fail" if off > half else "inconclusive"
    if half > max(WIDEST, tolerance):
        return "inconclusive"
    return "pass" if off <= half or off + half <= tolerance else "fail"


def _at_round_off(sweep: Sweep) -> tuple[str, str] | None:
    """The verdict where every error that is a number is at round-off, else None."""
    finite, nothing = sweep.finite, not np.any(sweep.error[sweep.finite] > 0)
    if not sweep.at_round_off or not (nothing or sweep.known_scale or not _falls_clearly(sweep)):
        return None
    if not sweep.truth <= sweep.round_off:
        return "inconclusive", f"the errors are at round-off, the truth's own error is {sweep.truth:.3g}"
    if sweep.scale is not None and not sweep.known_scale and not nothing:
        return "inconclusive", (
            f"the errors are below {sweep.round_off:g}, but the size of what the metric compares is not known: give "
            "the metric a scale"
        )
    if finite.all():
        return "exact", f"all {len(sweep.h)} errors are at round-off (<= {sweep.round_off:g})"
    return "inconclusive", "the errors that are numbers are at round-off"


def _falls_clearly(sweep: Sweep) -> bool:
    """Whether the errors fall with an order that round-off would not show."""
    fit, _ = fitted(sweep)
    return bool(fit.line.slope > 0 and fit.line.half_width <= WIDEST)


def _unfit_truth(sweep: Sweep, fit: Fit) -> tuple[str, str] | None:
    """The verdict where the truth is not known well enough to judge by, else None."""
    if np.isnan(sweep.truth):
        return "inconclusive", UNKNOWN_TRUTH
    smallest = np.min(np.maximum(sweep.error, sweep.stderr)[fit.mask]) if fit.mask.any() else np.inf
    if fit.level > 0 and (sweep.measured or sweep.unknown_floor):
        smallest = min(smallest, fit.level)
    if sweep.truth > smallest / 10:
        return "inconclusive", (
            f"the truth's own error {sweep.truth:.3g} is above a tenth of the smallest error used, {smallest:.3g}: "
            "take a finer truth"
        )
    return None


def _verdict(
    sweep: Sweep,
    fit: Fit,
    expected: float | None,
    tolerance: float,
    judged: tuple[str, Line] | None,
    at_least: bool,
) -> tuple[str, str]:
    """Verdict and reason, against a truth that is known well enough."""
    if fit.level > 0 and sweep.measured and expected is not None:
        return "fail", "the errors do not go down to the measured floor"
    if fit.level > 0 and sweep.unknown_floor:
        return "inconclusive", "the floor is unknown, so the plateau may be the method's or a bug's"
    if judged is None:
        return "inconclusive", too_few(fit)
    if expected is None:
        return "measured", NOTHING_EXPECTED
    (word, line), least = judged, "at least " if at_least else ""
    if word == "fail" and line.slope <= 0 < expected:
        return word, "the errors do not fall with h"
    if word == "fail":
        return word, f"the order is {line.slope:.3g}, not {least}{expected:g} within {tolerance:g}"
    if word == "inconclusive":
        needed = needed_to_decide(sweep, fit, expected)
        return word, f"the interval [{line.lower:.3g}, {line.upper:.3g}] is too wide to decide: {needed} are needed"
    why = f"the order is {least}{expected:g} within {tolerance:g}"
    return (word, why) if sweep.finite.all() else ("inconclusive", why + ", but not every error is a number")


def _floor_left(sweep: Sweep, level: float) -> float:
    """What is left at the finest h: its floor and the plateau, NaN where nothing is known."""
    nothing_measured = not sweep.finite.any() and not np.any(sweep.floor > 0)
    if nothing_measured or (sweep.unknown_floor and level == 0):
        return np.nan
    finest = sweep.coarse_first[-1]
    left = sweep.joined(sweep.floor[finest], level)
    if level > 0 and sweep.finite[finest]:  # the finest point may lie below the points that level off
        left = max(sweep.floor[finest], min(left, sweep.error[finest]))
    return float(left)


def _checked_claim(expected, tolerance) -> tuple[float | None, float]:
    if expected is not None:
        expected = real(expected, "expected")
        if np.isnan(expected):
            raise BadInput("expected is nan. It must be a number, inf for exact, or None. Pass the order claimed.")
    return expected, positive(tolerance, "tolerance")
