"""Chains against the law that they are to leave as it is."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import CrankNicolson, Gaussian, GaussianLikelihood, Independence, MetropolisHastings, Reweighted
from pdeflow.laws.metropolis_hastings import off_chains, on_chains

LIKELIHOOD = GaussianLikelihood([0.8, -1.0], 0.5)
START = Gaussian([0.3, 0.0], [[1.2, 0.5], [0.5, 0.8]])
POSTERIOR = pf.laws.reweighted(START, LIKELIHOOD)


@pytest.mark.parametrize("proposal", [Independence(), CrankNicolson(0.6)])
def test_chains_have_the_mean_and_the_covariance_of_the_posterior(proposal):
    sampler = MetropolisHastings(proposal, chains=4000, warm_up=40)
    law = Reweighted(START, lambda x: LIKELIHOOD(x), sampler)
    x = law.sample(4000, np.random.default_rng(0))
    # one draw a chain: independent draws, 4 standard errors
    spread = np.sqrt(np.diag(POSTERIOR.cov()) / 4000)
    assert np.all(np.abs(x.mean(0) - POSTERIOR.mean()) < 4 * spread)
    np.testing.assert_allclose(np.cov(x.T), POSTERIOR.cov(), atol=4 * np.sqrt(2 / 4000) * POSTERIOR.cov().max())


def test_the_acceptance_of_independent_proposals_is_the_known_one():
    """Mean of min(1, w(y)/w(x)), x of the posterior, y of the start, by draws of both."""
    sampler = MetropolisHastings(Independence(), chains=4000, warm_up=40)
    law = Reweighted(START, lambda x: LIKELIHOOD(x), sampler)
    rng = np.random.default_rng(1)
    chains = sampler.start(law, rng, POSTERIOR.sample(4000, rng))
    chains.advance(20)
    x, y = POSTERIOR.sample(80_000, rng), START.sample(80_000, rng)
    expected = np.exp(np.minimum(LIKELIHOOD(y) - LIKELIHOOD(x), 0)).mean()
    # 80,000 proposals, which are dependent in pairs at most along a chain: 4 standard errors of 0.5/√40,000
    assert chains.acceptance == pytest.approx(expected, abs=0.01)


def test_the_warm_up_tunes_the_step_to_the_acceptance():
    """A posterior a hundred times narrower than the start: the untuned step is taken one time in twenty."""
    narrow = GaussianLikelihood([0.8, -1.0], 1e-4)
    exact = pf.laws.reweighted(START, narrow)
    shares = {}
    for tuned in (None, 0.4):
        sampler = MetropolisHastings(CrankNicolson(0.5, tuned), chains=2000, warm_up=60)
        law = Reweighted(START, lambda x: narrow(x), sampler)
        chains = sampler.start(law, np.random.default_rng(0), exact.sample(2000, np.random.default_rng(1)))
        x = chains.draw(2000)
        before = chains.proposal
        chains._accepted = chains._proposed = 0
        chains.advance(10)
        shares[tuned] = chains.acceptance
        assert chains.proposal == before
        # one draw a chain, which began at exact ones: 4 standard errors
        assert np.all(np.abs(x.mean(0) - exact.mean()) < 4 * np.sqrt(np.diag(exact.cov()) / 2000))
    assert shares[None] < 0.05 and shares[0.4] == pytest.approx(0.4, abs=0.05)


def test_draws_go_on_where_they_are_and_are_the_same_bits():
    law = Reweighted(START, lambda x: LIKELIHOOD(x), MetropolisHastings(chains=50, warm_up=3, every=2))
    new, chains = on_chains(law, np.random.default_rng(3))
    parts = [new.sample(n, np.random.default_rng(0)) for n in (4, 1, 0, 115)]
    once, _ = on_chains(law, np.random.default_rng(3))
    # no place is given out twice, and the calls together give what one call does
    assert np.array_equal(np.concatenate(parts), once.sample(120, np.random.default_rng(0)))
    assert off_chains(new, chains).sampler is law.sampler
    assert np.array_equal(law.sample(60, np.random.default_rng(5)), law.sample(60, np.random.default_rng(5)))
    _, later = on_chains(law, np.random.default_rng(3), chains)
    assert np.array_equal(later.x, chains.x)
    assert on_chains(START, np.random.default_rng(0)) == (START, None)


def test_proposals_by_a_gaussian_need_one():
    law = Reweighted(pf.laws.Uniform([0.0, 0.0], [1.0, 1.0]), lambda x: x[:, 0], MetropolisHastings(warm_up=1))
    with pytest.raises(pf.errors.NotAvailable, match="Independence"):
        law.sample(3, np.random.default_rng(0))
    with pytest.raises(pf.errors.BadInput, match="0, 1"):
        CrankNicolson(1.5)
    with pytest.raises(pf.errors.BadInput, match="acceptance is 1"):
        CrankNicolson(0.5, acceptance=1.0)
    with pytest.raises(pf.errors.BadInput, match="propose"):
        MetropolisHastings("pcn")


def test_places_without_weight_are_no_draws():
    """A weight that is positive on a share of 3e-6 of the start, which twenty proposals do not find."""
    sampler = MetropolisHastings(Independence(), chains=50, warm_up=20)
    law = Reweighted(Gaussian([0.0, 0.0], 1.0), lambda x: np.where(x[:, 0] > 4.5, 0.0, -np.inf), sampler)
    with pytest.raises(pf.errors.NotConverged, match="50 of 50 chains"):
        law.sample(10, np.random.default_rng(0))
    near = Reweighted(Gaussian([4.5, 0.0], 1.0), law.log_weight, sampler)
    assert near.sample(50, np.random.default_rng(0))[:, 0].min() > 4.5
