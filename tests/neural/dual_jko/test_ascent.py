"""The dual function against its definition, and the two ways up."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural import Adam, Newton
from pdeflow.neural.dual_jko.ascent import Dual
from pdeflow.neural.runtime import isolated

RNG = np.random.default_rng(0)


def dual(shared):
    n, j, m, k = 40, 6, 30, 3
    weights = RNG.random(n)
    shape = (j, k) if shared else (n, j, k)
    return Dual(
        weights / weights.sum(), RNG.standard_normal((n, j)), RNG.standard_normal(shape),
        RNG.standard_normal(m), RNG.standard_normal((m, k)), 4.0, np.array([0.0, 0.0, 1e-2]),
    )  # fmt: skip


@pytest.mark.parametrize("shared", [False, True])
def test_slopes_are_derivatives(shared):
    d, c, step = dual(shared), np.array([0.3, -0.2, 0.1]), 1e-5
    gradient, hessian = d.slopes(c)
    for i, unit in enumerate(np.eye(3)):
        assert gradient[i] == pytest.approx(
            (d.value(c + step * unit) - d.value(c - step * unit)) / (2 * step), abs=1e-8
        )
        change = (d.slopes(c + step * unit)[0] - d.slopes(c - step * unit)[0]) / (2 * step)
        assert np.allclose(-hessian[i], change, atol=1e-7)  # central differences: 1e-10 and round-off 1e-11


@pytest.mark.parametrize("shared", [False, True])
def test_newton_finds_the_maximum_and_adam_comes_near(shared):
    d = dual(shared)
    ascent = Newton().maximise(lambda c: d, np.zeros(3), RNG)
    c = ascent.weights
    assert np.abs(d.slopes(c)[0]).max() < 1e-7 and ascent.iterations < 20  # the last step is quadratic
    for unit in np.eye(3):
        assert max(d.value(c + 0.01 * unit), d.value(c - 0.01 * unit)) < d.value(c)
    with isolated(gradients=True):
        near = Adam(iterations=300, batch=40, learning_rate=0.05).maximise(lambda c: d, np.zeros(3), RNG).weights
    assert d.value(near) > d.value(c) - 1e-3 > d.value(np.zeros(3))  # the noise of batches of 40


def test_too_few_iterations_are_no_answer():
    with pytest.raises(pf.NotConverged, match="promises"):
        Newton(iterations=1).maximise(lambda c: dual(False), np.zeros(3), RNG)


def test_a_dual_that_is_minus_infinity_has_no_start():
    with pytest.raises(pf.Diverged, match="fast as"):
        Newton().maximise(lambda c: None, np.zeros(3), RNG)


def test_a_dual_that_is_no_number_is_refused():
    broken = replace(dual(False), log_gibbs=np.full(30, np.nan))
    with pytest.raises(pf.Diverged, match="finite"):
        Newton().maximise(lambda c: broken, np.zeros(3), RNG)
