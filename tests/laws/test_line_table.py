"""Densities on the line, tabulated on panels, against closed forms."""

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr, ndtri

import pdeflow as pf
from pdeflow.laws.line_table import DensityTable


def gaussian(center, deviation):
    """The log density of N(center, deviation²), but for 7: its table has log_total = 7."""

    def log_density(x):
        return 7 - ((x[:, 0] - center) / deviation) ** 2 / 2 - np.log(deviation) - np.log(2 * np.pi) / 2

    return log_density


def test_a_gaussian_has_its_constant_moments_and_quantiles():
    table = DensityTable(gaussian(0.3, 1.2), np.linspace(-40.0, 40.0, 9), "a test")
    u = np.array([1e-12, 1e-3, 0.2, 0.5, 0.8, 1 - 1e-3, 1 - 1e-12])
    # panels are halved down to 1e-13 of the integral
    assert table.log_total == pytest.approx(7, abs=1e-12)
    assert table.moments() == pytest.approx((0.3, 1.44), abs=1e-11)
    np.testing.assert_allclose(table.quantile(u), 0.3 + 1.2 * ndtri(u), atol=1e-10)
    np.testing.assert_allclose(table.cdf(0.3 + 1.2 * ndtri(u)), u, atol=1e-13)
    # the share above is not rounded: 1e-25 is there, where 1 - 1e-25 is one
    np.testing.assert_allclose(table.upper_quantile(np.array([1e-25])), 0.3 - 1.2 * ndtri([1e-25]), atol=1e-9)


def test_a_peak_narrower_than_all_nodes_is_found_from_its_slopes():
    table = DensityTable(gaussian(0.312345, 1e-7), np.array([-40.0, 40.0]), "a test")
    assert table.log_total == pytest.approx(7, abs=1e-9)
    assert table.moments()[0] == pytest.approx(0.312345, abs=1e-13)
    assert table.moments()[1] == pytest.approx(1e-14, rel=1e-9)


def test_a_jump_inside_a_panel_is_closed_in_on():
    table = DensityTable(lambda x: np.where(x[:, 0] > 1 / 3, 0.0, -np.inf), np.array([0.0, 1.0]), "a test")
    # bisection down to neighbouring floats; the rules of a panel with the jump are off by as much as the panel
    assert table.log_total == pytest.approx(np.log(2 / 3), abs=1e-12)
    assert table.quantile(np.array([0.25]))[0] == pytest.approx(0.5, abs=1e-12)


def test_the_tail_of_a_truncated_gaussian_in_closed_form():
    table = DensityTable(gaussian(0.0, 1.0), np.array([5.0, 9.0, 40.0]), "a test")
    assert table.log_total == pytest.approx(7 + log_ndtr(-5.0), abs=1e-11)
    assert table.cdf(np.array([6.0]))[0] == pytest.approx(1 - ndtr(-6.0) / ndtr(-5.0), abs=1e-11)
    assert table.edges()[0] == 5.0


def test_noise_and_nothing_are_refused():
    draw = np.random.default_rng(0)
    with pytest.raises(pf.errors.NotConverged, match="noise"):
        DensityTable(lambda x: draw.random(len(x)), np.array([0.0, 1.0]), "a test")
    with pytest.raises(pf.errors.BadInput, match="zero at all"):
        DensityTable(lambda x: np.full(len(x), -np.inf), np.array([0.0, 1.0]), "a test")
