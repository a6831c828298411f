"""Problems that the tests of QuantileJKO share."""

import numpy as np

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from pdeflow.laws import Gaussian, Uniform


class Cosh(pf.InternalEnergy):
    """A user's internal energy by value and pressure: U = cosh r - 1."""

    def value(self, r):
        return 2 * np.sinh(r / 2) ** 2

    def pressure(self, r):
        return r * np.sinh(r) - 2 * np.sinh(r / 2) ** 2


ENERGIES = {
    "entropy": (pf.Energy(internal=pf.Entropy(0.7)), Gaussian(0.3, 0.5)),
    "fast diffusion": (pf.Energy(internal=pf.Power(0.5)), Gaussian(0.3, 0.5)),
    "power": (pf.Energy(internal=pf.Power(3.0, 0.4)), Uniform(-1.0, 2.0)),
    "double well": (pf.Energy(pf.potentials.DoubleWell(1.0), pf.Entropy(0.5)), Gaussian(1.0, 0.1)),
    "no hessian": (
        pf.Energy(pf.potentials.FromFunction(lambda x: x[:, 0] ** 4, lambda x: 4 * x**3), pf.Entropy(1.0)),
        Gaussian(1.0, 0.2),
    ),
    "potential alone": (pf.Energy(pf.potentials.Quadratic(2.0)), Gaussian(1.0, 0.2)),
    "attraction": (pf.Energy(internal=pf.Entropy(0.5), interaction=QuadraticAttraction(2.0)), Uniform(-1.0, 2.0)),
    "logarithm": (pf.Energy(interaction=LogRepulsion(1.0, 0.5)), Gaussian(0.3, 0.5)),
    "root": (pf.Energy(interaction=PowerLaw(3.0, 0.5)), Uniform(-1.0, 2.0)),
    "newtonian": (pf.Energy(interaction=PowerLaw(2.0, 1.0)), Gaussian(0.3, 0.5)),
    "gaussian kernel": (pf.Energy(internal=pf.Power(3.0, 0.1), interaction=GaussianAttraction()), Uniform(-1.0, 2.0)),
    "entropy + powers": (pf.Energy(internal=pf.Entropy(0.3) + pf.Power(2) + pf.Power(3, 0.4)), Gaussian(0.3, 0.5)),
    "a user's": (pf.Energy(internal=Cosh()), Gaussian(0.3, 0.5)),
    "a user's + entropy": (pf.Energy(pf.potentials.Quadratic(1.0), Cosh() + pf.Entropy(0.5)), Gaussian(0.3, 0.5)),
}
