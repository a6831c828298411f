"""ChangCooper under V(t, x): its orders against the mean that a moving centre drives, and that no time is guessed."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, Quadratic
from pdeflow.energies.time_dependent import Moving
from pdeflow.laws import Gaussian, GridLaw

DRIVEN = pf.problems.ou(matrix=1.3, center=lambda t: np.sin(3 * t), temperature=0.4, initial=Gaussian(1.0, 0.25))


@pytest.mark.parametrize(("order", "finest"), [(1, 2.2e-3), (2, 1.1e-4)])
def test_orders_against_the_driven_mean(order, finest):
    """Errors at dt = 1/64 are those of the mean of implicit Euler, and of its middle: 2.17e-3 and 1.03e-4."""
    steps = [1 / 16, 1 / 32, 1 / 64]
    method = pf.grid.ChangCooper(cells=1600, time_order=order)
    errors = [pf.metrics.mean_error(pf.solve(DRIVEN, method, dt=dt).final, DRIVEN.exact(1.0)).value for dt in steps]
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(order, abs=0.06)
    assert errors[-1] < finest


def test_implicit_euler_takes_the_rates_of_the_end_of_the_step():
    """The mean is then exactly m <- (m + dt A b(t + dt)) / (1 + dt A), but for the square of a cell."""
    dt, m = 0.25, 1.0
    for k in range(4):
        m = (m + dt * 1.3 * np.sin(3 * (k + 1) * dt)) / (1 + dt * 1.3)
    found = pf.solve(DRIVEN, pf.grid.ChangCooper(cells=2000), dt=dt).final.mean()[0]
    assert found == pytest.approx(m, abs=2e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_potential_that_does_not_move_gives_the_bits_of_one_at_rest(order):
    method = pf.grid.ChangCooper(cells=100, lower=-3, upper=3, time_order=order)
    start = Gaussian(0.5, 0.1)
    rest = pf.Problem(pf.Energy(DoubleWell(), pf.Entropy(0.5)), start, 1.0)
    moving = replace(rest, energy=pf.Energy(Moving(lambda t: DoubleWell()), pf.Entropy(0.5)))
    runs = [pf.solve(problem, method, dt=0.125, times=[0.5, 1.0]) for problem in (rest, moving)]
    # one step a call and many steps a call round alike
    assert all((a.mass == b.mass).all() for a, b in zip(runs[0].laws, runs[1].laws))


def test_the_automatic_domain_holds_the_whole_way():
    away = pf.problems.ou(center=lambda t: 20 * t, temperature=0.1, initial=Gaussian(0.0, 0.1))
    law = pf.solve(away, pf.grid.ChangCooper(cells=2000), dt=1 / 64).final
    assert law.axes[0][0] < -2 and law.axes[0][-1] > 21
    m = 0.0
    for k in range(64):
        m = (m + 20 * (k + 1) / 64**2) / (1 + 1 / 64)
    assert law.mean()[0] == pytest.approx(m, abs=0.02)  # cells of 0.022 under a drift of up to 20


def test_mass_that_is_driven_out_of_the_domain_is_named():
    away = pf.problems.ou(center=lambda t: 20 * t, temperature=0.1, initial=Gaussian(0.0, 0.1))
    with pytest.raises(pf.BadInput, match="Widen upper="):
        pf.solve(away, pf.grid.ChangCooper(cells=400), dt=1 / 16, times=[3.0])


def test_no_time_is_guessed():
    method = pf.grid.ChangCooper(cells=100)
    state = method.init(DRIVEN, None)
    for step in (lambda: method.step(DRIVEN, state, 0.1, None), lambda: method.advance(DRIVEN, state, 0.1, 2, None)):
        with pytest.raises(pf.Unsupported, match="called without one"):
            step()
    for ask in (pf.grid.gibbs, pf.grid.spectrum, pf.grid.exponential):
        with pytest.raises(pf.Unsupported, match="no one matrix"):
            ask(DRIVEN, method)


def turning(time):
    return np.array([np.sin(3 * time), np.cos(2 * time)])


@pytest.mark.parametrize(("order", "steps", "mean", "cov"), [(1, (8, 16), 0.0139, 0.0078), (2, (4, 8), 0.0050, 8.5e-4)])
def test_orders_in_the_plane_against_the_exact_law(order, steps, mean, cov):
    """A centre that moves, and a matrix that couples the axes, so that splitting has an error, which is in the cov."""
    matrix, start = np.array([[1.3, 0.5], [0.5, 0.9]]), Gaussian([0.5, 0.0], np.diag([0.3, 0.5]))
    problem = pf.problems.ou(2, matrix, turning, 0.4, initial=start, horizon=0.5)
    method = pf.grid.ChangCooper(cells=160, lower=-4.0, upper=4.5, time_order=order)
    laws, truth = [pf.solve(problem, method, dt=1 / n).final for n in steps], problem.exact(0.5)
    cell = (8.5 / 160) ** 2 / 12 * np.eye(2)
    for size, error in (
        (mean, [np.abs(law.mean() - truth.mean()).max() for law in laws]),
        (cov, [np.abs(law.cov() - cell - truth.cov()).max() for law in laws]),
    ):
        # the cells add 2e-4 to both (96 cells: 6e-4), and dt = 1/8 is not small for order 1: 0.88 and 0.84 there
        assert np.log2(error[0] / error[1]) == pytest.approx(order, abs=0.18)
        assert error[1] == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize(("dim", "order"), [(2, 1), (2, 2), (3, 2)])
def test_a_potential_at_rest_gives_the_same_bits_in_boxes(dim, order):
    method = pf.grid.ChangCooper(cells=(24, 22, 20)[:dim], lower=-2.5, upper=2.5, time_order=order)
    well = Quadratic(1.5 * np.eye(dim) + 0.2)
    rest = pf.Problem(pf.Energy(well, pf.Entropy(0.5)), Gaussian(np.full(dim, 0.1), 0.3 * np.eye(dim)), 1.0)
    moving = replace(rest, energy=pf.Energy(Moving(lambda t: well, dim), pf.Entropy(0.5)))
    runs = [pf.solve(problem, method, dt=0.125, times=[0.25, 0.5]) for problem in (rest, moving)]
    assert all(np.array_equal(a.mass, b.mass) for a, b in zip(runs[0].laws, runs[1].laws))
    assert np.isnan(runs[1].history[-1]["stationary_tail"])  # there is no one stationary law


def test_the_automatic_box_holds_the_whole_way():
    away = pf.problems.ou(2, center=lambda t: [6 * t, -2.0 * t], temperature=0.1, initial=Gaussian([0.0, 0.0], 0.1))
    axes = pf.grid.ChangCooper(cells=32).init(away, None).grid.axes
    assert axes[0][0] < -2 and axes[0][-1] > 7 and axes[1][0] < -3 and axes[1][-1] > 1
    with pytest.raises(pf.BadInput, match="Widen upper="):
        pf.solve(away, pf.grid.ChangCooper(cells=32, lower=-3.0, upper=3.0), dt=1 / 8, times=[2.0])


def test_a_grid_keeps_its_domain():
    edges = np.linspace(-3.0, 3.0, 101)
    start = GridLaw(edges, np.diff(Gaussian(0.0, 0.2).cdf(edges)) / np.diff(Gaussian(0.0, 0.2).cdf(edges)).sum())
    problem = pf.Problem(pf.Energy(Moving(lambda t: Quadratic(2.0, 0.2 * t)), pf.Entropy(0.4)), start, 1.0)
    law = pf.solve(problem, pf.grid.ChangCooper(cells=100, lower=-3.0, upper=3.0), dt=0.25).final
    assert np.array_equal(law.axes[0], edges)
