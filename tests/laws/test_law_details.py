"""Facts of single laws that the family's contract does not reach."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.quadrature import graded_rule, level_integral
from pdeflow.laws import Barenblatt, FromQuantile, GaussianMixture, GridLaw, Particles, Quantiles, Semicircle


@pytest.mark.parametrize("d, m", [(1, 2.0), (2, 2.4), (5, 3.0), (15, 2.0), (3, 1.5), (1, 1.001), (15, 20.0)])
def test_barenblatt_dissipates_and_spreads_as_it_must(d, m):
    """dF/dt = -β² M2/t², dM2/dt = 2d(m-1)F [docs/math.md 1]."""
    t, h = 0.7, 1e-4
    before, now, after = (Barenblatt(d, m, t + k * h) for k in (-1, 0, 1))
    slope = (after.energy() - before.energy()) / (2 * h)
    spread = (after.second_moment - before.second_moment) / (2 * h)
    # central differences: h² of relative size 1e-8
    assert slope == pytest.approx(-(now.beta**2) * now.second_moment / t**2, rel=1e-6)
    assert spread == pytest.approx(2 * d * (m - 1) * now.energy(), rel=1e-6)
    assert now.energy() == pytest.approx(now.power_integral(m) / (m - 1), rel=1e-10)
    again = Barenblatt.of_scale(d, m, now.scale)
    assert again.time == pytest.approx(t, rel=1e-12) and again.radius == pytest.approx(now.radius, rel=1e-13)


def test_barenblatt_samples_stay_inside_and_reach_the_edge(rng):
    law = Barenblatt(15, 2.0, 1.0, center=np.full(15, 3.0))
    r = np.linalg.norm(law.sample(100_000, rng) - 3.0, axis=1) / law.radius
    assert r.max() < 1 and r.max() > 0.97
    assert law.log_density(law.center[None] + law.radius * np.eye(15)[:1] * 1.0001)[0] == -np.inf


def test_barenblatt_tends_to_the_heat_kernel():
    """m -> 1 at time t is N(0, 2t): the profile of m = 1 + 1e-6 agrees to that size."""
    law, x = Barenblatt(1, 1 + 1e-6, 0.5), np.linspace(-3, 3, 13)
    assert np.allclose(law.log_density(x), pf.laws.Gaussian(0.0, 1.0).log_density(x), atol=2e-5)


def test_grid_axes_as_lists_and_edges_belong_inside():
    law = GridLaw([0.0, 1.0, 3.0], [0.25, 0.75])
    assert law.dim == 1 and law.mean()[0] == 0.125 + 1.5
    density = np.exp(law.log_density([0.0, 1.0, 3.0, 3.5, -0.5]))
    assert density.tolist() == pytest.approx([0.25, 0.375, 0.375, 0.0, 0.0], rel=1e-15)
    assert law.centers[0].tolist() == [0.5, 2.0] and law.volumes.tolist() == [1.0, 2.0]
    plane = GridLaw(([0.0, 1.0, 3.0], [0.0, 2.0]), [[0.25], [0.75]])
    assert plane.cov()[1, 1] == pytest.approx(4 / 12, rel=1e-15) and plane.cov()[0, 1] == pytest.approx(0, abs=1e-16)


def test_grid_quantiles_pass_over_empty_cells():
    law = GridLaw([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 0.0, 0.5])
    assert law.quantile(np.array([0.0, 0.25, 0.5, 0.5 + 1e-12, 1.0])) == pytest.approx(
        [1.0, 1.5, 2.0, 3.0, 4.0], abs=1e-11
    )


def test_the_tolerated_negative_cell_is_reported_and_counts_as_empty():
    law = GridLaw([0.0, 1.0, 2.0], [1.0 + 5e-13, -5e-13])
    assert law.min_mass == -5e-13 and law.mass[1] == -5e-13 and law.mass_error == pytest.approx(0, abs=1e-15)
    assert law.entropy() == pytest.approx(0, abs=1e-12) and law.log_density([1.5])[0] == -np.inf
    assert law.quantile(np.array([1.0]))[0] <= 2.0 and law.sample(100, np.random.default_rng(0)).max() <= 1.0


def test_particles_count_their_levels():
    for n in (3, 7, 10, 49, 1000):
        law = Particles(np.arange(float(n)))
        k = np.arange(1, n + 1)
        assert np.array_equal(law.quantile(k / n), k - 1.0)  # left-continuous: k/n belongs to the k-th
        assert np.array_equal(law.quantile(k / n - 0.5 / n), k - 1.0)
        assert np.array_equal(law.quantile((k - 1) / n + 1e-9 / n), k - 1.0)
    weighted = Particles([2.0, 0.0, 1.0], [0.0, 0.3, 0.7])
    assert weighted.quantile(np.array([0.0, 0.3, 0.31, 1.0])).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert weighted.cdf(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])) == pytest.approx([0, 0.3, 0.3, 1, 1], abs=1e-15)


def test_quantiles_with_an_atom():
    law = Quantiles([-1.0, 0.5, 0.5, 1.0], [0.0, 0.3, 0.7, 1.0])
    assert law.cdf(np.array([0.5 - 1e-12, 0.5])) == pytest.approx([0.3, 0.7], abs=1e-11)
    assert "log_density" not in law.answers() and "mean" in law.answers()
    with pytest.raises(pf.NotAvailable, match="atom"):
        law.entropy()


@pytest.mark.parametrize(
    "function, value",
    [
        (lambda u: (u > 0.3).astype(float), 0.7),
        (lambda u: np.abs(u - 1 / 3), 5 / 18),
        (lambda u: np.log(u) ** 2, 2.0),
        (lambda u: -np.log1p(-u), 1.0),
        (lambda u: np.sqrt(u) + (u > 0.9), 2 / 3 + 0.1),
        (lambda u: 0 * u, 0.0),
        (lambda u: np.sign(np.sin(40 * u)), sum((-1) ** k * (min((k + 1) * np.pi / 40, 1) - k * np.pi / 40) for k in range(13))),
    ],
)  # fmt: skip
def test_level_integrals_close_in_on_kinks_and_jumps(function, value):
    assert level_integral(function) == pytest.approx(value, abs=2e-12)


def test_graded_rule_integrates_smooth_quantile_functions():
    u, weight = graded_rule()
    assert weight.sum() == pytest.approx(1, abs=1e-14) and np.all((u > 0) & (u < 1))
    assert weight @ np.log(u) == pytest.approx(-1, abs=1e-12)


def test_moments_of_a_law_given_by_a_jumping_quantile_function():
    mixture = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])
    law = FromQuantile(mixture.quantile)
    assert law.mean()[0] == pytest.approx(mixture.mean()[0], abs=1e-12)
    assert law.cov()[0, 0] == pytest.approx(mixture.cov()[0, 0], rel=1e-11)


def test_semicircle_facts():
    law = Semicircle(np.sqrt(2))
    assert law.cov()[0, 0] == pytest.approx(0.5, rel=1e-15)
    assert law.log_density([0.0])[0] == pytest.approx(np.log(np.sqrt(2) / np.pi), rel=1e-14)
