"""The Wasserstein distance: closed values, and transport between clouds."""

import importlib.util
import sys
import warnings

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtri

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


def distance(a, b):
    return metrics.w2(a, b).value


# E[U Z] for U uniform on (-1, 1) coupled monotonically with N(0, 1) is 2∫ Φ φ z dz = 1/√π
UNIFORM_NORMAL = np.sqrt(1 / 3 + 1 - 2 / np.sqrt(np.pi))


def cloud_to_normal(x):
    """W2 of equal atoms to N(0, 1) from ∫z², ∫z over level intervals: 1 + mean x² - 2 Σ x_i (φ(z_i) - φ(z_i+1))."""
    x = np.sort(x)
    z = ndtri(np.arange(1, len(x)) / len(x))
    phi = np.concatenate([[0.0], np.exp(-z * z / 2) / np.sqrt(2 * np.pi), [0.0]])
    return np.sqrt(1 + np.mean(x**2) - 2 * np.sum(x * (phi[:-1] - phi[1:])))


CLOUD = np.random.default_rng(3).standard_normal(500)
SHAPE = FromQuantile(lambda u: 1 + 2 * ndtri(u))
CLOSED = [
    (Gaussian(0.3, 0.64), Gaussian(-0.2, 1.21), np.sqrt(0.25 + 0.09)),
    (SHAPE, Gaussian(0, 1), np.sqrt(2)),  # N(1, 4) by its quantiles
    (SHAPE, Gaussian(1 + 1e-6, 4), 1e-6),
    (Uniform(-1, 1), Gaussian(0, 1), UNIFORM_NORMAL),
    (Quantiles([-1, 0, 1], [0, 0.5, 1]), Gaussian(0, 1), UNIFORM_NORMAL),
    (GridLaw([-1.0, -0.5, 1.0], [0.25, 0.75]), SHAPE, np.sqrt(1 / 3 + 1 + 4 - 4 / np.sqrt(np.pi))),
    (Particles(CLOUD), Gaussian(0, 1), cloud_to_normal(CLOUD)),
    (Particles(CLOUD), FromQuantile(ndtri), cloud_to_normal(CLOUD)),
    (Semicircle(1.5, 0.5), Semicircle(1.0, -0.5), np.hypot(1, 0.25)),
    (Semicircle(1.0), FromQuantile(Semicircle(1.5, 0.5).quantile), np.hypot(0.5, 0.25)),
    # Barenblatt m = 3 in dim 1 is a semicircle, m -> inf a uniform law
    (Barenblatt(1, 3, 1.0), Semicircle(Barenblatt(1, 3, 1.0).radius), 0.0),
    (Barenblatt(1, 2, 1.0), FromQuantile(Barenblatt(1, 2, 8.0).quantile), Barenblatt(1, 2, 1.0).second_moment ** 0.5),
    (GaussianMixture([0.4, 0.6], [1, 1], [4, 4]), Gaussian(0, 1), np.sqrt(2)),
    (Ring(2.0, (0, 0, 1)), Ring(1.5, (0, 2, 1)), np.hypot(0.5, 2)),
    (Uniform([0, 0], [2, 2]), Uniform([1, 0], [3, 8]), np.sqrt(1 + 9 + 9 / 3)),
    (Product([Gaussian(0, 1), Uniform(-1, 1)]), Product([Uniform(-1, 1), Uniform(0, 2)]), np.hypot(UNIFORM_NORMAL, 1)),
    (Product([Uniform(-1, 1)] * 4), Gaussian(np.zeros(4), 1.0), 2 * UNIFORM_NORMAL),
    (Product([Gaussian(0, 1), Gaussian(0, 4)]), Gaussian([3, 4], [[1, 0], [0, 4]]), 5.0),
    (Product([Gaussian(0, 1)]), Gaussian(3, 1), 3.0),
]
A, B = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])


def ou(initial, temperature):
    return pf.problems.ou(dim=2, matrix=A, center=B, temperature=temperature, initial=initial, horizon=1.0)


def quadratic_10d():
    """docs/math.md 9: V = ½(x - μ)ᵀΣ⁻¹(x - μ), start N(0, I); (problem, stationary law)."""
    cov = np.eye(10)
    cov[:2, :2] = [[5 / 8, -3 / 8], [-3 / 8, 5 / 8]]
    cov[[5, 8, 9], [5, 8, 9]] = 0.25
    center = np.array([1, 1, 0, 0, 1, 2, 0, 0, 2, 3.0])
    start = Gaussian(np.zeros(10), 1.0)
    return pf.problems.ou(dim=10, matrix=np.linalg.inv(cov), center=center, initial=start, horizon=2.0), Gaussian(
        center, cov
    )


