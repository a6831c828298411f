"""The standard battery: its problems and truths."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications import TIME, standard_metric, standard_problems, standard_truth


def test_the_battery_is_the_one_that_is_named():
    built = standard_problems()
    assert len(built) == 18 and {problem.initial.dim for problem in built.values()} == {1, 2, 10, 30}
    assert all(problem.horizon == TIME for problem in built.values())


def test_the_ring_moves_as_particles_do():
    """The radial equation against 2,000 particles under the force itself; 4 standard errors of a mean of squares."""
    problem = standard_problems()["ring_aggregation 2"]
    truth = standard_truth(problem, [TIME])
    run = pf.solve(problem, pf.particle.EulerMaruyama(particles=2000), dt=1 / 64, seed=1)
    mean, cloud = (float(np.mean(np.sum(law.x**2, axis=1))) for law in (truth.final, run.final))
    assert cloud == pytest.approx(mean, rel=0.06)
    found = standard_metric(run.final, truth.final, rng=np.random.default_rng(0))
    assert found.value < 0.05
