"""L1 and L2 distances: cells, line, Monte Carlo."""

import numpy as np
import pytest
from scipy.special import ndtr

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import (
    Barenblatt,
    FromQuantile,
    Gaussian,
    GaussianMixture,
    GridLaw,
    Particles,
    Product,
    Quantiles,
    Ring,
    Semicircle,
    Uniform,
)
from pdeflow.laws.cell_integrals import cell_masses


def l2_gaussians(p, q):
    """∫(p - q)² from ∫ N(a, A) N(b, B) = N(a - b; 0, A + B)."""

    def overlap(a, b):
        return np.exp(Gaussian(np.zeros(a.dim), a.cov() + b.cov()).log_density((a.mean() - b.mean())[None]))[0]

    return np.sqrt(overlap(p, p) + overlap(q, q) - 2 * overlap(p, q))


LINE = [  # l1 in closed form
    (Gaussian(0, 1), Gaussian(1, 1), 2 * (2 * ndtr(0.5) - 1)),
    (Gaussian(0, 1), Gaussian(1e-5, 1), 2 * (2 * ndtr(0.5e-5) - 1)),
    (Uniform(0, 2), Uniform(1, 5), 2 * 0.75),
    (Uniform(0, 1), Uniform(3, 4), 2.0),
    (Quantiles([0, 1, 2], [0, 0.3, 1]), Uniform(0, 2), 0.4),
    (Quantiles([0, 0.5, 2], [0, 0.5, 1]), Quantiles([0, 1, 2], [0, 0.3, 1]), 0.35 + 1 / 60 + 11 / 30),
    (Semicircle(2.0), Uniform(-2, 2), None),
    (Barenblatt(1, 3, 1.0), Semicircle(Barenblatt(1, 3, 1.0).radius), 0.0),
    (GaussianMixture([0.5, 0.5], [-9, 9], 0.04), Gaussian(9, 0.04), 1.0),
]


@pytest.mark.parametrize("p, q, expected", LINE)
def test_l1_on_the_line(p, q, expected):
    if expected is None:  # semicircle above ¼ between its crossings |x| < c
        c = 2 * np.sqrt(1 - (np.pi / 4) ** 2)
        expected = 2 * (p.cdf(c) - p.cdf(-c) - 2 * c / 4)
    # the rounding of densities (1e-15) relative to their difference; tails beyond 2^-44 weigh 1e-13
    assert metrics.l1(p, q).value == pytest.approx(expected, rel=1e-9, abs=2e-12)
    assert metrics.l1(q, p).value == pytest.approx(expected, rel=1e-9, abs=2e-12)
    assert metrics.l1(p, p).value == 0


def test_a_spike_of_quantiles_has_its_own_panel():
    """Mass 0.1 on a millionth, between two dyadic levels.

    The density is 0.45 on both sides, so that no step leads to it.
    """
    end = 0.6 + 1e-6
    width = end - 0.6
    mass = 1 - 0.45 * (2 - width)
    spike = Quantiles([0, 0.6, end, 2], [0, 0.27, 0.27 + mass, 1])
    expected = 2 * (mass - 0.5 * width)
    assert metrics.l1(spike, Uniform(0, 2)).value == pytest.approx(expected, rel=1e-9)
    assert metrics.l1(Uniform(0, 2), spike).value == pytest.approx(expected, rel=1e-9)


def test_l2_on_the_line():
    p, q = Gaussian(0, 1), Gaussian(0.7, 2)
    assert metrics.l2(p, q).value == pytest.approx(l2_gaussians(p, q), rel=1e-9)
    assert metrics.l2(Uniform(0, 2), Uniform(1, 5)).value == pytest.approx(np.sqrt(0.25 + 1 / 16 + 3 / 16), rel=1e-12)