def reference_pairs():
    start = Gaussian([0, 0], 1.0)
    problem = ou(start, 1.0)
    late = Gaussian([0.5, 1], [[2, 0.9], [0.9, 0.6]])
    ten, target = quadratic_10d()
    pme = pf.problems.porous_medium(dim=1, m=2, start=0.002, horizon=0.02)
    at = 0.5, 0.9
    jko, true = pf.exact_jko(problem, dt=0.05, times=at), pf.exact(problem, at)
    return {  # name in reference_numbers.json: (metric, approximation, truth, value)
        "ou2_jko_W2_t0.5": ("w2", jko.laws[0], true.laws[0], 0.012655254821258182),
        "ou2_jko_W2_t0.9": ("w2", jko.laws[1], true.laws[1], 0.011082792557915392),
        "ou2_jko_symkl_t0.5": ("sym_kl", jko.laws[0], true.laws[0], 0.0002976791215856646),
        "ou2_jko_symkl_t0.9": ("sym_kl", jko.laws[1], true.laws[1], 0.00020471582092084878),
        "ou2nc_W2": ("w2", late, ou(late, 0.5).exact(0.7), 1.0807725934227568),
        "baren_W2_d5_m3": ("w2", Barenblatt(5, 3, 1.0), Barenblatt(5, 3, 1.5), 0.03126443068434826),
        "baren_jko20_W2err": (
            "w2",
            pf.exact_jko(pme, dt=0.001, times=[0.02]).final,
            pme.exact(0.02),
            0.0030001640062206833,
        ),
        "pwgf10_KL_t0": ("kl", ten.initial, target, 41.72741127776022),
        "pwgf10_W2_t2": ("w2", ten.exact(2.0), target, 0.13534318252901664),
        "fdiv_KL": ("kl", Gaussian(0.3, 0.64), Gaussian(-0.2, 1.21), 0.18622232615985693),
    }


PAIRS = reference_pairs()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_equal_clouds_equal_the_assignment_problem(dim, rng):
    x, y = rng.standard_normal((60, dim)), rng.standard_normal((60, dim)) + 0.5
    cost = np.sum((x[:, None] - y[None]) ** 2, axis=2)
    squared = cost[linear_sum_assignment(cost)].mean()
    assert distance(Particles(x), Particles(y)) == pytest.approx(np.sqrt(squared), rel=1e-12)


@pytest.mark.parametrize("a, b, expected", CLOSED)
def test_closed_values(a, b, expected):
    # 1e-11: quadrature at 1e-13; expected values of cloud_to_normal cancel to about 1e-13 of one themselves
    assert distance(a, b) == pytest.approx(expected, rel=1e-11, abs=1e-13)
    assert distance(b, a) == pytest.approx(expected, rel=1e-11, abs=1e-13)
    estimate = metrics.w2(a, b)
    assert (estimate.stderr, estimate.metric) == (0.0, "w2") and "empirical" not in estimate.how


@pytest.mark.parametrize("name", PAIRS)
def test_reference_numbers(name):
    metric, a, b, value = PAIRS[name]
    assert getattr(metrics, metric)(a, b).value == pytest.approx(value, rel=1e-10)


needs_pot = pytest.mark.skipif(importlib.util.find_spec("ot") is None, reason="POT is not installed")
PLANE = Gaussian([0, 0], [[1, 0.3], [0.3, 0.5]])


@needs_pot
def test_clouds_against_a_law_are_labelled_as_biased(rng):
    estimate = metrics.w2(Particles(PLANE.sample(300, rng)), Gaussian([3, 0], PLANE.cov()), rng=rng, n=300)
    assert "empirical, n = 300" in estimate.how and "biased upward like n^(-1/2)" in estimate.how
    assert "300 draws of Gaussian" in estimate.how
    # truth 3: the bias of the fluctuating part is second order at this distance; 4 standard errors
    assert estimate.stderr > 0 and abs(estimate.value - 3) < 4 * estimate.stderr


@needs_pot
def test_the_standard_error_is_the_spread_over_repeats(rng):
    values = [metrics.w2(Particles(PLANE.sample(200, rng)), Gaussian([2, 1], 0.5), rng=rng, n=200) for _ in range(40)]
    spread = np.std([v.value for v in values], ddof=1)
    # 40 repeats know a standard deviation to 11 %; 4 of these
    assert np.mean([v.stderr for v in values]) == pytest.approx(spread, rel=0.45)


@needs_pot
def test_large_clouds_are_thinned_only_with_leave(rng):
    cloud = Particles(rng.standard_normal((300, 2)))
    with pytest.raises(pf.NotAvailable, match=r"300 points.*n = 100.*rng"):
        metrics.w2(cloud, cloud, n=100)
    assert "100 of 300 points" in metrics.w2(cloud, cloud, n=100, rng=rng).how
    assert metrics.w2(cloud, cloud).value == 0.0


@needs_pot
def test_weighted_clouds_and_zero_weights():
    a = Particles([[0.0, 0], [5, 5], [1, 0]], [0.5, 0.0, 0.5])
    assert metrics.w2(a, Particles([[0.0, 0], [1, 0]])).value <= 1e-12
    assert metrics.w2(a, Particles([[0.0, 0]])).value == pytest.approx(np.sqrt(0.5), rel=1e-12)


