"""Does a sequence of errors level off at its fine end, and where?"""

import numpy as np
from scipy.optimize import least_squares
from scipy.special import fdtri


def plateau(log_h, error) -> float:
    """The level c > 0 at which errors, given from coarse to fine, stop falling; 0.0 where they do not. Never above the smallest error.

    Two signs are accepted. A flat tail: at least 3 points within a factor 2, where the order seen on the coarser ones would have
    gained a factor 4. A bend: a h^p + c describes all points better than a h^p (F test at 95 %), and the last two local
    orders are below 0.65 and 0.4 of the largest, and below 0.5 and 0.25: a scheme of order 4 whose error turns first order is none. Before it, the errors must have halved. Errors that rise again (twofold) at the fine end are no plateau.
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
        described = fit is not None and fit[2] <= n * 1e-4 and fit[0] <= np.exp(log_e[-tail:].mean())
        return float(min(fit[0] if described else np.exp(log_e[-3:].mean()), error.min()))
    if fit is None or n < 5:
        return 0.0
    level, power, squares, straight = fit
    better = (straight - squares) > fdtri(1, n - 3, 0.95) * max(squares, 1e-24) / (n - 3)
    # Near a plateau the local order is p (1 - c/e). A change from order p to p/2, two powers of h, stays above these bounds.
    bent = power > 0 and local[-1] < min(0.25, 0.4 * local.max()) and local[-2] < min(0.5, 0.65 * local.max())
    return float(min(level, error.min())) if better and bent and error[0] >= 2 * level else 0.0


def _flat_tail(log_h, log_e, local):
    """Number of points in the flat tail, 0 if there is none."""
    found = 0
    for k in range(3, len(log_e)):
        coarse = (log_e[0] - log_e[-k]) / (log_h[0] - log_h[-k])  # the mean rate: one noisy local order decides nothing
        flat = np.ptp(log_e[-k:]) <= np.log(2)
        fell = log_e[: len(log_e) - k].max() - log_e[-k:].mean() >= np.log(2)
        if flat and fell and coarse * (log_h[-k] - log_h[-1]) >= np.log(4):
            found = k
    return found


def _bend(log_h, log_e, local):
    """Level, power and sum of squares of log(a h^p + c), and the sum of squares of the straight line; None if no fit is found."""
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
