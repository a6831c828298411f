"""Solvers as students write them on random Ornstein-Uhlenbeck problems, correct and with one mistake each.

`grade` must name the mistake and leave correct solvers in peace.

Bars: no finding for a correct scheme, and at least 95 % of the mistakes of each kind named (one that is too small to be
seen in a problem, such as a centre that is nearly 0, is not drawn).

Run: python validation/batteries/grade.py [--quick] [--out FILE]; the exit code is 1 where a bar is missed.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import solve_banded

import pdeflow as pf
from pdeflow.case import grade
from pdeflow.laws import Gaussian, GridLaw, Particles

NAMED = 0.95  # of the mistakes of a kind


def problem_of(seed):
    """A random problem: rate, centre, temperature and start, the centre away from 0 and from the start."""
    rng = np.random.default_rng(seed)
    rate, temperature = rng.uniform(0.4, 3.0), rng.uniform(0.2, 2.0)
    spread = np.sqrt(temperature / rate)
    center = rng.choice([-1, 1]) * rng.uniform(0.8, 2.0) * spread
    mean = center + np.sign(center) * rng.uniform(1.0, 2.5) * spread
    initial = Gaussian(mean, rng.uniform(0.2, 0.5) * spread**2)
    return pf.problems.ou(matrix=rate, center=[center], temperature=temperature, initial=initial)


def ends(problem):
    """The ends of a grid that holds the flow."""
    spread = np.sqrt(problem.energy.internal.temperature / problem.energy.potential.matrix[0, 0])
    center = problem.energy.potential.center[0]
    return center - 9 * spread, center + 9 * spread


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
        temperature = problem.energy.internal.temperature
        factor = {"sign": -1, "no gradient": 0, "gradient twice": 2, "half the gradient": 0.5, "dt twice": dt}
        drift = factor.get(self.bug, 1) * dt * force
        if self.bug == "no centre":
            drift = -dt * problem.energy.potential.matrix[0, 0] * x
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
    "dt twice": "there twice?",
    "no centre": "centre of the potential",
    "no noise": "noise left out",
    "temperature twice": "off by 2?",
    "half the noise": "off by 1/2?",
    "noise by dt": "scaled by dt in place of √dt",
    "noise without dt": "does not get smaller with dt",
    "twice the time": "times as fast as it should",
    "one number for all": "all particles get",
    "the same numbers in every step": "used in every step",
    "numbers of its own": "one seed gives two answers",
    "start elsewhere": "is problem.initial used",
    "variance for deviation": "variance taken for the deviation",
}


@dataclass(frozen=True)
class Upwind(pf.Method):
    """Implicit (or explicit) finite volumes as a student writes them, with one mistake."""

    bug: str = ""
    cells: int = 200
    explicit: bool = False

    def init(self, problem, rng):
        edges = np.linspace(*ends(problem), self.cells + 1)
        mass = np.diff(problem.initial.cdf(edges))
        mass = mass / mass.sum()
        h = edges[1] - edges[0]
        force = -problem.energy.potential.grad(edges[1:-1, None])[:, 0]
        if self.bug == "sign":
            force = -force
        temperature = problem.energy.internal.temperature * {"temperature twice": 2.0}.get(self.bug, 1.0)
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
        if self.explicit:
            return mass + dt * rates @ mass, edges, rates, steps + 1, mass
        above, below = np.append(0.0, np.diag(rates, 1)), np.append(np.diag(rates, -1), 0.0)
        new = solve_banded((1, 1), np.array([-dt * above, 1 - dt * np.diag(rates), -dt * below]), mass)
        return new, edges, rates, steps + 1, mass

    def law(self, state):
        return GridLaw(state[1], state[4] if self.bug == "one step late" else state[0])


GRIDS = {
    "sign": "energy rises: sign of the gradient?",
    "temperature twice": "off by 2?",
    "leak left": "mass leaks at the left end",
    "leak right": "mass leaks at the right end",
    "leak at both ends": "mass leaks at both ends",
    "not conserved": "mass is not conserved",
    "one step late": "one step too few",
}


def correct():
    """Correct schemes by name."""
    return {
        "particles": Cloud(),
        "200 particles": Cloud(particles=200),
        "upwind": Upwind(),
        "Chang-Cooper": pf.grid.ChangCooper(cells=300),
        "Chang-Cooper, order 2": pf.grid.ChangCooper(cells=300, time_order=2),
        "quantile JKO": pf.grid.QuantileJKO(points=200),
        "Euler-Maruyama": pf.particle.EulerMaruyama(particles=2000),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="4 problems in place of 40")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    options = parser.parse_args()
    problems = [problem_of(seed) for seed in range(4 if options.quick else 40)]
    lines = [f"# grade on {len(problems)} random Ornstein-Uhlenbeck problems", ""]
    lines += ["| scheme | mistake | right answers | others |", "| --- | --- | --- | --- |"]
    missed = False
    for name, method in correct().items():
        found = [grade(method, problem) for problem in problems]
        said = sorted({one.diagnosis for some in found for one in some})
        silent = sum(not some for some in found)
        missed |= silent < len(problems)
        lines.append(f"| {name} | none | {silent} of {len(problems)} silent | {'; '.join(said)} |")
    for kind, bugs in ((Cloud, CLOUDS), (Upwind, GRIDS)):
        for bug, words in bugs.items():
            found = [[one.diagnosis for one in grade(kind(bug), problem)] for problem in problems]
            named = sum(any(words in one for one in some) for some in found)
            others = sorted({one for some in found for one in some if words not in one})
            missed |= named < NAMED * len(problems)
            lines.append(f"| {kind.__name__} | {bug} | {named} of {len(problems)} named | {'; '.join(others)} |")
            print(lines[-1], flush=True)
    text = "\n".join([*lines, "", "A bar is missed." if missed else "Every bar is met.", ""])
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
