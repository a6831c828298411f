"""Laws given by their radius: what they answer, and their distances."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import (
    AffineMap,
    Barenblatt,
    Chi,
    FromQuantile,
    Gaussian,
    GridLaw,
    Particles,
    Product,
    PushForward,
    Radial,
    Ring,
)

TURN = np.linalg.qr(np.random.default_rng(3).standard_normal((10, 10)))[0]


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_of_a_chi_radius_it_is_the_gaussian(dim, rng):
    law, same = Radial(Chi(dim, 0.5), dim), Gaussian(np.zeros(dim), 0.25)
    x = np.vstack([same.sample(200, rng), np.zeros((1, dim))])
    # logarithms of lengths are rounded, times d
    assert law.log_density(x) == pytest.approx(same.log_density(x), rel=1e-11, abs=1e-11)
    assert law.score(x[:-1]) == pytest.approx(same.score(x[:-1]), rel=1e-9, abs=1e-9)
    assert law.entropy() == pytest.approx(same.entropy(), rel=1e-9)
    assert law.cov() == pytest.approx(same.cov(), rel=1e-12) and not law.mean().any()
    assert law.as_gaussian() == same and law.power_integral(1.1) == pytest.approx(same.power_integral(1.1), rel=1e-8)


def test_distances_are_those_of_the_radii():
    edges = np.linspace(0.0, 5.0, 2001)
    law, truth = (Radial(GridLaw(edges, _masses(Chi(10, s), edges)), 10) for s in (0.5, 0.55))
    radii = law.radius, truth.radius
    for name in ("w2", "kl", "sym_kl", "l1"):
        metric = getattr(pf.metrics, name)
        assert metric(law, truth).value == metric(*radii).value > 0
    gaussians = Gaussian(np.zeros(10), 0.25), Gaussian(np.zeros(10), 0.55**2)
    # cells of 1/150 of the width: both errors are of order 2 in the cell
    assert pf.metrics.w2(law, truth).value == pytest.approx(pf.metrics.w2(*gaussians).value, rel=1e-4)
    assert pf.metrics.kl(law, truth).value == pytest.approx(pf.metrics.kl(*gaussians).value, rel=1e-3)
    assert pf.metrics.kl(gaussians[0], truth).value == pytest.approx(pf.metrics.kl(*gaussians).value, rel=1e-3)


def _masses(law, edges):
    mass = np.diff(law.cdf(edges))
    return mass / mass.sum()


def test_who_is_invariant_under_rotations_says_so():
    ring, profile = Ring(0.6, np.zeros(3)), Barenblatt(3, 2.0, 0.1)
    assert ring.radial_part() == Particles([0.6]) and Ring(0.6, [0.0, 1.0]).radial_part() is None
    radius = profile.radial_part()
    assert isinstance(radius, FromQuantile)
    second = radius.cov()[0, 0] + radius.mean()[0] ** 2
    assert second == pytest.approx(profile.second_moment, rel=1e-10)
    assert Product([Gaussian(0.0, 0.25)] * 4).radial_part() == Chi(4, 0.5)
    turned = PushForward(Radial(Chi(10, 0.5), 10), [AffineMap(TURN)])
    assert turned.radial_part() == Chi(10, 0.5)
    assert PushForward(Radial(Chi(10, 0.5), 10), [AffineMap(2 * TURN)]).radial_part() is None
    assert Radial(Chi(10, 0.5), 10).pushed(AffineMap(TURN)).radial_part() == Chi(10, 0.5)
    moved = Radial(Chi(10, 0.5), 10).pushed(AffineMap(TURN, np.ones(10)))
    assert moved.radial_part() is None and moved.mean() == pytest.approx(np.ones(10), abs=1e-15)


def test_two_laws_that_one_rotation_moved_are_compared_without_it(rng):
    law, truth = (Product([GridLaw(np.linspace(-1, 1, 5), m)] * 10) for m in ([0.2, 0.3, 0.4, 0.1], [0.25] * 4))
    turned = [each.pushed(AffineMap(TURN)) for each in (law, truth)]
    for name in ("w2", "kl"):
        metric = getattr(pf.metrics, name)
        assert metric(*turned).value == pytest.approx(metric(law, truth).value, rel=1e-14)
    stretched = [each.pushed(AffineMap(2 * TURN)) for each in (law, truth)]
    assert pf.metrics.kl(*stretched).value == pytest.approx(pf.metrics.kl(law, truth).value, rel=1e-14)
    assert "empirical" in pf.metrics.w2(*stretched, rng=rng, n=50).how  # which a stretch changes
    other = truth.pushed(AffineMap(TURN.T))
    assert "Monte Carlo" in pf.metrics.kl(turned[0], other, rng=rng, n=100).how


def test_what_is_no_radius_is_refused():
    for radius in (Gaussian(0.0, 1.0), Gaussian([1.0, 1.0], 1.0), 3.0):
        with pytest.raises(pf.BadInput, match="radius is"):
            Radial(radius, 3)
    with pytest.raises(pf.BadInput, match="dim"):
        Radial(Chi(1), 1)
    with pytest.raises(pf.NotAvailable, match="radius does not answer 'log_density'"):
        Radial(Particles([1.0, 2.0]), 3).log_density(np.ones((1, 3)))


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_energies_under_potentials_of_the_radius_are_one_integral(dim):
    """E (|x|² - 1)² of N(0, I/4) by its moments, with no draws: of a Radial and of a Gaussian alike."""
    energy, s = pf.problems.mexican_hat(dim).energy, 0.25
    exact = s**2 * dim * (dim + 2) - 2 * s * dim + 1 - 0.25 * dim * np.log(2 * np.pi * np.e * s)
    for law in (Gaussian(np.zeros(dim), s), Radial(Chi(dim, 0.5), dim)):
        found = energy.evaluate(law)
        assert found.value == pytest.approx(exact, abs=1e-12 * (1 + abs(exact))) and found.stderr == 0


@pytest.mark.parametrize("dim", [2, 10])
def test_means_over_the_radius_of_shells_are_those_of_masses_spread_evenly(dim):
    law = Radial(GridLaw(np.array([0.0, 0.5, 1.0, 1.2]), [0.2, 0.5, 0.3]), dim)
    square = law.mean_of_radius(lambda r: r[:, 0] ** 2)
    assert square.value == pytest.approx(np.trace(law.cov()), rel=1e-13)  # not the mean over the intervals, 4 % off
    wave, n = law.mean_of_radius(lambda r: np.cos(3 * r[:, 0])).value, 200_000
    drawn = np.cos(3 * np.linalg.norm(law.sample(n, np.random.default_rng(2)), axis=1))
    assert wave == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(n))
    assert GridLaw((np.arange(3.0), np.arange(3.0)), np.full((2, 2), 0.25)).mean_of_radius(np.cos) is None