def test_cells_by_hand():
    a = GridLaw([0.0, 1, 3], [0.4, 0.6])
    b = GridLaw([0.0, 1, 3], [0.5, 0.5])
    assert metrics.l1(a, b).value == pytest.approx(0.2, rel=1e-14)
    assert metrics.l2(a, b).value == pytest.approx(np.sqrt(0.01 + 0.01 / 2), rel=1e-14)
    # a finer grid aggregates, whichever side it is on
    fine = GridLaw([0.0, 0.5, 1, 2, 3], [0.1, 0.4, 0.5, 0.0])
    for pair in ((a, fine), (fine, a)):
        assert metrics.l1(*pair).value == pytest.approx(0.2, rel=1e-13)
    # mass outside the box counts in l1
    assert metrics.l1(a, Uniform(0, 4)).value == pytest.approx(0.15 + 0.1 + 0.25, rel=1e-14)
    left = metrics.l2(a, Uniform(0, 4))
    assert left.value == pytest.approx(np.sqrt(0.15**2 + 0.1**2 / 2), rel=1e-14) and "0.25 outside" in left.how
    wide = GridLaw([-1.0, 0, 1, 3, 4], [0.1, 0.4, 0.4, 0.1])
    assert metrics.l1(a, wide).value == pytest.approx(0.0 + 0.2 + 0.2, rel=1e-13)
    # clouds are counted with their weights, an atom on the upper end of the box too
    assert metrics.l1(Particles([0.5, 3.0], [0.2, 0.8]), a).value == pytest.approx(0.4, rel=1e-14)
    assert metrics.l1(Particles([0.0, 0.5, 2, 3]), a).value == pytest.approx(0.2, rel=1e-14)


def test_a_second_order_grid_is_seen_as_second_order():
    """Midpoint masses against the law itself; its piecewise constant picture would be first order."""
    errors = {"l1": [], "l2": []}
    for cells in (60, 120, 240):
        edges = np.linspace(-6, 6, cells + 1)
        centers = (edges[1:] + edges[:-1]) / 2
        mass = np.exp(-(centers**2) / 2)
        grid = GridLaw(edges, mass / mass.sum())
        for name in errors:
            errors[name].append(getattr(metrics, name)(grid, Gaussian(0, 1)).value)
    for values in errors.values():
        # measured 2.00 in both
        assert np.all(np.abs(np.log2(np.array(values[:-1]) / values[1:]) - 2) < 0.02)
    # m_i - h p(x_i) = h³ p''/24: l1 -> h²/24 ∫|p''| = h²/24 · 4 φ(1), at h = 0.05
    assert errors["l1"][-1] == pytest.approx(0.05**2 / 24 * 4 * np.exp(-0.5) / np.sqrt(2 * np.pi), rel=0.02)


AXES = (np.linspace(-6, 6, 49), np.linspace(-5, 5, 41))
SQUARE = Gaussian([0.2, 0], [[1, 0], [0, 0.5]])
TILTED = Gaussian([0.2, 0], [[1, 0.3], [0.3, 0.5]])


def product_mass(law):
    rows = [np.diff(Gaussian(law.mean()[i], law.cov()[i, i]).cdf(AXES[i])) for i in range(2)]
    return np.multiply.outer(*rows)


def test_cells_in_the_plane_by_factors_and_by_quadrature():
    grid = GridLaw(AXES, product_mass(SQUARE))
    assert metrics.l1(grid, SQUARE).value < 1e-7  # the 6e-9 that leave the box, and no more
    parts = Product([Gaussian(0.2, 1), Gaussian(0, 0.5)])
    assert metrics.l1(grid, parts).value == metrics.l1(grid, SQUARE).value
    twin = GaussianMixture([0.5, 0.5], [SQUARE.mean()] * 2, [SQUARE.cov()] * 2)
    assert metrics.l1(grid, twin).value == pytest.approx(
        metrics.l1(grid, SQUARE).value, rel=1e-6
    )  # 4e-9, of round-off 1e-15
    # tilted against straight: Monte Carlo of the densities, whose cells of ¼ lose O(h²) of it
    estimate = metrics.l1(grid, TILTED)
    cells = estimate.value
    assert "quadrature" in estimate.how
    sampled = metrics.l1(SQUARE, TILTED, rng=np.random.default_rng(0), n=40_000)
    assert abs(cells - sampled.value) < 4 * sampled.stderr + 0.01


