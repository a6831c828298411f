"""Cheap schemes for testing the harness, with Gaussian laws, so that every number is known; and a few metrics."""

from dataclasses import dataclass

import numpy as np

import pdeflow as pf
from pdeflow import Method
from pdeflow._core.errors import NotAvailable, Unsupported
from pdeflow.laws import Gaussian


@dataclass(frozen=True)
class Moments(Method):
    """Mean and covariance of a linear flow by the theta scheme: 1 implicit Euler, 1/2 trapezoidal, 0 explicit Euler."""

    theta: float = 1.0

    def init(self, problem, rng):
        if not isinstance(problem.initial, Gaussian):
            raise Unsupported(f"Moments starts from a Gaussian, not from {problem.initial!r}. Use a particle method.")
        d = problem.dim
        return np.concatenate([problem.initial.mean(), problem.initial.cov().ravel()]) if d else None

    def rates(self, problem):
        """Linear system z' = L z + r of z = (mean, vec cov)."""
        energy, d = problem.energy, problem.dim
        a = np.zeros((d, d)) if energy.potential is None else energy.potential.matrix
        center = np.zeros(d) if energy.potential is None else energy.potential.center
        k = a + (0.0 if energy.interaction is None else energy.interaction.strength) * np.eye(d)
        temperature = 0.0 if energy.internal is None else energy.internal.temperature
        big = np.zeros((d + d * d, d + d * d))
        big[:d, :d] = -a
        big[d:, d:] = -(np.kron(k, np.eye(d)) + np.kron(np.eye(d), k))
        return big, np.concatenate([a @ center, 2 * temperature * np.eye(d).ravel()])

    def step(self, problem, state, dt, rng):
        big, right = self.rates(problem)
        eye = np.eye(len(state))
        return np.linalg.solve(eye - self.theta * dt * big, (eye + (1 - self.theta) * dt * big) @ state + dt * right)

    def law(self, state):
        d = int((np.sqrt(1 + 4 * len(state)) - 1) / 2)
        cov = state[d:].reshape(d, d)
        return Gaussian(state[:d], (cov + cov.T) / 2)


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


class Contraction:
    """Implicit Euler for the mean of dx = -x dt, with variance one: a user's object with the three verbs."""

    def init(self, problem, rng):
        return problem.initial.mean()

    def step(self, problem, state, dt, rng):
        return state / (1 + dt)

    def law(self, state):
        return pf.laws.Gaussian(state, 1.0)


def moment_distance(approximation, truth, *, rng=None):
    """Euclidean distance of (mean, cov), not squared."""
    return float(
        np.sqrt(np.sum((approximation.mean() - truth.mean()) ** 2) + np.sum((approximation.cov() - truth.cov()) ** 2))
    )


def unavailable(approximation, truth):
    raise NotAvailable("This metric never answers. Use another.")


def small_study(steps, **changes):
    """A study of `Moments` on the default Ornstein-Uhlenbeck problem at these steps, with arguments changed."""
    arguments = {
        "problems": [pf.problems.ou()],
        "methods": {"euler": Moments()},
        "sweep": {"dt": steps},
        "metrics": {"moments": moment_distance},
        **changes,
    }
    return pf.Study(**arguments)
