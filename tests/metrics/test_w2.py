"""W2: metric axioms, independent code paths, reference numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtr, ndtri

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

SETTINGS = settings(deadline=None, derandomize=True, max_examples=60)
place = st.floats(-4, 4).map(lambda x: round(x, 6))
share = st.floats(0.05, 1.0)


def normalised(parts):
    parts = np.array(parts)
    return parts / parts.sum()


@st.composite
def particles(draw):
    n = draw(st.integers(1, 9))
    x = draw(st.lists(place, min_size=n, max_size=n))
    return Particles(x, draw(st.sampled_from([None, normalised(draw(st.lists(share, min_size=n, max_size=n)))])))


@st.composite
def quantiles(draw):
    n = draw(st.integers(1, 7))
    q = np.sort(draw(st.lists(place, min_size=n + 1, max_size=n + 1)))
    s = np.concatenate([[0.0], np.cumsum(normalised(draw(st.lists(share, min_size=n, max_size=n))))])
    s[-1] = 1.0
    return Quantiles(q, s)


@st.composite
def grids(draw):
    n = draw(st.integers(1, 8))
    edges = draw(place) + np.concatenate([[0.0], np.cumsum(draw(st.lists(share, min_size=n, max_size=n)))])
    mass = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 0.2, 0.5, 1.0]), min_size=n, max_size=n)))
    mass[draw(st.integers(0, n - 1))] = 0.7
    return GridLaw(edges, mass / mass.sum())


gaussians = st.builds(lambda m, s: Gaussian(m, s**2), place, st.floats(0.1, 3))
line_laws = st.one_of(particles(), quantiles(), grids(), gaussians)


def distance(a, b):
    return metrics.w2(a, b).value


def moved(law, shift, stretch):
    """The law of stretch x + shift."""
    if isinstance(law, Particles):
        return Particles(stretch * law.x + shift, None if law.equal else law.weights)
    if isinstance(law, Quantiles):
        return Quantiles(stretch * law.q + shift, law.levels)
    if isinstance(law, GridLaw):
        return GridLaw(stretch * law.axes[0] + shift, law.mass)
    return Gaussian(stretch * law.mean() + shift, stretch**2 * law.cov())


@SETTINGS
@given(line_laws, line_laws, line_laws)
def test_metric_axioms_on_the_line(a, b, c):
    # round-off: levels are known to 1e-16 and W2² is an integral over them, so W2 is known to 1e-8 of the gaps at worst
    assert distance(a, a) <= 1e-12
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-12, abs=1e-13)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-7


@SETTINGS
@given(line_laws, line_laws, st.floats(-5, 5), st.floats(0.2, 5))
def test_translation_and_scaling_on_the_line(a, b, shift, stretch):
    assert distance(a, moved(a, shift, 1.0)) == pytest.approx(abs(shift), rel=1e-9, abs=1e-12)
    # 1e-7: an edge that moves by round-off may cut a sliver of 1e-16 of the mass elsewhere
    assert distance(moved(a, shift, stretch), moved(b, shift, stretch)) == pytest.approx(
        stretch * distance(a, b), rel=1e-9, abs=1e-7
    )


@SETTINGS
@given(particles(), particles())
def test_clouds_on_the_line_equal_pot(a, b):
    ot = pytest.importorskip("ot")
    squared = ot.emd2_1d(a.x[:, 0].copy(), b.x[:, 0].copy(), a.weights.copy(), b.weights.copy(), metric="sqeuclidean")
    assert distance(a, b) ** 2 == pytest.approx(squared, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_equal_clouds_equal_the_assignment_problem(dim, rng):
    x, y = rng.standard_normal((60, dim)), rng.standard_normal((60, dim)) + 0.5
    cost = np.sum((x[:, None] - y[None]) ** 2, axis=2)
    squared = cost[linear_sum_assignment(cost)].mean()
    assert distance(Particles(x), Particles(y)) == pytest.approx(np.sqrt(squared), rel=1e-12)


def test_one_law_in_several_clothes_is_one_law():
    x = np.arange(7.0)
    assert distance(Particles(x), Particles(x[::-1].copy(), np.full(7, 1 / 7))) <= 1e-12
    edges, mass = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.25, 0.0, 0.75])
    same = Quantiles([0, 1, 2, 4], [0, 0.25, 0.25 + 1e-15, 1])
    assert distance(GridLaw(edges, mass), same) <= 1e-7  # the jump of Quantiles takes 1e-15 of level
    assert distance(GridLaw([0.0, 0.5, 2.0], [0.25, 0.75]), Uniform(0, 2)) <= 1e-15


def test_an_empty_cell_is_a_jump_and_not_a_spread():
    """Mass ½ on [0, 1] and ½ on [9, 10]: against a point at 0, W2² = ½(1/3) + ½(271/3)."""
    grid = GridLaw([0.0, 1.0, 9.0, 10.0], [0.5, 0.0, 0.5])
    assert distance(grid, Particles([0.0])) == pytest.approx(np.sqrt(272 / 6), rel=1e-14)


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


@pytest.mark.parametrize("a, b, expected", CLOSED)
def test_closed_values(a, b, expected):
    # 1e-11: quadrature at 1e-13; expected values of cloud_to_normal cancel to about 1e-13 of one themselves
    assert distance(a, b) == pytest.approx(expected, rel=1e-11, abs=1e-13)
    assert distance(b, a) == pytest.approx(expected, rel=1e-11, abs=1e-13)
    estimate = metrics.w2(a, b)
    assert (estimate.stderr, estimate.metric) == (0.0, "w2") and "empirical" not in estimate.how


def test_many_particles_against_a_law_with_a_gap(rng):
    """Many-panel rule against the few-panel rule: N(·) by pieces of 5000 atoms, and each atom doubled."""
    mixture = GaussianMixture([0.3, 0.7], [-3, 3], [0.09, 0.36])
    x = mixture.sample(2500, rng)[:, 0]
    once, twice = distance(Particles(x), mixture), distance(Particles(np.repeat(x, 2)), mixture)
    assert once == pytest.approx(twice, rel=1e-10)


def test_second_moments_of_a_fine_grid():
    """A grid law tends to the law whose cells it holds at second order in W2 against the smooth law."""
    errors = []
    for cells in (50, 100, 200):
        edges = np.linspace(-8, 8, cells + 1)
        errors.append(distance(GridLaw(edges, np.diff(ndtr(edges))), Gaussian(0, 1)))
    # measured 1.99 and 2.00
    assert np.all(np.abs(np.log2(np.array(errors[:-1]) / errors[1:]) - 2) < 0.05) and errors[-1] < 1e-3


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


@pytest.mark.parametrize("name", PAIRS)
def test_reference_numbers(name):
    metric, a, b, value = PAIRS[name]
    assert getattr(metrics, metric)(a, b).value == pytest.approx(value, rel=1e-10)


def test_bures_does_not_cancel(rng):
    for dim in (1, 3, 10):
        root = rng.standard_normal((dim, dim))
        law = Gaussian(rng.standard_normal(dim), root @ root.T + 0.1 * np.eye(dim))
        assert distance(law, law) <= 1e-13 and metrics.bures(law, law).value <= 1e-13
        # Σ -> (1+e)²Σ moves by e √tr Σ
        near = Gaussian(law.mean(), (1 + 1e-7) ** 2 * law.cov())
        assert distance(law, near) == pytest.approx(1e-7 * np.sqrt(np.trace(law.cov())), rel=1e-6)
    flat = Particles(
        np.outer(np.arange(5.0), [1, 2, 3])
    )  # rank one: the root of a round-off eigenvalue is not round-off
    assert metrics.bures(flat, flat).value <= 1e-12
    # rank one against rank one turned: tr + tr - 2|u·v|
    a, b = Particles([[1.0, 0], [-1, 0]]), Particles([[0.6, 0.8], [-0.6, -0.8]])
    assert metrics.bures(a, b).value == pytest.approx(np.sqrt(2 - 2 * 0.6), rel=1e-12)


def test_bures_takes_any_law_with_two_moments():
    ring, gaussian = Ring(2.0, (1.0, 0.0)), Gaussian([1, 0], 2.0)
    assert metrics.bures(ring, gaussian).value <= 1e-14
    assert metrics.bures(Semicircle(2.0), Gaussian(3, 1)).value == pytest.approx(3, rel=1e-14)


def test_cells_whose_mass_is_below_round_off_are_no_pieces():
    """Interior-point solutions leave cells of 1e-18: they change W2 by less than 1e-8, and divide nothing by zero."""
    mass = np.array([1e-18, 3e-19, 0.25, 1e-20, 0.75 - 1e-16, 1e-18, 1e-17])
    edges = np.linspace(-3.0, 4.0, 8)
    clean = np.where(mass < 1e-10, 0.0, mass)
    for other in (pf.laws.Gaussian(0.5, 1.0), pf.laws.Uniform(-1.0, 2.0)):
        tiny, plain = (float(pf.metrics.w2(pf.laws.GridLaw(edges, m), other)) for m in (mass, clean))
        assert tiny == pytest.approx(plain, abs=1e-8)
