"""Masses of planar Barenblatt profiles in cells against other grids, other axes and sums over points."""

import numpy as np
import pytest

from pdeflow.laws import Barenblatt
from pdeflow.laws.barenblatt_masses import planar_masses


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_masses_add_up_and_do_not_know_the_axes(power):
    x, y = np.linspace(-1.1, 0.9, 33), np.linspace(-1.3, 1.2, 41)
    mass = planar_masses(x, y, power)
    whole = planar_masses(np.array([-2.0, 0.1, 1.0]), np.array([-1.0, 3.0]), power)
    assert mass.sum() < 1 and whole.sum() == pytest.approx(1, abs=1e-13)
    assert np.abs(mass.reshape(8, 4, 10, 4).sum((1, 3)) - planar_masses(x[::4], y[::4], power)).max() < 1e-14
    assert np.abs(planar_masses(y, x, power).T - mass).max() < 1e-13  # quadrature in the other axis


def test_masses_are_the_density_times_the_cell_inside():
    law = Barenblatt(2, 2.0, 0.1, [0.2, -0.1])
    edges = np.linspace(-1.0, 1.2, 23)
    known = law.cell_masses((edges, edges))
    # the profile of m = 2 is a quadratic: its mean over a cell is the value in the middle less k (h² + h²)/12 s^-4
    center, h = (edges[12] + edges[13]) / 2, edges[1] - edges[0]
    value = np.exp(law.log_density(np.array([[center, center]])))[0] - law.k * h**2 / 6 / law.scale**4
    assert known.mass[12, 12] == pytest.approx(value * h**2, rel=1e-13)
    assert known.outside == pytest.approx(1 - known.mass.sum(), abs=1e-15) and known.mass.min() >= 0


def test_other_dimensions_are_left_to_their_own():
    edges = np.linspace(-1, 1, 5)
    assert Barenblatt(3, 2.0, 0.1).cell_masses((edges,) * 3) is None
    assert Barenblatt(1, 2.0, 0.1).cell_masses((edges,)).mass.sum() == pytest.approx(1)
