"""The part of the weights that the features see: the density factorises, and completed draws have the law of all."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications.logistic import Posterior, seen_weights


@pytest.fixture
def posterior(rng):
    """Five features, of which one is constant and one the sum of two others."""
    features = rng.normal(size=(40, 5))
    features[:, 1], features[:, 4] = 0.0, features[:, 0] + features[:, 2]
    return Posterior(features, np.sign(rng.normal(size=40)), rate=0.3, shape=1.7, likelihood_factor=2.0)


def test_the_density_is_that_of_the_seen_weights_times_a_normal_one(posterior, rng):
    apart = seen_weights(posterior)
    assert apart.seen.shape == (5, 3)
    assert apart.steepest < 1e-12  # round-off of the sums of 40 products
    x = rng.normal(size=(7, 6))
    v, u, eta = x[:, :5] @ apart.seen, x[:, :5] @ apart.unseen, x[:, 5]
    whole, part = posterior.value(x), apart.posterior.value(np.column_stack([v, eta]))
    normal = np.exp(eta) * (u**2).sum(axis=1) / 2 - eta  # -log N(u; 0, I/α) for two weights, but for a constant
    assert np.allclose(whole, part + normal, rtol=0, atol=1e-11)


def test_completed_draws_of_the_prior_are_draws_of_the_prior(posterior, rng):
    """Labels aside, both laws are known: the axes R, N and the scale of u show at once."""
    apart, n = seen_weights(posterior), 4000
    draws = apart.completed(apart.posterior.prior().sample(n, rng), rng)
    scaled = np.exp(draws[:, 5:] / 2) * draws[:, :5]  # standard normal, and independent of α
    error = 1 / np.sqrt(n)
    assert np.all(np.abs(scaled.mean(axis=0)) < 5 * error)
    assert np.all(np.abs(scaled.T @ scaled / n - np.eye(5)) < 5 * 2**0.5 * error)
    assert abs(np.corrcoef((scaled**2).sum(axis=1), draws[:, 5])[0, 1]) < 5 * error


def test_where_all_are_seen_nothing_changes(rng):
    posterior = Posterior(rng.normal(size=(9, 2)), np.sign(rng.normal(size=9)))
    apart, x = seen_weights(posterior), rng.normal(size=(4, 3))
    assert apart.posterior is posterior
    state = rng.bit_generator.state
    assert np.array_equal(apart.completed(x, rng), x)
    assert rng.bit_generator.state == state


def test_sums_that_are_not_exact_want_a_tolerance_and_say_what_it_neglects(posterior):
    features = posterior.features + 1e-8 * np.cos(np.arange(200.0)).reshape(40, 5)
    near = Posterior(features, posterior.labels)
    assert seen_weights(near).unseen.shape[1] == 0
    apart = seen_weights(near, tolerance=1e-6)
    assert apart.unseen.shape[1] == 2
    slope = near.grad(np.zeros((1, 6)))[0, :5] @ apart.unseen
    assert 0 < np.linalg.norm(slope) <= apart.steepest < 40 * 2e-8  # 40 points; the noise of a direction is below 2e-8


def test_many_points_make_no_square_of_them(rng):
    """Left singular vectors of all 3e5 points would take 720 GB."""
    features = np.repeat(rng.normal(size=(3, 2)), 100_000, axis=0) @ [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    apart = seen_weights(Posterior(features, np.tile([1.0, -1.0], 150_000)))
    assert np.allclose(np.abs(apart.unseen[:, 0]), 3**-0.5, rtol=1e-12)  # along (1, 1, -1)


def test_fewer_points_than_weights_leave_the_rest_unseen(rng):
    features = rng.normal(size=(2, 5))
    apart = seen_weights(Posterior(features, [1.0, -1.0]))
    assert apart.unseen.shape == (5, 3)
    assert np.abs(features @ apart.unseen).max() < 1e-14  # round-off of sums of five products


def test_what_cannot_be_taken_apart_is_refused():
    dark = Posterior(np.zeros((3, 2)), [1.0, -1.0, 1.0])
    with pytest.raises(pf.BadInput, match="All features are zero"):
        seen_weights(dark)
    with pytest.raises(pf.BadInput, match="below 1"):
        seen_weights(dark, tolerance=1.0)
    with pytest.raises(pf.BadInput, match=r"must be a logistic\.Posterior"):
        seen_weights("P")  # pyright: ignore[reportArgumentType]
