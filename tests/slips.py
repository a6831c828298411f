"""Moments of linear flows, exact JKO steps and a grid scheme, with the usual slips; without `bug` each is correct.

The study's tests and `validation/batteries/seeded_bugs.py` judge them.
"""

from dataclasses import dataclass, replace

import numpy as np
from cheap_schemes import Moments, moment_distance

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.laws import Gaussian, GridLaw
from pdeflow.trajectory import Trajectory


@dataclass(frozen=True)
class Broken(Moments):
    """Moments with one of the usual slips."""

    bug: str = ""

    def rates(self, problem):
        big, right = super().rates(problem)
        d = problem.dim
        if self.bug == "wrong sign of the drift":
            big[:d, :d] *= -1
        if self.bug == "covariance decays at half the rate":
            big[d:, d:] /= 2
        if self.bug == "factor 2 of the diffusion lost":
            right[d:] /= 2
        if self.bug == "wrong centre":
            right[:d] = 0
        if self.bug == "off-diagonal drift lost":
            big[:d, :d] = np.diag(np.diag(big[:d, :d]))
        if self.bug == "interaction lost from the covariance":
            big[d:, d:] += 2 * problem.energy.interaction.strength * np.eye(d * d)
        if self.bug == "half in front of the interaction lost":
            big[d:, d:] -= 2 * problem.energy.interaction.strength * np.eye(d * d)
        if self.bug == "interaction moves the mean":
            big[:d, :d] -= problem.energy.interaction.strength * np.eye(d)
        return big, right

    def init(self, problem, rng):
        state = super().init(problem, rng)
        if self.bug == "mean starts elsewhere":
            state[0] += 0.3
        if self.bug == "covariance starts as its square":
            d = problem.dim
            state[d:] = (state[d:].reshape(d, d) @ state[d:].reshape(d, d)).ravel()
        return state

    def step(self, problem, state, dt, rng):
        if self.bug == "dt missing":
            dt = 1.0
        if self.bug == "frozen step":
            dt = 0.01
        if self.bug == "step doubled":
            dt = 2 * dt
        new = super().step(problem, state, dt, rng)
        d = problem.dim
        if self.bug == "dt instead of its square root in the noise":
            new[d:] += 2 * problem.energy.internal.temperature * (dt * dt - dt) * np.eye(d).ravel()
        if self.bug == "square root of dt for the noise's variance":
            new[d:] += 2 * problem.energy.internal.temperature * (np.sqrt(dt) - dt) * np.eye(d).ravel()
        if self.bug == "one part in a thousand leaks in unit time":
            new[d:] *= 1 - 1e-2 * dt
        if self.bug == "rounded to four digits":
            new = np.round(new, 2)
        return new

    def law(self, state):
        law = super().law(state)
        return Gaussian(law.mean(), 0.5 * law.cov()) if self.bug == "law halves the covariance" else law


LINEAR = [
    "wrong sign of the drift",
    "covariance decays at half the rate",
    "factor 2 of the diffusion lost",
    "wrong centre",
    "off-diagonal drift lost",
    "mean starts elsewhere",
    "covariance starts as its square",
    "dt missing",
    "frozen step",
    "step doubled",
    "dt instead of its square root in the noise",
    "square root of dt for the noise's variance",
    "one part in a thousand leaks in unit time",
    "rounded to four digits",
    "law halves the covariance",
]
MCKEAN = ["interaction lost from the covariance", "half in front of the interaction lost", "interaction moves the mean"]


@dataclass(frozen=True)
class OneStepMore(Moments):
    """Off by one: takes its first step twice."""

    def init(self, problem, rng):
        return np.append(super().init(problem, rng), 0.0)

    def step(self, problem, state, dt, rng):
        z = super().step(problem, state[:-1], dt, rng)
        return np.append(z if state[-1] else super().step(problem, z, dt, rng), 1.0)

    def law(self, state):
        return super().law(state[:-1])


