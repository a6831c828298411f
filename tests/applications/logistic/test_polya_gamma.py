"""Pólya-Gamma draws against the Laplace transform and the moments that define them."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications.logistic import polya_gamma


@pytest.mark.parametrize("z", [0.0, 0.5, 3.0, 3.2, 20.0])  # 3.125 is where the proposal below the cut changes
def test_moments_and_laplace_transform(z, rng):
    n = 40_000
    x = polya_gamma(np.full(n, -z), rng)  # the sign has no effect
    assert np.all(x > 0)
    mean = np.tanh(z / 2) / (2 * z) if z else 1 / 4
    variance = (np.sinh(z) - z) / (4 * z**3 * np.cosh(z / 2) ** 2) if z else 1 / 24
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / n)  # 5 standard errors
    assert x.var() == pytest.approx(variance, rel=0.06)  # its standard error is below 1.2 %: kurtosis at most 5.4
    for t in (0.5, 8.0):
        values = np.exp(-t * x)
        transform = np.cosh(z / 2) / np.cosh(np.sqrt(z * z / 4 + t / 2))
        assert abs(values.mean() - transform) < 5 * values.std() / np.sqrt(n)


def test_far_tilts_do_not_overflow_and_a_seed_gives_the_same_bits():
    z = np.array([0.0, 700.0, 1e4, 1e6])
    x = polya_gamma(z, np.random.default_rng(3))
    assert np.all(np.isfinite(x)) and np.all(x > 0)
    assert x[3] == pytest.approx(1 / (2 * 1e6), rel=0.1)  # the law is narrow there: deviation over mean is z^(-1/2)
    assert np.array_equal(x, polya_gamma(z, np.random.default_rng(3)))


@pytest.mark.parametrize("z", [np.nan, np.inf, 1e300])
def test_tilts_that_are_no_numbers_are_refused(z, rng):
    with pytest.raises(pf.BadInput, match="tilt"):
        polya_gamma(np.array([z]), rng)
    with pytest.raises(pf.BadInput, match="Generator"):
        polya_gamma(np.zeros(2), 3)
