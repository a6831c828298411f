"""Relative entropy: closed forms, quadrature, cells, Monte Carlo, supports."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import (
    Barenblatt,
    FromQuantile,
    Gaussian,
    GaussianMixture,
    GridLaw,
    Law,
    Particles,
    Product,
    Quantiles,
    Ring,
    Semicircle,
    Uniform,
)


class Draws(Law):
    """A Gaussian that knows its samples and density only: what a push-forward by a network knows."""

    def __init__(self, gaussian):
        self.gaussian, self.dim = gaussian, gaussian.dim

    def sample(self, n, rng):
        return self.gaussian.sample(n, rng)

    def log_density(self, x):
        return self.gaussian.log_density(x)


P3, Q3 = Gaussian([0.0, 0.1, 0], [[1, 0.3, 0], [0.3, 1, 0], [0, 0, 0.8]]), Gaussian([0.1, 0, 0.05], 1.1)

NEAR = Gaussian(P3.mean() + 0.03, 0.97 * P3.cov())


def gaussian_kl(p, q):
    """docs/math.md 4, as printed there (cancels for near laws, which these are not)."""
    inverse, shift = np.linalg.inv(q.cov()), p.mean() - q.mean()
    logs = np.linalg.slogdet(q.cov())[1] - np.linalg.slogdet(p.cov())[1]
    return 0.5 * (logs - p.dim + np.trace(inverse @ p.cov()) + shift @ inverse @ shift)


def test_gaussians_in_closed_form():
    assert metrics.kl(P3, Q3).value == pytest.approx(gaussian_kl(P3, Q3), rel=1e-12)
    assert metrics.kl(Q3, P3).value == pytest.approx(gaussian_kl(Q3, P3), rel=1e-12)
    assert metrics.sym_kl(P3, Q3).value == pytest.approx(gaussian_kl(P3, Q3) + gaussian_kl(Q3, P3), rel=1e-12)
    assert metrics.kl(P3, P3).value <= 1e-30
    # N(0, (1+e)) against N(0, 1): (e - log(1+e))/2 = e²/4 - e³/6 + ...
    assert metrics.kl(Gaussian(0, 1 + 1e-6), Gaussian(0, 1)).value == pytest.approx(2.5e-13, rel=1e-5)


MIXTURE = GaussianMixture([0.3, 0.7], [-1.5, 2], [0.09, 0.36])


def integral(p, q, low, high):
    def integrand(x):
        a, b = (law.log_density(np.array([[x]]))[0] for law in (p, q))
        return np.exp(a) * (a - b) if np.isfinite(a) else 0.0

    return quad(integrand, low, high, epsabs=1e-12, epsrel=1e-12, limit=400, points=[-1.5, 0, 2])[0]


@pytest.mark.parametrize(
    "p, q, low, high",
    [
        (MIXTURE, Gaussian(0, 4), -6, 8),
        (Gaussian(0, 1), MIXTURE, -8, 8),
        (Semicircle(2.5), Gaussian(0.3, 1), -2.5, 2.5),
        (Barenblatt(1, 2, 1.0), Barenblatt(1, 2, 1.5), -3, 3),
        (Uniform(-3, 3), Gaussian(0.3, 1), -3, 3),
    ],
)
def test_laws_on_the_line_by_quadrature(p, q, low, high):
    # 1e-9: the error that scipy's quad leaves
    assert metrics.kl(p, q).value == pytest.approx(integral(p, q, low, high), abs=1e-9)


def test_piecewise_constant_densities_are_cut_at_their_kinks():
    """KL between two Quantiles is a finite sum: p = (0.3, 0.7) and q = (0.5, 0.5)/(1/2, 3/2) on [0,1], [1,2]."""
    p, q = Quantiles([0, 1, 2], [0, 0.3, 1]), Quantiles([0, 0.5, 2], [0, 0.5, 1])
    expected = 0.15 * np.log(0.3) + 0.15 * np.log(0.3 * 3) + 0.7 * np.log(0.7 * 3)
    assert metrics.kl(p, q).value == pytest.approx(expected, rel=1e-12)


EDGES = np.linspace(-7, 7, 281)


def grid_of(law, edges=EDGES):
    mass = np.diff(law.cdf(edges))
    return GridLaw(edges, mass / mass.sum())


def test_grids_compare_cell_masses():
    p, q = np.array([0.2, 0.3, 0.5, 0.0]), np.array([0.25, 0.25, 0.4, 0.1])
    a, b = GridLaw(np.arange(5.0), p), GridLaw(np.arange(5.0), q)
    expected = np.sum(p[:3] * np.log(p[:3] / q[:3]))
    assert metrics.kl(a, b).value == pytest.approx(expected, rel=1e-13)
    fine = GridLaw(np.arange(0, 4.5, 0.5), np.repeat(q, 2) / 2)
    assert metrics.kl(a, fine).value == pytest.approx(expected, rel=1e-13)
    # against a law with cdf: its own differences, where they do not cancel
    other = grid_of(Gaussian(0.5, 4), np.linspace(-3, 4, 141))
    direct = other.mass @ np.log(other.mass / np.diff(MIXTURE.cdf(other.axes[0])))
    assert metrics.kl(other, MIXTURE).value == pytest.approx(direct, rel=1e-9)


def test_grid_against_its_own_law_is_round_off_in_the_tails_too():
    """The masses of the upper tail are not differences of 1 - 1e-16."""
    wide = np.linspace(-12, 12, 481)
    law = Gaussian(0, 1)
    half = np.diff(ndtr(wide[wide <= 1e-9]))
    grid = GridLaw(wide, np.concatenate([half, half[::-1]]))
    assert 0 <= metrics.kl(grid, law).value < 1e-14
    assert 0 <= metrics.sym_kl(grid, law).value < 1e-14
    # a shift is resolved although both tails leave the range of 1 - Φ: ½ · 0.25, cells of 0.05 lose O(h²) of it
    assert metrics.kl(grid, Gaussian(0.5, 1)).value == pytest.approx(0.125, rel=1e-3)
    assert metrics.sym_kl(grid, Gaussian(0.5, 1)).value == pytest.approx(0.25, rel=1e-3)


def test_the_error_of_a_grid_is_quadratic_in_its_masses():
    """A second-order error of the cell masses is a fourth-order KL."""
    errors = []
    for cells in (50, 100, 200):
        edges = np.linspace(-7.5, 7.5, cells + 1)  # leaves out 6e-14
        centers = (edges[1:] + edges[:-1]) / 2
        mass = np.exp(-(centers**2) / 2)
        errors.append(metrics.kl(GridLaw(edges, mass / mass.sum()), Gaussian(0, 1)).value)
    assert np.all(np.abs(np.log2(np.array(errors[:-1]) / errors[1:]) - 4) < 0.1)


def test_supports_that_do_not_match_give_infinity_and_say_so():
    for p, q in (
        (Gaussian(0, 1), Semicircle(1.0)),
        (Barenblatt(1, 2, 1.5), Barenblatt(1, 2, 1.0)),
        (Uniform(0, 2), grid_of(Uniform(0, 1), np.linspace(0, 1, 5))),
    ):
        estimate = metrics.kl(p, q)
        assert estimate.value == np.inf and "where the other law is empty" in estimate.how
        assert metrics.sym_kl(q, p).value == np.inf
    tail = metrics.kl(Gaussian(0, 1), grid_of(Gaussian(0, 1), np.linspace(-7.5, 7.5, 301)))
    assert tail.value < 1e-12 and "left out" in tail.how  # 6e-14 of mass outside the box
    narrow = metrics.kl(Gaussian(0, 1), Semicircle(7.5))  # as much on the line
    assert np.isfinite(narrow.value) and "left out" in narrow.how


def test_products_add_up():
    p = Product([Semicircle(1.0), MIXTURE, Gaussian([0, 0], 1.0)])
    q = Product([Gaussian(0, 1), Gaussian(0, 4), Gaussian([1, 0], 1.0)])
    parts = [metrics.kl(a, b).value for a, b in zip(p.laws, q.laws)]
    assert metrics.kl(p, q).value == pytest.approx(sum(parts), rel=1e-13)
    ten = metrics.kl(Product([MIXTURE] * 10), Gaussian(np.zeros(10), 4.0)).value
    assert ten == pytest.approx(10 * parts[1], rel=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_monte_carlo_within_four_standard_errors(seed):
    """4 standard errors: false alarm 6e-5 a seed."""
    estimate = metrics.kl(Draws(P3), NEAR, rng=np.random.default_rng(seed), n=20_000)
    exact = metrics.kl(P3, NEAR).value  # 1.3e-3
    assert abs(estimate.value - exact) < 4 * estimate.stderr and "c(r - 1)" in estimate.how
    # the plain mean of -log r would have √(2 KL/n)
    assert estimate.stderr < 0.2 * np.sqrt(2 * exact / 20_000)
    exact = gaussian_kl(P3, Q3)
    both = metrics.sym_kl(Draws(P3), Q3, rng=np.random.default_rng(seed), n=20_000)
    assert abs(both.value - exact - gaussian_kl(Q3, P3)) < 4 * both.stderr


@pytest.mark.parametrize("seed", range(5))
def test_far_laws_fall_back_to_the_plain_mean(seed):
    """Where all draws have r = 0, -log r + c(r - 1) is off by c with a small standard error."""
    p, q = Gaussian(np.zeros(3), 1.0), Gaussian(np.full(3, 5.0), 0.5)
    estimate = metrics.kl(Draws(p), q, rng=np.random.default_rng(seed), n=5000)
    assert "plain mean" in estimate.how and abs(estimate.value - gaussian_kl(p, q)) < 4 * estimate.stderr
    # q has mass where p has none: E_p r < 1, and the estimator would miss what is lacking
    box, wide = Uniform([-1, -1], [1, 1]), Gaussian([0, 0], 1.0)
    exact = np.log(2 * np.pi) + 1 / 3 - np.log(4)
    estimate = metrics.kl(box, GaussianMixture([1.0], [[0, 0]], 1.0), rng=np.random.default_rng(seed), n=5000)
    assert "plain mean" in estimate.how and abs(estimate.value - exact) < 4 * estimate.stderr
    assert metrics.kl(Draws(wide), box, rng=np.random.default_rng(seed), n=100).value == np.inf


PLACES = [[0.0, 0], [0.1, 0]]
REGIMES = {  # variance of p; places, variance of q
    "near": (1.0, [[0.04, 0.02], [0.14, 0.02]], 1.02),
    "middle": (0.6, PLACES, 1.0),  # KL 0.110494
    "far": (0.6, [[2.0, 1], [2.1, 1]], 1.0),
}


@pytest.mark.parametrize("regime", REGIMES)
def test_monte_carlo_is_unbiased_and_knows_its_spread(regime):
    """200 runs: their mean within 4 standard errors of the sum over the two axes.

    Their spread, known to 5 %, is within 4 of these.
    """
    narrow, places, wide = REGIMES[regime]
    p, q = GaussianMixture([0.5, 0.5], PLACES, narrow), GaussianMixture([0.5, 0.5], places, wide)
    along = (GaussianMixture([0.5, 0.5], np.array(x)[:, 0], v) for x, v in ((PLACES, narrow), (places, wide)))
    exact = metrics.kl(*along).value + gaussian_kl(Gaussian(0, narrow), Gaussian(places[0][1], wide))
    rng = np.random.default_rng(4)
    runs = [metrics.kl(p, q, rng=rng, n=1000) for _ in range(200)]
    values = np.array([run.value for run in runs])
    spread = values.std(ddof=1)
    assert abs(values.mean() - exact) < 4 * spread / np.sqrt(200)
    assert np.mean([run.stderr for run in runs]) == pytest.approx(spread, rel=0.2)
    if regime == "middle":
        assert exact == pytest.approx(0.110494, abs=1e-6)
    if regime == "near":  # measured: 26 times less than the plain mean
        x = p.sample(20_000, rng)
        plain = (p.log_density(x) - q.log_density(x)).std() / np.sqrt(1000)
        assert 5e-4 < exact < 2e-3 and spread < plain / 15


def test_the_control_variate_is_kept_from_laws_of_bounded_support():
    """E_p r = 0.9999 here: less off one than draws show, and a quarter of the value."""
    p, q = Barenblatt(2, 2, 1.0), Barenblatt(2, 2, 1.02)
    estimate = metrics.kl(p, q, rng=np.random.default_rng(0), n=5000)
    assert "plain mean" in estimate.how
    p, q = Product([p, Gaussian(0, 1)]), Draws(Product([q, Gaussian(0, 1)]))
    assert "plain mean" in metrics.kl(p, q, rng=np.random.default_rng(0), n=5000).how


class Scripted(Law):
    """Its draws are given log ratios q/p: log density 0 here, the ratio itself under `ratio`."""

    dim = 2

    def __init__(self, logs, ratio=False):
        self.logs, self.ratio = np.array(logs), ratio

    def sample(self, n, rng):
        return np.stack([self.logs[:n], np.zeros(n)], axis=1)

    def log_density(self, x):
        return x[:, 0] if self.ratio else np.zeros(len(x))


def test_each_half_takes_the_control_variate_of_the_other(rng):
    def estimate(logs):
        return metrics.kl(Scripted(logs), Scripted(logs, ratio=True), rng=rng, n=len(logs))

    def centred(n, spread):  # r has mean one
        r = 1 + spread * rng.uniform(-1, 1, n)
        return np.log(r / r.mean())

    def best(logs):
        cov = np.cov(logs, np.exp(logs))
        return cov[0, 1] / cov[1, 1]

    a, b = centred(60, 0.3) + 0.01, centred(60, 0.6) - 0.02  # not quite: else c would not show in the mean
    values = -a + best(b) * (np.exp(a) - 1), -b + best(a) * (np.exp(b) - 1)
    found = estimate([*a, *b])
    assert abs(best(a) - best(b)) > 0.01
    assert found.value == pytest.approx(np.mean(values), rel=1e-12)
    assert found.stderr == pytest.approx(np.sqrt(sum(v.var(ddof=1) / 60 for v in values)) / 2, rel=1e-12)
    # a half that does not vouch for r gives c = 0 to the other, and takes the other's c itself
    large = np.append(centred(300, 0.1), np.log(6.0))
    wide = np.log(np.tile([0.3, 1.7], 60))
    for wild in (large, wide):
        calm = centred(len(wild), 0.3) + 0.005  # so that c shows in the mean
        expected = np.mean([-calm, -wild + best(calm) * (np.exp(wild) - 1)])
        assert estimate([*calm, *wild]).value == pytest.approx(expected, rel=1e-12)
    # too few draws, and a ratio that no draws of a density show
    for logs in (np.concatenate([a[:45], b[:45]]), np.concatenate([a, b[:-1], [60.0]])):
        found = estimate(logs)
        assert found.value == pytest.approx(-logs.mean(), rel=1e-12) and "plain mean" in found.how
        assert found.stderr == pytest.approx(logs.std(ddof=1) / np.sqrt(len(logs)), rel=1e-12)


def test_errors_of_parts_add_in_squares():
    def draws(seed):
        return np.random.default_rng(seed)

    p, q = Gaussian([0, 0], [[1, 0.3], [0.3, 1]]), Gaussian([0.4, 0], 1.3)
    there_and_back = draws(0)
    there, back = (
        metrics.kl(*pair, rng=there_and_back, n=500) for pair in ((Draws(p), Draws(q)), (Draws(q), Draws(p)))
    )
    both = metrics.sym_kl(Draws(p), Draws(q), rng=draws(0), n=500)
    assert both.value == pytest.approx(there.value + back.value, rel=1e-14)
    assert both.stderr == pytest.approx(np.hypot(there.stderr, back.stderr), rel=1e-14)
    # blocks: of the same two objects too, which are drawn anew
    law, one_by_one = Draws(p), draws(1)
    parts = [metrics.kl(law, q, rng=one_by_one, n=500) for _ in range(2)]
    blocks = metrics.kl(Product([law, law]), Product([q, q]), rng=draws(1), n=500)
    assert parts[0].value != parts[1].value and min(part.stderr for part in parts) > 0
    assert blocks.value == pytest.approx(parts[0].value + parts[1].value, rel=1e-14)
    assert blocks.stderr == pytest.approx(np.hypot(parts[0].stderr, parts[1].stderr), rel=1e-14)


def test_the_symmetric_divergence_of_two_grids_uses_one_of_them():
    """Both ways on the edges of the approximation, where the other law has masses 1/4 and 3/4."""
    a, b = GridLaw([0.0, 1, 3], [0.4, 0.6]), GridLaw([0.0, 2, 3], [0.5, 0.5])
    expected = 0.15 * np.log(0.4 / 0.25) - 0.15 * np.log(0.6 / 0.75)
    assert metrics.sym_kl(a, b).value == pytest.approx(expected, rel=1e-13)


def test_a_millionth_of_the_mass_is_not_empty():
    p, q = (GridLaw(np.arange(4.0), mass) for mass in ([0.5, 0.5 - 1e-6, 1e-6], [0.5, 0.5, 0.0]))
    assert metrics.kl(p, q).value == np.inf
    assert metrics.kl(Gaussian(0, 1), Semicircle(5.0)).value == np.inf  # 6e-7 outside


@pytest.mark.parametrize("bad", [Particles([[0.0, 1, 2], [1, 1, 1]]), Ring(1.0, (0, 0, 0))])
def test_laws_without_density_are_not_available(bad, rng):
    for pair in ((bad, P3), (P3, bad)):
        with pytest.raises(pf.NotAvailable):
            metrics.kl(*pair, rng=rng)


def test_monte_carlo_needs_rng():
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.kl(Draws(P3), Q3)
    with pytest.raises(pf.NotAvailable):
        metrics.kl(FromQuantile(lambda u: u), Gaussian(0, 1))


def test_a_law_without_density_is_not_sent_to_monte_carlo(rng):
    class OnlySamples(Law):
        dim = 1

        def sample(self, n, rng):
            return rng.normal(size=(n, 1))

    for pair in ((OnlySamples(), Gaussian(0.0, 1.0)), (Gaussian(0.0, 1.0), OnlySamples())):
        for generator in (None, rng):
            with pytest.raises(pf.NotAvailable, match=r"OnlySamples .* does not answer 'log_density'"):
                metrics.kl(*pair, rng=generator)
