"""Potentials, kernels and problems that the tests of Euler-Maruyama share."""

import numpy as np

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic, StyblinskiTang
from pdeflow.laws import Gaussian, GaussianMixture
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
