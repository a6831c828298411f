"""Masses in the cells of a grid, where they are known exactly."""

import numpy as np
import pytest
from scipy.special import ndtr

from pdeflow.laws import Gaussian, Quantiles
from pdeflow.laws.cells import CellMasses, cell_volumes, line_masses, mixture_masses, overlap, product_masses, rest


def test_the_upper_tail_is_as_exact_as_the_lower_one():
    edges = np.linspace(-12.0, 12.0, 49)
    cells = line_masses(Gaussian(0.0, 1.0), edges)
    lower = np.diff(ndtr(edges[:25]))
    assert np.allclose(cells.mass[:24], lower, rtol=1e-12) and np.allclose(cells.mass[24:][::-1], lower, rtol=1e-9)
    plain = line_masses(Gaussian(0.0, 1.0), edges, smooth=False)
    assert np.array_equal(plain.mass, np.diff(ndtr(edges))) and plain.mass[-1] == 0 < cells.mass[-1]


def test_products_and_mixtures():
    first, second = CellMasses(np.array([0.5, 0.3]), 0.2, "one way"), CellMasses(np.array([0.9]), 0.1, "another way")
    both = product_masses([first, second])
    assert both.mass.tolist() == [[0.45], [0.27]] and both.outside == pytest.approx(1 - 0.72, rel=1e-14)
    assert both.how == "one way, another way"
    mixed = mixture_masses(np.array([0.25, 0.75]), [first, first._replace(mass=np.array([0.1, 0.9]), outside=0.0)])
    assert mixed.mass == pytest.approx([0.2, 0.75], rel=1e-15) and mixed.outside == 0.05 and mixed.how == "one way"


def test_volumes_are_products_of_widths():
    found = cell_volumes([np.array([0.0, 1.0, 3.0]), np.array([-1.0, 0.0, 0.5, 4.0])])
    assert found.tolist() == [[1.0, 0.5, 3.5], [2.0, 1.0, 7.0]]


def test_overlap_spreads_a_cell_evenly():
    mine, edges = np.array([0.0, 1.0, 3.0]), np.array([0.5, 2.0, 4.0])
    assert overlap(np.array([0.4, 0.6]), 0, mine, edges) == pytest.approx([0.2 + 0.3, 0.3], rel=1e-15)


def test_round_off_of_a_sum_is_no_mass():
    assert rest(np.full(10, 0.1), 1.0) == 0.0 and rest(np.array([0.5]), 1.0) == 0.5


def test_a_jumping_density_keeps_its_differences():
    law = Quantiles([0.0, 1.0, 3.0], [0.0, 0.999, 1.0])
    assert law.cell_masses([np.array([0.5, 1.5, 3.0])]).mass == pytest.approx([0.4995 + 0.00025, 0.00075], rel=1e-12)
