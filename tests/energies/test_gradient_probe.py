"""Gradients of other potentials are refused in points of the initial law; kinks, walls and noise are no verdict."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.gradient_probe import refuse_foreign_gradients


def energy(value, grad):
    return pf.Energy(pf.potentials.FromFunction(value, grad), pf.Entropy(1.0))


STARTS = [pf.laws.Gaussian(0.0, 1.0), pf.laws.Gaussian(1e6, 1e-6), pf.laws.Gaussian(0.0, 1e-20)]

RIGHT = {
    "bowl": (lambda x: (x**2 / 2).sum(-1), lambda x: x),
    "kink": (lambda x: np.abs(x).sum(-1), np.sign),
    "fast": (lambda x: np.cos(1e6 * x).sum(-1), lambda x: -1e6 * np.sin(1e6 * x)),
    "high": (lambda x: 1e12 + (x**2 / 2).sum(-1), lambda x: x),
    "single precision": (lambda x: (x.astype(np.float32) ** 2 / 2).sum(-1).astype(float), lambda x: x),
    "wall": (lambda x: np.where(x > -1, x**2 / 2, np.inf).sum(-1), lambda x: x),
    "flat": (lambda x: 0 * x.sum(-1), lambda x: 0 * x),
    "overflowing": (lambda x: np.exp(50 * x**2).sum(-1), lambda x: 100 * x * np.exp(50 * x**2)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_belongs_together_passes(name):
    for start in STARTS:
        refuse_foreign_gradients(energy(*RIGHT[name]), start)


@pytest.mark.parametrize("factor", [-1.0, 0.5, 1.03, 2.0])
def test_another_factor_is_refused_in_any_unit(factor):
    for start in STARTS:
        with pytest.raises(pf.BadInput, match="not the gradient of its value"):
            refuse_foreign_gradients(energy(lambda x: (x**2 / 2).sum(-1), lambda x: factor * x), start)


def test_one_wrong_component_of_ten_is_refused():
    def grad(x):
        return np.concatenate([x[:, :9], 3 * x[:, 9:]], axis=1)

    potential = pf.potentials.FromFunction(lambda x: (x**2 / 2).sum(-1), grad, dim=10)
    with pytest.raises(pf.BadInput, match="by differences of value"):
        refuse_foreign_gradients(pf.Energy(potential), pf.laws.Gaussian(np.zeros(10), 1.0))


class Kernel:
    singular = False

    def __init__(self, factor):
        self.factor = factor

    def value(self, z):
        return (z**2 / 2).sum(-1)

    def grad(self, z):
        return self.factor * z


def test_kernels_are_looked_at_too():
    refuse_foreign_gradients(pf.Energy(interaction=Kernel(1.0)), STARTS[0])
    with pytest.raises(pf.BadInput, match="interaction's grad"):
        refuse_foreign_gradients(pf.Energy(interaction=Kernel(2.0)), STARTS[0])
    for kernel in (pf.interactions.LogRepulsion(0.1), pf.interactions.PowerLaw(2, 1), pf.interactions.PowerLaw(4, 2)):
        refuse_foreign_gradients(pf.Energy(interaction=kernel), STARTS[0])


def test_without_gradient_there_is_nothing_to_compare():
    refuse_foreign_gradients(energy(lambda x: (x**2).sum(-1), None), STARTS[0])
