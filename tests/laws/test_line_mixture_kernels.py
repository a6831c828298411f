"""The compiled loops of mixtures on the line."""

import numpy as np
import pytest
from scipy.special import ndtr

from pdeflow.laws import line_mixture_kernels as kernels

W, M, S = np.array([0.2, 0.8]), np.array([0.0, 3.0]), np.array([0.5, 1.0])
GAPS = M[:, None] - M


def test_shares_and_densities_at_places():
    anchor, offset = np.array([0, 1, 1]), np.array([0.1, -50.0, 60.0])
    share, density = kernels.shares_at(anchor, offset, W, S, GAPS)
    assert share == pytest.approx([0.2 * ndtr(0.2) + 0.8 * ndtr(-2.9), 0.0, 1.0], rel=1e-14)
    assert density[1:].tolist() == [0.0, 0.0]


def test_the_table_rises_where_round_off_would_let_it_fall():
    offset = np.linspace(-10, 60, 200)
    share, log, rise = kernels.tabulated(np.zeros(200, dtype=np.int64), offset, W, S, GAPS)
    assert np.all(np.diff(share) >= 0) and log == pytest.approx(np.log(share), rel=1e-14, abs=1e-16)
    assert np.isinf(rise[-1]) and share[-1] == pytest.approx(1.0, rel=1e-15)


def test_levels_on_a_flat_stretch_find_its_ends():
    """Between modes 1,000 deviations apart the share is flat: bisection finds the side that was asked for."""
    apart = np.array([0.0, 1000.0])
    gaps = apart[:, None] - apart
    offset = np.array([-38.5, -1.0, 0.0, 1.0, 8.0, 38.5])
    anchor = np.repeat([0, 1], 6)
    ones = np.ones(2)
    mirrored = anchor[::-1].copy()
    sides = [
        kernels.Table(which, places, *kernels.tabulated(which, places, 0.5 * ones, ones, sign * gaps))
        for which, places, sign in ((anchor, np.tile(offset, 2), 1.0), (mirrored, np.tile(-offset[::-1], 2), -1.0))
    ]
    found, at = np.empty(2, dtype=np.int64), np.empty(2)
    shares, near, centres = np.array([0.5 - 1e-9, 0.5 + 1e-9]), np.empty(2, dtype=np.int64), np.empty((0, 18))
    kernels.solve(shares, False, *sides, 0.5 * ones, ones, gaps, found, at, near, centres)
    assert found.tolist() == [0, 1] and at == pytest.approx([5.88419, -5.88419], abs=1e-5)  # ndtri(2e-9)
