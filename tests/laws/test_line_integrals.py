"""Integrals of densities over the line: anchors, panels, crossings, masses."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import AffineMap, Barenblatt, Gaussian, GaussianMixture, PushForward, Uniform
from pdeflow.laws.line_integrals import LineDensities, density_mean, sign_changes


def test_panels_cover_every_component_and_hold_the_mass():
    law = GaussianMixture([0.2, 0.3, 0.5], [0.0, 1e6, 1e6 + 3e-4], [1.0, 1e-8, 1e-8])
    densities = LineDensities([law, Uniform(-1.0, 1.0)])
    assert np.all(densities.low < densities.high)
    for i in range(2):
        mass = densities.integral(lambda logs, i=i: np.exp(logs[i]), lambda total: (1e-13, 1e-10), "a mass")
        assert mass == pytest.approx(1, abs=1e-12)


def test_densities_near_an_anchor_far_out_do_not_feel_its_rounding():
    """The entropy of N(1e6, 1e-8) by quadrature is that of N(0, 1e-8)."""
    far = density_mean(Gaussian(1e6 + 0.1, 1e-8), lambda logs: logs)
    assert far == pytest.approx(-Gaussian(0.0, 1e-8).entropy(), rel=1e-13)


def test_crossings_are_found_also_where_two_lie_between_neighbouring_places():
    y = np.linspace(0.0, 1.0, 9)[None]

    def gap(x, panel):
        return (x - 0.31) * (x - 0.33)

    panels, places = sign_changes(gap, y, gap(y, None), 0.0)
    assert np.array_equal(panels, [0, 0]) and np.allclose(np.sort(places), [0.31, 0.33], rtol=1e-12)
    panels, places = sign_changes(lambda x, panel: np.cos(9 * x), y, np.cos(9 * y), 0.0)
    assert np.allclose(np.sort(places), (np.arange(3) + 0.5) * np.pi / 9, rtol=1e-12)


def test_laws_say_where_they_live():
    mixture = GaussianMixture([0.5, 0.5, 0.0], [-5.0, 1e5, 7.0], [1.0, 1e-6, 1.0])
    edges = mixture.density_edges()
    assert {-5.0, -4.0, 1e5} <= set(edges) and 7.0 not in edges and np.all(np.diff(edges) > 0)
    moved = PushForward(mixture, (AffineMap(np.array([[2.0]]), np.array([1.0])),))
    assert {-9.0, 2e5 + 1} <= set(moved.density_edges())
    bounded = Barenblatt(1, 2.0, 1.0)
    assert bounded.density_edges()[[0, -1]] == pytest.approx([-bounded.radius, bounded.radius])
    assert Gaussian([0.0, 0.0], 1.0).density_edges() is None


def test_the_difference_of_two_draws():
    law = GaussianMixture([0.3, 0.0, 0.7], [-1.0, 5.0, 2.0], [0.5, 1.0, 0.1])
    gap = law.difference()
    assert gap.mean() == pytest.approx([0.0], abs=1e-15) and np.allclose(gap.cov(), 2 * law.cov())
    assert Gaussian(3.0, 0.5).difference().cov() == pytest.approx(1.0)
    for p in (1, 4):
        drawn = law.sample(200_000, np.random.default_rng(0)) - law.sample(200_000, np.random.default_rng(1))
        values = np.abs(drawn[:, 0]) ** p
        assert abs(law.mean_pair_power(p).value - values.mean()) < 5 * values.std() / np.sqrt(len(values))


def test_an_internal_energy_whose_tails_count_is_not_cut_off():
    with pytest.raises(pf.NotConverged, match="panels at the ends"):
        density_mean(Gaussian(0.0, 1.0), lambda logs: np.exp(-0.99 * logs))
