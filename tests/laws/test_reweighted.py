"""Reweighted laws: every kind against closed forms, and against each other."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import (
    AffineMap,
    Gaussian,
    GaussianLikelihood,
    GaussianMixture,
    GridLaw,
    Particles,
    PushForward,
    Quantiles,
    Reweighted,
    Ring,
    Stratified,
    Uniform,
    reweighted,
    reweighting,
)

LIKELIHOOD = GaussianLikelihood(0.8, 0.5)
START = Gaussian(0.3, 1.2)
# N(0.3, 1.2) times N(0.8; x, 0.5): precision 1/1.2 + 1/0.5, evidence N(0.8; 0.3, 1.7)
VARIANCE = 1 / (1 / 1.2 + 2)
MEAN = VARIANCE * (0.3 / 1.2 + 0.8 / 0.5)
EVIDENCE = -0.5 * (0.25 / 1.7 + np.log(2 * np.pi * 1.7))


class Cubed(pf.laws.Map):
    """x + x³: increasing, so that reweighted flows of maps can be checked by a change of variables."""

    dim, increasing = 1, True

    def __call__(self, x):
        return x + x**3

    def with_log_det(self, x):
        return self(x), np.log(1 + 3 * x[:, 0] ** 2)


def edges(n):
    return np.linspace(-8.0, 8.0, n + 1)


def grid(n):
    return GridLaw(edges(n), START.cell_masses((edges(n),)).mass / START.cell_masses((edges(n),)).mass.sum())


# what each representation costs: 2nd order in cells of 1/100 and of 1/1000 of the mass, 1/√n for draws
@pytest.mark.parametrize(
    ("law", "error"),
    [
        (START, 1e-14),
        (GaussianMixture([1.0], [0.3], 1.2), 1e-14),
        (PushForward(Gaussian(0.0, 1.0), [AffineMap([[1.2**0.5]], [0.3])]), 1e-13),
        (grid(1600), 1e-5),
        (Quantiles(START.quantile(np.linspace(1e-7, 1 - 1e-7, 2001)), np.linspace(0, 1, 2001)), 1e-4),
        (Particles(START.quantile((np.arange(2000) + 0.5) / 2000)), 1e-3),
    ],
    ids=["gaussian", "mixture", "flow", "grid", "quantiles", "particles"],
)
def test_every_kind_of_law_is_reweighted(law, error):
    found = reweighting(law, LIKELIHOOD)
    assert found.log_mean_weight == pytest.approx(EVIDENCE, abs=error)
    assert found.law.mean()[0] == pytest.approx(MEAN, abs=error)
    assert found.law.cov()[0, 0] == pytest.approx(VARIANCE, abs=10 * error)
    assert type(found.law) in (type(law), Gaussian)


def test_cells_are_of_second_order():
    errors = [abs(reweighting(grid(n), LIKELIHOOD).log_mean_weight - EVIDENCE) for n in (100, 200, 400)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.01)
    assert errors[2] < 1.2e-4  # h²/24 times the mean curvature, h = 0.04


def test_any_density_on_the_line_by_quadrature():
    law = Reweighted(START, lambda x: LIKELIHOOD(x))
    exact = Gaussian(MEAN, VARIANCE)
    x = np.linspace(-2, 3, 7)
    # the table goes for 1e-13 of the integral
    assert law.log_mean_weight() == pytest.approx(EVIDENCE, abs=1e-11)
    np.testing.assert_allclose(law.log_density(x[:, None]), exact.log_density(x[:, None]), atol=1e-11)
    np.testing.assert_allclose(law.cdf(x), exact.cdf(x), atol=1e-11)
    np.testing.assert_allclose(law.quantile([0.1, 0.9]), exact.quantile([0.1, 0.9]), atol=1e-11)
    assert law.mean()[0] == pytest.approx(MEAN, abs=1e-11)
    assert law.cov()[0, 0] == pytest.approx(VARIANCE, abs=1e-11)
    assert law.sample(20_000, np.random.default_rng(0)).mean() == pytest.approx(MEAN, abs=4 * (VARIANCE / 2e4) ** 0.5)
    assert reweighted(Uniform(-1.0, 2.0), LIKELIHOOD).quantile([0.0, 1.0]).tolist() == [-1.0, 2.0]


def test_stratified_draws_have_one_in_each_interval_in_every_batch():
    law = Reweighted(START, lambda x: LIKELIHOOD(x), Stratified())
    levels = law.cdf(law.sample(1024, np.random.default_rng(0))[:, 0])
    for batch in (1024, 256, 32):
        for block in levels.reshape(-1, batch):
            assert np.array_equal(np.sort(np.floor(batch * block)), np.arange(batch))
    assert not np.array_equal(levels, np.sort(levels))
    means = [law.sample(1024, np.random.default_rng(seed)).mean() for seed in range(40)]
    # independent draws would spread by 0.6/32 = 0.02; each mean is unbiased: 4 standard errors
    assert np.std(means) < 2e-3 and np.mean(means) == pytest.approx(MEAN, abs=4 * np.std(means) / np.sqrt(40))


def test_means_of_stratified_draws_err_like_one_over_their_number():
    """The mean of a uniform law is off by the common place in the intervals: (place - 1/2)/n, of deviation 1/√12 n."""
    for n in (16, 256):
        errors = [Stratified().sample(Uniform(0.0, 1.0), n, np.random.default_rng(s)).mean() - 0.5 for s in range(400)]
        assert n * np.std(errors) == pytest.approx(12**-0.5, rel=0.09)  # four standard errors of a deviation


def test_two_weights_are_their_sum_and_the_second_evidence_is_conditional():
    other = GaussianLikelihood(-0.2, 2.0)
    first = reweighting(START, LIKELIHOOD)
    second = reweighting(first.law, other)
    found = reweighting(Reweighted(START, lambda x: LIKELIHOOD(x)), lambda x: other(x))
    assert found.log_mean_weight == pytest.approx(second.log_mean_weight, abs=1e-11)
    assert found.law.mean()[0] == pytest.approx(second.law.mean()[0], abs=1e-11)


def test_the_weight_of_a_flow_of_maps_is_pulled_back_to_its_start():
    """Two observations along a path against the same law by a change of variables alone."""
    cubed = Cubed()
    flow = reweighted(PushForward(START, [cubed]), LIKELIHOOD)
    flow = PushForward(flow, [cubed])  # as a method does that starts from a law made of maps
    other = GaussianLikelihood(-0.3, 0.7)
    found = reweighting(flow, other)
    x = START.quantile(np.array([0.1, 0.4, 0.7]))[:, None]
    there = START.log_density(x) + LIKELIHOOD(cubed(x)) + other(cubed(cubed(x)))
    base, maps = found.law.pushed_from()
    assert len(maps) == 2 and base.log_weight.maps == maps  # one path, its maps taken once
    gaps = base.log_density(x) - there
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-12)
    both = Reweighted(START, lambda x: LIKELIHOOD(cubed(x)) + other(cubed(cubed(x)))).log_mean_weight()
    one = Reweighted(START, lambda x: LIKELIHOOD(cubed(x))).log_mean_weight()
    assert found.log_mean_weight == pytest.approx(both - one, abs=1e-11)


@pytest.mark.parametrize("pieces", [1, 20])
def test_pieces_too_coarse_for_the_weight_are_reweighted_by_quadrature(pieces):
    """A uniform law and N(0.3; x, 0.01²): the posterior is the normal law, the evidence 1/2, the density."""
    law = Uniform(-1.0, 1.0)
    if pieces > 1:
        law = Quantiles(np.linspace(-1.0, 1.0, pieces + 1), np.linspace(0.0, 1.0, pieces + 1))
    found = reweighting(law, GaussianLikelihood(0.3, 1e-4))
    # the table goes for 1e-13 of the integral; the ends of the law are 70 deviations away
    assert found.log_mean_weight == pytest.approx(np.log(0.5), abs=1e-11)
    assert found.law.mean()[0] == pytest.approx(0.3, abs=1e-11)
    assert found.law.cov()[0, 0] == pytest.approx(1e-4, rel=1e-9)


def test_what_cannot_be_reweighted_says_what_can():
    plane = Ring(1.0, center=[0.0, 0.0])
    with pytest.raises(pf.errors.Unsupported, match="MetropolisHastings"):
        reweighted(plane, lambda x: -(x**2).sum(1))
    law = reweighted(Gaussian([0.0, 0.0], 1.0), lambda x: -(x**4).sum(1), pf.laws.MetropolisHastings(warm_up=5))
    assert law.answers() == ["sample"]
    with pytest.raises(pf.errors.NotAvailable, match="on the line only"):
        law.log_density(np.zeros((1, 2)))
    with pytest.raises(pf.errors.BadInput, match="without one"):
        reweighted(START, LIKELIHOOD, pf.laws.MetropolisHastings())


def test_a_grid_that_cannot_hold_the_weighted_law_is_refused():
    edges = np.linspace(-9.0, 9.0, 401)
    cells = START.cell_masses((edges,)).mass
    grid = GridLaw(edges, cells / cells.sum())
    with pytest.raises(pf.BadInput, match="into the last cells at 9"):
        reweighted(grid, GaussianLikelihood(30.0, 1.0))  # the exact law is centred at 16.5
    with pytest.raises(pf.BadInput, match="Take more cells"):
        reweighted(grid, GaussianLikelihood(0.8, 1e-4))  # a deviation of 0.01 in cells of 0.045
    found, exact = (reweighting(law, GaussianLikelihood(5.0, 0.5)) for law in (grid, START))
    assert found.law.mean() == pytest.approx(exact.law.mean(), abs=1e-3)  # of second order in cells of 0.045
