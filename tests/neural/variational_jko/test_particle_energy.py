"""Potential and interaction on particles: forces on batches, and kernels that no explicit step can take."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.neural.local_coordinates import LocalCoordinates
from pdeflow.neural.particles import matched
from pdeflow.neural.variational_jko.particle_energy import ParticleEnergy, require_tame

PLAIN = LocalCoordinates(np.zeros(2))
COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def test_the_force_on_a_batch_leaves_out_the_particle_itself(rng):
    y = rng.standard_normal((15, 2))  # too few to have been given the moments of the law
    energy = Energy(pf.potentials.Quadratic(COV), None, pf.interactions.GaussianAttraction())
    force = ParticleEnergy(energy, torch.from_numpy(y), PLAIN).force(torch.from_numpy(y), PLAIN).numpy()
    for i in (0, 11):
        others = np.delete(y, i, axis=0)
        expected = COV @ y[i] + energy.interaction.grad(y[i] - others).mean(axis=0)
        np.testing.assert_allclose(force[i], expected, atol=1e-12)
    shared = pf.potentials.FromFunction(
        lambda x: (x**4).sum(-1), dim=2
    )  # no gradient given: through automatic differentiation
    force = ParticleEnergy(Energy(shared), torch.from_numpy(y), PLAIN).force(torch.from_numpy(y), PLAIN)
    np.testing.assert_allclose(force, 4 * y**3, atol=1e-12)


def test_the_force_on_a_batch_with_the_moments_of_the_law_is_that_of_the_law(rng):
    y = matched(rng.standard_normal((400, 2)), 100)
    center = y.reshape(-1, 2).mean(axis=0)
    energy = Energy(interaction=pf.interactions.QuadraticAttraction(0.7))
    force = ParticleEnergy(energy, torch.from_numpy(y[0]), PLAIN).force
    np.testing.assert_allclose(force(torch.from_numpy(y[1]), PLAIN).numpy(), 0.7 * (y[1] - center), atol=1e-12)


def test_a_forward_step_without_a_second_moment_is_refused(rng):
    """The kicks of a logarithm have Cauchy tails: var 1661, not 1.38, after 5 steps of 0.1 of 4096 particles."""
    method = pf.neural.VariationalJKO(scheme="forward-backward")
    with pytest.raises(pf.Unsupported, match="scheme='backward'"):
        method.init(pf.problems.log_repulsion(), rng)
    for kernel, dim, refused in (
        (pf.interactions.LogRepulsion(), 2, True),
        (pf.interactions.LogRepulsion(), 3, False),
        (pf.interactions.PowerLaw(2.0, 0.5), 1, True),
        (pf.interactions.PowerLaw(2.0, 1.0), 1, False),
        (pf.interactions.PowerLaw(4.0, 2.0), 2, False),
    ):
        if refused:
            with pytest.raises(pf.Unsupported, match="second moment"):
                require_tame(kernel, dim)
        else:
            require_tame(kernel, dim)
