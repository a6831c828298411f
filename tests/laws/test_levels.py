"""Means over levels, by laws that know their upper tail and laws that do not."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import pdeflow as pf
from pdeflow.laws import FromQuantile, Gaussian
from pdeflow.laws.levels import level_mean


@pytest.mark.parametrize("law", [Gaussian(0.0, 1.0), FromQuantile(ndtri)], ids=["gaussian", "from_quantile"])
def test_moments_and_tails(law):
    assert level_mean(law, lambda x: x[:, 0] ** 4, ()).value == pytest.approx(3.0, rel=1e-12)
    assert level_mean(law, lambda x: np.exp(x[:, 0]), ()).value == pytest.approx(np.exp(0.5), rel=1e-9)
    assert level_mean(law, lambda x: (x[:, 0] < -9) * 1.0, ()).value == pytest.approx(ndtr(-9.0), rel=1e-9, abs=0)


def test_a_growing_function_has_its_digits():
    """E exp(9x) = exp(40.5) lies about x = 9, above all but 1e-19 of the mass."""
    law = Gaussian(0.0, 1.0)
    assert level_mean(law, lambda x: np.exp(9 * x[:, 0]), ()).value == pytest.approx(np.exp(40.5), rel=1e-9)
    with pytest.raises(pf.NotConverged, match="accepted"):
        level_mean(FromQuantile(ndtri), lambda x: np.exp(9 * x[:, 0]), ())


def test_a_function_that_falls_is_refused():
    class Falling(pf.laws.Law):
        dim = 1

        def quantile(self, u):
            return -ndtri(u)

    with pytest.raises(pf.BadInput, match="falls from"):
        level_mean(Falling(), lambda x: x[:, 0], ())
