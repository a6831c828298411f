"""The Newton method of a QuantileJKO step: its derivatives, its linear solver, and its accuracy."""

import numpy as np
import pytest
from quantile_jko_cases import ENERGIES
from scipy import stats
from scipy.linalg import solveh_banded

import pdeflow as pf
from pdeflow.energies.interactions import QuadraticAttraction
from pdeflow.grid.quantile_jko.energy import discretise
from pdeflow.grid.quantile_jko.mesh import quantile_levels, quantile_nodes
from pdeflow.grid.quantile_jko.newton import Objective, minimise, solve_tridiagonal
from pdeflow.laws import FromQuantile, Gaussian, Quantiles


@pytest.mark.parametrize("name", ENERGIES)
def test_derivatives_are_those_of_the_objective(name, rng):
    energy, initial = ENERGIES[name]
    method = pf.grid.QuantileJKO(12, "uniform")  # graded cells are narrower than the steps of the differences
    problem = pf.Problem(energy, initial, 1.0, name="test")
    state = method.init(problem, None)
    objective = Objective(state.energy, state.x, 0.3)
    x = state.x * 1.1 + 0.05 * np.sort(rng.standard_normal(12))
    gradient, _, _, (diagonal, off, dense) = objective.linearise(x)
    matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1) + (0 if dense is None else dense)
    matrix = matrix - objective.energy.attraction * np.multiply.outer(
        objective.energy.node_mass, objective.energy.node_mass
    )
    for i in range(12):
        h = 1e-5
        low, high = x - h * (np.arange(12) == i), x + h * (np.arange(12) == i)
        # central differences: h² f''' and 1e-16/h
        slope = (objective.value(high)[0] - objective.value(low)[0]) / (2 * h)
        assert slope == pytest.approx(gradient[i], rel=1e-6, abs=1e-8)
        column = (objective.linearise(high)[0] - objective.linearise(low)[0]) / (2 * h)
        np.testing.assert_allclose(matrix[:, i], column, rtol=1e-6, atol=1e-6 * np.max(np.abs(matrix)))


def test_tridiagonal_solver(rng):
    diagonal, off, right = 3 + rng.random(9), rng.standard_normal(8), rng.standard_normal((9, 2))
    matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
    solution, definite = solve_tridiagonal(diagonal, off, right)
    assert definite == bool(np.linalg.eigvalsh(matrix)[0] > 0)
    diagonal += 3
    solution, definite = solve_tridiagonal(diagonal, off, right)
    assert definite
    np.testing.assert_allclose((matrix + 3 * np.eye(9)) @ solution, right, atol=1e-13)
    assert not solve_tridiagonal(np.array([1.0, 1.0]), np.array([2.0]), np.ones((2, 1)))[1]


def test_minimiser_of_a_quadratic_is_one_newton_step():
    levels = quantile_levels(21, "graded")
    y = quantile_nodes(Gaussian(1.0, 1.0), levels)
    energy = pf.Energy(pf.potentials.Quadratic(3.0), interaction=QuadraticAttraction(2.0))
    objective = Objective(discretise(energy, levels), y, 0.5)
    x, facts = minimise(objective, y)
    # mean contracts by 1 + dt·3, the rest by 1 + dt (3 + 2)
    mean = Quantiles(y, levels).mean()[0]
    np.testing.assert_allclose(x, mean / 2.5 + (y - mean) / 3.5, atol=1e-13)
    assert facts["iterations"] == 1


