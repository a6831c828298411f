"""Quantile functions that fall are refused; round-off and noise of an inverse by iteration are none."""

import numpy as np
import pytest
from scipy.special import ndtri

import pdeflow as pf
from pdeflow._core.rising import PROBES, require_rising, require_sorted


@pytest.mark.parametrize(
    "quantile",
    [
        ndtri,
        lambda u: 0 * u,
        lambda u: np.where(u < 0.3, -np.inf, 1e300),
        lambda u: ndtri(u) + 1e-10 * np.sin(1e6 * u),
        lambda u: 1e15 + np.round(8 * ndtri(u)) / 8,
        lambda u: np.tan(np.pi * (u - 0.5)) * (1 + 1e-12 * np.cos(1e7 * u)),
    ],
)
def test_what_rises_up_to_noise_passes(quantile):
    assert require_rising(quantile, "a law").shape == PROBES.shape


@pytest.mark.parametrize(
    "quantile, match",
    [
        (lambda u: -ndtri(u), "falls from"),
        (lambda u: np.sin(20 * u) + 3 * u, "falls from"),
        (lambda u: 1e9 - ndtri(u), "falls from"),
        (lambda u: ndtri(u) - 0.1 * (u > 0.9), "falls from"),
        (lambda u: np.where(u > 0.5, np.nan, u), "NaN"),
        (lambda u: 0.5, "shape"),
    ],
)
def test_what_falls_is_refused(quantile, match):
    with pytest.raises(pf.BadInput, match=match):
        require_rising(quantile, "a law")


def test_levels_of_ones_own():
    require_sorted(np.array([-np.inf, 0.0, 1.0, np.inf]), np.array([0.0, 0.3, 0.6, 1.0]), "a law")
    with pytest.raises(pf.BadInput, match=r"from 1 at level 0\.3 to 0 at level 0\.6"):
        require_sorted(np.array([-np.inf, 1.0, 0.0, np.inf]), np.array([0.0, 0.3, 0.6, 1.0]), "a law")
