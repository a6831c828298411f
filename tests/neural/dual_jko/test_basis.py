"""Functions, gradients and the quadratic part of a basis."""

import numpy as np
import pytest

pytest.importorskip("torch")

from pdeflow.neural.dual_jko.basis import Basis

RNG = np.random.default_rng(0)
BASIS = Basis(np.array([0.3, -0.2]), np.array([[1.2, 0.0], [0.4, 0.8]]), RNG.standard_normal((5, 2)), 0.7)
WEIGHTS = RNG.standard_normal(BASIS.size)
X = RNG.standard_normal((7, 2))


def test_a_combination_is_the_sum_of_the_functions():
    assert BASIS.size == 2 + 3 + 5
    assert np.allclose(BASIS.values(X) @ WEIGHTS, BASIS.combined(X, WEIGHTS), rtol=0, atol=1e-13)  # round-off


def test_gradient_and_curvature_are_derivatives():
    step = 1e-5  # central differences: 1e-10 of truncation, 1e-11 of round-off
    for i, unit in enumerate(np.eye(2)):
        change = (BASIS.combined(X + step * unit, WEIGHTS) - BASIS.combined(X - step * unit, WEIGHTS)) / (2 * step)
        assert np.allclose(BASIS.gradient(X, WEIGHTS)[:, i], change, atol=1e-8)
    line = Basis(np.array([0.1]), np.array([[1.5]]), np.linspace(-1, 1, 4)[:, None], 0.5)
    c, x = np.arange(1.0, 7.0), np.linspace(-1, 1, 6)[:, None]
    change = (line.gradient(x + step, c) - line.gradient(x - step, c))[:, 0] / (2 * step)
    assert np.allclose(line.curvature(x, c), change, atol=1e-7)


def test_the_quadratic_part_and_the_bumps_make_the_gradient():
    slope, hessian = BASIS.quadratic_part(WEIGHTS)
    assert np.allclose(slope + X @ hessian + BASIS.bump_gradient(X, WEIGHTS), BASIS.gradient(X, WEIGHTS), atol=1e-13)
