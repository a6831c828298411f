"""Mass at the ends of the domain: the start, what arrives, and walls."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import FiniteVolume
from pdeflow.grid.finite_volume.ends import initial_masses, rim_masses


def test_initial_mass_outside_goes_into_the_outermost_cells():
    edges = np.linspace(-3.4, 4.0, 21)
    for law, axes in (
        (pf.laws.Gaussian(0.0, 1.0), (edges,)),
        (pf.laws.Gaussian(np.zeros(2), np.eye(2)), (edges, edges)),
    ):
        mass, outside = initial_masses(law, axes)
        assert abs(mass.sum() - 1) < 1e-15 and np.isclose(outside, law.cell_masses(axes).outside)
        assert outside > 3e-4
    with pytest.raises(pf.BadInput, match="too small"):
        initial_masses(pf.laws.Gaussian(0.0, 1.0), (np.linspace(-2.0, 4.0, 21),))


def test_mass_that_arrives_at_an_end_is_refused_unless_there_is_a_wall():
    method = FiniteVolume(20, -1.0, 1.0)
    energy = pf.Energy(pf.potentials.FromFunction(lambda x: -x.sum(1), dim=2), pf.Power(2.0, 0.1))
    problem = pf.Problem(energy, pf.laws.Uniform([-0.5, -0.5], [0.0, 0.0]), 0.6)
    with pytest.raises(pf.BadInput, match=r"upper end 1 of axis 0 in step 2"):
        pf.solve(problem, method, dt=0.3, times=[0.9])
    walled = pf.potentials.FromFunction(lambda x: np.where(np.abs(x).max(1) <= 1, -x.sum(1), np.inf), dim=2)
    final = pf.solve(replace(problem, energy=replace(energy, potential=walled)), method, dt=0.3, times=[0.6]).final
    assert rim_masses(final.mass)[:, 1].min() > 0.02


def test_the_rim_is_the_outermost_cells_of_each_axis():
    assert np.array_equal(rim_masses(np.arange(6.0).reshape(2, 3)), [[3.0, 12.0], [3.0, 7.0]])
