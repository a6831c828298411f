"""The classifier two-sample test."""

from importlib import import_module

import numpy as np
import pytest
from scipy.special import ndtr

import pdeflow as pf
from pdeflow.laws import Gaussian, GaussianMixture, Particles
from pdeflow.metrics import c2st, l1


@pytest.mark.parametrize("dim", [1, 3, 20])
def test_the_gaussian_classifier_reaches_the_error_of_bayes(dim):
    """Two Gaussians of one covariance at distance Δ: Bayes tells Φ(Δ/2) of the points."""
    cov = np.eye(dim) + 0.5
    shift = np.linalg.cholesky(cov) @ np.full(dim, 1.5 / np.sqrt(dim))
    estimate = c2st(
        Gaussian(shift, cov),
        Gaussian(np.zeros(dim), cov),
        rng=np.random.default_rng(0),
        classifier="gaussian",
        n=8000,
    )
    # what learning two covariances from 10,000 points costs: about d²/(4n) of the accuracy
    assert abs(estimate.value - ndtr(0.75)) < 4 * estimate.stderr + dim**2 / 1.6e4
    assert estimate.value < ndtr(0.75) + 4 * estimate.stderr


def test_the_gaussian_classifier_tells_spreads_as_well_as_bayes(rng):
    a, b = Gaussian(0.0, 1.0), Gaussian(0.0, 9.0)
    estimate = c2st(a, b, rng=rng, classifier="gaussian", n=8000)
    assert abs(estimate.value - 0.5 - l1(a, b).value / 4) < 4 * estimate.stderr


def test_neighbours_reach_the_error_of_bayes_where_moments_agree(rng):
    """A mixture of two modes against the Gaussian of its moments: (1 + TV)/2."""
    a, b = GaussianMixture([0.5, 0.5], [[-2.0], [2.0]], [[[0.5]], [[0.5]]]), Gaussian(0.0, 4.5)
    bayes = 0.5 + l1(a, b).value / 4
    estimate = c2st(a, b, rng=rng, n=4000)
    assert abs(estimate.value - bayes) < 4 * estimate.stderr + 0.01  # 63 neighbours of 4,000 blur the border
    blind = c2st(a, b, rng=rng, classifier="gaussian", n=4000)
    assert abs(blind.value - 0.5) < 0.1 and estimate.value > 0.65


@pytest.mark.parametrize("classifier", ["neighbours", "gaussian"])
def test_equal_laws_are_told_at_the_null_level_with_the_binomial_error(classifier):
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        clouds = [Particles(rng.standard_normal((size, 2))) for size in (60, 90)]
        found.append(c2st(*clouds, rng=rng, classifier=classifier))
    value, stderr = np.array([[one.value, one.stderr] for one in found]).T
    assert {one.null for one in found} == {0.5}
    assert abs(value.mean() - 0.5) < 4 * value.std() / 10
    assert 0.7 < value.std() / stderr.mean() < 1.4


def test_the_split_depends_on_the_seed_alone_and_not_on_units(rng):
    x, y = rng.standard_normal((40, 3)), rng.standard_normal((50, 3)) + 0.5
    known = c2st(Particles(x), Particles(y), rng=np.random.default_rng(1))
    assert known == c2st(Particles(x[::-1]), Particles(y[::-1]), rng=np.random.default_rng(1))
    units = np.array([2.0**-20, 1.0, 2.0**30])
    assert known == c2st(Particles(x * units), Particles(y * units), rng=np.random.default_rng(1))


def test_what_cannot_be_split_is_refused(rng):
    cloud = Particles(rng.standard_normal((20, 2)))
    with pytest.raises(pf.NotAvailable, match="rng"):
        c2st(cloud, cloud)
    with pytest.raises(pf.NotAvailable, match="different weights"):
        c2st(Particles(cloud.x, np.arange(1, 21) / 210), cloud, rng=rng)
    with pytest.raises(pf.NotAvailable, match="8 or more"):
        c2st(Particles(cloud.x[:7]), cloud, rng=rng)
    with pytest.raises(pf.NotAvailable, match="singular"):
        c2st(Particles(np.ones((20, 2))), cloud, rng=rng, classifier="gaussian")
    with pytest.raises(pf.NotAvailable, match="more points than dimensions"):
        c2st(Gaussian(np.zeros(9), 1.0), Gaussian(np.zeros(9), 1.0), rng=rng, classifier="gaussian", n=16)
    with pytest.raises(pf.BadInput, match="'neighbours', 'gaussian'"):
        c2st(cloud, cloud, rng=rng, classifier="forest")


def test_the_tree_and_all_distances_find_the_same_neighbours(rng, monkeypatch):
    clouds = Particles(rng.standard_normal((80, 3))), Particles(rng.standard_normal((90, 3)) + 0.5)
    by_tree = c2st(*clouds, rng=np.random.default_rng(2))
    monkeypatch.setattr(import_module("pdeflow.metrics.c2st"), "_TREE_UP_TO", 0)
    assert c2st(*clouds, rng=np.random.default_rng(2)) == by_tree
