"""The scaled chi law is that of the length of a Gaussian."""

import numpy as np
import pytest
from scipy import stats

from pdeflow.laws import Chi, Gaussian


@pytest.mark.parametrize("degrees", [1, 2, 10, 100])
def test_it_is_the_law_of_the_length_of_a_gaussian(degrees):
    law, peer = Chi(degrees, 0.7), stats.chi(degrees, scale=0.7)
    r = law.quantile(np.array([1e-6, 0.1, 0.5, 0.9, 1 - 1e-6]))
    # round-off of the incomplete gamma function and its inverse
    assert law.log_density(r[:, None]) == pytest.approx(peer.logpdf(r), rel=1e-10)
    assert law.cdf(r) == pytest.approx(peer.cdf(r), rel=1e-10)
    assert [law.mean()[0], law.cov()[0, 0]] == pytest.approx([peer.mean(), peer.var()], rel=1e-9)
    assert law.entropy() == pytest.approx(float(peer.entropy()), rel=1e-9)
    assert law.upper_quantile(1e-30) > law.upper_quantile(1e-20) > r[-1]


def test_a_gaussian_names_its_radius_only_where_rotations_leave_it():
    assert Gaussian(np.zeros(7), 0.25).radial_part() == Chi(7, 0.5)
    assert Gaussian([0.0, 1e-12], 0.25).radial_part() is None
    assert Gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1 + 1e-12]]).radial_part() is None
    assert Gaussian(0.0, 1.0).radial_part() is None
