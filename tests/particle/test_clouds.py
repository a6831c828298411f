"""What every scheme on particles asks of a potential."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.particle import clouds

METHODS = {
    "EulerMaruyama": pf.particle.EulerMaruyama(50),
    "InteractingParticles": pf.particle.InteractingParticles(50),
    "ProximalRecursion": pf.particle.ProximalRecursion(50),
    "SVGD": pf.particle.SVGD(50),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_potential_without_gradient_is_refused_by_the_name_of_the_method(name):
    potential = pf.potentials.FromFunction(lambda x: x[:, 0] ** 2, dim=1)
    internal = None if name == "InteractingParticles" else pf.Entropy()
    problem = pf.Problem(Energy(potential, internal), pf.laws.Gaussian([0.0], [[1.0]]), 1.0)
    with pytest.raises(pf.Unsupported, match=f"{name} moves along .* without one"):
        pf.solve(problem, METHODS[name], dt=0.1)


@pytest.mark.parametrize("name", METHODS)
def test_a_gradient_that_is_not_finite_is_refused(name):
    def grad(x):
        return np.where(x > 0, np.nan, x)

    potential = pf.potentials.FromFunction(lambda x: x[:, 0] ** 2 / 2, grad=grad, dim=1)
    internal = None if name == "InteractingParticles" else pf.Entropy()
    problem = pf.Problem(Energy(potential, internal), pf.laws.Gaussian([0.0], [[1.0]]), 1.0)
    with pytest.raises(pf.BadInput, match="finite"):
        pf.solve(problem, METHODS[name], dt=0.1)


def test_a_lost_particle_is_named():
    x = np.zeros((5, 2))
    x[3, 1] = np.inf
    with pytest.raises(pf.Diverged, match=r"Particle 3 .* after step 7") as caught:
        clouds.refuse_lost(x, 7, 0.1)
    assert caught.value.particle == 3
