"""What errors with noise say about an order: the statistical model of a sweep, and how strongly it decides.

The model of an error at step size h_i, with r_i = h_i/h_max, is

    e_i = |floor_i (1 + d) + m_i + noise|  (or the root of the squares of the first two, as the metric says),
    m_i = a h_i^p (1 + b r_i + c r_i²),  noise ~ N(0, s_i² + (τ m_i)²).

The evidence for an order p is the likelihood, averaged over a, b, c and d by their prior. log a is flat, b and c are
flat in |b| <= 1, |c| <= 1/2 with soft ends (and 1 + b r + c r² >= 0.3 at every level), d is normal with standard
deviation 0.05. docs/math.md 14.1 says why, and how often a verdict errs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from .._core.shapes import Values
from ..metrics.metric import FloorAdds

DISCREPANCY = 0.01  # τ: what is left of an error that has no noise, relative to it, besides b and c
FLOOR_DOUBT = 0.05  # standard deviation of d
RIVAL = 0.5  # orders of schemes lie half an order apart
# Differences of log evidence. A claim fails where an order out of its tolerance is so much better than all within it.
# It passes where it is so much better than the orders half an order away, and none out of the tolerance is much better.
FAIL, COMPATIBLE = 5.0, 3.0
PASS = {-1: 3.0, 1: 3.45}  # over the order below the claim, and over the order above it, which b and c imitate better
# Where claim and rival lie more than APART standard errors of the order apart, a pass needs less by RELIEF for each
# further one, and at least LEAST_PASS: wrong claims get even that about once in 200 times at most. docs/math.md 14.1.
APART, RELIEF, LEAST_PASS = 4.0, 0.8, 1.0
_STEPS, _NODES = 12, 41
SEEN = 5.0  # standard errors: errors that stand out less from their noise tell no order
SCATTERS = DISCREPANCY * 3.0 ** np.arange(5)  # relative scatter where no standard error is known
_B, _C = np.meshgrid(np.linspace(-0.875, 0.875, 8), np.linspace(-0.375, 0.375, 4), indexing="ij")
_SPREAD_B, _SPREAD_C = 0.125, 0.125  # of the normal laws around these centres, whose sum is flat but for its ends
_LEAST_SHAPE = 0.3
_NOTHING = 1e-60  # a sum of squares of numbers up to one: what is less is zero and round-off
_HINT, _KNOWN_B, _KNOWN_C = 0.01, 0.6**-2, 0.3**-2  # inverse variances of log a, b and c in least squares
_WIDE, _WIDE_B, _WIDE_C = 0.05, 1.2, 0.6  # weight and spread of the law of b and c beyond these ends


@dataclass(frozen=True, eq=False)
class Series:
    """Errors at the levels of one sweep; `error` may have repeats of the same sweep on its leading axes.

    h : (n,). error, noise : (..., n), noise a standard error, 0 for none. floor : (n,).
    """

    h: Values
    error: np.ndarray
    noise: np.ndarray
    floor: Values
    floor_adds: FloorAdds = "sum"

    @property
    def ratio(self) -> Values:
        return self.h / self.h.max()

    @property
    def noisy(self) -> bool:
        """Whether the scatter is known; else it is estimated from what the fit leaves."""
        return bool(np.any(self.noise > 0))

    def excess(self) -> np.ndarray:
        """What is left of the errors without the floor, at least a thousandth of them."""
        if self.floor_adds == "sum":
            left = self.error - self.floor
        else:
            left = np.sqrt(np.maximum(self.error**2 - self.floor**2, 0.0))
        return np.maximum(left, 1e-3 * self.error)


@dataclass(frozen=True, eq=False)
class Centre:
    """The most probable curve a h^p exp(b r + c r²) with normal b and c, about which the model is taken as linear.

    order, constant, error : p, a and the standard error of p. signal : (..., n), m of each level.
    misfit : squares of what is left, over the noise (or τ), and of b and c over their spread.
    """

    order: np.ndarray
    constant: np.ndarray
    error: np.ndarray
    signal: np.ndarray
    misfit: np.ndarray


def centre(series: Series) -> Centre:
    """Generalised least squares in the logarithm: repeated where noise and floor bend it, or scatter is to be found."""
    unit = series.error.max(axis=-1, keepdims=True)
    noise, log_r = series.noise / unit, np.log(series.ratio)
    log_m = np.log(np.maximum(series.excess() / unit, np.maximum(0.5 * noise, 1e-300)))
    # an exact power law is wanted to round-off: least squares see only what a straight line leaves
    weight = 1 / (noise**2 * np.exp(-2 * log_m) + 0.1 * series.ratio**2 + DISCREPANCY)
    slope, level = _straight_line(log_r, log_m, weight)
    line, scatter, inflation = level + slope * log_r, np.full_like(unit, DISCREPANCY), np.ones_like(unit[..., 0])
    for step in range(_STEPS):
        signal = np.exp(log_m) * unit
        above, spread = _linear_in_logarithm(series, signal)
        found, fitted, covariance, misfit = _least_squares(series.ratio, log_m + above - line, spread**2 + scatter**2)
        if step == 0:
            first = misfit
        inflation = np.maximum(1.0, misfit / max(len(log_r) - 2, 1))  # scatter beyond what is known
        if series.noisy:
            change = np.clip(fitted + line - log_m, -2, 2)
            log_m = np.clip(log_m + change, np.log(np.maximum(0.01 * noise, 1e-300)), np.log(1000.0))
            settled = np.abs(change).max(axis=-1) <= 1e-9
        else:  # the points stay, and their scatter is what the fit leaves
            scatter = np.clip(scatter * np.sqrt(inflation)[..., None], DISCREPANCY, 1.0)
            settled = inflation <= 1.01
        if np.all(settled):
            break
    order = found[..., 1] + slope[..., 0]
    with np.errstate(over="ignore"):
        constant = np.exp(found[..., 0] + level[..., 0] + np.log(unit[..., 0]) - order * np.log(series.h.max()))
    signal = np.exp(log_m if series.noisy else fitted + line) * unit
    return Centre(order, constant, np.sqrt(covariance * inflation), signal, misfit if series.noisy else first)


def _least_squares(r: Values, z: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, ...]:
    """log a, p, b and c of z, the curve, the variance of p, and the misfit."""
    columns = np.stack([np.ones_like(r), np.log(r), r, r**2], axis=-1)
    prior = np.array([_HINT, 0.25, _KNOWN_B, _KNOWN_C])  # of log a and p a hint that only noise alone would heed
    weighted = columns / variance[..., None]
    hessian = np.swapaxes(weighted, -1, -2) @ columns + np.diag(prior)
    found = np.linalg.solve(hessian, np.swapaxes(weighted, -1, -2) @ z[..., None])[..., 0]
    fitted = (columns @ found[..., None])[..., 0]
    misfit = np.sum((z - fitted) ** 2 / variance, axis=-1) + np.sum(found**2 * prior, axis=-1)
    return found, fitted, np.maximum(np.linalg.inv(hessian)[..., 1, 1], 0.0), misfit


def _straight_line(x: Values, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and value at x = 0 of the line through (x, y), each with a last axis of length one."""
    weight = weight / weight.sum(axis=-1, keepdims=True)
    mean = np.sum(weight * y, axis=-1, keepdims=True)
    dx = x - np.sum(weight * x, axis=-1, keepdims=True)
    slope = np.sum(weight * dx * (y - mean), axis=-1, keepdims=True) / np.sum(weight * dx * dx, axis=-1, keepdims=True)
    return slope, mean - slope * (x - dx)[..., :1]


