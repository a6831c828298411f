"""Radial facts of the aggregation kernels W = |x|^a/a - |x|^b/b [MATH.md 2.1]."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import roots_genlaguerre

from ..arrays import count, positive
from ..energy import sphere_mean_power


def ring_radius(a: float, b: float, dim: int) -> float:
    """Radius of the spherical shell that is stationary: R^(a-b) = A_b/A_a with A_p the mean of |x-y|^p on the unit sphere.

    For (4, 2) it is √(d/(2(d+1))): 1/√3 in the plane. fan2022 (appendix B.2) and jin2025 (section 5.3) state 0.5, the value in d = 1.
    """
    return (sphere_mean_power(b, dim) / sphere_mean_power(a, dim)) ** (1 / (a - b))


def quartic_second_moment(dim: int, variance: float, times, nodes: int = 200) -> np.ndarray:
    """E|x - mean|² at `times` (k,) for W = |x|⁴/4 - |x|²/2 from N(mean, variance I) in R^dim, exact to about 1e-11.

    Radial characteristics ṙ = r(1 - (1 + 2/d) m_2 - r²), m_2 = E r², with Gauss-Laguerre nodes in r_0²/(2 variance).
    """
    dim, variance = count(dim, "dim"), positive(variance, "variance")
    t, weight = roots_genlaguerre(nodes, dim / 2 - 1)
    keep = weight > 1e-30 * weight.max()
    weight, r = weight[keep] / weight[keep].sum(), np.sqrt(2 * variance * t[keep])

    def speed(_, r):
        return r * (1 - (1 + 2 / dim) * (weight @ r**2) - r**2)

    times = np.atleast_1d(np.asarray(times, dtype=float))
    run = solve_ivp(speed, (0, times[-1]), r, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-14)
    return weight @ run.y**2
