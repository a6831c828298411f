"""Laws with a constant density on each cell of a grid."""

import numpy as np
import pytest

from pdeflow.laws import GridLaw


def test_grid_axes_as_lists_and_edges_belong_inside():
    law = GridLaw([0.0, 1.0, 3.0], [0.25, 0.75])
    assert law.dim == 1 and law.mean()[0] == 0.125 + 1.5
    density = np.exp(law.log_density(np.array([[0.0], [1.0], [3.0], [3.5], [-0.5]])))
    assert density.tolist() == pytest.approx([0.25, 0.375, 0.375, 0.0, 0.0], rel=1e-15)
    assert law.centers[0].tolist() == [0.5, 2.0] and law.volumes.tolist() == [1.0, 2.0]
    plane = GridLaw(([0.0, 1.0, 3.0], [0.0, 2.0]), [[0.25], [0.75]])
    assert plane.cov()[1, 1] == pytest.approx(4 / 12, rel=1e-15) and plane.cov()[0, 1] == pytest.approx(0, abs=1e-16)


def test_grid_quantiles_pass_over_empty_cells():
    law = GridLaw([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 0.0, 0.5])
    assert law.quantile(np.array([0.0, 0.25, 0.5, 0.5 + 1e-12, 1.0])) == pytest.approx(
        [1.0, 1.5, 2.0, 3.0, 4.0], abs=1e-11
    )


def test_the_tolerated_negative_cell_is_reported_and_counts_as_empty():
    law = GridLaw([0.0, 1.0, 2.0], [1.0 + 5e-13, -5e-13])
    assert law.min_mass == -5e-13 and law.mass[1] == -5e-13 and law.mass_error == pytest.approx(0, abs=1e-15)
    assert law.entropy() == pytest.approx(0, abs=1e-12) and law.log_density(np.array([[1.5]]))[0] == -np.inf
    assert law.quantile(np.array([1.0]))[0] <= 2.0 and law.sample(100, np.random.default_rng(0)).max() <= 1.0
