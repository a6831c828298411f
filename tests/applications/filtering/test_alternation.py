"""The parts of a run of a filter: resampling, the evidence by draws, and laws that cannot hold an observation."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications import Filter
from pdeflow.applications.filtering.alternation import SystematicParticles, _evidence_of_draws
from pdeflow.laws import Gaussian, GaussianLikelihood, MetropolisHastings

START = pf.problems.ou(initial=Gaussian(0.0, 1.0), horizon=0.5)


def once(place, variance, problem=START):
    """The problem, observed once at its horizon."""
    return Filter(problem, [0.5], [place], variance)


def test_systematic_draws_take_each_particle_as_often_as_its_weight():
    law = SystematicParticles([0.0, 1.0, 2.0, 3.0], [0.1, 0.25, 0.0, 0.65])
    for seed in range(20):
        counts = np.bincount(law.sample(10, np.random.default_rng(seed))[:, 0].astype(int), minlength=4)
        assert counts[0] == 1 and counts[1] in (2, 3) and counts[2] == 0 and counts[3] in (6, 7)


class Stuck(Gaussian):
    """Draws by 64 chains none of which moves: 4,096 draws are worth 64."""

    def weighted_sample(self, n, rng):
        return np.tile(self.sample(64, rng), (n // 64, 1)), np.full(n, 1 / n)


def test_the_evidence_by_chains_knows_its_error():
    law, likelihood = Stuck([0.0, 0.0], 1.0), GaussianLikelihood([0.9, 0.5], 0.5)
    found = _evidence_of_draws(law, likelihood, np.random.default_rng(0), 64)
    heights = np.exp(likelihood(law.sample(64, np.random.default_rng(0))))
    assert found["log_evidence"] == pytest.approx(np.log(heights.mean()), rel=1e-12)
    assert found["stderr"] == pytest.approx(heights.std(ddof=1) / 8 / heights.mean(), rel=1e-12)
    rng = np.random.default_rng(1)
    assert _evidence_of_draws(law, likelihood, rng, 1)["stderr"] == np.inf
    far = _evidence_of_draws(Gaussian([0.0, 0.0], 1.0), GaussianLikelihood([9.0, 9.0], 1e-4), rng)
    assert far["stderr"] == np.inf
    with pytest.raises(pf.errors.BadInput, match="zero at all"):
        _evidence_of_draws(law, lambda x: np.full(len(x), -np.inf), rng)


class Still:
    """A method whose law stays what it is."""

    def run(self, problem, dt, times, seed):
        return [problem.initial for _ in times]


def test_the_evidence_by_draws_takes_other_draws_for_another_seed():
    """E exp(-|x|²/2) = 1/2 for N(0, I) in the plane; all seeds once shared one error at the first observation."""
    problem = pf.problems.ou(dim=2, initial=Gaussian([0.0, 0.0], 1.0), horizon=0.1)
    seen = Filter(problem, [0.1], [0.0], log_likelihood=lambda x, value: -(x * x).sum(axis=1) / 2)
    sampler = MetropolisHastings(chains=16, warm_up=2)
    found = [seen.run(Still(), dt=0.1, seed=seed, sampler=sampler).stats for seed in (0, 0, 1, 2, 3, 4, 5, 6, 7)]
    gaps = np.array([(one["log_evidence"] - np.log(0.5)) / one["log_evidence_stderr"] for one in found])
    assert gaps[0] == gaps[1] and len(set(gaps)) == 8
    assert np.abs(gaps).max() < 4 and 0.3 < gaps[1:].std() < 2  # standard normal numbers


def test_particles_of_which_few_carry_the_posterior_are_refused():
    particles = pf.particle.EulerMaruyama(particles=1000)
    with pytest.raises(pf.errors.BadInput, match=r"time 0.5 is carried by 1 of 1000 particles"):
        once(9.0, 0.1).run(particles, dt=0.05)
    accepted = once(9.0, 0.1).run(particles, dt=0.05, least_effective=1)
    assert accepted.stats["observations"][0]["effective_size"] < 2
    size = once(1.0, 0.1).run(particles, dt=0.05).stats["observations"][0]["effective_size"]
    assert size > 100


@pytest.mark.parametrize(("place", "variance", "points"), [(12.0, 1.0, 1000), (4.0, 0.1, 100), (9.0, 1e-4, 1000)])
def test_pieces_too_coarse_where_the_posterior_lives_are_refused(place, variance, points):
    with pytest.raises(pf.errors.BadInput, match=r"jumps by .* at most 0.3 is accepted"):
        once(place, variance).run(pf.grid.QuantileJKO(points=points), dt=0.1)


@pytest.mark.parametrize(("place", "variance"), [(7.0, 1.0), (5.0, 0.1), (2.7, 1e-4), (0.0, 1e-4)])
def test_pieces_that_are_accepted_hold_the_posterior(place, variance):
    """Narrow observations too: what counts is how much the density differs between pieces, not how many there are."""
    found = once(place, variance).run(pf.grid.QuantileJKO(points=1000), dt=0.1).final
    spread = 1.0
    for _ in range(5):  # the exact JKO steps
        spread = (spread + np.sqrt(spread**2 + 0.44)) / 2.2
    gain = spread**2 / (spread**2 + variance)
    deviation = np.sqrt((1 - gain) * spread**2)
    # what the accepted jump may cost, as stated there
    assert found.mean()[0] == pytest.approx(gain * place, abs=0.05 * deviation)
    assert found.cov()[0, 0] == pytest.approx(deviation**2, rel=0.06)


def test_what_is_held_out_in_the_plane_is_not_trained_on():
    """The chains go on: particles to train with and particles to judge by are different draws."""
    pytest.importorskip("torch")
    plane = pf.problems.ou(2, initial=Gaussian([0.0, 0.0], 1.0), horizon=0.5)
    chains = MetropolisHastings(chains=64, warm_up=5)
    law = pf.laws.Reweighted(plane.initial, lambda x: -(x[:, 0] ** 4) / 4, chains)
    law = pf.laws.Reweighted(plane.initial, law.log_weight, chains.start(law, np.random.default_rng(0)))
    method = pf.neural.VariationalJKO(batch=64, training=pf.neural.Training(pool=256, dtype="float64"))
    state = method.init(pf.Problem(plane.energy, law, 0.5), np.random.default_rng(1))
    trained, held = {tuple(x) for x in state.pool.x}, [tuple(x) for x in state.held[0]]
    # a chain that stays put gives a place again, which is rare where it has tuned its acceptance to 0.4
    assert len(held) == 16 * 64 and np.mean([x in trained for x in held]) < 0.1
