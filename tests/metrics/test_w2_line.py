"""W2 on the line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import (
    Gaussian,
    GaussianMixture,
    GridLaw,
    Particles,
    Quantiles,
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


def test_cells_whose_mass_is_below_round_off_are_no_pieces():
    """Interior-point solutions leave cells of 1e-18: they change W2 by less than 1e-8, and divide nothing by zero."""
    mass = np.array([1e-18, 3e-19, 0.25, 1e-20, 0.75 - 1e-16, 1e-18, 1e-17])
    edges = np.linspace(-3.0, 4.0, 8)
    clean = np.where(mass < 1e-10, 0.0, mass)
    for other in (pf.laws.Gaussian(0.5, 1.0), pf.laws.Uniform(-1.0, 2.0)):
        tiny, plain = (float(pf.metrics.w2(pf.laws.GridLaw(edges, m), other)) for m in (mass, clean))
        assert tiny == pytest.approx(plain, abs=1e-8)


@pytest.mark.parametrize("law", [Gaussian(0.3, 2.0), GaussianMixture([0.3, 0.7], [-3, 3], [0.09, 0.36])])
def test_the_tail_above_has_the_digits_of_the_tail_below(law):
    """A law that ends carries 1e-15 of W2² beyond the last level below 1; mirrored, it lies near level 0."""
    near = type(law)(*([0.3, 2.0001] if isinstance(law, Gaussian) else [[0.3, 0.7], [-3, 3.0001], [0.09, 0.36]]))
    edges = np.linspace(-6.0, 6.0, 400)
    mass = np.diff(near.cdf(edges))
    grid = GridLaw(edges, mass / mass.sum())
    back = GridLaw(-edges[::-1], grid.mass[::-1])
    mirrored = law.pushed(pf.laws.AffineMap(-np.eye(1)))
    if isinstance(law, GaussianMixture):
        mirrored = GaussianMixture(law.weights, -law.means, law.covs)
    assert distance(grid, law) == pytest.approx(distance(back, mirrored), rel=1e-11)
    assert law.upper_quantile(np.array([1e-20, 0.25])) == pytest.approx(-mirrored.quantile(np.array([1e-20, 0.25])))


class Rounded(pf.laws.Law):
    """A Laplace law whose formula rounds levels below 2^-54 to 0."""

    dim = 1

    def __init__(self, scale):
        self.scale = scale

    def sample(self, n, rng):
        return rng.laplace(0, self.scale, (n, 1))

    def quantile(self, u):
        s = np.asarray(u) - 0.5
        with np.errstate(divide="ignore"):
            return -self.scale * np.sign(s) * np.log1p(-2 * np.abs(s))


@pytest.mark.parametrize("gap", [0.5, 1e-6])
def test_a_formula_that_rounds_small_levels_away_has_its_distance(gap):
    """W2² = 2 (a - b)² for Laplace laws."""
    assert distance(Rounded(1.0), Rounded(1.0 + gap)) == pytest.approx(np.sqrt(2) * gap, rel=1e-9)


def test_pieces_that_hold_next_to_no_mass_are_not_read_beyond_their_ends():
    """Cells of 1e-60 in the tail, against a law whose formula rounds such shares to 0: it was 1e17."""
    problem = pf.problems.newtonian_1d(horizon=0.5)
    cells = pf.solve(problem, pf.grid.FiniteVolume(cells=400), dt=1 / 4).final
    truth = pf.exact(problem, [0.5]).final
    assert 0 < cells.mass[-1] < 1e-60
    u = (np.arange(100_000) + 0.5) / 100_000
    by_levels = np.sqrt(np.mean((cells.quantile(u) - truth.quantile(u)) ** 2))  # without the tails
    assert metrics.w2(cells, truth).value == pytest.approx(by_levels, rel=1e-2)


@pytest.mark.parametrize("other", [Gaussian(0.0, 1.0), Rounded(1.0), Uniform(-1.0, 1.0)])
def test_masses_that_floats_hardly_hold_are_left_out(other):
    """Cells of 1e-320 in a steep well had slopes that overflow: a warning, or `NotConverged` with an error of NaN."""
    edges = np.linspace(-8.0, 8.0, 401)
    mass = np.exp(-2 * (((edges[1:] + edges[:-1]) / 2) ** 2 - 1) ** 2)
    faint = (mass > 0) & (mass < 1e-308)
    assert faint.sum() > 1
    with np.errstate(all="raise", under="ignore"):
        found, plain = (distance(GridLaw(edges, m / m.sum()), other) for m in (mass, np.where(faint, 0.0, mass)))
    assert found == pytest.approx(plain, rel=1e-12)
