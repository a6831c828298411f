"""Cheap user-made methods for tests: duck-typed, with Gaussian laws, so that every number is known."""

from dataclasses import dataclass

import numpy as np

import pdeflow as pf


@dataclass(frozen=True)
class ExplicitMoments:
    """Explicit Euler for the mean and covariance of an Ornstein-Uhlenbeck flow: order one, floor zero."""

    detail: int = 1

    def init(self, problem, rng):
        if not isinstance(problem.energy.potential, pf.potentials.Quadratic):
            raise pf.Unsupported("ExplicitMoments needs a Quadratic potential. Use another method.")
        return problem.initial

    def step(self, problem, law, dt, rng):
        matrix, center = problem.energy.potential.matrix, problem.energy.potential.center
        shrink = np.eye(problem.dim) - dt * matrix
        cov = shrink @ law.cov() @ shrink + 2 * dt * problem.energy.internal.temperature * np.eye(problem.dim)
        return pf.laws.Gaussian(center + shrink @ (law.mean() - center), cov)

    def law(self, law):
        return law
