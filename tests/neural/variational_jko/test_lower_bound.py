"""The bound that a step reports: its interaction energy without bias, its standard errors."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.neural.local_coordinates import LocalCoordinates
from pdeflow.neural.particles import held_out
from pdeflow.neural.variational_jko.lower_bound import lower_bound
from pdeflow.neural.variational_jko.particle_energy import ParticleEnergy


def on_points(energy, x):
    return ParticleEnergy(energy, torch.from_numpy(x), LocalCoordinates(np.zeros(x.shape[1])))


def test_the_interaction_energy_is_that_of_independent_pairs(rng):
    x = rng.standard_normal((64, 2))
    energy = Energy(interaction=pf.interactions.GaussianAttraction())
    report = lower_bound(on_points(energy, x), None, x, None, 32, rng)
    across = np.mean([energy.interaction.value(point - x[32:]).mean() for point in x[:32]]) / 2
    assert report["bound"] == pytest.approx(across, rel=1e-12)
    blocks = [np.mean([energy.interaction.value(y - part).mean() for y in part]) / 2 for part in (x[:32], x[32:])]
    assert report["bound_stderr"] == pytest.approx(np.std(blocks, ddof=1) / np.sqrt(2), rel=1e-12)


@pytest.mark.parametrize(
    "problem, error",
    [
        (pf.problems.mckean_vlasov_ou(), 1e-12),  # blocks with exact moments: nothing is left to chance
        (pf.problems.log_repulsion(), 0.0),
    ],
    ids=["gaussian", "semicircle"],
)
def test_the_interaction_energy_of_even_blocks_has_no_bias(problem, error):
    """Within an even block all pairs are too far apart: 1e-3 of the energy here, many standard errors."""
    energy, rng = Energy(interaction=problem.energy.interaction), np.random.default_rng(0)
    exact = energy.evaluate(problem.initial).value
    x, _ = held_out(problem.initial, 64 * 128, 128, rng)
    report = lower_bound(on_points(energy, x), None, x, None, 128, rng)
    assert abs(report["bound"] - exact) < 4 * report["bound_stderr"] + error
