"""Seeded bugs: schemes, problems, truths and metrics with one thing wrong each.

The study's verdict on each must not be `pass`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from cheap_schemes import Moments, moment_distance

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.laws import Gaussian, GridLaw
from pdeflow.trajectory import Trajectory

DTS = [1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128]
A = np.array([[2.0, 0.6], [0.6, 0.8]])
START = Gaussian([1.5, -1.0], [[0.5, -0.3], [-0.3, 0.9]])  # does not commute with A


def turned():
    return pf.problems.ou(dim=2, matrix=A, center=[0.5, 0.25], temperature=0.7, initial=START)


def verdict(method, claimed, problem=None, metric=moment_distance, against=pf.exact, **changes):
    arguments = {"sweep": {"dt": DTS}, **changes}
    study = pf.Study(
        turned() if problem is None else problem, {"m": method}, metrics={"d": metric}, against=against, **arguments
    )
    return study.run().claims([pf.Claim("m", "d", claimed, 0.1, "seeded bugs")])


# --- moments of linear flows ----------------------------------------------------------------------


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
            new[d:] += 2 * 0.7 * (dt * dt - dt) * np.eye(d).ravel()
        if self.bug == "square root of dt for the noise's variance":
            new[d:] += 2 * 0.7 * (np.sqrt(dt) - dt) * np.eye(d).ravel()
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


@pytest.mark.parametrize(("theta", "order"), [(1.0, 1), (0.5, 2)])
def test_healthy_schemes_pass(theta, order):
    verdict(Broken(theta), order).assert_all()
    verdict(Broken(theta), order, pf.problems.mckean_vlasov_ou(attraction=0.7)).assert_all()


@pytest.mark.parametrize("theta", [1.0, 0.5])
@pytest.mark.parametrize("bug", LINEAR)
def test_slips_of_a_linear_scheme_are_caught(bug, theta):
    found = verdict(Broken(theta, bug), 2 if theta == 0.5 else 1)
    assert found.worst != "pass" and found.exit_code > 0


@pytest.mark.parametrize("bug", MCKEAN)
def test_slips_of_an_interaction_are_caught(bug):
    assert verdict(Broken(bug=bug), 1, pf.problems.mckean_vlasov_ou(attraction=0.7)).worst == "fail"


def test_a_lower_order_than_claimed_is_caught():
    assert verdict(Moments(0.0), 2).worst == "fail"  # explicit Euler sold as second order
    assert verdict(Moments(0.45), 2).worst != "pass"  # trapezoidal with a slightly wrong weight


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


def test_one_step_too_many_is_caught():
    assert verdict(OneStepMore(0.5), 2).worst == "fail"


# --- exact JKO steps: their own limit is known to round-off ---------------------------------------


@dataclass(frozen=True)
class GaussianJKO(Moments):
    """The exact JKO step of a Gaussian, or one with a slip."""

    bug: str = ""

    def step(self, problem, state, dt, rng):
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
]


def test_exact_jko_passes_both_questions():
    verdict(GaussianJKO(), 1).assert_all()
    verdict(GaussianJKO(), np.inf, against=pf.exact_jko).assert_all()


@pytest.mark.parametrize("bug", JKO)
def test_slips_of_a_jko_step_are_caught_against_its_own_sequence(bug):
    assert verdict(GaussianJKO(bug=bug), np.inf, against=pf.exact_jko).worst == "fail"


def test_time_error_explains_the_whole_error_of_an_exact_jko_step():
    study = pf.Study(turned(), {"m": GaussianJKO()}, {"dt": DTS}, {"d": moment_distance})
    for row in study.run().parts("d"):
        assert row["floor"] < 1e-14 and abs(row["rest"]) < 1e-12 < row["time_error"]


# --- problems, truths, metrics --------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "change",
    [
        lambda e: Energy(e.potential, Entropy(2 * e.internal.temperature)),
        lambda e: Energy(e.potential, None),
        lambda e: Energy(pf.potentials.Quadratic(np.linalg.inv(A), e.potential.center), e.internal),
        lambda e: Energy(pf.potentials.Quadratic(A, -e.potential.center), e.internal),
        lambda e: Energy(pf.potentials.Quadratic(A[::-1, ::-1], e.potential.center), e.internal),
    ],
    ids=["temperature doubled", "diffusion lost", "matrix inverted", "centre mirrored", "axes swapped"],
)
def test_another_problem_than_stated_is_caught(change):
    assert verdict(Swap(Moments(), change), 1).worst == "fail"


def later(problem, times):
    truth = pf.exact(problem, [t + 0.02 for t in times])
    return Trajectory(times, truth.laws)


def test_a_truth_shifted_in_time_is_caught():
    assert verdict(Moments(0.5), 2, against=later).worst == "fail"
    assert verdict(Moments(), 1, against=later).worst != "pass"


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


@pytest.mark.parametrize("name", METRICS)
def test_wrong_metrics_are_caught(name):
    assert verdict(Moments(), 1, metric=METRICS[name]).worst != "pass"


# --- a grid scheme: order in space, mass ----------------------------------------------------------


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


def cell_l1(approximation, truth):
    """Σ |mass - truth's mass| over the cells."""
    exact = np.diff(truth.cdf(approximation.axes[0]))
    return float(np.sum(np.abs(approximation.mass - exact)))


GRID = {
    "leaking boundary": "error",
    "not conservative": "error",
    "one-sided flux": "error",
    "cell width off by one": "fail",
    "cell width not squared": "fail",
    "cells shifted by one": "fail",
}


def grid(bug):
    problem = pf.problems.heat(dim=1, temperature=0.5, initial=Gaussian(0.2, 0.3))
    sweep = {"cells": [24, 36, 54, 80, 120]}
    return verdict(Cells(bug=bug), 2, problem, cell_l1, sweep=sweep, dt=1.0)


def test_a_healthy_grid_scheme_passes_at_order_two_in_space():
    grid("").assert_all()


@pytest.mark.parametrize("bug", GRID)
def test_slips_of_a_grid_scheme_are_caught(bug):
    assert grid(bug).worst == GRID[bug]
