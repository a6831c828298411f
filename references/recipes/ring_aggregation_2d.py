"""Ring aggregation in the plane, W = |z|⁴/4 - |z|²/2, from N(0, I/4): the radial law in closed form.

For a law that is invariant under rotations, with second moment M, ∇W*ρ(x) = x (|x|² + 2 M - 1). So s = |x|² obeys s' =
-2 s (s + 2 M - 1), of which s = a s_0/(1 + h s_0) is the solution with a' = -2 (2 M - 1) a, h' = 2 a. At the start s is
exponential with mean μ = 1/2, and M = (a/h) (1 - y e^y E_1(y)) with y = 1/(h μ): two ordinary equations, solved to
1e-13. The density at x is that of s_0 at s/(a - h s), times a/(a - h s)²/π. Its cell masses, by 32 Gauss points an
axis, are held against finite volumes, against 50,000 particles and against the equation in its weak form.
"""

from math import factorial

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import exp1

import pdeflow as pf

TIMES = (0.25, 0.5, 1.0)
SLOW = np.linspace(0.25, 1.0, 49)  # of the weak form, whose integrals over time are those of a spline
BOX = {"lower": -3.0, "upper": 3.0}
STORED_CELLS, CELLS, DT, PARTICLES, MEAN = 60, 60, 1 / 32, 50_000, 0.5
NEARLY_ZERO = 1e-2  # values of h below which M is the sum of its series


def stretch(times):
    """(a, h) at the times, (k, 2)."""

    def rate(_, y):
        a, h = y
        if h > NEARLY_ZERO:
            scaled = 1 / (h * MEAN)
            moment = a / h * (1 - scaled * np.exp(scaled) * exp1(scaled))
        else:  # E e/(1 + x e) = Σ (k + 1)! (-x)^k of an exponential e
            moment = a * MEAN * sum(factorial(k + 1) * (-h * MEAN) ** k for k in range(12))
        return [-2 * (2 * moment - 1) * a, 2 * a]

    return solve_ivp(rate, (0, max(times)), [1.0, 0.0], "DOP853", times, rtol=1e-13, atol=1e-15).y.T


def law(a, h, axis, nodes=32):
    """The law as masses of the cells, by Gauss points."""
    z, weight = np.polynomial.legendre.leggauss(nodes)
    half, middle = np.diff(axis) / 2, (axis[1:] + axis[:-1]) / 2
    x = (middle[:, None] + half[:, None] * z).ravel()
    s = np.add.outer(x**2, x**2)
    left = np.where(a - h * s > 0, a - h * s, np.inf)
    density = np.exp(-s / left / MEAN) / MEAN * a / left**2 / np.pi
    share = np.multiply.outer(half, weight).ravel()
    mass = (share[:, None] * density * share).reshape(half.size, nodes, half.size, nodes).sum(axis=(1, 3))
    return pf.laws.GridLaw((axis, axis), mass)


def make(cells=CELLS, dt=DT, particles=PARTICLES):
    problem = pf.problems.ring_aggregation(2, horizon=1.0)
    axis = np.linspace(BOX["lower"], BOX["upper"], STORED_CELLS + 1)
    laws, finer = ([law(a, h, axis, nodes) for a, h in stretch(TIMES)] for nodes in (32, 24))
    gap = max(pf.metrics.l1(one, other).value for one, other in zip(laws, finer))
    error = pf.Estimate(gap + 1e-12, 0.0, "l1 distance of the cell masses by 32 and 24 Gauss points an axis", "l1")
    volumes = pf.grid.FiniteVolume(stepping="implicit", **BOX)
    runs = {
        "the closed form": pf.Trajectory(TIMES, laws, {"error": error}),
        "FiniteVolume": pf.from_refinement(
            problem, volumes, dt, cells, times=TIMES, axes=(axis, axis), order=1.75, extrapolate=False
        ),
    }
    cloud = pf.solve(problem, pf.particle.InteractingParticles(particles), dt=dt, times=TIMES)
    functions = {"|x|²": lambda x: np.sum(x * x, axis=1), "|x|⁴": lambda x: np.sum(x * x, axis=1) ** 2}
    checks = pf.agreement(runs, clouds={f"{particles} particles": cloud}, functions=functions)
    fine = np.linspace(BOX["lower"], BOX["upper"], 4 * STORED_CELLS + 1)
    slow = pf.Trajectory(SLOW, [law(a, h, fine, 8) for a, h in stretch(SLOW)])
    checks["weak residual"] = pf.checks.weak_residual(problem, slow)
    keywords = {"error": error, "method": "closed form", "title": __doc__.split("\n")[0], "checks_made": checks}
    return problem, pf.Trajectory(TIMES, laws), keywords
