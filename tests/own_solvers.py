"""Schemes with one thing wrong each, as a first version of a solver has it; without `bug` each is correct.

The study's tests and `validation/batteries/seeded_bugs.py` judge them.
"""

from dataclasses import dataclass

import numpy as np
from cheap_schemes import Moments

import pdeflow as pf
from pdeflow.laws import Gaussian, GridLaw, Particles


@dataclass(frozen=True)
class Trapezoidal(Moments):
    """The trapezoidal rule for mean and covariance: order 2."""

    theta: float = 0.5
    bug: str = ""

    def step(self, problem, state, dt, rng):
        big, right = self.rates(problem)
        if self.bug == "drift at the old time":
            return state + dt * (big @ state + right)
        if self.bug == "dt squared in the noise":
            return super().step(problem, state, dt, rng) + (dt - 1) * np.linalg.solve(
                np.eye(len(state)) - self.theta * dt * big, dt * np.where(np.arange(len(state)) < problem.dim, 0, right)
            )
        if self.bug == "dt squared in the drift":
            return state + dt * (dt * big @ state + right)
        return super().step(problem, state, dt, rng)


@dataclass(frozen=True)
class Sweeps(Moments):
    """The trapezoidal rule by sweeps of fixed-point iteration from the old state; order 2 needs two of them."""

    sweeps: int = 2

    def step(self, problem, state, dt, rng):
        big, right = self.rates(problem)
        new = state
        for _ in range(self.sweeps):
            new = state + dt / 2 * (big @ (state + new) + 2 * right)
        return new


@dataclass(frozen=True)
class Told(Moments):
    """The theta scheme, that tells its exact sequence unless it is silent: the base of schemes that get it wrong."""

    theta: float = 0.5
    bug: str = ""
    silent: bool = False

    def exact_sequence(self, problem, *, dt, times):
        if self.silent:
            raise pf.NotAvailable("The sequence is not told. None is possible. Judge by the order alone.")
        return pf.solve(problem, Moments(self.theta), dt=dt, times=times)


@dataclass(frozen=True)
class Lagged(Told):
    """Attraction to the mean of the whole cloud, a potential that moves with it, by the trapezoidal rule: order 2."""

    def init(self, problem, rng):
        state = super().init(problem, rng)
        return np.concatenate([state, state[: problem.dim]])

    def step(self, problem, state, dt, rng):
        d, pull, past = problem.dim, problem.energy.interaction.strength, state[-problem.dim :]
        big, right = self.rates(problem)
        if self.bug == "potential of the step before":
            big[:d, :d] -= pull * np.eye(d)
            right[:d] += pull * past
        z, eye = state[:-d], np.eye(len(big))
        new = np.linalg.solve(eye - self.theta * dt * big, (eye + (1 - self.theta) * dt * big) @ z + dt * right)
        return np.concatenate([new, z[:d]])

    def law(self, state):
        d = round((np.sqrt(4 + 4 * len(state)) - 2) / 2)
        return super().law(state[:-d])


@dataclass(frozen=True)
class Saved(Told):
    """The theta scheme, that may hand out the state of another step."""

    def init(self, problem, rng):
        state = super().init(problem, rng)
        return state, state

    def step(self, problem, state, dt, rng):
        return super().step(problem, state[0], dt, rng), state[0]

    def law(self, state):
        return super().law(state[1] if self.bug == "law of the step before" else state[0])


@dataclass(frozen=True)
class RungeKutta(Moments):
    """The classical scheme of order 4, its state kept in double or single precision."""

    precision: str = "float64"

    def step(self, problem, state, dt, rng):
        big, right = self.rates(problem)
        one = big @ state + right
        two = big @ (state + dt / 2 * one) + right
        three = big @ (state + dt / 2 * two) + right
        four = big @ (state + dt * three) + right
        return (state + dt / 6 * (one + 2 * two + 2 * three + four)).astype(self.precision).astype(float)


@dataclass(frozen=True)
class AttractedJKO(Moments):
    """The exact JKO step of a Gaussian with quadratic potential and attraction, all rates alike."""

    bug: str = ""

    def step(self, problem, state, dt, rng):
        d, energy = problem.dim, problem.energy
        rate, pull, temperature = (
            energy.potential.matrix[0, 0],
            energy.interaction.strength,
            energy.internal.temperature,
        )
        if self.bug == "interaction counted twice":
            pull = 2 * pull
        if self.bug == "entropy counted twice":
            temperature = 2 * temperature
        if self.bug == "energy counted twice":
            dt = 2 * dt
        values, basis = np.linalg.eigh(state[d:].reshape(d, d))
        k, c = 1 + dt * (rate + pull), dt * temperature
        h = values / k
        cov = (basis * ((h + 2 * c + np.sqrt(h * h + 4 * c * h)) / (2 * k))) @ basis.T
        return np.concatenate([(state[:d] + dt * rate * energy.potential.center) / (1 + dt * rate), cov.ravel()])

    def exact_sequence(self, problem, *, dt, times):
        return pf.exact_jko(problem, dt=dt, times=times)


