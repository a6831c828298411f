"""Moments of quantile functions with tested errors."""

import numpy as np
import pytest
from scipy.special import ndtri

import pdeflow as pf
from pdeflow._core.level_moments import quantile_moment


def test_light_tails_are_exact_to_round_off():
    assert quantile_moment(ndtri, 2) == pytest.approx(1.0, rel=1e-12)
    assert quantile_moment(lambda u: -np.log1p(-u), 1) == pytest.approx(1.0, rel=1e-11)
    assert quantile_moment(lambda u: u, 2, 0.5) == pytest.approx(1 / 12, rel=1e-13)
    assert quantile_moment(lambda u: 0 * u + 3.0, 2, 3.0) == 0.0


@pytest.mark.parametrize("place", [0.3, 1e-7, 1 - 1e-3, 0.5 + 2.0**-14])
def test_a_jump_is_found_wherever_it_lies(place):
    """The mean of a step is what lies above it; 0.5 + 2^-14 lies between an end of a panel and its first node."""
    assert quantile_moment(lambda u: np.where(u > place, 1.0, 0.0), 1) == pytest.approx(1 - place, rel=1e-12)


@pytest.mark.parametrize("end", [0, 1])
def test_a_power_is_followed_to_the_end(end):
    """∫u^(-0.45) du = 1/0.55 and its square 10, shifted by a constant that hides the power."""
    sign = 1 - 2 * end

    def quantile(u):
        return 5 - sign * (1 - u if end else u) ** -0.45

    assert quantile_moment(quantile, 2, 5.0) == pytest.approx(10, rel=1e-9)
    assert quantile_moment(quantile, 1, 5.0) == pytest.approx(-sign / 0.55, rel=1e-11)
    with pytest.raises(pf.NotAvailable, match=f"levels near {end}"):
        quantile_moment(lambda u: quantile(u) ** 3, 1)


def test_a_tail_that_still_changes_is_not_converged():
    with pytest.raises(pf.NotConverged, match="accepted"):
        quantile_moment(lambda u: (1 - u) ** -0.5 / (4 - np.log1p(-u)) ** 2, 2)
