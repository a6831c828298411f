"""Convex potentials with kinks are solved, with diffusion, to the accuracy of the scheme.

The kind of cvxpy/cvxpy#261: a convex problem that has a minimiser is not reported as unsolvable.
"""

import numpy as np
import pytest

import pdeflow as pf

POTENTIALS = {
    "abs": (lambda x: np.abs(x).sum(1), np.sign),
    "off a node": (lambda x: 2 * np.abs(x - 0.377).sum(1), lambda x: 2 * np.sign(x - 0.377)),
    "hinge": (lambda x: (np.maximum(x, 0) + x**2 / 2).sum(1), lambda x: (x > 0) + x),
    "two kinks": (lambda x: (np.abs(x + 1) + np.abs(x - 0.5)).sum(1), lambda x: np.sign(x + 1) + np.sign(x - 0.5)),
}


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_kink_is_no_obstacle(name):
    potential = pf.potentials.FromFunction(*POTENTIALS[name])
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(1.0)), pf.laws.Gaussian(0.5, 1.0), 0.5)
    truth = pf.solve(problem, pf.grid.ChangCooper(800, -16, 16, time_order=2), dt=1 / 256).final.mean()[0]
    found = [
        pf.solve(problem, pf.grid.QuantileJKO(points=100), dt=dt).final.mean()[0] for dt in (1 / 8, 1 / 32, 1 / 128)
    ]
    assert (4 * found[2] - found[1]) / 3 == pytest.approx(truth, abs=2e-3)  # a hundred points
    assert abs(found[2] - truth) < abs(found[0] - truth) + 1e-3