@needs_pot
def test_two_laws_without_closed_form_need_rng(rng):
    mixture = GaussianMixture([0.5, 0.5], [[-1, 0], [1, 0]], 0.1)
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.w2(mixture, PLANE)
    estimate = metrics.w2(mixture, PLANE, rng=rng, n=100)
    assert "biased" in estimate.how and estimate.value > 0


@needs_pot
def test_blocks_carry_their_standard_error(rng):
    first, second = Product([PLANE, Gaussian(0, 1)]), Product([Ring(1.0), Gaussian(1, 1)])
    estimate = metrics.w2(first, second, rng=rng, n=100)
    part = metrics.w2(PLANE, Ring(1.0), rng=np.random.default_rng(20260101), n=100)  # the seed of the fixture
    assert estimate.value == pytest.approx(np.hypot(part.value, 1), rel=1e-12)
    assert estimate.stderr == pytest.approx(part.value * part.stderr / estimate.value, rel=1e-12)


@needs_pot
def test_pot_failures_are_errors(monkeypatch):
    import ot

    clouds = Particles(np.eye(2)), Particles(np.eye(2) + 1, [0.25, 0.75])  # equal weights need no POT
    real = ot.emd

    def stopped(*args, **kwargs):
        plan, log = real(*args, **kwargs)
        warnings.warn("numItermax reached", stacklevel=1)
        return plan, {**log, "result_code": 3, "warning": "numItermax reached"}

    monkeypatch.setattr(ot, "emd", stopped)
    with pytest.raises(pf.errors.NotConverged, match=r"code 3.*numItermax") as caught:
        metrics.w2(*clouds)
    assert caught.value.result_code == 3
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(pf.NotAvailable, match=r"pip install pdeflow\[ot\]"):
        metrics.w2(*clouds)


def test_barenblatts_of_two_exponents_are_no_family():
    a, b = Barenblatt(2, 2, 1.0, [1.0, 0.0]), Barenblatt(2, 3, 1.0, [1.0, 0.0])
    for metric in (metrics.w2, metrics.sliced_w2):
        with pytest.raises(pf.NotAvailable, match="rng"):
            metric(a, b)
    about_origin = Barenblatt(2, 2, 1.0), Barenblatt(2, 3, 1.0)  # there both are known by their radii
    gap = metrics.w2(*about_origin)
    drawn = metrics.w2(*about_origin, rng=np.random.default_rng(0), n=1000)
    assert gap.value == drawn.value > 0 and gap.stderr == 0


def test_the_null_level_is_the_mean_over_pairs_of_samples_of_the_truth():
    truth = pf.laws.GaussianMixture([0.4, 0.6], [[0.0, 0.0], [1.0, 1.0]], 0.3)
    draw = np.random.default_rng(7)
    values = [metrics.w2(*(Particles(truth.sample(80, draw)) for _ in range(2))).value for _ in range(60)]
    exact = Particles(truth.sample(80, draw))
    found = metrics.w2(exact, truth, rng=np.random.default_rng(0), n=80, null_draws=20)
    spread = np.std(values)
    assert found.null == pytest.approx(np.mean(values), abs=4 * spread * np.sqrt(1 / 60 + 1 / 20))
    again = metrics.w2(Particles(3 + exact.x), truth, rng=np.random.default_rng(5), n=80, null_draws=20)
    assert again.null == found.null < again.value  # one level for all approximations of these sizes
    assert metrics.w2(exact, exact).null is None  # without a generator nothing is drawn
    assert metrics.w2(exact, truth, rng=np.random.default_rng(0), n=80, null_draws=0).null is None
    assert metrics.w2(Gaussian([0.0, 0.0], 1.0), Gaussian([0.0, 1.0], 1.0), rng=draw).null is None


def test_the_null_level_against_a_cloud_is_that_of_the_two_clouds_whatever_was_asked_before():
    draw = np.random.default_rng(3)
    near, far, truth = (Particles(shift + draw.normal(size=(60, 2))) for shift in (0.0, 10.0, 0.0))
    asked = [metrics.w2(cloud, truth, rng=np.random.default_rng(0)).null for cloud in (far, near)]
    alone = metrics.w2(near, Particles(truth.x), rng=np.random.default_rng(0)).null
    assert asked[1] == alone < asked[0] / 3


def test_the_null_level_follows_a_truth_that_changes():
    class Box(pf.laws.Law):
        dim, side = 2, 1.0

        def sample(self, n, rng):
            return self.side * rng.random((n, 2))

    truth, cloud = Box(), Particles(np.random.default_rng(3).random((60, 2)))
    before = metrics.w2(cloud, truth, rng=np.random.default_rng(0), n=60).null
    truth.side = 4.0
    assert metrics.w2(cloud, truth, rng=np.random.default_rng(0), n=60).null == pytest.approx(4 * before, rel=1e-9)
