"""grade: each diagnosis by the seeded bug that it names, and silence on correct schemes."""

from dataclasses import dataclass

import numpy as np
import pytest
from cheap_schemes import ExplicitMoments, Moments

import pdeflow as pf
from pdeflow.case import grade
from pdeflow.laws import GridLaw, Particles


@dataclass(frozen=True)
class Cloud(pf.Method):
    """Euler-Maruyama as a student writes it, with one mistake."""

    bug: str = ""
    particles: int = 2000

    def init(self, problem, rng):
        x = problem.initial.sample(self.particles, rng)
        if self.bug == "start elsewhere":
            x = rng.standard_normal(x.shape)
        if self.bug == "variance for deviation":
            x = problem.initial.mean() + problem.initial.cov() * rng.standard_normal(x.shape)
        return x, 0, rng.integers(2**32)

    def step(self, problem, state, dt, rng):
        x, steps, key = state
        force = -problem.energy.potential.grad(x)
        noise = rng.standard_normal(x.shape)
        if self.bug == "one number for all":
            noise = np.full(x.shape, rng.standard_normal())
        if self.bug == "the same numbers in every step":
            noise = np.random.default_rng(key).standard_normal(x.shape)
        if self.bug == "numbers of its own":
            noise = np.random.default_rng().standard_normal(x.shape)
        temperature = 0.6
        factor = {"sign": -1, "no gradient": 0, "gradient twice": 2, "half the gradient": 0.5, "dt twice": dt}
        drift = factor.get(self.bug, 1) * dt * force
        if self.bug == "no centre":
            drift = -dt * 1.25 * x
        scale = {"no noise": 0, "temperature twice": 4 * temperature, "half the noise": temperature}
        width = np.sqrt(scale.get(self.bug, 2 * temperature) * dt)
        if self.bug == "noise by dt":
            width = np.sqrt(2 * temperature) * dt
        if self.bug == "noise without dt":
            width = np.sqrt(2 * temperature)
        if self.bug == "twice the time":
            drift, width = 2 * drift, np.sqrt(2) * width
        return x + drift + width * noise, steps + 1, key

    def law(self, state):
        return Particles(state[0])


CLOUDS = {
    "sign": "sign of the gradient",
    "no gradient": "gradient of V left out",
    "gradient twice": "drift is twice",
    "half the gradient": "drift is half",
    "dt twice": "scaled by dt^1",
    "no centre": "centre of the potential",
    "no noise": "noise left out",
    "temperature twice": "off by 2?",
    "half the noise": "off by 1/2?",
    "noise by dt": "noise is scaled by dt",
    "noise without dt": "does not get smaller with dt",
    "twice the time": "time runs 2",
    "one number for all": "all particles get",
    "the same numbers in every step": "used in every step",
    "numbers of its own": "one seed gives two answers",
    "start elsewhere": "is problem.initial used",
    "variance for deviation": "variance taken for the deviation",
}


@pytest.mark.parametrize("bug", CLOUDS)
def test_a_mistake_of_particles_is_named(bug):
    found = [one.diagnosis for one in grade(Cloud(bug))]
    assert any(CLOUDS[bug] in one for one in found), found
    others = {words for other, words in CLOUDS.items() if other != bug} - {CLOUDS[bug]}
    assert not [one for one in found if any(words in one for words in others)], found


