"""Boards for the tests of reports, made once."""

import pytest

import pdeflow as pf
from pdeflow.report import Entry, score

PROBLEMS = {"ou": pf.problems.ou(horizon=0.5), "mckean_vlasov_ou": pf.problems.mckean_vlasov_ou(horizon=0.5)}


class TwiceTheNoise:
    """Euler-Maruyama for V = |x|²/2 whose noise has twice its variance."""

    def init(self, problem, rng):
        return problem.initial.sample(1000, rng)

    def step(self, problem, x, dt, rng):
        return x - dt * problem.energy.potential.grad(x) + 2 * dt**0.5 * rng.standard_normal(x.shape)

    def law(self, x):
        return pf.laws.Particles(x)


def made(seed=0, particle=None, points=100):
    """A board of one scheme without and one with noise on two problems."""
    return score(
        PROBLEMS,
        [
            Entry("JKO", pf.grid.QuantileJKO(points=points), "classical", [1 / 2, 1 / 4, 1 / 8], 1),
            Entry("EM", particle or pf.particle.EulerMaruyama(particles=1000), "particle", [1 / 2, 1 / 4, 1 / 8], 4),
            Entry("CC", pf.grid.ChangCooper(cells=100), "classical", [1 / 2, 1 / 4, 1 / 8], 1),
        ],
        pf.metrics.w2,
        time=0.5,
        seed=seed,
        progress=False,
    )


@pytest.fixture(scope="session")
def board():
    return made()


@pytest.fixture
def scored():
    """scored(seed, particle): such a board with other seeds, or with another scheme as EM."""
    return made


@pytest.fixture
def twice_the_noise():
    return TwiceTheNoise()
