"""Ornstein-Uhlenbeck on the line, ∂tρ = ∂x(xρ) + ∂xxρ from N(2, 1/4): exact cell masses.

The law at t is Gaussian (pdeflow.problems.ou); its mass in each cell is a difference of its distribution function.
"""

import numpy as np

import pdeflow as pf

CELLS = 800
HALF_WIDTH = 9.0
TIMES = np.linspace(0.0, 1.0, 11)


def make() -> tuple[pf.Problem, pf.Trajectory, dict[str, object]]:
    problem = pf.problems.ou(horizon=1.0)
    edges = np.linspace(-HALF_WIDTH, HALF_WIDTH, CELLS + 1)
    exact = pf.exact(problem, TIMES)
    laws = [pf.laws.GridLaw(edges, cell_masses(law, edges)) for law in exact.laws]
    outside = max(float(law.cdf(edges[0]) + law.cdf(2 * law.mean()[0] - edges[-1])) for law in exact.laws)
    # Each mass is a difference of two numbers below 1/2 that are good to a few units of round-off.
    round_off = CELLS * np.finfo(float).eps
    error = pf.Estimate(
        outside + round_off, 0.0, "exact distribution function: bound of the mass outside the grid plus round-off", "l1"
    )
    return (
        problem,
        pf.Trajectory(TIMES, laws),
        {"error": error, "method": "exact cell masses", "title": __doc__.split("\n")[0]},
    )


def cell_masses(law, edges):
    """P(cell) from the tail on the side of the mean where the cell lies: as accurate far right as far left."""
    mean = law.mean()[0]
    left, right = np.diff(law.cdf(edges)), -np.diff(law.cdf(2 * mean - edges))
    return np.where(edges[1:] <= mean, left, right)
