"""Problems at their stationary law: the closed forms, and that no other start has this truth."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, GaussianMixture

MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])


def test_the_gibbs_law_of_a_quadratic_is_where_the_flow_ends():
    problem = pf.problems.ou(dim=2, matrix=MATRIX, center=[1.0, -1.0], temperature=0.3)
    still = pf.problems.at_equilibrium(problem)
    limit = problem.exact(80.0)
    assert np.allclose(still.initial.mean(), limit.mean(), rtol=0, atol=1e-14)
    assert np.allclose(still.initial.cov(), limit.cov(), rtol=1e-13)
    assert still.exact(3.0) is still.initial and still.horizon == problem.horizon
    moved = replace(problem, initial=still.initial).exact(0.7)  # the flow itself says that nothing moves
    assert np.allclose(moved.cov(), still.initial.cov(), rtol=1e-12)


def test_a_mixture_is_the_gibbs_law_of_its_potential_at_its_temperature():
    mixture = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [[[0.2]], [[0.2]]])
    potential = pf.potentials.MixturePotential(mixture, 0.7)
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(0.7)), Gaussian(0.0, 1.0), 1.0)
    assert pf.problems.at_equilibrium(problem).initial.means.tolist() == mixture.means.tolist()
    hot = pf.Problem(pf.Energy(problem.energy.potential, pf.Entropy(2.0)), mixture, 1.0)
    with pytest.raises(pf.NotAvailable, match="Pass law="):
        pf.problems.at_equilibrium(hot)


def test_another_start_has_no_exact_law():
    still = pf.problems.at_equilibrium(pf.problems.double_well(), Gaussian(0.0, 1.0))
    assert replace(still, initial=Gaussian(0.0, 2.0)).exact is None and still.params == {}


@pytest.mark.parametrize(
    "arguments", [(3,), (pf.problems.ou(), 3), (pf.problems.ou(), Gaussian([0.0, 0.0], np.eye(2)))]
)
def test_what_makes_no_sense_is_refused(arguments):
    with pytest.raises(pf.BadInput):
        pf.problems.at_equilibrium(*arguments)
