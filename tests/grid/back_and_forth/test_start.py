"""First heights: heat that loses nothing, heights on the line that transport one law to another, smooth extensions."""

import numpy as np
import pytest
from scipy.stats import norm

import pdeflow as pf
from pdeflow._core.compiled import crew
from pdeflow.grid.back_and_forth.start import extended, first_heights, has_finite_slope_at_zero, heated, monotone


def test_heat_keeps_mass_and_widens_by_its_variance():
    n, deviation = 400, 7.0
    edges = np.arange(n + 1.0)
    mass = np.diff(norm.cdf(edges, 200, 10))[:, None]
    warm = heated(mass, (deviation, 1.0))
    place = edges[:-1] + 0.5
    variance = float(warm[:, 0] @ (place - 200) ** 2)
    assert warm.sum() == pytest.approx(1, abs=1e-13) and warm.min() >= 0
    assert variance == pytest.approx(100 + 49 + 1 / 12, rel=1e-9)  # 1/12: that of a cell
    corner = np.zeros((30, 30))
    corner[0, 0] = 1.0
    assert heated(corner, (3.0, 5.0)).sum() == pytest.approx(1, abs=1e-13)  # nothing leaves through a wall


def test_heights_on_the_line_have_the_cells_of_the_quantiles():
    n, square_over_dt = 60, 0.4
    edges = np.arange(n + 1.0)
    mass, target = np.diff(norm.cdf(edges, 25, 6)), np.diff(norm.cdf(edges, 33, 9))
    mass, target = mass / mass.sum(), target / target.sum()
    heights = monotone(np.zeros(n), mass, target, square_over_dt)
    # the border of the Laguerre cells j and j + 1 lies at j + 1 + (φ_{j+1} - φ_j) dt/h²
    borders = edges[1:-1] + np.diff(heights) / square_over_dt
    arrived = np.interp(borders, edges, np.append(0, np.cumsum(mass)))
    np.testing.assert_allclose(arrived, np.cumsum(target)[:-1], atol=1e-12)


def test_extended_heights_go_on_below_a_front():
    x = np.linspace(-2, 2, 81)
    truth = 0.5 - x[:, None] ** 2
    full = np.abs(x[:, None]) < 0.6
    with crew() as run:
        phi = extended(np.where(full, truth, 0.0), full, (0.05, 1.0), 0.1, run)
    np.testing.assert_array_equal(phi[full], truth[full])
    outside = phi[x > 0.7, 0]
    assert np.all(np.diff(outside) < 0) and outside.max() < truth[full].min()  # downhill, below all that is known


def test_guesses_end_with_the_one_that_moves_nothing():
    n = 30
    mass = np.diff(norm.cdf(np.linspace(-3, 3, n + 1)))[:, None]
    open_points = np.ones((n, 1), dtype=bool)
    with crew() as run:
        guesses = list(
            first_heights(mass / mass.sum(), np.zeros((n, 1)), open_points, pf.Power(2.0), (0.2, 1.0), 0.1, run)
        )
    assert len(guesses) > 2 and not guesses[-1].any()
    assert all(np.isfinite(guess).all() and guess.shape == (n, 1) for guess in guesses)


def test_powers_above_one_have_fronts():
    assert has_finite_slope_at_zero(pf.Power(2.0)) and has_finite_slope_at_zero(pf.Power(2.0) + pf.Power(3.0))
    assert not has_finite_slope_at_zero(pf.Entropy()) and not has_finite_slope_at_zero(pf.Entropy() + pf.Power(2.0))
