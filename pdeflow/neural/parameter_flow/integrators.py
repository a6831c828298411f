"""Runge-Kutta steps for θ' = f(θ): explicit Euler, Heun, the classical fourth order, and an adaptive pair."""

from dataclasses import dataclass

import numpy as np

from ..._core.errors import Diverged, NotConverged

# stages as rows of coefficients of the slopes before, then the weights
TABLES = {
    "euler": ((), (1.0,)),
    "heun": (((1.0,),), (0.5, 0.5)),
    "rk4": (((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}
INTEGRATORS = (*TABLES, "adaptive")
LEAST = 1e-7  # share of dt below which an adaptive step is refused


@dataclass(frozen=True)
class Slopes:
    """θ' at θ and what was found on the way: eta (p,) numpy, `size` (p,) -> float, the size of a change of θ in the units of the law's spread."""

    eta: np.ndarray
    size: object
    found: object


def integrate(kind, slope, theta, first, dt, tolerance, trial):
    """(θ after dt, `Slopes` there, the next trial step, inner steps taken, slopes asked for).

    slope : θ -> `Slopes`; it may raise `Diverged`. first : the `Slopes` at theta. trial : the first step that "adaptive" tries.
    """
    if kind == "adaptive":
        return _adaptive(slope, theta, first, dt, tolerance, min(trial, dt))
    stages, weights = TABLES[kind]
    slopes = [first.eta]
    for row in stages:
        slopes.append(slope(theta + dt * sum(a * k for a, k in zip(row, slopes) if a)).eta)
    theta = theta + dt * sum(b * k for b, k in zip(weights, slopes))
    return theta, slope(theta), dt, 1, len(slopes)


def _adaptive(slope, theta, first, dt, tolerance, h):
    """Bogacki and Shampine's pair of orders 3 and 2 [bogacki1989]; the error of a step is held below `tolerance` of the law's spread.

    A step that leaves the invertible maps (`Diverged`) is halved as one with too large an error is.
    """
    done, steps, asked = 0.0, 0, 0
    while done < dt * (1 - 1e-12):
        h = min(h, dt - done) if dt - done > 1.5 * h or dt - done <= h else (dt - done) / 2
        try:
            asked += 3
            two = slope(theta + h / 2 * first.eta).eta
            three = slope(theta + 3 * h / 4 * two).eta
            new = theta + h * (2 * first.eta + 3 * two + 4 * three) / 9
            last = slope(new)
            error = first.size(h * (-5 * first.eta + 6 * two + 8 * three - 9 * last.eta) / 72) / tolerance
            reason = f"its error is {error:.3g} of the tolerance"
        except (Diverged, NotConverged) as fault:
            error, reason = np.inf, str(fault).partition(". ")[0]
        if error <= 1:
            theta, first, done, steps = new, last, done + h, steps + 1
        h *= float(np.clip(0.9 * error ** (-1 / 3) if error > 0 else 5.0, 0.2, 5.0))
        if not h > LEAST * dt:
            raise Diverged(
                f"An adaptive step fell to {h:.3g} of {dt:g}: {reason}. The map degenerates here. Use more samples, a larger damping or another map."
            )
    return theta, first, h, steps, asked
