"""The compiled walk: each step against numpy, its bits against threads and splits."""

import os
import subprocess
import sys

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic, StyblinskiTang
from pdeflow.laws import Gaussian, GaussianMixture
from pdeflow.particle import EulerMaruyama
from pdeflow.particle.euler_maruyama.noise import normals

MATRIX = np.array(
    [[2.0, 0.6, 0.1, 0, 0.2], [0.6, 1, 0, 0.1, 0], [0.1, 0, 1.5, 0, 0], [0, 0.1, 0, 1, 0.3], [0.2, 0, 0, 0.3, 0.8]]
)
MIXTURE = GaussianMixture([0.3, 0.7], [[1.0, 0.0], [-1.0, 0.5]], [[[1, 0.2], [0.2, 0.5]], [[0.4, 0], [0, 0.9]]])


class Cubic:
    """A user's potential by duck typing."""

    dim = 2

    def value(self, x):
        return np.sum(np.abs(x) ** 3, axis=1) / 3

    def grad(self, x):
        return x * np.abs(x)


class Singular:
    """A user's kernel by duck typing: W = -log|z|. Nobody may ask its gradient at z = 0, a particle with itself."""

    def value(self, z):
        return -np.log(np.sum(z * z, axis=1)) / 2

    def grad(self, z):
        return -z / np.sum(z * z, axis=1)[:, None]


POTENTIALS = {
    "none": (None, 2),
    "quadratic": (Quadratic(MATRIX, np.arange(5.0)), 5),
    "double well": (DoubleWell(0.7, 2), 2),
    "styblinski-tang": (StyblinskiTang(3), 3),
    "mixture": (MixturePotential(MIXTURE, 0.8), 2),
    "duck": (Cubic(), 2),
    "function": (FromFunction(lambda x: np.sum(x**4, axis=1), lambda x: 4 * x**3, dim=1), 1),
}
KERNELS = {
    "attraction": pf.interactions.QuadraticAttraction(1.3),
    "(4, 2)": pf.interactions.PowerLaw(4, 2),
    "(3, 1)": pf.interactions.PowerLaw(3, 1),
    "(2.5, 0)": pf.interactions.PowerLaw(2.5, 0),
    "log": pf.interactions.LogRepulsion(0.9, 0.4),
    "gaussian": pf.interactions.GaussianAttraction(1.1, 0.8),
    "duck": Singular(),
}


def problem_of(potential=None, kernel=None, dim=2, temperature=0.6):
    internal = None if temperature is None else pf.Entropy(temperature)
    energy = pf.Energy(potential, internal, kernel)
    return pf.Problem(energy, Gaussian(np.linspace(0.5, 1, dim), 0.5), 1.0, name="test")


def one_step_by_hand(problem, state, dt):
    x, energy, drift = state.x, problem.energy, 0.0
    if energy.potential is not None:
        drift = drift + energy.potential.grad(x)
    if energy.interaction is not None:
        i, j = np.nonzero(~np.eye(len(x), dtype=bool))
        drift = drift + energy.interaction.grad(x[i] - x[j]).reshape(len(x), -1, x.shape[1]).sum(axis=1) / len(x)
    noise = normals(state.key, state.increments, 1, *x.shape)[0]
    temperature = 0.0 if energy.internal is None else energy.internal.temperature
    return x - dt * drift + np.sqrt(2 * temperature * dt) * noise


@pytest.mark.parametrize("temperature", [0.6, None])
@pytest.mark.parametrize(
    "potential, kernel",
    [
        *((name, None) for name in POTENTIALS if name != "none"),
        *(("none", name) for name in KERNELS),
        *[("mixture", "log"), ("duck", "(4, 2)"), ("double well", "duck")],
    ],
)
def test_a_step_is_the_scheme(potential, kernel, temperature, rng):
    """Two steps against numpy; 300 particles are no multiple of a block. Round-off of some hundred terms: 1e-12."""
    part, dim = POTENTIALS[potential]
    problem, method = problem_of(part, KERNELS.get(kernel), dim, temperature), EulerMaruyama(300)
    first = method.init(problem, rng)
    state = method.step(problem, first, 0.03, rng)
    np.testing.assert_allclose(state.x, one_step_by_hand(problem, first, 0.03), rtol=1e-12, atol=1e-12)
    again = method.step(problem, state, 0.05, rng)
    np.testing.assert_allclose(again.x, one_step_by_hand(problem, state, 0.05), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [None, "attraction", "(4, 2)", "log"])
def test_bits_do_not_depend_on_saved_times(kernel):
    problem = problem_of(Quadratic(MATRIX[:3, :3], 0.2), KERNELS.get(kernel), 3)
    method = EulerMaruyama(1000)
    often = pf.solve(problem, method, dt=0.01, times=[0.01, 0.02, 0.07, 0.2], seed=3)
    once = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3)
    single = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3, on_step=lambda *_: None)
    np.testing.assert_array_equal(often.final.x, once.final.x)
    np.testing.assert_array_equal(single.final.x, once.final.x)
    assert np.any(pf.solve(problem, method, dt=0.01, times=[0.2], seed=4).final.x != once.final.x)


PROGRAM = """
import hashlib, numba, numpy as np, pdeflow as pf
assert numba.get_num_threads() == {threads}
digest = hashlib.sha256()
for problem, n, dt in [
    (pf.problems.ou(dim=5, seed=1), 3001, 0.01), (pf.problems.mckean_vlasov_ou(), 3001, 0.01),
    (pf.problems.ring_aggregation(dim=2), 1500, 0.02), (pf.problems.log_repulsion(), 700, 0.01),
]:
    digest.update(pf.solve(problem, pf.particle.EulerMaruyama(n), dt=dt, times=[30 * dt], seed=5).final.x.tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_threads():
    answers = set()
    for threads in (1, 2, 4):
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(threads=threads)], env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        answers.add(run.stdout)
    assert len(answers) == 1