@dataclass(frozen=True)
class Upwind(pf.Method):
    """Implicit (or explicit) finite volumes as a student writes them, with one mistake."""

    bug: str = ""
    cells: int = 200
    explicit: bool = False

    def init(self, problem, rng):
        edges = np.linspace(-4.0, 5.0, self.cells + 1)
        mass = np.diff(problem.initial.cdf(edges))
        mass = mass / mass.sum()
        h = edges[1] - edges[0]
        force = -problem.energy.potential.grad(edges[1:-1, None])[:, 0]
        if self.bug == "sign":
            force = -force
        temperature = 0.6 * {"temperature twice": 2.0}.get(self.bug, 1.0)
        up, down = np.maximum(force, 0) / h + temperature / h**2, np.maximum(-force, 0) / h + temperature / h**2
        rates = np.zeros((self.cells, self.cells))
        inner = np.arange(self.cells - 1)
        rates[inner + 1, inner] += up
        rates[inner, inner] -= up
        rates[inner, inner + 1] += down
        rates[inner + 1, inner + 1] -= down
        if self.bug in ("leak left", "leak at both ends"):
            rates[0, 0] -= temperature / h**2
        if self.bug in ("leak right", "leak at both ends"):
            rates[-1, -1] -= temperature / h**2
        if self.bug == "not conserved":
            rates[inner, inner] += 0.02 * up
        return mass, edges, rates, 0, mass

    def step(self, problem, state, dt, rng):
        mass, edges, rates, steps, _ = state
        eye = np.eye(len(mass))
        new = mass + dt * rates @ mass if self.explicit else np.linalg.solve(eye - dt * rates, mass)
        return new, edges, rates, steps + 1, mass

    def law(self, state):
        return GridLaw(state[1], state[4] if self.bug == "one step late" else state[0])


GRIDS = {
    "sign": ["energy rises: sign of the gradient?"],
    "temperature twice": ["off by 2?"],
    "leak left": ["mass leaks at the left end"],
    "leak right": ["mass leaks at the right end"],
    "leak at both ends": ["mass leaks at both ends"],
    "not conserved": ["mass is not conserved"],
    "one step late": ["one step too few"],
}


@pytest.mark.parametrize("bug", GRIDS)
def test_a_mistake_on_a_grid_is_named(bug):
    found = [one.diagnosis for one in grade(Upwind(bug))]
    assert all(any(words in one for one in found) for words in GRIDS[bug]), found
    assert len(found) <= 1 + (bug == "sign"), found


def test_steps_beyond_stability_are_named_and_smaller_ones_are_silent():
    student = Upwind(cells=60, explicit=True)
    h2 = (9 / 60) ** 2 / (2 * 0.6)
    some = [2 * h2, h2, h2 / 2]
    (one,) = grade(student, levels=some)
    assert "limit of stability" in one.diagnosis and "negative masses at dt" in one.evidence
    (one,) = grade(student, levels=[0.1, 0.05, 0.025])
    assert "at every step" in one.diagnosis
    assert grade(student, levels=[h2 / 2, h2 / 4, h2 / 8]) == []


CORRECT = {
    "particles": Cloud(),
    "few particles": Cloud(particles=200),
    "upwind": Upwind(),
    "implicit moments": Moments(),
    "trapezoidal moments": Moments(theta=0.5),
    "explicit moments": ExplicitMoments(),
    "Chang-Cooper": pf.grid.ChangCooper(cells=300),
    "Chang-Cooper, order 2": pf.grid.ChangCooper(cells=300, time_order=2),
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_schemes_are_left_in_peace(name):
    assert grade(CORRECT[name]) == []


def test_a_program_outside_is_graded_too(c_program):
    command = ["./em", "{dt}", "{time}", "{seed}", "2000"]
    program = pf.External(command, answer="samples", folder=c_program.parent)
    assert grade(program, pf.problems.ou()) == []
    found = grade(program, pf.problems.ou(temperature=0.5))  # for which it diffuses too much
    assert len(found) == 1 and "temperature off by 2?" in found[0].diagnosis and "2" in str(found[0])


def test_problems_and_levels_that_tell_nothing_are_refused():
    for problem, words in (
        (pf.problems.double_well(), "quadratic potential"),
        (pf.problems.ou(dim=2, seed=0), "on the line"),
        (pf.problems.ou(initial=pf.laws.Gaussian(0.0, 1.0)), "cannot be seen"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            grade(Cloud(), problem)
    for levels, words in (([0.1, 0.05], "three steps"), ([0.1, 0.05, 0.02], "half"), ([1.0, 0.5, 0.25], "relaxation")):
        with pytest.raises(pf.BadInput, match=words):
            grade(Cloud(), levels=levels)
    with pytest.raises(pf.BadInput, match="seeds is empty"):
        grade(Cloud(), seeds=[])