def heat_step_by_plain_newton(y, w, dt):
    """The JKO step of the entropy at temperature one: no line search, no stopping rule but 30 steps, in plain numpy."""
    x = y.copy()
    for _ in range(30):
        gap, e = np.diff(x), (x - y) / dt
        pressure, stiff = w / gap, w / gap**2
        gradient, bands = np.zeros(len(x)), np.zeros((2, len(x)))
        gradient[:-1] += w / 6 * (2 * e[:-1] + e[1:]) + pressure
        gradient[1:] += w / 6 * (2 * e[1:] + e[:-1]) - pressure
        bands[1, :-1] += w / (3 * dt) + stiff
        bands[1, 1:] += w / (3 * dt) + stiff
        bands[0, 1:] = w / (6 * dt) - stiff
        step = solveh_banded(bands, -gradient)
        closing = np.diff(step) < 0
        x = x + min(1.0, 0.95 * np.min(-gap[closing] / np.diff(step)[closing], initial=np.inf)) * step
    return x


def heavy(degrees):
    return FromQuantile(lambda s: stats.t(degrees).ppf(s))


# name: law, points, steps, agreement. max |x| is 3e9 and 7e11 for t(1.2): its far tail must not set the round-off
# of the bulk. A relative gradient of 1e-10 leaves 2e-11 of moves of 0.05 there. At 100,000 points the stopping rule
# is 4 times the round-off of the gradient, 1.6e-7 of it, and leaves 1.6e-9.
HEAT = {
    "t(1.2)": (heavy(1.2), 400, 20, 1e-9),
    "t(2.5)": (heavy(2.5), 400, 3, 1e-9),
    "gaussian": (Gaussian(0.0, 1.0), 400, 3, 1e-9),
    "t(1.2), fine": (heavy(1.2), 100_000, 1, 1e-8),
    "gaussian, fine": (Gaussian(0.0, 1.0), 100_000, 2, 1e-8),
}


@pytest.mark.parametrize("name", HEAT)
def test_step_solves_the_discrete_problem_to_its_own_round_off(name):
    law, points, steps, agreement = HEAT[name]
    method, dt = pf.grid.QuantileJKO(points), 0.05
    problem = pf.Problem(pf.Energy(internal=pf.Entropy(1.0)), law, 1.0, name="test")
    state = method.init(problem, None)
    levels, w, x = state.levels, np.diff(state.levels), state.x
    bulk = (levels >= 0.01) & (levels <= 0.99)
    for _ in range(steps):
        before, state = x, method.step(problem, state, dt, None)
        x = heat_step_by_plain_newton(x, w, dt)
        assert np.max(np.abs(x - before)[bulk]) > 1e-2
        np.testing.assert_allclose(state.x[bulk], x[bulk], rtol=0, atol=agreement)
        assert 2 <= state.facts["iterations"] <= 5
        assert state.facts["gradient"] <= 1e-10 + 4 * state.facts["roundoff"]
        # 400 points reach the tolerance; 100,000 are limited by round-off, and the step says so
        assert (state.facts["roundoff"] > 1e-9) == (points == 100_000)
        assert state.facts["roundoff"] < 1e-6


@pytest.mark.parametrize("law", [heavy(1.2), Gaussian(0.0, 1.0)])
@pytest.mark.parametrize("internal", [pf.Entropy(0.7), pf.Power(2.0)])
def test_round_off_is_what_storing_the_nodes_costs(law, internal, rng):
    method = pf.grid.QuantileJKO(2000)
    problem = pf.Problem(pf.Energy(internal=internal), law, 1.0, name="test")
    state = method.init(problem, None)
    objective = Objective(state.energy, state.x, 0.05)
    x, _ = minimise(objective, state.x)
    value, grain, _, _ = objective.value(x)
    gradient, _, roundoff, _ = objective.linearise(x)
    changes, forces = [], []
    for _ in range(20):
        other = x + np.spacing(x) * rng.integers(-1, 2, len(x))  # to a neighbouring float or not at all
        changes.append(abs(objective.value(other)[0] - value))
        forces.append(objective.size(objective.linearise(other)[0] - gradient))
    # 2 for a whole spacing instead of half of one, halved by nodes of one row that move together. The sum of absolute
    # values over 2,000 cells exceeds a random sum by up to √2000 = 45.
    assert roundoff / 4 <= max(forces) <= 4 * roundoff
    assert grain / 100 <= max(changes) <= grain
