"""The compiled elimination: fixed points, mass, sign, and a dense solver."""

import math
from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper
from pdeflow.laws import GridLaw

N = 300
EDGES = np.linspace(-1.0, 1.0, N + 1)
CENTERS = (EDGES[1:] + EDGES[:-1]) / 2
H = 2.0 / N
ROUGH = np.random.default_rng(7).normal(size=N)


def on_box(value, initial=None, temperature=1.0):
    """A problem with V = value(x), x (n,), on [-1, 1] with walls: there is no V beyond."""
    potential = pf.potentials.FromFunction(lambda x: np.where(np.abs(x[:, 0]) <= 1, value(x[:, 0]), np.inf))
    initial = GridLaw(EDGES, np.full(N, 1 / N)) if initial is None else initial
    return pf.Problem(pf.Energy(potential, pf.Entropy(temperature)), initial, 1.0, name="box")


POTENTIALS = {
    "flat": lambda x: 0 * x,
    "peclet 1e-300": lambda x: 1e-300 * x / H,
    "peclet -1e-300": lambda x: -1e-300 * x / H,
    "peclet 1": lambda x: x / H,
    "peclet 1e4": lambda x: 1e4 * x / H,
    "peclet -1e4": lambda x: -1e4 * x / H,
    "confining": lambda x: 20 * x**2,
    "rough": lambda x: 3 * np.interp(x, CENTERS, ROUGH),
    "very rough": lambda x: 1e3 * np.interp(x, CENTERS, ROUGH),
}
BOX = ChangCooper(cells=N, lower=-1.0, upper=1.0)


def run(problem, method, dt, steps):
    state = method.init(problem, None)
    return method.advance(problem, state, dt, steps, None)


@pytest.mark.parametrize("name", POTENTIALS)
@pytest.mark.parametrize("dt", [1e-8, 1e-2, 100.0, 1e8])
def test_gibbs_weights_are_a_fixed_point_and_a_delta_keeps_sign_and_mass(name, dt):
    value = POTENTIALS[name]
    exponent = np.minimum(value(CENTERS) - value(CENTERS).min(), 740.0)  # exp(-740) is denormal: empty
    weights = np.exp(-exponent) / np.exp(-exponent).sum()
    for order in (1, 2):
        after = run(on_box(value, GridLaw(EDGES, weights)), replace(BOX, time_order=order), dt, 500)
        assert np.abs(after.mass - weights).max() <= 1e-12  # the bar of the issue
        if (
            order == 1
        ):  # relative to each cell, however empty, too: the solve subtracts nothing; DROWNED_DIFFERENCE is 1e-12
            full = weights > 1e-280
            assert np.abs(after.mass[full] / weights[full] - 1).max() <= 2e-12
    delta = np.zeros(N)
    delta[N // 3] = 1.0
    after = run(on_box(value, GridLaw(EDGES, delta)), BOX, dt, 10_000)
    assert after.least >= 0.0
    assert abs(math.fsum(after.mass) - 1) <= 1e-13


@pytest.mark.parametrize("dt", [1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("order", [1, 2])
def test_mass_over_ten_thousand_steps(dt, order):
    method = ChangCooper(cells=2000, lower=-5, upper=5, time_order=order)
    problem = pf.problems.ou()
    start = method.init(problem, None)
    state = method.advance(problem, start, dt, 10_000, None)
    # math.fsum is exact, so this is the drift of the stored masses; 1e-13 is the bar (a solve alone drifts by 1e-10)
    assert abs(math.fsum(state.mass) - math.fsum(start.mass)) <= 1e-13
    assert order == 2 or state.least >= 0


def test_matrix_step_equals_a_dense_solve():
    """The compiled elimination against numpy's dense solver, odd and even numbers of cells, from 3 up."""
    rng = np.random.default_rng(3)
    for n in (3, 4, 5, 8, 51):
        edges = np.linspace(-1, 1, n + 1)
        mass = rng.random(n)
        problem = on_box(lambda x: 2 * np.sin(3 * x), GridLaw(edges, mass / mass.sum()))
        method = ChangCooper(cells=n, lower=-1, upper=1)
        state = method.init(problem, None)
        up, down = state.grid.up, state.grid.down
        generator = np.diag(up, -1) + np.diag(down, 1) - np.diag(np.append(up, 0)) - np.diag(np.append(0, down))
        inverse = np.linalg.inv(np.eye(n) - 0.3 * generator)
        np.testing.assert_allclose(
            method.advance(problem, state, 0.3, 2, None).mass, inverse @ inverse @ state.mass, rtol=1e-11
        )
        gamma = 1 - np.sqrt(0.5)
        stage = np.linalg.inv(np.eye(n) - gamma * 0.3 * generator)
        twice = stage @ stage @ (np.eye(n) + (1 - 2 * gamma) * 0.3 * generator) @ state.mass
        order_2 = replace(method, time_order=2)
        second = order_2.advance(problem, replace(state, steps=1), 0.3, 1, None).mass
        np.testing.assert_allclose(second, twice, rtol=1e-10, atol=1e-14)  # the dense product has condition ~1e3
        quarter = np.linalg.inv(np.eye(n) - 0.075 * generator)
        first = order_2.advance(problem, state, 0.3, 1, None).mass
        np.testing.assert_allclose(first, np.linalg.matrix_power(quarter, 4) @ state.mass, rtol=1e-11)
