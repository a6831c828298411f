"""Widths of laws in cells, the same law on half as many cells, and what is refused."""

import numpy as np
import pytest
from scipy.stats import norm

import pdeflow as pf
from pdeflow.grid.resolution import (
    grid_change,
    grid_changes,
    halved,
    quarter_in_cells,
    refuse_narrow,
    refuse_unresolved,
)


def gaussian(deviation, cells=200, center=0.3):
    """Masses of a Gaussian of so many cells."""
    return np.diff(norm.cdf((np.arange(cells + 1) - cells / 2 - center) / deviation))


@pytest.mark.parametrize(
    "mass, quarter",
    [([1.0], 0.25), ([0.5, 0.5], 0.5), ([0.1, 0, 0.4, 0, 0.5], 0.5), ([0.125] * 8, 2.0), ([0.2, 0, 0.2, 0.6], 5 / 12)],
)
def test_the_shortest_interval_with_a_quarter_of_the_mass(mass, quarter):
    assert quarter_in_cells(np.array(mass)) == pytest.approx(quarter, rel=1e-14)


def test_of_a_wide_gaussian_it_is_that_of_its_quantiles():
    assert quarter_in_cells(gaussian(20.0)) == pytest.approx(20 * 2 * norm.ppf(0.625), rel=1e-3)


@pytest.mark.parametrize("cells", [6, 7, 20, 21])
def test_half_as_many_cells_hold_the_same_mass_and_mean(cells):
    mass = np.random.default_rng(cells).dirichlet(np.ones(cells))
    for on_cells in (False, True):
        half = halved(mass, on_cells)
        assert len(half) == cells // 2 and half.sum() == pytest.approx(1, abs=1e-14)
    plain = halved(mass, False)
    if cells % 2 == 0:
        np.testing.assert_allclose(plain, mass.reshape(-1, 2).sum(axis=1), atol=1e-15)
    point = np.zeros(40)
    point[21] = 1.0
    assert halved(point, True) @ (2 * np.arange(20) + 1.0) == pytest.approx(21.5, rel=1e-14)
    assert halved(point, False) @ (2 * np.arange(20) + 1.0) == 21.0


def test_a_resolved_law_does_not_change_and_a_shifted_one_does():
    fine = gaussian(10.0)
    assert max(grid_changes(fine, halved(fine, False)).values()) < 1e-12
    moved = halved(gaussian(10.0, center=1.3), False)
    changes = grid_changes(fine, moved)
    assert changes["mean"] == pytest.approx(0.1, rel=1e-2) and changes["variance"] < 1e-9
    assert changes["level"] == pytest.approx(0.1 * norm.pdf(0), rel=1e-2)
    wider = grid_changes(fine, halved(gaussian(11.0), False))
    assert wider["variance"] == pytest.approx(0.21, rel=2e-2)
    assert grid_change(fine, moved) == pytest.approx(changes["mean"] / 0.05, rel=1e-12)
    assert np.isnan(grid_change(fine, None))


def test_refusals_name_the_cells_and_facts():
    edges = np.linspace(-100.0, 100.0, 201)
    narrow = gaussian(0.3)
    with pytest.raises(pf.BadInput, match=r"at least \d+ cells") as caught:
        refuse_narrow(narrow, edges, "The law")
    assert caught.value.cells > 200 and caught.value.quarter < 0.5
    refuse_narrow(narrow, edges, "The law", least=0.2)
    fine = gaussian(10.0)
    refuse_unresolved(fine, halved(fine, False), edges, "at t = 1")
    refuse_unresolved(fine, None, edges, "at t = 1")
    with pytest.raises(pf.BadInput, match="half as many") as caught:
        refuse_unresolved(fine, halved(gaussian(12.0), False), edges, "at t = 1")
    assert caught.value.cells == pytest.approx(200 * 0.44 / 0.1, rel=0.05)
