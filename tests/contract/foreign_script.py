"""A script of a user: one law, map, potential, kernel, internal energy, metric, method and problem, from public names
only.

Run as `python foreign_script.py save FOLDER` or `python foreign_script.py load FOLDER`; the test beside it does both.
"""

import sys
from dataclasses import dataclass

import numpy as np

import pdeflow as pf


class Laplace(pf.laws.Law):
    dim = 1

    def sample(self, n, rng):
        return rng.laplace(size=(n, 1))

    def log_density(self, x):
        return -np.abs(x[:, 0]) - np.log(2.0)

    def quantile(self, u):
        s = np.clip(np.asarray(u, dtype=float), 1e-300, 1 - 1e-16) - 0.5
        return -np.sign(s) * np.log1p(-2 * np.abs(s))


class Doubling(pf.laws.Map):
    dim = 1

    def __call__(self, x):
        return 2 * x

    def with_log_det(self, x):
        return 2 * x, np.full(len(x), np.log(2.0))

    def invert(self, y):
        return y / 2, pf.laws.Certificate(residual=0.0, iterations=0, points=len(y))


class Quartic(pf.potentials.Potential):
    dim = 1

    def value(self, x):
        return (x**4).sum(-1) / 4

    def grad(self, x):
        return x**3


class Cubic(pf.interactions.Interaction):
    def value(self, z):
        return (z * z).sum(-1) ** 1.5 / 3

    def grad(self, z):
        return (z * z).sum(-1)[:, None] ** 0.5 * z


class Square(pf.InternalEnergy):
    exponent, coefficient = 2.0, 0.5

    def value(self, r):
        return 0.5 * np.asarray(r) ** 2

    def pressure(self, r):
        return 0.5 * np.asarray(r) ** 2

    def conjugate(self, p):
        return 0.5 * np.maximum(p, 0.0) ** 2


def median_error(approximation, truth, *, rng=None):
    return pf.Estimate(
        abs(float(approximation.quantile(0.5)) - float(truth.quantile(0.5))), 0.0, "quantiles", "median_error"
    )


@dataclass(frozen=True)
class Langevin(pf.Method):
    particles: int = 200

    def init(self, problem, rng):
        return problem.initial.sample(self.particles, rng)

    def step(self, problem, state, dt, rng):
        noise = np.sqrt(2 * dt * problem.energy.internal.temperature) * rng.standard_normal(state.shape)
        return state - dt * problem.energy.potential.grad(state) + noise

    def law(self, state):
        return pf.laws.Particles(state)


@pf.problems.register
def quartic(temperature=0.5):
    start = pf.laws.Gaussian(0.5, 0.25)
    return pf.Problem(pf.Energy(Quartic(), pf.Entropy(temperature)), start, 0.5)


def main(verb, folder):
    problem, file = quartic(temperature=0.25), f"{folder}/quartic.h5"
    if verb == "load":
        loaded = pf.reference.load(file)
        assert loaded.problem.name == "quartic" and loaded.problem.params == {"temperature": 0.25}
        assert np.isfinite(loaded.problem.energy.evaluate(loaded.trajectory.final).value)
        print("loaded", pf.reference.check(file))
        return
    rng = np.random.default_rng(0)
    pushed = pf.laws.PushForward(Laplace(), (Doubling(),))
    assert np.isclose(pf.metrics.kl(pushed, Laplace(), rng=rng).value, 1 - np.log(2.0), atol=0.05)
    for energy in (pf.Energy(interaction=Cubic()), pf.Energy(potential=Quartic(), internal=Square())):
        mine = pf.Problem(energy, pf.laws.Uniform(-1.0, 1.0), 0.1)
        flow = pf.solve(mine, pf.grid.QuantileJKO(points=60), dt=0.05)
        assert energy.evaluate(flow.final, rng=rng).value < energy.evaluate(mine.initial, rng=rng).value
    truth = pf.solve(problem, pf.grid.ChangCooper(cells=200), dt=0.05, times=[0.25, 0.5])
    methods = {"mine": Langevin(), "grid": pf.grid.ChangCooper(cells=100)}
    study = pf.Study(problem, methods, {"dt": [0.25, 0.125]}, {"median": median_error}, times=[0.5], against=truth)
    assert {row["status"] for row in study.run(store=f"{folder}/store", progress=False)} == {"ok"}
    assert study.run(store=f"{folder}/store", progress=False).reused == 4
    pf.reference.save(file, problem, truth, error=pf.Estimate(0.01, 0.0, "halved step", "w2"), method=methods["grid"])
    print("saved")


if __name__ == "__main__":
    main(*sys.argv[1:])
