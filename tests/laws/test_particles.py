"""Weighted point clouds."""

import numpy as np
import pytest

from pdeflow.laws import Particles


def test_particles_count_their_levels():
    for n in (3, 7, 10, 49, 1000):
        law = Particles(np.arange(float(n)))
        k = np.arange(1, n + 1)
        assert np.array_equal(law.quantile(k / n), k - 1.0)  # left-continuous: k/n belongs to the k-th
        assert np.array_equal(law.quantile(k / n - 0.5 / n), k - 1.0)
        assert np.array_equal(law.quantile((k - 1) / n + 1e-9 / n), k - 1.0)
    weighted = Particles([2.0, 0.0, 1.0], [0.0, 0.3, 0.7])
    assert weighted.quantile(np.array([0.0, 0.3, 0.31, 1.0])).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert weighted.cdf(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])) == pytest.approx([0, 0.3, 0.3, 1, 1], abs=1e-15)