def _linear(series: Series, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The error as slope m + noise near m = `signal`: target, slope and standard deviation of each level.

    Where noise folds the error near zero, its mean and standard deviation are those of a folded normal.
    """
    if series.floor_adds == "sum":
        total, slope = series.floor + signal, np.ones_like(signal)
    else:
        total = np.hypot(series.floor, signal)
        slope = signal / np.maximum(total, 1e-300)
    spread, mean = series.noise + 0 * signal, total
    if series.noisy:
        ratio = np.where(spread > 0, total / np.where(spread > 0, spread, 1.0), 40.0)
        turned = erf(np.minimum(ratio, 40.0) / np.sqrt(2))
        mean = total * turned + spread * np.sqrt(2 / np.pi) * np.exp(-(np.minimum(ratio, 40.0) ** 2) / 2)
        slope = slope * turned
        spread = np.sqrt(np.maximum(total**2 + spread**2 - mean**2, 0.3 * spread**2))
    return series.error - mean + slope * signal, slope, spread


def _linear_in_logarithm(series: Series, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how much log m of each level lies above that of `signal`, by `_linear`, and its standard deviation."""
    target, bend, spread = _linear(series, signal)
    gain = np.maximum(bend, 0.05) * signal
    return np.clip((target - bend * signal) / gain, -2, 2), spread / gain


def log_evidence(series: Series, orders: np.ndarray, middle: Centre | None = None) -> np.ndarray:
    """Logarithm of the evidence for each of `orders`, shape (..., P) or (P,), but for a constant of the series."""
    middle = centre(series) if middle is None else middle
    target, slope, spread = _linear(series, middle.signal)
    if series.floor_adds == "sum":
        bend = FLOOR_DOUBT * series.floor * np.ones_like(slope)
    else:
        bend = FLOOR_DOUBT * series.floor**2 / np.maximum(np.hypot(series.floor, middle.signal), 1e-300)
    scatter, log_weight = SCATTERS[:1], np.zeros(1)
    if not series.noisy:
        scatter = SCATTERS
        log_weight = -len(series.h) * np.log(scatter / DISCREPANCY)  # all alike before the data
    shape = (-1,) + (1,) * slope.ndim
    sd = np.sqrt(spread**2 + (scatter.reshape(shape) * slope * middle.signal) ** 2)
    found = _marginal(series.ratio, orders, target / sd, slope / sd, bend / sd)
    return _log_sum(found + log_weight.reshape(shape), axis=0)


def _log_sum(logs: np.ndarray, axis: int) -> np.ndarray:
    """Logarithm of the sum of exponentials."""
    top = logs.max(axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(logs - top), axis=axis)) + np.squeeze(top, axis)


