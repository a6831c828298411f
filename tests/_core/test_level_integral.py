"""Integrals over levels find kinks and jumps, wherever they lie, and follow what counts to the ends."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import pdeflow as pf
from pdeflow._core.level_integral import DEEPEST_LEVEL, level_integral


@pytest.mark.parametrize(
    "function, value",
    [
        (lambda u: (u > 0.3).astype(float), 0.7),
        (lambda u: np.abs(u - 1 / 3), 5 / 18),
        (lambda u: np.log(u) ** 2, 2.0),
        (lambda u: -np.log1p(-u), 1.0),
        (lambda u: np.sqrt(u) + (u > 0.9), 2 / 3 + 0.1),
        (lambda u: 0 * u, 0.0),
        (
            lambda u: np.sign(np.sin(40 * u)),
            sum((-1) ** k * (min((k + 1) * np.pi / 40, 1) - k * np.pi / 40) for k in range(13)),
        ),
    ],
)
def test_level_integrals_close_in_on_kinks_and_jumps(function, value):
    assert level_integral(function) == pytest.approx(value, abs=2e-12)


@pytest.mark.parametrize("place", [0.4999, 0.50003, 0.3797, 4.016e-11, 3e-13])
def test_a_jump_in_the_middle_of_a_panel_is_found(place):
    """Where it lies between the middle points of a panel, the rule and those of the halves agree on a wrong value."""
    assert level_integral(lambda u: (u < place) * 1.0, probed=True) == pytest.approx(place, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("place", [3.0, 6.5, 8.5, 20.0, 37.0])
def test_what_counts_near_an_end_is_followed_there(place):
    """P(X > place) of a standard Gaussian, of which 37 deviations leave 6e-300."""
    deepest = (DEEPEST_LEVEL, DEEPEST_LEVEL)
    for sign in (1, -1):
        value = level_integral(
            lambda u, s=sign: (s * ndtri(u) > place) * 1.0,
            upper=lambda v, s=sign: (-s * ndtri(v) > place) * 1.0,
            deepest=deepest,
            probed=True,
        )
        assert value == pytest.approx(ndtr(-place), rel=1e-9, abs=0.0)  # what is promised


def test_levels_near_one_that_are_rounded_are_an_error_where_they_count():
    assert level_integral(lambda u: (u > 1 - 1e-4) * 1.0, probed=True) == pytest.approx(1e-4, rel=1e-9, abs=0.0)
    with pytest.raises(pf.NotConverged, match="upper_quantile"):
        level_integral(lambda u: (u > 1 - 1e-8) * 1.0, probed=True)
