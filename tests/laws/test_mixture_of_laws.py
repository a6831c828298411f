"""Mixtures of laws of any kinds against what their components know, and against a GaussianMixture."""

import json

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, Mixture, Uniform, from_spec

WEIGHTS, MEANS, COVS = [0.3, 0.7], [[-1.0, 0.5], [2.0, 0.0]], [0.2, 0.6]


def _both():
    return Mixture(WEIGHTS, [Gaussian(m, c) for m, c in zip(MEANS, COVS)]), GaussianMixture(WEIGHTS, MEANS, COVS)


def test_of_gaussians_it_is_the_gaussian_mixture(rng):
    mine, other = _both()
    x = rng.standard_normal((50, 2)) * 2
    # closed forms of the same sums: round-off alone
    np.testing.assert_allclose(mine.log_density(x), other.log_density(x), rtol=1e-13)
    np.testing.assert_allclose(mine.cov(), other.cov(), rtol=1e-14)
    axes = [np.linspace(-4, 5, 19), np.linspace(-3, 3, 13)]
    one, another = mine.cell_masses(axes), other.cell_masses(axes)
    np.testing.assert_allclose(one.mass, another.mass, atol=1e-16)
    assert one.outside == pytest.approx(another.outside, rel=1e-12)
    line = mine.projected(np.array([0.6, 0.8]))
    np.testing.assert_allclose(line.cdf(np.linspace(-2, 3, 9)), other.projected(np.array([0.6, 0.8])).cdf(
        np.linspace(-2, 3, 9)), rtol=1e-13)  # fmt: skip


def test_a_jump_is_in_its_cells_and_nowhere_else():
    """0.2 N((2, 2), 0.1 I) + 0.8 U([-1, 1]²), a start of jin2025: what no smooth quadrature of the density sees."""
    law = Mixture([0.2, 0.8], [Gaussian([2.0, 2.0], 0.1), Uniform([-1.0, -1.0], [1.0, 1.0])])
    edges = np.linspace(-1.5, 4.5, 13)
    mass = law.cell_masses([edges, edges]).mass
    bell = Gaussian([2.0, 2.0], 0.1).cell_masses([edges, edges]).mass
    box = np.zeros((12, 12))
    box[1:5, 1:5] = 1 / 16
    np.testing.assert_allclose(mass, 0.2 * bell + 0.8 * box, atol=1e-16)
    assert law.finite_dissipation() is False and law.has_density()
    assert law.support()[0].tolist() == [-np.inf, -np.inf]


def test_an_edge_without_a_jump_may_be_filled_by_another_component():
    """3/4 (1 - x²)+ alone has ∫|ρ'|²/ρ = infinite by a logarithm at its ends; a Gaussian keeps ρ away from 0 there."""
    steep = Barenblatt(1, 2.0, 1.0)
    assert steep.finite_dissipation() is False
    assert Mixture([0.5, 0.5], [steep, Gaussian(0.0, 1.0)]).finite_dissipation() is None
    assert Mixture([0.5, 0.5], [Uniform([-1.0], [1.0]), Gaussian(0.0, 1.0)]).finite_dissipation(3.0) is False


def test_the_description_rebuilds_it():
    law = Mixture([0.5, 0.5], [Barenblatt(2, 2.0, 0.1, [-1.0, 0.0]), Barenblatt(2, 2.0, 0.2, [1.0, 0.0])])
    again = from_spec(json.loads(json.dumps(law.spec())))
    assert again == law and again.spec() == law.spec()
    low, high = law.support()
    assert low[0] < -1.5 and high[0] > 1.5 and np.isfinite([low, high]).all()


@pytest.mark.parametrize(
    "weights, laws",
    [
        ([0.5, 0.4], [Gaussian(0.0, 1.0), Gaussian(1.0, 1.0)]),
        ([1.0, 0.0], [Gaussian(0.0, 1.0), Gaussian(1.0, 1.0)]),
        ([1.0], [Gaussian(0.0, 1.0), Gaussian(1.0, 1.0)]),
        ([0.5, 0.5], [Gaussian(0.0, 1.0), Gaussian([1.0, 0.0], 1.0)]),
        ([0.5, 0.5], [Gaussian(0.0, 1.0), "law"]),
    ],
)
def test_what_makes_no_mixture_is_refused(weights, laws):
    with pytest.raises(pf.BadInput, match="must"):
        Mixture(weights, laws)
