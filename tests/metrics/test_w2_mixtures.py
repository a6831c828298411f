"""W2 on the line from mixtures of Gaussians."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Gaussian, GaussianMixture, GridLaw, Particles
from pdeflow.metrics.w2_line import _by_levels, _pieces


def mixture(rng, count):
    weights = rng.dirichlet(np.ones(count))
    return GaussianMixture(
        weights, rng.normal(size=count) * 10 ** rng.uniform(-1, 1), 10.0 ** rng.uniform(-2, 1, count)
    )


@pytest.mark.parametrize("seed", range(4))
def test_over_places_as_over_levels(seed):
    """The quadrature in the level, which any two laws with quantile functions have."""
    rng = np.random.default_rng(seed)
    a, b = mixture(rng, 1 + seed), mixture(rng, 3)
    edges = np.linspace(-20, 20, 100)
    mass = np.diff(a.cdf(edges))
    for law in (b, Particles(rng.standard_normal(7), rng.dirichlet(np.ones(7))), GridLaw(edges, mass / mass.sum())):
        expected = _by_levels(law, a, _pieces(law))
        assert metrics.w2(a, law).value == pytest.approx(expected, rel=1e-10)  # what the levels accept is 1e-9 W2²
        assert metrics.w2(law, a).value == pytest.approx(metrics.w2(a, law).value, rel=1e-14)


def test_components_of_weight_zero_do_not_matter():
    full, alone = GaussianMixture([0.5, 0.5, 0.0], [0.0, 1.0, 9.0], 0.3), GaussianMixture([0.5, 0.5], [0.0, 1.0], 0.3)
    other = Gaussian(0.0, 2.0)
    assert metrics.w2(full, other).value == metrics.w2(alone, other).value > 0
    assert metrics.w2(full, alone).value < 1e-15


@pytest.mark.parametrize("unit", [1e-150, 1.0, 1e120])
def test_units_change_nothing(unit):
    a = GaussianMixture([0.25, 0.75], np.array([-1.0, 2.0]) * unit, 0.3 * unit**2)
    b, c = Gaussian(0.5 * unit, unit**2), Particles(np.array([-1.0, 0.0, 4.0]) * unit)
    values = [metrics.w2(a, law).value / unit for law in (b, c)]
    assert values == pytest.approx([0.8045, 1.3187], abs=0.3)
    one = GaussianMixture([0.25, 0.75], [-1.0, 2.0], 0.3)
    assert values == pytest.approx(
        [metrics.w2(one, law).value for law in (Gaussian(0.5, 1.0), Particles([-1.0, 0.0, 4.0]))], rel=1e-12
    )


def test_cells_of_levels_cut_a_mode_of_the_other_law():
    """Three modes against two: the middle one is shared out, from the levels 1/4 to 1/2 and 1/2 to 3/4."""
    s = 1e-3
    three = GaussianMixture([0.25, 0.5, 0.25], [-10.0, 0.0, 10.0], s * s)
    two = GaussianMixture([0.5, 0.5], [-10.0, 10.0], s * s)
    assert metrics.w2(three, two).value == pytest.approx(np.sqrt(0.5 * 100), rel=1e-3)
    half = np.sqrt(2 / np.pi) * s  # the mean of the upper half of a Gaussian
    # in the levels from 1/4 to 1/2 the upper half of a mode at -10 meets the lower half of the one at 0
    assert metrics.w2(three, two).value ** 2 == pytest.approx(50 - 20 * half, abs=20 * s * s)


def test_far_modes_of_a_mixture_against_a_cloud_at_their_places():
    cloud = Particles([-50.0, 70.0], [0.3, 0.7])
    narrow = GaussianMixture([0.3, 0.7], [-50.0, 70.0], [1e-16, 4e-16])
    assert metrics.w2(narrow, cloud).value == pytest.approx(np.sqrt(0.3 * 1e-16 + 0.7 * 4e-16), rel=1e-12)
    assert pf.metrics.w2(cloud, narrow).how == "quadrature over places"
