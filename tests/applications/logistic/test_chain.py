"""The Gibbs chain against quadrature in the plane, and its verdict on itself."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications.logistic import Chain, Posterior, effective_draws, gibbs
from pdeflow.applications.logistic.chain import _normal, _rescaled

SIX = Posterior([[0.5], [-1.0], [1.5], [0.3], [-0.7], [2.0]], [1.0, -1.0, 1.0, -1.0, -1.0, 1.0], rate=1.0)


def by_quadrature():
    """Mean and variance of w and of η, by sums over a grid of (w, η) that holds the law."""
    w, eta = np.linspace(-15, 15, 601), np.linspace(-12, 4, 161)
    grid = np.stack(np.meshgrid(w, eta, indexing="ij"), axis=-1).reshape(-1, 2)
    weight = np.exp(-SIX.value(grid) + 4.0)
    mean = weight @ grid / weight.sum()
    return mean, weight @ (grid - mean) ** 2 / weight.sum()


def test_the_chain_has_the_moments_of_the_posterior(rng):
    chain = gibbs(SIX, rng, draws=300, thin=3, warm_up=50)
    assert chain.draws.shape == (4, 300, 2)
    assert np.all(chain.r_hat() < 1.05)
    mean, variance = by_quadrature()
    x, worth = chain.points(), chain.effective()
    assert np.all(np.abs(x.mean(axis=0) - mean) < 4 * np.sqrt(variance / worth))  # 4 standard errors
    assert np.allclose(x.var(axis=0), variance, rtol=0.3)  # known to about 8 % from 600 draws of kurtosis near 5
    assert chain.law(effective=0.2).dim == 2


def test_a_seed_gives_the_same_draws_and_chains_differ():
    one, other = (gibbs(SIX, np.random.default_rng(7), draws=8, warm_up=0, thin=1, chains=2) for _ in range(2))
    assert np.array_equal(one.draws, other.draws)
    assert not np.array_equal(one.draws[0], one.draws[1])


def test_chains_that_have_not_mixed_are_no_truth(rng):
    apart = rng.standard_normal((4, 500, 2))
    apart[0, :, 1] += 0.5
    with pytest.raises(pf.NotConverged, match="R-hat of coordinate 1") as fault:
        Chain(apart, 1, 0).law()
    assert fault.value.facts["coordinate"] == 1
    slow = np.repeat(rng.standard_normal((4, 1000, 1)), 10, axis=1)
    with pytest.raises(pf.NotConverged, match="Enlarge thin"):
        Chain(slow, 1, 0).law()


def test_batches_and_other_arguments_are_refused(rng):
    with pytest.raises(pf.Unsupported, match="likelihood_factor"):
        gibbs(SIX.minibatch([0, 1]), rng)
    with pytest.raises(pf.BadInput, match=r"must be a logistic\.Posterior"):
        gibbs("P", rng)  # pyright: ignore[reportArgumentType]
    with pytest.raises(pf.BadInput, match="Generator"):
        SIX.sample_precision(np.zeros((2, 1)), 3)
    with pytest.raises(pf.BadInput, match="generator"):
        gibbs(SIX, 3)
    with pytest.raises(pf.BadInput, match="chains"):
        gibbs(SIX, rng, chains=1)


def test_the_weights_are_drawn_with_the_inverse_of_their_precision(rng):
    precision, pull, n = np.array([[2.0, 1.5], [1.5, 3.0]]), np.array([1.0, -2.0]), 5000
    x = np.array([_normal(precision, pull, rng) for _ in range(n)])
    cov = np.linalg.inv(precision)
    # 5 standard errors of means, and of entries of a covariance
    assert np.all(np.abs(x.mean(axis=0) - cov @ pull) < 5 * np.sqrt(np.diag(cov) / n))
    assert np.all(np.abs(np.cov(x.T) - cov) < 5 * np.sqrt(2 / n) * np.sqrt(np.outer(np.diag(cov), np.diag(cov))))
    with pytest.raises(pf.NotConverged, match="not positive definite"):
        _normal(-precision, pull, rng)


def test_the_step_along_a_ray_keeps_the_law_there(rng):
    """On the ray of w the law has density p(labels, c w) c^p in log c: its mean by quadrature, and by 4,000 steps."""
    posterior = Posterior(rng.normal(size=(30, 3)), np.where(np.arange(30) % 3 > 0, 1.0, -1.0), rate=0.5)
    w, log_c = np.array([0.4, -0.2, 0.3]), np.linspace(-6, 5, 2001)
    levels = posterior.log_marginal(np.exp(log_c)[:, None] * w) + 3 * log_c
    weight = np.exp(levels - levels.max())
    mean = weight @ log_c / weight.sum()
    here, found = w, np.empty((4, 1000, 1))
    for chain in found:
        for i in range(1000):
            here = _rescaled(posterior, here, rng)
            chain[i] = np.log(here[0] / w[0])
    error = found.std() / np.sqrt(effective_draws(found)[0])
    assert abs(found.mean() - mean) < 4 * error < 0.2  # 4 standard errors; without c^p the steps run to 0
