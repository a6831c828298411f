"""A value and a gradient that belong to different potentials are refused by whatever solves the problem.

No public thread, found by a trial: ChangCooper followed the value, EulerMaruyama the gradient, both without a word.
"""

import numpy as np
import pytest

import pdeflow as pf

METHODS = [
    pf.grid.ChangCooper(100),
    pf.grid.QuantileJKO(points=30),
    pf.grid.CvxoptJKO(20),
    pf.particle.EulerMaruyama(50),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_a_gradient_of_another_potential_is_refused(method):
    if isinstance(method, pf.grid.CvxoptJKO):
        pytest.importorskip("cvxopt")
    mixed = pf.potentials.FromFunction(lambda x: (2 * x**2).sum(-1), grad=lambda x: x)
    problem = pf.Problem(pf.Energy(mixed, pf.Entropy(1.0)), pf.laws.Gaussian(1.0, 0.25), 0.5)
    with pytest.raises(pf.BadInput, match="not the gradient of its value"):
        pf.solve(problem, method, dt=0.25)
    right = pf.potentials.FromFunction(lambda x: (2 * x**2).sum(-1), grad=lambda x: 4 * x)
    problem = pf.Problem(pf.Energy(right, pf.Entropy(1.0)), pf.laws.Gaussian(1.0, 0.25), 0.5)
    assert np.isfinite(pf.solve(problem, method, dt=0.25).final.mean()).all()