def test_grids_in_the_plane_overlap_exactly():
    coarse = GridLaw(([0.0, 1, 2], [0.0, 2]), [[0.4], [0.6]])
    fine = GridLaw(([0.0, 0.5, 1, 2], [0.0, 1, 2]), [[0.1, 0.1], [0.2, 0.1], [0.5, 0.0]])
    shifted = GridLaw(([0.5, 1.5, 2.5], [0.0, 2]), [[0.5], [0.5]])
    for pair in ((coarse, fine), (fine, coarse)):
        assert metrics.l1(*pair).value == pytest.approx(0.2, rel=1e-13)
    # of shifted, [0,1] holds ¼, [1,2] ½, outside ¼
    assert metrics.l1(coarse, shifted).value == pytest.approx(0.15 + 0.1 + 0.25, rel=1e-13)


@pytest.mark.parametrize("seed", range(4))
def test_monte_carlo_within_four_standard_errors(seed):
    """4 standard errors: false alarm 6e-5 each."""
    shift = Gaussian([1.0, 0, 0], 1.0)
    p, rng = Gaussian(np.zeros(3), 1.0), np.random.default_rng(seed)
    first, second = metrics.l1(p, shift, rng=rng, n=20_000), metrics.l2(p, shift, rng=rng, n=20_000)
    assert abs(first.value - 2 * (2 * ndtr(0.5) - 1)) < 4 * first.stderr and 0 < first.stderr < 0.01
    assert abs(second.value - l2_gaussians(p, shift)) < 4 * second.stderr and 0 < second.stderr < 0.01
    assert metrics.l1(p, p, rng=rng).value == 0 and metrics.l2(p, p, rng=rng).value == 0


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_the_standard_error_is_the_spread_over_repeats(name, rng):
    """120 repeats know a standard deviation to 6.5 %; 4 of these."""
    p, q = Gaussian(np.zeros(2), 1.0), Gaussian([1.0, 0], 1.5)
    runs = [getattr(metrics, name)(p, q, rng=rng, n=400) for _ in range(120)]
    spread = np.std([run.value for run in runs], ddof=1)
    assert np.mean([run.stderr for run in runs]) == pytest.approx(spread, rel=0.26)


def test_what_has_no_density_is_not_available(rng):
    cloud = Particles([0.0, 1.0])
    for pair in ((cloud, Gaussian(0, 1)), (Gaussian(0, 1), cloud), (Ring(1.0), Gaussian([0, 0], 1.0))):
        with pytest.raises(pf.NotAvailable):
            metrics.l1(*pair, rng=rng)
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.l2(SQUARE, TILTED)
    with pytest.raises(pf.NotAvailable, match="cdf nor log_density"):
        metrics.l1(GridLaw(AXES, product_mass(SQUARE)), Ring(1.0))
    assert metrics.l1(FromQuantile(lambda u: 2 * u), GridLaw([0.0, 1, 2], [0.5, 0.5])).value <= 1e-14


def on_cells(law, *counts, half=4.0):
    axes = [np.linspace(-half, half, n + 1) for n in counts]
    mass = cell_masses(law, axes).mass
    return GridLaw(axes, mass / mass.sum())


@pytest.mark.parametrize("metric", [metrics.l1, metrics.l2])
def test_the_null_level_of_cells_that_do_not_nest_is_what_one_law_gives(metric):
    for law, few, many in (
        (Gaussian(0.3, 0.5), (60,), (70,)),
        (Gaussian(0.3, 0.5), (40,), (90,)),
        (Gaussian([0.3, 0.0], 0.5), (40, 30), (50, 64)),
    ):
        found = metric(on_cells(law, *few), on_cells(law, *many))
        assert "cut cells of the other" in found.how and found.value > 1e-3
        assert found.null == pytest.approx(found.value, rel=0.03), law  # the next order: (h/σ)²/6 = 0.024
    nested = metric(on_cells(Gaussian(0.3, 0.5), 30), on_cells(Gaussian(0.3, 0.5), 90))
    assert nested.null is None and nested.value < 1e-14 and "cut" not in nested.how
    assert metric(on_cells(Gaussian(0.3, 0.5), 30), Gaussian(0.3, 0.5)).null is None


def test_a_uniform_density_in_cut_cells_is_known():
    wide = GridLaw([np.linspace(-4.0, 4.0, 8)], np.full(7, 1 / 7))
    found = metrics.l1(on_cells(Uniform(-4.0, 4.0), 6), wide)
    assert found.null is None and found.value < 1e-14
