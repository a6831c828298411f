"""Uniform laws on spheres."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Ring
from pdeflow.laws.ring import sphere_mean_power


def test_points_lie_on_the_sphere(rng):
    law = Ring(0.6, center=[1.0, 2.0, 3.0])
    radius = np.linalg.norm(law.sample(100, rng) - law.center, axis=1)
    assert radius == pytest.approx(np.full(100, 0.6), rel=1e-14) and law.has_density() is False
    assert law.cov() == pytest.approx(0.12 * np.eye(3), rel=1e-15)


def test_powers_of_distances_scale_with_the_radius():
    law = Ring(0.5, center=[1.0, 0.0])
    assert law.mean_pair_power(4.0).value == pytest.approx(0.5**4 * sphere_mean_power(4.0, 2), rel=1e-15)
    assert law.mean_pair_power(2.0).value == pytest.approx(2 * 0.25, rel=1e-15)
    assert law.mean_pair_power(0.0) is None


def test_a_ring_that_floats_cannot_hold_is_refused():
    assert Ring(1.0, [1e12, 0.0]).radius == 1.0
    with pytest.raises(pf.BadInput, match="The ring lies at 1e\\+15"):
        Ring(1.0, [0.0, 1e15])