@dataclass(frozen=True)
class Cloud(pf.Method):
    """Euler-Maruyama for Ornstein-Uhlenbeck flows: order 1."""

    bug: str = ""
    particles: int = 60_000

    def init(self, problem, rng):
        key = 1 if self.bug == "the same numbers for every seed" else int(rng.integers(2**32))
        z = np.random.default_rng([key, 0]).standard_normal((self.particles, problem.dim))
        return problem.initial.mean() + z @ np.linalg.cholesky(problem.initial.cov()).T, 0, z, key

    def step(self, problem, state, dt, rng):
        x, steps, z, key = state
        if self.bug == "the same steps for every seed":
            key = 1
        noise = np.random.default_rng([key, 1 + self.stream_of(steps)]).standard_normal(x.shape)
        if self.bug == "one number for all particles":
            noise = np.full(x.shape, noise[0])
        if self.bug == "the numbers of the start in the first step" and steps == 0:
            noise = z
        temperature = problem.energy.internal.temperature * (0.5 if self.bug == "half the noise variance" else 1.0)
        drift = -problem.energy.potential.grad(x) * (dt * dt if self.bug == "dt squared in the drift" else dt)
        return x + drift + np.sqrt(2 * temperature * dt) * noise, steps + 1, z, state[3]

    def stream_of(self, steps):
        """Which numbers a step takes."""
        share = {"the same numbers in every step": 0, "the same numbers in pairs of steps": steps // 2}
        return share.get(self.bug, steps)

    def law(self, state):
        return Particles(state[0])


@dataclass(frozen=True)
class Walled(pf.Method):
    """Second-order finite volumes for the heat flow on [0, 1] between walls, exact in time."""

    cells: int = 24
    bug: str = ""
    precision: str = "float64"

    def init(self, problem, rng):
        return np.diff(problem.initial.cdf(np.linspace(0, 1, self.cells + 1)))

    def step(self, problem, state, dt, rng):
        n = self.cells
        width = np.full(n, 1 / n)
        if self.bug == "half the width of the last cell":
            width[-1] /= 2
        if self.bug == "twice the width of the first cell":
            width[0] *= 2
        density = np.eye(n) / width[:, None]
        flux = np.diff(density, axis=0) * n * problem.energy.internal.temperature
        rates = np.diff(flux, axis=0, prepend=0 * flux[:1], append=0 * flux[:1])
        half = np.sqrt(width)  # makes the rates symmetric
        values, basis = np.linalg.eigh(rates * half / half[:, None])
        return half * (basis @ (np.exp(values * dt) * (basis.T @ (state / half))))

    def law(self, state):
        return GridLaw([np.linspace(0, 1, self.cells + 1)], state)


@dataclass(frozen=True)
class Cosines:
    """The heat flow on [0, 1] between walls from 1 + Σ a_k cos(kπx), as exact masses of very many cells."""

    amplitudes: tuple[float, ...]
    temperature: float
    cells: int = 960

    def __call__(self, time):
        edges = np.linspace(0, 1, self.cells + 1)
        cdf = edges.copy()
        for k, a in enumerate(self.amplitudes, start=1):
            rate = self.temperature * (k * np.pi) ** 2
            cdf += a * np.exp(-rate * time) * np.sin(k * np.pi * edges) / (k * np.pi)
        return GridLaw([edges], np.diff(cdf))


def walled(rng):
    """A heat flow between walls, which are reached from the start on."""
    flow = Cosines(tuple(rng.uniform(-0.4, 0.4, 2)), rng.uniform(0.02, 0.1))
    energy = pf.Energy(internal=pf.Entropy(flow.temperature))
    return pf.Problem(energy, flow(0.0), 1.0, name="heat between walls", exact=flow)


def attracted(rng, dim=2):
    """A cloud in a quadratic potential that attracts itself."""
    root = rng.standard_normal((dim, dim)) / 2
    start = Gaussian(rng.uniform(0.8, 2.0, dim), root @ root.T + 0.2 * np.eye(dim))
    rate, pull, temperature = rng.uniform(0.3, 1.2), rng.uniform(0.5, 1.5), rng.uniform(0.2, 0.8)
    return pf.problems.mckean_vlasov_ou(rate, pull, temperature, initial=start)


def cell_l1(approximation, truth):
    """Σ |mass - truth's mass| over the cells."""
    exact = np.diff(truth.cdf(approximation.axes[0]))
    return float(np.sum(np.abs(approximation.mass - exact)))


def uniform_distance(approximation, truth):
    """Σ |mass - 1/n| over the cells."""
    return float(np.sum(np.abs(approximation.mass - 1 / len(approximation.mass))))