def _marginal(r: Values, orders: np.ndarray, y: np.ndarray, slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """log of the mean of the likelihood over a, b, c and d. y, slope, bend : (..., n) over the standard deviation."""
    power = np.exp(np.clip(np.asarray(orders)[..., None] * np.log(r), -300, 300)) * slope[..., None, :]
    # a takes up the unit of the powers; one that is a power of two changes no bit
    power = np.ldexp(power, -np.frexp(np.abs(power).max(axis=-1, keepdims=True))[1])
    y, bend = y[..., None, :], bend[..., None, :]
    powers = np.stack([power, power * r, power * r**2], axis=-2)  # (..., P, 3, n)
    pinned = 1 + np.sum(bend**2, axis=-1)
    with_bend = powers @ np.swapaxes(bend, -1, -2)[..., None, :, :]  # (..., P, 3, 1)
    y_bend = np.sum(y * bend, axis=-1)
    gram = powers @ np.swapaxes(powers, -1, -2)
    gram = gram - with_bend * np.swapaxes(with_bend, -1, -2) / pinned[..., None, None]
    along = (powers @ y[..., None])[..., 0] - with_bend[..., 0] * (y_bend / pinned)[..., None]
    rest = np.sum(y**2, axis=-1) - y_bend**2 / pinned
    b, c, spread_b, spread_c, log_weight = _mixture(r)

    def entry(i, j):
        return gram[..., i, j, None]

    g1 = entry(0, 1) + b * entry(1, 1) + c * entry(1, 2)
    g2 = entry(0, 2) + b * entry(1, 2) + c * entry(2, 2)
    gg = entry(0, 0) + b * (entry(0, 1) + g1) + c * (entry(0, 2) + g2 - b * entry(1, 2)) + b * c * entry(1, 2)
    gg = np.maximum(gg, _NOTHING)
    y1, y2 = along[..., 1, None], along[..., 2, None]
    gy = along[..., 0, None] + b * y1 + c * y2

    def around(a):
        """Weight and sum of the known a, and what b and c take out, where they spread the data by a."""
        scale_b, scale_c = a * spread_b, a * spread_c
        v11, v22 = 1 + scale_b**2 * entry(1, 1), 1 + scale_c**2 * entry(2, 2)
        v12 = scale_b * scale_c * entry(1, 2)
        det = np.maximum(v11 * v22 - v12**2, 1.0)  # below one by round-off only, as what is left below its bound
        q1, q2 = scale_b * y1, scale_c * y2
        p1, p2 = scale_b * g1 / det, scale_c * g2 / det
        with_1, with_2 = v22 * p1 - v12 * p2, v11 * p2 - v12 * p1
        known = np.maximum(gg - (with_1 * scale_b * g1 + with_2 * scale_c * g2), gg / (v11 + v22))
        return known, gy - (with_1 * q1 + with_2 * q2), (v11, v12, v22, det, q1, q2)

    known, seen, _ = around(gy / gg)
    known, seen, (v11, v12, v22, det, q1, q2) = around(seen / known)
    left = rest[..., None] - (v22 * q1 * q1 - 2 * v12 * q1 * q2 + v11 * q2 * q2) / det
    a = seen / known
    with np.errstate(divide="ignore", invalid="ignore"):
        log = log_weight - 0.5 * np.maximum(left - seen**2 / known, 0.0) - 0.5 * np.log(det * known) - np.log(a)
    return _log_sum(np.where(a > 0, log, -1e9), axis=-1)


def _mixture(r: Values) -> tuple[np.ndarray, ...]:
    """The prior of b and c as a sum of normal laws: centres, spreads, and logarithms of weights."""
    shape = 1 + _B[..., None] * r + _C[..., None] * r**2
    kept = shape.min(axis=-1) >= _LEAST_SHAPE
    count = int(kept.sum())
    return (
        np.append(_B[kept], 0.0),
        np.append(_C[kept], 0.0),
        np.append(np.full(count, _SPREAD_B), _WIDE_B),
        np.append(np.full(count, _SPREAD_C), _WIDE_C),
        np.log(np.append(np.full(count, (1 - _WIDE) / count), _WIDE)),
    )


def interval(series: Series, middle: Centre, share: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the equal-tailed interval of the posterior of the order, whose prior is flat."""
    # 8 standard errors: more than a normal law needs, for b and c have other ends; cut where levels hardly differ
    half = np.minimum(8 * middle.error + 0.1, 8.0)
    orders, density = _posterior(series, middle, middle.order - half, middle.order + half)
    within = density > 1e-4
    first, last = np.argmax(within, axis=-1), _NODES - 1 - np.argmax(within[..., ::-1], axis=-1)
    low, high = (
        np.take_along_axis(orders, np.clip(at, 0, _NODES - 1)[..., None], -1)[..., 0] for at in (first - 1, last + 1)
    )
    orders, density = _posterior(series, middle, low, high)
    trapezia = np.cumsum((density[..., 1:] + density[..., :-1]) / 2, axis=-1)
    mass = np.concatenate([np.zeros((*density.shape[:-1], 1)), trapezia], axis=-1) / trapezia[..., -1:]
    ends: list[np.ndarray] = []
    for part in ((1 - share) / 2, (1 + share) / 2):
        at = np.clip(np.sum(mass < part, axis=-1), 1, _NODES - 1)[..., None]
        before, after = (np.take_along_axis(mass, at - k, -1)[..., 0] for k in (1, 0))
        start, end = (np.take_along_axis(orders, at - k, -1)[..., 0] for k in (1, 0))
        ends.append(start + (end - start) * (part - before) / np.maximum(after - before, 1e-300))
    return np.minimum(ends[0], middle.order), np.maximum(ends[1], middle.order)


def _posterior(series: Series, middle: Centre, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orders from low to high, and their density in units of its largest value."""
    orders = low[..., None] + (high - low)[..., None] * np.linspace(0, 1, _NODES)
    log = log_evidence(series, orders, middle)
    return orders, np.exp(log - log.max(axis=-1, keepdims=True))


def _error_about(series: Series, order: float, middle: Centre) -> np.ndarray:
    """Standard error that a fit would give to the order if the truth were the best curve of this `order`, (...)."""
    unit, log_r = series.error.max(axis=-1, keepdims=True), np.log(series.ratio)
    log_m = np.log(np.maximum(middle.signal / unit, 1e-300))
    weight = 1 / ((series.noise / unit) ** 2 * np.exp(-2 * log_m) + 0.1 * series.ratio**2 + DISCREPANCY)
    level = np.sum(weight * (log_m - order * log_r), axis=-1, keepdims=True) / weight.sum(axis=-1, keepdims=True)
    line = level + order * log_r
    columns = np.stack([np.ones_like(log_r), series.ratio, series.ratio**2, log_r], axis=-1)
    prior = np.diag([_HINT, _KNOWN_B, _KNOWN_C, 0.0])
    log_m = line
    for _ in range(_STEPS):
        above, spread = _linear_in_logarithm(series, np.exp(log_m) * unit)
        z = log_m + above - line
        weighted = columns / (spread**2 + DISCREPANCY**2)[..., None]
        hessian = np.swapaxes(weighted, -1, -2) @ columns + prior
        along = np.swapaxes(weighted[..., :3], -1, -2) @ z[..., None]
        change = line + (columns[:, :3] @ np.linalg.solve(hessian[..., :3, :3], along))[..., 0] - log_m
        log_m = log_m + np.clip(change, -2, 2)
        if np.abs(change).max() <= 1e-3:
            break
    return np.sqrt(np.maximum(np.linalg.inv(hessian)[..., 3, 3], 0.0))


def _needed(series: Series, expected: float, off: float, middle: Centre) -> np.ndarray:
    """How much more evidence than the order expected + off a claim must have, (...)."""
    if not series.noisy:  # no error of the order is known but from what the fit leaves
        return np.full(middle.order.shape, max(PASS.values()))
    most = PASS[int(np.sign(off))]
    apart = abs(off) / np.maximum(_error_about(series, expected + off, middle), 1e-6)
    return np.clip(most - RELIEF * (apart - APART), LEAST_PASS, most)


def odds(
    series: Series, expected: float, tolerance: float, middle: Centre, at_least: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Best log evidence within the tolerance of `expected` less what a pass needs, and over the best beyond.

    A pass needs so much more than the orders half an order away. Where the errors do not stand out of the noise the two
    are -inf and 0. at_least : whether larger orders are within too.
    """
    far = max(RIVAL, tolerance + RIVAL / 2)
    sides = (-1, 1)[: 1 if at_least else 2]
    fixed = expected + np.concatenate(
        [far * np.array([-1, 1]), tolerance * np.linspace(-1, 1, 5), far * np.array([-3, -2, -1.5, 1.5, 2, 3])]
    )
    own = middle.order[..., None] + middle.error[..., None] * np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    orders = np.concatenate([np.broadcast_to(fixed, (*own.shape[:-1], len(fixed))), own], axis=-1)
    log = log_evidence(series, orders, middle)
    off = np.maximum(expected - orders, 0.0) if at_least else np.abs(orders - expected)
    within = off <= tolerance + 1e-9 * (1 + abs(expected))
    near = np.where(within, log, -np.inf).max(axis=-1)
    beyond = np.where(within, -np.inf, log).max(axis=-1)
    needed = [_needed(series, expected, side * far, middle) for side in sides]
    margin = (near[..., None] - log[..., : len(sides)] - np.stack(needed, axis=-1)).min(axis=-1)
    if not series.noisy:
        return margin, near - beyond
    _, slope, spread = _linear(series, middle.signal)
    seen = np.sum((slope * middle.signal / np.maximum(spread, 1e-9 * middle.signal)) ** 2, axis=-1) >= SEEN**2
    return np.where(seen, margin, -np.inf), np.where(seen, near - beyond, 0.0)


def words(margin: np.ndarray, over_beyond: np.ndarray) -> np.ndarray:
    """The verdict by strength of evidence, see `odds`."""
    found = np.full(np.shape(margin), "inconclusive", dtype=object)
    found[over_beyond <= -FAIL] = "fail"
    found[(over_beyond >= -COMPATIBLE) & (margin >= 0)] = "pass"
    return found


def verdicts(series: Series, expected: float, tolerance: float) -> np.ndarray:
    """The verdict on a claim for each repeat of a series: pass, fail or inconclusive."""
    return words(*odds(series, expected, tolerance, centre(series)))
