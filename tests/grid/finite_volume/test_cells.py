"""The discrete energy: its gradient, empty cells, and how fast diffusion is."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.convolution import Convolution
from pdeflow.grid.finite_volume.cells import Cells


def cells_of(internal, shape=(5, 4), kernel=None):
    widths = np.array([0.3, 0.2])
    edges = tuple(width * np.arange(n + 1) for n, width in zip(shape, widths))
    values = np.random.default_rng(1).random(shape)
    convolution = None if kernel is None else Convolution(kernel, shape, widths)
    return Cells(edges, widths, values, internal, convolution, 0.0, True)


@pytest.mark.parametrize("internal", [pf.Entropy(0.7), pf.Power(2.5, 0.3), pf.Entropy(0.2) + pf.Power(2.0), None])
def test_the_gradient_is_that_of_the_energy(internal):
    cells = cells_of(internal, kernel=pf.interactions.GaussianAttraction(2.0, 0.5))
    density = 0.5 + np.random.default_rng(2).random((5, 4))
    at = cells.evaluate(density)
    step = 1e-5
    for where in ((0, 0), (2, 1), (4, 3)):
        change = np.zeros((5, 4))
        change[where] = step
        rise = cells.evaluate(density + change).energy - cells.evaluate(density - change).energy
        # central differences of a smooth function: step², and round-off over step
        assert np.isclose(rise / (2 * step * cells.volume), (at.field + at.slope)[where], rtol=1e-7)
    if internal is not None:
        own = np.sum(internal.value(density)) * cells.volume
        rest = density * (cells.values + at.field) / 2
        assert np.isclose(at.energy, own + rest.sum() * cells.volume, rtol=1e-13)


def test_an_empty_cell_has_energy_zero_and_a_finite_slope():
    cells = cells_of(pf.Entropy(1.0))
    at = cells.evaluate(np.zeros((5, 4)))
    assert at.energy == 0.0 and np.isfinite(at.slope).all() and at.slope.max() < -400


def test_the_fastest_diffusion():
    density = np.array([[0.0, 0.5], [2.0, 1.0]])
    power = pf.Power(3.0, 0.5)
    known = cells_of(pf.Entropy(0.25) + power, (2, 2)).diffusivity(density)
    assert np.isclose(known, 0.25 + 0.5 * 3 * 2.0**2, rtol=1e-14)

    class Own(pf.InternalEnergy):
        def value(self, r):
            return power.value(r)

        def pressure(self, r):
            return power.pressure(r)

    # one-sided differences of step 1e-6
    assert np.isclose(cells_of(Own(), (2, 2)).diffusivity(density), 6.0, rtol=1e-5)