@dataclass(frozen=True)
class GaussianJKO(Moments):
    """The exact JKO step of a Gaussian, or one with a slip."""

    bug: str = ""

    def step(self, problem, state, dt, rng):
        if self.bug == "frozen step":
            dt = 0.01
        d = problem.dim
        mean, cov = state[:d], state[d:].reshape(d, d)
        potential, temperature = problem.energy.potential, problem.energy.internal.temperature
        k = np.eye(d) + dt * potential.matrix
        c = dt * temperature
        values, basis = np.linalg.eigh(k)
        root = (basis / np.sqrt(values)) @ basis.T
        if self.bug == "Cholesky factor for the symmetric root":
            root = np.linalg.inv(np.linalg.cholesky(k))
        if self.bug == "2 tau convention":
            c = 2 * c
        h, turn = np.linalg.eigh(root @ cov @ root.T)
        y = 0.5 * (h + 2 * c + np.sqrt(h * h + 4 * c * h))
        if self.bug == "factor 4 under the root lost":
            y = 0.5 * (h + 2 * c + np.sqrt(h * h + 2 * c * h))
        new = root @ (turn * y) @ turn.T @ root
        if self.bug == "matrices taken as commuting":
            new = np.diag(np.diag(new))
        mean = np.linalg.solve(k, mean + dt * potential.matrix @ potential.center)
        return np.concatenate([mean, ((new + new.T) / 2).ravel()])

    def exact_sequence(self, problem, *, dt, times):
        return pf.exact_jko(problem, dt=dt, times=times)


JKO = [
    "Cholesky factor for the symmetric root",
    "2 tau convention",
    "factor 4 under the root lost",
    "matrices taken as commuting",
    "frozen step",
]


@dataclass(frozen=True, eq=False)
class Swap:
    """A problem changed behind the truth's back."""

    method: Moments
    change: object

    def init(self, problem, rng):
        return self.method.init(problem, rng)

    def step(self, problem, state, dt, rng):
        return self.method.step(replace(problem, energy=self.change(problem.energy), exact=None), state, dt, rng)

    def law(self, state):
        return self.method.law(state)


@dataclass(frozen=True)
class Cells:
    """Second-order finite volumes for the heat flow with no-flux ends on [-6, 6], exact in time; or one with a slip."""

    cells: int = 24
    bug: str = ""

    def init(self, problem, rng):
        edges = np.linspace(-6, 6, self.cells + 1)
        mass = np.diff(problem.initial.cdf(edges))
        return mass / mass.sum()

    def step(self, problem, state, dt, rng):
        n, width = self.cells, 12 / self.cells
        laplace = np.diag(np.full(n, -2.0)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
        laplace[0, 0] = laplace[-1, -1] = -1
        if self.bug == "leaking boundary":
            laplace[0, 0] = laplace[-1, -1] = -2
        if self.bug == "not conservative":
            laplace[n // 2, n // 2 - 1] = 0.9
        if self.bug == "one-sided flux":
            laplace[:-1] += np.diag(np.ones(n), 0)[:-1] * 0.5 * width - np.diag(np.ones(n - 1), 1)[:-1] * 0.5 * width
        if self.bug == "cell width off by one":
            width = 12 / (self.cells + 1)
        if self.bug == "cell width not squared":
            width = width**0.5
        values, basis = np.linalg.eig(laplace * problem.energy.internal.temperature / width**2)
        return np.real((basis * np.exp(values * dt)) @ np.linalg.solve(basis, state))

    def law(self, state):
        shift = 12 / self.cells if self.bug == "cells shifted by one" else 0.0
        return GridLaw([np.linspace(-6, 6, self.cells + 1) + shift], state)


GRID = {
    "leaking boundary": "error",
    "not conservative": "error",
    "one-sided flux": "error",
    "cell width off by one": "fail",
    "cell width not squared": "fail",
    "cells shifted by one": "fail",
}


def another_matrix(change):
    """The energy with this change of the potential's matrix."""

    def changed(e):
        return Energy(pf.potentials.Quadratic(change(e.potential.matrix), e.potential.center), e.internal)

    return changed


CHANGES = {
    "temperature doubled": lambda e: Energy(e.potential, Entropy(2 * e.internal.temperature)),
    "diffusion lost": lambda e: Energy(e.potential, None),
    "matrix inverted": another_matrix(np.linalg.inv),
    "centre mirrored": lambda e: Energy(pf.potentials.Quadratic(e.potential.matrix, -e.potential.center), e.internal),
    "axes swapped": another_matrix(lambda matrix: matrix[::-1, ::-1]),
}


def later(problem, times):
    """A truth of another time than stated."""
    truth = pf.exact(problem, [t + 0.02 for t in times])
    return Trajectory(times, truth.laws)


METRICS = {
    "squared distance": lambda a, b: moment_distance(a, b) ** 2,
    "root of the distance": lambda a, b: moment_distance(a, b) ** 0.5,
    "always zero": lambda a, b: 0.0,
    "always one": lambda a, b: 1.0,
    "signed": lambda a, b: float(np.sum(b.mean() - a.mean())),
    "not a number": lambda a, b: float("nan"),
    "relative to itself": lambda a, b: moment_distance(a, b) / (moment_distance(a, b) + 1e-300),
    "forgets an offset": lambda a, b: moment_distance(a, b) + 0.01,
}
