"""Radial facts of the aggregation kernels W = |x|^a/a - |x|^b/b [docs/math.md 2.1]."""

import numpy as np
from scipy.integrate import solve_ivp

from .._core.quadrature import gauss_panels
from .._core.validate import count, positive
from ..laws.ring import sphere_mean_power


def ring_radius(a: float, b: float, dim: int) -> float:
    """Radius of the spherical shell that is stationary: R^(a-b) = A_b/A_a with A_p the mean of |x-y|^p on the unit
    sphere.

    For (4, 2) it is √(d/(2(d+1))): 1/√3 in the plane. fan2022iclr (appendix B.2) and jin2025 (section 5.3) state 0.5,
    the value in d = 1.
    """
    return (sphere_mean_power(b, dim) / sphere_mean_power(a, dim)) ** (1 / (a - b))


def quartic_radii(dim: int, variance: float, times, panels: int = 80):
    """(weights (k,), radii (len(times), k)) of the law of |x - mean| at `times` for W = |x|⁴/4 - |x|²/2 from N(mean,
    variance I) in R^dim.

    Radial characteristics ṙ = r(1 - (1 + 2/d) m_2 - r²), m_2 = E r². The nodes are Gauss points in panels of r_0 that
    shrink geometrically towards the
    centre: mass leaves it at a rate of 1/3 only, so at late times the points that started near it are what the law's
    spread is made of. E r² is
    exact to about 1e-11 at all times.
    """
    dim, variance = count(dim, "dim"), positive(variance, "variance")
    edges = np.sqrt(2 * variance * 40) * np.concatenate(
        [[0.0], np.geomspace(1e-9, 1.0, panels)]
    )  # exp(-40) lies outside
    r, w = gauss_panels(edges, 10)
    r = r.ravel()
    scaled = r * r / (2 * variance)
    weight = np.outer(np.diff(edges), w).ravel() * np.exp((dim - 1) * np.log(r) - scaled)
    weight /= weight.sum()

    def speed(_, r):
        return r * (1 - (1 + 2 / dim) * (weight @ r**2) - r**2)

    times = np.atleast_1d(np.asarray(times, dtype=float))
    # W has the length 1 of its own (|x|⁴ beside |x|²): radii are numbers, and atol is a share of that length
    run = solve_ivp(speed, (0, times[-1]), r, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-14)
    return weight, run.y.T


def quartic_second_moment(dim: int, variance: float, times) -> np.ndarray:
    """E|x - mean|² at `times` (k,) for W = |x|⁴/4 - |x|²/2 from N(mean, variance I) in R^dim, exact to about 1e-11."""
    weight, radii = quartic_radii(dim, variance, times)
    return radii**2 @ weight
