"""Laws given by a quantile function."""

import pytest

from pdeflow.laws import FromQuantile, GaussianMixture


def test_moments_of_a_law_given_by_a_jumping_quantile_function():
    mixture = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])
    law = FromQuantile(mixture.quantile)
    assert law.mean()[0] == pytest.approx(mixture.mean()[0], abs=1e-12)
    assert law.cov()[0, 0] == pytest.approx(mixture.cov()[0, 0], rel=1e-11)
