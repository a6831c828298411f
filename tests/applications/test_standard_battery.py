"""The standard battery: its problems and truths."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications import TIME, standard_metric, standard_problems, standard_truth


def test_the_battery_is_the_one_that_is_named():
    built = standard_problems()
    assert len(built) == 21 and {problem.initial.dim for problem in built.values()} == {1, 2, 10, 30}
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


def test_lifted_problems_have_the_truth_of_their_parts():
    for name in ("mexican_hat 10", "rotated_wells 30"):
        problem = standard_problems()[name]
        truth = standard_truth(problem, [TIME])
        assert truth.dim == problem.dim and 0 < truth.stats["error"].value < 1e-3
        # E|x|² of 20,000 draws of the truth: 5 standard errors
        squares = (truth.final.sample(20_000, np.random.default_rng(0)) ** 2).sum(axis=1)
        known = np.trace(truth.final.cov()) + truth.final.mean() @ truth.final.mean()
        assert abs(squares.mean() - known) <= 5 * squares.std() / np.sqrt(20_000)
    assert standard_problems()["rotated mixture_ou 10"].exact is not None
