"""Porous medium equation on the line, ∂tρ = ∂xx(ρ²) from the Barenblatt law of PDE time 0.002: exact cell masses.

The law at t is the Barenblatt profile of time 0.002 + t (pdeflow.problems.porous_medium); its mass in each cell is a
difference of its distribution function, an incomplete Beta function.
"""

import numpy as np

import pdeflow as pf

M = 2.0
CELLS = 800
HALF_WIDTH = 0.7
TIMES = np.linspace(0.0, 0.02, 11)


def make() -> tuple[pf.Problem, pf.Trajectory, dict[str, object]]:
    problem = pf.problems.porous_medium(dim=1, m=M, start=0.002, horizon=0.02)
    edges = np.linspace(-HALF_WIDTH, HALF_WIDTH, CELLS + 1)
    exact = pf.exact(problem, TIMES)
    laws = [pf.laws.GridLaw(edges, cell_masses(law, edges)) for law in exact.laws]
    # The support lies inside the grid, so nothing is left outside; scipy's betainc is good to a few units of round-off.
    assert all(law.radius < HALF_WIDTH for law in exact.laws)
    error = pf.Estimate(
        4 * CELLS * np.finfo(float).eps,
        0.0,
        "exact distribution function: bound of the round-off, 4 units a cell",
        "l1",
    )
    return (
        problem,
        pf.Trajectory(TIMES, laws),
        {
            "error": error,
            "method": "exact cell masses",
            "source": "vazquez2007",
            "title": __doc__.split("\n")[0],
        },
    )


def cell_masses(law, edges):
    """P(cell) from the tail on the cell's own side of the centre; a cell across the centre by either."""
    center = law.mean()[0]
    left, right = np.diff(law.cdf(edges)), -np.diff(law.cdf(2 * center - edges))
    return np.where(edges[1:] <= center, left, right)
