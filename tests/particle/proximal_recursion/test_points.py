"""Fixed points and their volumes."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.particle import FixedPoints


def test_cells_of_a_box():
    points = FixedPoints.of_cells([[0.0, 1.0, 3.0], [0.0, 2.0]])
    assert np.array_equal(points.x, [[0.5, 1.0], [2.0, 1.0]]) and np.array_equal(points.volumes, [2.0, 4.0])


def test_drawn_points_integrate_over_the_space():
    points = FixedPoints.drawn(pf.laws.Gaussian([0.0, 0.0], 1.0), 4000, np.random.default_rng(0))
    total = points.volumes @ np.exp(-np.sum(points.x**2, axis=1))
    assert total == pytest.approx(np.pi, rel=0.05)  # four standard errors of 0.6 π/√4000


@pytest.mark.parametrize("volumes", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_each_point_has_a_volume(volumes):
    with pytest.raises(pf.BadInput, match="needs a volume > 0"):
        FixedPoints(np.zeros((2, 1)), np.array(volumes))


def test_two_points_at_one_place_are_refused():
    with pytest.raises(pf.BadInput, match="3 points lie at 2 places"):
        FixedPoints(np.array([[0.0], [1.0], [0.0]]), np.ones(3))
