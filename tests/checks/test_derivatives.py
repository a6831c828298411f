"""Gradients and Hessians that are right pass in any unit; one that is wrong is named with its point."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.potentials import FromFunction


class Well:
    """(|y|² - 1)²/4 in any unit of length and of energy, with faults on demand."""

    def __init__(self, dim, unit, energy, center=0.0, factor=1.0, curvature=1.0):
        self.dim, self.unit, self.energy = dim, unit, energy
        self.center, self.factor, self.curvature = center, factor, curvature

    def value(self, x):
        y = (x - self.center) / self.unit
        return self.energy * (np.sum(y * y, axis=1) - 1) ** 2 / 4

    def grad(self, x):
        y = (x - self.center) / self.unit
        return self.factor * self.energy / self.unit * (np.sum(y * y, axis=1) - 1)[:, None] * y

    def hessian(self, x):
        y = (x - self.center) / self.unit
        square = np.sum(y * y, axis=1)[:, None, None]
        matrix = (square - 1) * np.eye(self.dim) + 2 * y[:, :, None] * y[:, None, :]
        return self.curvature * self.factor * self.energy / self.unit**2 * matrix


@pytest.mark.parametrize("energy", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_an_error_of_a_millionth_is_seen_in_every_unit(rng, unit, energy):
    """Steps of max(1, |x|) and sizes of max(1, |gradient|) passed wrong gradients in small units."""
    x = unit * rng.normal(size=(20, 2))
    assert checks.gradient(Well(2, unit, energy), x) < 1e-9
    for wrong in (Well(2, unit, energy, factor=1 + 1e-6), Well(2, unit, energy, curvature=1 + 1e-6)):
        with pytest.raises(pf.BadInput, match="They must agree") as failure:
            checks.gradient(wrong, x)
        assert failure.value.error == pytest.approx(1e-6, rel=0.01)


@pytest.mark.parametrize("offset", [0.0, 2.0**30, -(2.0**40)])
def test_far_from_the_origin_the_steps_are_those_of_the_spread(rng, offset):
    x = np.round(rng.normal(size=(20, 2)) * 2**10) / 2**10 + offset  # points that floats hold there
    assert checks.gradient(Well(2, 1.0, 1.0, offset), x) < 1e-9
    with pytest.raises(pf.BadInput):
        checks.gradient(Well(2, 1.0, 1.0, offset, factor=1 + 1e-6), x)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_minima_single_points_and_constants_have_a_size(unit):
    """Where the gradient vanishes, round-off is held against the change over a step, and not against 0."""
    for points in ([[1.0]], [[1.0], [-1.0], [0.5]], [[-1.0], [-1.0]]):
        assert checks.gradient(Well(1, unit, 1.0), unit * np.array(points)) < 1e-8
    flat = FromFunction(lambda x: np.full(len(x), unit), np.zeros_like, dim=1)
    assert checks.gradient(flat, np.array([[0.0]])) == 0
    tilted = FromFunction(lambda x: unit * x[:, 0], np.zeros_like, dim=2)
    for points in ([[0.0, 0.0]], [[1.0, 0.0], [1.0, 2.0]]):
        with pytest.raises(pf.BadInput, match="is 0; differences give"):
            checks.gradient(tilted, np.array(points))


def test_one_far_point_leaves_the_steps_of_the_others_small():
    x = np.array([[0.1], [0.5], [-0.7], [0.9], [1e6]])
    assert checks.gradient(Well(1, 1.0, 1.0), x) < 1e-9


def test_what_is_not_finite_does_not_pass():
    with pytest.raises(pf.BadInput, match="nan"):
        checks.gradient(FromFunction(lambda x: x[:, 0], lambda x: np.full_like(x, np.nan), dim=1), np.ones((2, 1)))


def test_gradient_measures_and_names_the_worst_point(rng):
    x = np.array([[0.1, 0.2], [2.0, -1.0]])
    right = FromFunction(
        lambda x: np.sin(x[:, 0]) * x[:, 1], lambda x: np.stack([np.cos(x[:, 0]) * x[:, 1], np.sin(x[:, 0])], 1), dim=2
    )
    assert checks.gradient(right, x) < 1e-10
    half = FromFunction(right.value, lambda x: right.grad(x) * np.where(x[:, :1] > 1, 0.5, 1.0), dim=2)
    with pytest.raises(pf.BadInput, match=r"x = \[2.0, -1.0\]") as failure:
        checks.gradient(half, x)
    assert failure.value.error == pytest.approx(0.5, rel=1e-6)
    sign = FromFunction(right.value, lambda x: -right.grad(x), dim=2)
    with pytest.raises(pf.BadInput, match="signs"):
        checks.gradient(sign, x)


def test_gradient_checks_the_hessian_too(rng):
    class Bowl:
        dim = 1

        def value(self, x):
            return (x**4).sum(1)

        def grad(self, x):
            return 4 * x**3

        def hessian(self, x):
            return 6 * x[:, :, None] ** 2  # 12 is right

    with pytest.raises(pf.BadInput, match="hessian at x"):
        checks.gradient(Bowl(), np.array([[1.0], [0.0]]))
    Bowl.hessian = lambda self, x: 12 * x**2
    with pytest.raises(pf.BadInput, match="shape"):
        checks.gradient(Bowl(), np.array([[1.0], [0.0]]))


def test_gradient_names_a_value_of_the_wrong_shape():
    class NoSum(pf.potentials.Potential):
        dim = 1

        def value(self, x):
            return x**2

        def grad(self, x):
            return 2 * x

    with pytest.raises(pf.BadInput, match=r"value\(x\) has shape \(4, 1\) for x of shape \(4, 1\). It must be \(4,\)"):
        pf.checks.gradient(NoSum(), np.ones((4, 1)))
