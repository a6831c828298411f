"""Barenblatt profiles."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Barenblatt


@pytest.mark.parametrize("d, m", [(1, 2.0), (2, 2.4), (5, 3.0), (15, 2.0), (3, 1.5), (1, 1.001), (15, 20.0)])
def test_barenblatt_dissipates_and_spreads_as_it_must(d, m):
    """dF/dt = -β² M2/t², dM2/dt = 2d(m-1)F [docs/math.md 1]."""
    t, h = 0.7, 1e-4
    before, now, after = (Barenblatt(d, m, t + k * h) for k in (-1, 0, 1))
    slope = (after.energy() - before.energy()) / (2 * h)
    spread = (after.second_moment - before.second_moment) / (2 * h)
    # central differences: h² of relative size 1e-8
    assert slope == pytest.approx(-(now.beta**2) * now.second_moment / t**2, rel=1e-6)
    assert spread == pytest.approx(2 * d * (m - 1) * now.energy(), rel=1e-6)
    assert now.energy() == pytest.approx(now.power_integral(m) / (m - 1), rel=1e-10)
    again = Barenblatt.of_scale(d, m, now.scale)
    assert again.time == pytest.approx(t, rel=1e-12) and again.radius == pytest.approx(now.radius, rel=1e-13)


def test_barenblatt_samples_stay_inside_and_reach_the_edge(rng):
    law = Barenblatt(15, 2.0, 1.0, center=np.full(15, 3.0))
    r = np.linalg.norm(law.sample(100_000, rng) - 3.0, axis=1) / law.radius
    assert r.max() < 1 and r.max() > 0.97
    assert law.log_density(law.center[None] + law.radius * np.eye(15)[:1] * 1.0001)[0] == -np.inf


def test_barenblatt_tends_to_the_heat_kernel():
    """m -> 1 at time t is N(0, 2t): the profile of m = 1 + 1e-6 agrees to that size."""
    law, x = Barenblatt(1, 1 + 1e-6, 0.5), np.linspace(-3, 3, 13)[:, None]
    assert np.allclose(law.log_density(x), pf.laws.Gaussian(0.0, 1.0).log_density(x), atol=2e-5)
