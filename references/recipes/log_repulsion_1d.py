"""W = x²/2 - log|x| on the line from the semicircle of radius 3.4: semicircles, exact, towards the radius √2.

R²(t) = 2 + (3.4² - 2) e^(-2t) (pdeflow.problems.log_repulsion). The file holds the radii, not a density on a grid.
"""

import numpy as np

import pdeflow as pf

TIMES = np.concatenate([np.linspace(0.0, 1.0, 11), [1.5, 2.0, 3.0, 5.0]])


def make() -> tuple[pf.Problem, pf.Trajectory, dict[str, object]]:
    problem = pf.problems.log_repulsion(horizon=5.0)
    exact = pf.exact(problem, TIMES)
    # R is a square root of a sum of positive terms: good to a few units of round-off, here bounded by 8 of 3.4.
    error = pf.Estimate(8 * 3.4 * np.finfo(float).eps, 0.0, "closed form: bound of the round-off in the radius", "w2")
    return problem, exact, {"error": error, "method": "exact", "title": __doc__.split("\n")[0]}
