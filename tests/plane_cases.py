"""Problems in the plane and in space for the tests of grid methods."""

import numpy as np

import pdeflow as pf
from pdeflow.laws import Gaussian

ANGLE = np.pi / 6
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
SPIN = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]


def rotated_double_well(dim=2, temperature=1.0, horizon=1.0, initial=None, gain=1.0):
    """V = gain ((u² - 1)² + |v|²) in coordinates (u, v) that are turned against the axes."""
    turn = TURN if dim == 2 else SPIN

    def value(x):
        y = x @ turn
        return gain * ((y[:, 0] ** 2 - 1) ** 2 + np.sum(y[:, 1:] ** 2, axis=1))

    initial = Gaussian(np.array([1.0, 0.5, 0.0])[:dim], 0.1 * np.eye(dim)) if initial is None else initial
    energy = pf.Energy(pf.potentials.FromFunction(value, dim=dim), pf.Entropy(temperature))
    return pf.Problem(energy, initial, horizon, name="rotated double well")
