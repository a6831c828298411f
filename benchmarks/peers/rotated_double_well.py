"""The problem of the comparison: a rotated double well in the plane, and its law at any time with a density."""

import numpy as np
from scipy.interpolate import CubicSpline

import pdeflow as pf

ANGLE = np.pi / 6
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])  # x = TURN (u, v)
START = np.array([1.0, 0.5])
VARIANCE = 0.1


def potential(x):
    """V = (u² - 1)² + v² at points (n, 2)."""
    y = x @ TURN
    return (y[:, 0] ** 2 - 1) ** 2 + y[:, 1] ** 2


def slope(x):
    """∇V at points (n, 2)."""
    y = x @ TURN
    return np.stack([4 * y[:, 0] * (y[:, 0] ** 2 - 1), 2 * y[:, 1]], axis=1) @ TURN.T


def problem():
    """T = 1, from a Gaussian that is isotropic, so that u and v stay independent."""
    energy = pf.Energy(pf.potentials.FromFunction(potential, grad=slope, dim=2), pf.Entropy(1.0))
    initial = pf.laws.Gaussian(START, VARIANCE * np.eye(2))
    return pf.Problem(energy, initial, 1.0, name="rotated double well")


class TurnedProduct(pf.laws.Law):
    """The law of TURN (u, v) with independent u, of cells on the line, and Gaussian v; log p(u) by a cubic spline."""

    dim = 2

    def __init__(self, u, v):
        self.u, self.v = u, v
        centers, full = u.centers[0], u.mass > 1e-250
        self.ends = centers[full][[0, -1]]
        self.spline = CubicSpline(centers[full], np.log(u.density[full]))

    def log_density(self, x):
        y = x @ TURN
        inside = (y[:, 0] >= self.ends[0]) & (y[:, 0] <= self.ends[1])
        first = np.where(inside, self.spline(np.clip(y[:, 0], *self.ends)), -np.inf)
        return first + self.v.log_density(y[:, 1:])

    def sample(self, n, rng):
        return np.concatenate([self.u.sample(n, rng), self.v.sample(n, rng)], axis=1) @ TURN.T


def truth(problem, times):
    """The laws at `times`: u by exp(tL) on 6,400 cells of the line (error about 1e-6 in L1), v in closed form."""
    u0, v0 = START @ TURN
    double_well = pf.potentials.FromFunction(lambda x: (x[:, 0] ** 2 - 1) ** 2)
    line = pf.Problem(pf.Energy(double_well, pf.Entropy(1.0)), pf.laws.Gaussian(u0, VARIANCE), 1.0, name="u")
    u = pf.grid.exponential(line, pf.grid.ChangCooper(cells=6400, lower=-4.0, upper=4.0), times)
    v = pf.exact(pf.problems.ou(matrix=2.0, temperature=1.0, initial=pf.laws.Gaussian(v0, VARIANCE)), times)
    return pf.Trajectory(u.times, [TurnedProduct(*laws) for laws in zip(u.laws, v.laws)])
