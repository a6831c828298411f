"""The scale of a metric: the size of what it compares, in its unit."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.metrics.metric import scale_of
from pdeflow.metrics.scales import length, root_of_length, root_of_one, root_of_score, root_of_squared_length

UNIT = 1e-6
POWERS = {
    "w2": 1,
    "sliced_w2": 1,
    "max_sliced_w2": 1,
    "bures": 1,
    "mean_error": 1,
    "cov_error": 2,
    "l1": 0,
    "kl": 0,
    "sym_kl": 0,
    "l2": -0.5,
}


@pytest.mark.parametrize("name", POWERS)
def test_a_scale_has_the_unit_of_its_metric(name):
    metric = getattr(pf.metrics, name)
    small, plain = pf.laws.Gaussian(3 * UNIT, UNIT**2), pf.laws.Gaussian(3.0, 1.0)
    assert np.isclose(scale_of(metric, small), UNIT ** POWERS[name] * scale_of(metric, plain), rtol=1e-12)
    value = abs(float(metric(pf.laws.Gaussian(4.0, 2.0), plain, rng=np.random.default_rng(0))))
    assert 0.05 * value < scale_of(metric, plain) < 20 * value  # for laws that differ by their own size


def test_an_energy_that_happens_to_be_zero_has_a_scale():
    at_zero = pf.laws.Gaussian(0.0, np.exp(-1) / (2 * np.pi))  # its entropy is zero
    gap = pf.metrics.energy_gap(pf.Energy(internal=pf.Entropy(2.0)))
    assert abs(gap.energy.evaluate(at_zero).value) < 1e-14
    assert np.isclose(scale_of(gap, at_zero), 2 * np.log(2))


def test_what_is_not_known_is_nan():
    assert np.isnan(scale_of(lambda a, b: 0.0, pf.laws.Gaussian(0, 1)))
    assert np.isnan(scale_of(pf.metrics.w2, pf.laws.Particles([0.0])))  # one point in the origin has no size


def test_roots_of_differences_are_known_to_the_root_of_their_rounding():
    """A study calls 1e-12 of the scale round-off: that of a root of a difference of numbers of size one is 3e-8."""
    law = pf.laws.Gaussian([3.0, 0.0], 4.0)
    for scale, size in (
        (root_of_one, 1.0),
        (root_of_length, length(law) ** 0.5),
        (root_of_squared_length, length(law)),
    ):
        assert 1e-12 * scale(law) / size == pytest.approx(2 * np.sqrt(np.finfo(float).eps), rel=0.1)
    assert root_of_score(law) / root_of_one(law) == pytest.approx(2 / np.sqrt(8.0))  # d over the spread
