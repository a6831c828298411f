"""Points that carry density values."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import DensityAtPoints, Gaussian, Particles

NORMAL = Gaussian([0.0, 0.0], 1.0)


def exact(n=4000, **keywords):
    x, log_density = NORMAL.sample_with_log_density(n, np.random.default_rng(0))
    return DensityAtPoints(x, log_density, **keywords)


def test_draws_come_with_their_values_and_moments_are_those_of_the_cloud():
    law = exact()
    x, log_density = law.sample_with_log_density(50, np.random.default_rng(1))
    np.testing.assert_allclose(log_density, NORMAL.log_density(x), rtol=1e-14)
    assert np.array_equal(law.mean(), law.cloud.mean()) and np.array_equal(law.cov(), law.cloud.cov())
    with pytest.raises(pf.NotAvailable, match="log_density"):
        law.log_density(np.zeros((1, 2)))


def test_relative_entropy_of_it_is_that_of_its_draws():
    other = Gaussian([0.5, 0.0], 1.0)
    found = pf.metrics.kl(exact(), other, rng=np.random.default_rng(0))
    assert found.value == pytest.approx(pf.metrics.kl(NORMAL, other).value, abs=0.03)  # four errors of 0.5/√4000
    with pytest.raises(pf.NotAvailable):
        pf.metrics.kl(other, exact(), rng=np.random.default_rng(0))


def test_a_constant_that_lacks_is_found_by_another_density():
    known = exact()
    relative = DensityAtPoints(known.cloud.x, known.log_values + 7.0, relative=True)
    with pytest.raises(pf.NotAvailable, match="lack a constant"):
        relative.sample_with_log_density(3, np.random.default_rng(0))
    found = relative.normalised(NORMAL)
    assert not found.relative and np.allclose(found.log_values, known.log_values, atol=1e-12)
    with pytest.raises(pf.BadInput, match="covers the points"):
        relative.normalised(pf.laws.Uniform([0.0, 0.0], [1.0, 1.0]))


def test_values_become_weights_by_the_density_of_the_points():
    truth = Gaussian([0.3, 0.0], 0.8)
    x = exact().cloud.x
    cloud = DensityAtPoints(x, truth.log_density(x) - 2.0, relative=True).reweighted(NORMAL)
    assert isinstance(cloud, Particles) and np.abs(cloud.mean() - truth.mean()).max() < 0.06
    assert np.abs(cloud.cov() - truth.cov()).max() < 0.1  # four errors of about 1.4/√4000


def test_values_that_are_none_are_refused():
    with pytest.raises(pf.BadInput, match="one value a point"):
        DensityAtPoints(np.zeros((3, 1)), [0.0])
    with pytest.raises(pf.BadInput, match="nan at point 1"):
        DensityAtPoints(np.zeros((2, 1)), [0.0, np.nan])
