"""What errors with noise say about an order: the statistical model of a sweep, and how strongly it decides.

The model of an error at step size h_i, with r_i = h_i/h_max, is

    e_i = |floor_i (1 + d) + m_i + noise|  (or the root of the squares of the first two, as the metric says),
    m_i = a h_i^p (1 + b r_i + c r_i²),  noise ~ N(0, s_i² + (τ m_i)²),  |b| <= 1, |c| <= 1/2 and d = 0 up to soft ends.

misfit(p) is -2 log of likelihood times prior, at the a, b, c, d that are best for this p; evidence against p is the
misfit that it has more than the best order. docs/math.md 14.1 says why, and how often it errs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from .._core.shapes import Values
from ..metrics.metric import FloorAdds

DISCREPANCY = 0.01  # τ: what is left of an error that has no noise, relative to it, once b and c are fitted
# b, c and d cost nothing up to RANGE, then the square of what is beyond it in units of BEYOND
RANGE, BEYOND = np.array([1.0, 0.5, 0.0]), np.array([0.3, 0.15, 0.05])
RIVAL = 0.5  # orders of schemes lie half an order apart
# in standard errors: beyond the first a claim fails; a pass is within the second, and its rivals are the third worse
FAIL, COMPATIBLE, DECISIVE = 3.3, 2.6, 2.7
_ITERATIONS = 40


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
class Evidence:
    """The best order and what stands against others; arrays over the repeats of a series.

    order, constant : p and a of a h^p. error : standard error of p by the curvature of the misfit.
    misfit : -2 log posterior at the best order. inflation : the factor by which the scatter exceeds what is known.
    """

    series: Series
    order: np.ndarray
    constant: np.ndarray
    error: np.ndarray
    misfit: np.ndarray
    inflation: np.ndarray
    against: np.ndarray

    def critical(self, deviations: float) -> np.ndarray:
        """Evidence of so many standard errors: of a normal, or of Student's t where the scatter is estimated."""
        freedom = _freedom(self.series)
        student = stdtrit(freedom, ndtr(deviations)) ** 2
        estimated = (self.inflation > 1) & (not self.series.noisy)
        return np.where(estimated, student, deviations**2)

    def interval(self, deviations: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
        """The orders against which there is less evidence than so many standard errors."""
        level = np.sqrt(self.critical(deviations) * self.inflation)
        steps = np.linspace(0.0, 4.0, 33)[1:]
        ends = []
        for sign in (-1, 1):
            orders = self.order[..., None] + sign * (self.error * level)[..., None] * steps
            root = np.sqrt(np.maximum(misfit(self.series, orders) - self.misfit[..., None], 0.0))
            first = np.argmax(root >= level[..., None], axis=-1)[..., None]
            reached = np.any(root >= level[..., None], axis=-1)
            high = np.take_along_axis(root, first, -1)[..., 0]
            low = np.where(first[..., 0] > 0, np.take_along_axis(root, np.maximum(first - 1, 0), -1)[..., 0], 0.0)
            part = first[..., 0] + (level - low) / np.maximum(high - low, 1e-300)
            found = self.order + sign * self.error * level * part / 8
            ends.append(np.where(reached, found, sign * np.inf))
        return ends[0], ends[1]


def evidence(series: Series, orders: Values | tuple = ()) -> Evidence:
    """The best order, and the evidence against each of `orders`, shape (..., len(orders))."""
    orders = np.asarray(orders, dtype=float)
    starts = _first_guess(series)[..., None] + np.array([0.0, -1.0, 1.0])
    trial = np.concatenate([starts, np.broadcast_to(orders, (*starts.shape[:-1], len(orders)))], axis=-1)
    free = np.arange(trial.shape[-1]) < starts.shape[-1]
    state, value, curvature = _minimise(series, trial, free)
    best = np.argmin(value[..., : starts.shape[-1]], axis=-1)[..., None]
    chosen = np.take_along_axis(state, best[..., None], -2)[..., 0, :]
    bends = np.take_along_axis(curvature, best, -1)[..., 0]
    least = value.min(axis=-1)
    order = chosen[..., 0]
    at = np.argmin(value, axis=-1)
    lower = at >= starts.shape[-1]  # an order asked for fits better than the searches found
    if np.any(lower):
        index = np.where(lower, at, best[..., 0])[..., None]
        chosen = np.take_along_axis(state, index[..., None], -2)[..., 0, :]
        order = chosen[..., 0]
    inflation = np.maximum(1.0, least / _freedom(series))
    log_a = chosen[..., 1] + np.log(series.error.max(axis=-1)) - order * np.log(series.h.max())
    with np.errstate(over="ignore", divide="ignore"):
        constant, error = np.exp(log_a), 1 / np.sqrt(np.maximum(bends, 0.01))
    against = (value[..., starts.shape[-1] :] - least[..., None]) / inflation[..., None]
    return Evidence(series, order, constant, error, least, inflation, against)


def _freedom(series: Series) -> int:
    """How many errors are left to show the scatter: where that is not known, b and c use up two as a and p do."""
    n = series.error.shape[-1]
    return max(n - 2 if series.noisy else n - 4, 1)


def misfit(series: Series, orders: np.ndarray) -> np.ndarray:
    """-2 log of likelihood times prior, at the best constants for each order; shape (..., orders)."""
    return _minimise(series, orders, np.zeros(orders.shape[-1], dtype=bool))[1]


def verdicts(series: Series, expected: float, tolerance: float) -> tuple[Evidence, np.ndarray]:
    """The evidence, and the verdict on a claim for each repeat: pass, fail or inconclusive."""
    far = max(RIVAL, tolerance + RIVAL / 2)
    found = evidence(series, expected + np.array([-far, -tolerance, 0.0, tolerance, far]))
    off = np.abs(found.order - expected)
    claim = np.where(off <= tolerance, 0.0, found.against[..., 1:4].min(axis=-1))
    rival = np.where(off >= far, 0.0, found.against[..., [0, 4]].min(axis=-1))
    words = np.full(claim.shape, "inconclusive", dtype=object)
    words[claim > found.critical(FAIL)] = "fail"
    words[(claim <= found.critical(COMPATIBLE)) & (rival - claim >= found.critical(DECISIVE))] = "pass"
    return found, words


def _first_guess(series: Series) -> np.ndarray:
    """The slope of log error over log h, by the noise and the higher-order terms of each level."""
    left, x = series.excess(), np.log(series.ratio)
    left = np.maximum(np.maximum(left, 0.5 * series.noise), 1e-300)
    weight = 1 / ((series.noise / left) ** 2 + 0.1 * series.ratio**2 + DISCREPANCY)
    weight = weight / weight.sum(axis=-1, keepdims=True)
    y = np.log(left)
    dx = x - np.sum(weight * x, axis=-1, keepdims=True)
    return np.sum(weight * dx * y, axis=-1) / np.sum(weight * dx * dx, axis=-1)


def beyond(bcd: np.ndarray) -> np.ndarray:
    """How far b, c and d are out of their range."""
    return np.sign(bcd) * np.maximum(np.abs(bcd) - RANGE, 0.0) / BEYOND


class _Problem:
    """Residuals, loss and derivatives of the model in units of the largest error; state = (p, log a, b, c, d)."""

    def __init__(self, series: Series):
        unit = series.error.max(axis=-1, keepdims=True)
        self.r, self.log_r = series.ratio, np.log(series.ratio)
        self.e = (series.error / unit)[..., None, :]
        self.f = np.asarray(series.floor / unit)[..., None, :]
        self.squares = series.floor_adds == "squares"
        spread = np.sqrt(series.noise**2 + (DISCREPANCY * series.excess()) ** 2) / unit
        self.sd = spread[..., None, :]
        self.noisy = series.noisy
        self.left = (series.excess() / unit)[..., None, :]

    def start(self, orders):
        """The state with b = c = d = 0 and the best constant."""
        power = np.exp(np.clip(orders[..., None] * self.log_r, -100, 100))
        weight = 1 / (self.sd**2 + self.left**2)
        a = np.sum(weight * self.left * power, axis=-1) / np.sum(weight * power**2, axis=-1)
        state = np.zeros((*orders.shape, 5))
        state[..., 0], state[..., 1] = orders, np.log(a)
        return state

    def loss(self, state):
        mean = self.parts(state)[0]
        value = np.sum(((self.e - mean) / self.sd) ** 2, axis=-1)
        if self.noisy:
            value -= 2 * np.sum(np.log1p(np.exp(-2 * self.e * np.abs(mean) / self.sd**2)), axis=-1)
        return value + np.sum(beyond(state[..., 2:]) ** 2, axis=-1)

    def parts(self, state):
        """The mean and its factors: the power, the signal, the mean."""
        p, log_a, b, c, d = (state[..., i, None] for i in range(5))
        power = np.exp(np.clip(log_a + p * self.log_r, -100, 100))
        signal = power * (1 + b * self.r + c * self.r**2)
        floor = self.f * (1 + d)
        mean = np.hypot(floor, signal) if self.squares else floor + signal
        return mean, power, signal, floor

    def linear(self, state):
        """Residuals and Jacobian, each over the standard deviation."""
        mean, power, signal, floor = self.parts(state)
        target = self.e
        if self.noisy:  # the sign that folding lost, in the mean over what it may have been
            target = self.e * np.tanh(self.e * np.abs(mean) / self.sd**2)
        if self.squares:
            safe = np.maximum(mean, 1e-300)
            by_signal, by_floor = signal / safe, self.f * floor / safe
        else:
            by_signal, by_floor = np.ones_like(mean), self.f + 0 * mean
        columns = (signal * self.log_r, signal, power * self.r, power * self.r**2)
        jacobian = np.stack([*(by_signal * column for column in columns), by_floor], axis=-1)
        return (target - mean) / self.sd, jacobian / self.sd[..., None]


def _minimise(series: Series, orders: np.ndarray, free: np.ndarray):
    """Levenberg and Marquardt for all orders at once, p itself where `free`: state, loss and curvature in p."""
    problem = _Problem(series)
    state = problem.start(orders)
    value = problem.loss(state)
    damping = np.full(value.shape, 1e-3)
    for _ in range(_ITERATIONS):
        gradient, hessian = _normal(problem, state, free)
        diagonal = np.diagonal(hessian, axis1=-2, axis2=-1)
        ridge = damping[..., None] * diagonal + 1e-10 * diagonal.max(axis=-1, keepdims=True)
        step = np.linalg.solve(hessian + ridge[..., None] * np.eye(5), gradient[..., None])[..., 0]
        step = np.clip(step, -2.0, 2.0)
        trial = problem.loss(state + step)
        better = trial <= value
        state = np.where(better[..., None], state + step, state)
        value_before = value
        value = np.where(better, trial, value)
        damping = np.where(better, np.maximum(damping * 0.05, 1e-9), damping * 10)
        settled = np.abs(trial - value_before) <= 1e-7 * (1 + value_before)
        exact = free & (not series.noisy)  # an order without noise is wanted to round-off
        done = (settled & ~exact) | (settled & (np.abs(step).max(axis=-1) < 1e-13)) | (damping > 1e12)
        if np.all(done):
            break
    _, hessian = _normal(problem, state, np.ones_like(free))
    rest = hessian[..., 1:, 1:]
    rest = rest + 1e-10 * np.trace(rest, axis1=-2, axis2=-1)[..., None, None] * np.eye(4)
    cross = hessian[..., 0, 1:]
    curvature = hessian[..., 0, 0] - np.sum(cross * np.linalg.solve(rest, cross[..., None])[..., 0], axis=-1)
    return state, value, curvature


def _normal(problem: _Problem, state, free):
    residual, jacobian = problem.linear(state)
    jacobian[..., 0] *= free[:, None]
    gradient = np.einsum("...nk,...n->...k", jacobian, residual)
    hessian = np.einsum("...nk,...nl->...kl", jacobian, jacobian)
    out = beyond(state[..., 2:])
    gradient[..., 2:] -= out / BEYOND
    stiff = np.where((out != 0) | (RANGE == 0), BEYOND**-2.0, 0.0)
    hessian[..., [2, 3, 4], [2, 3, 4]] += stiff
    hessian[..., 0, 0] += np.where(free, 0.0, 1.0)
    gradient[..., 0] *= free
    return gradient, hessian
