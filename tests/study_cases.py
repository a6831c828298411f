"""Small studies that the tests of studies share."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from cheap_schemes import Moments, small_study

import pdeflow as pf
from pdeflow.laws import Gaussian

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


small = partial(small_study, DTS)


@dataclass(frozen=True)
class Cloud(Moments):
    """Moments seen through a sample: a random method whose floor is its sampling error."""

    particles: int = 400

    def init(self, problem, rng):
        x = problem.initial.sample(self.particles, rng)
        return np.concatenate([x.mean(axis=0), np.cov(x.T, bias=True).ravel()])


class Own:
    """Somebody's own solver: no base class, no dataclass."""

    def __init__(self, cells):
        self.cells = cells

    def init(self, problem, rng):
        return problem.initial.mean()[0], problem.initial.cov()[0, 0]

    def step(self, problem, state, dt, rng):
        return state[0] / (1 + dt), (state[1] + 2 * dt) / (1 + 2 * dt)

    def law(self, state):
        return Gaussian(state[0] + 1 / self.cells**2, state[1])


FOUR_STEPS = [1 / 4, 1 / 8, 1 / 16, 1 / 32]


brief = partial(small_study, FOUR_STEPS)


def run(stats=None):
    found = pf.solve(pf.problems.ou(), Moments(), dt=1 / 256)
    return pf.Trajectory(found.times, found.laws, {**found.stats, **(stats or {})})
