"""Levels of a quantile mesh and the nodes of a law there."""

import numpy as np
import pytest

from pdeflow.grid.quantile_jko.mesh import quantile_levels, quantile_nodes
from pdeflow.laws import Gaussian


@pytest.mark.parametrize("grading", ["graded", "uniform"])
@pytest.mark.parametrize("points", [3, 4, 300, 100_000])
def test_levels_are_symmetric_and_increase(points, grading):
    s = quantile_levels(points, grading)
    assert s[0] == 0.0
    assert s[-1] == 1.0
    assert np.all(np.diff(s) >= 0.99 * 64 * np.finfo(float).eps)
    np.testing.assert_array_equal(s + s[::-1], np.ones(points))


def test_end_nodes_of_an_unbounded_law():
    s = quantile_levels(101, "graded")
    x = quantile_nodes(Gaussian(0.0, 1.0), s)
    assert x[0] == Gaussian(0.0, 1.0).quantile(np.exp(-2.0) * s[1])
    assert x[-1] == pytest.approx(-x[0], rel=1e-6)  # levels near 1 are coarser than near 0
