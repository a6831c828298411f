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


def test_in_the_plane_it_is_refused():
    plane = pf.problems.ou(2, center=lambda t: [t, 0.0])
    with pytest.raises(pf.Unsupported, match="on the line"):
        pf.solve(plane, pf.grid.ChangCooper(cells=16), dt=0.25)


def test_a_grid_keeps_its_domain():
    edges = np.linspace(-3.0, 3.0, 101)
    start = GridLaw(edges, np.diff(Gaussian(0.0, 0.2).cdf(edges)) / np.diff(Gaussian(0.0, 0.2).cdf(edges)).sum())
    problem = pf.Problem(pf.Energy(Moving(lambda t: Quadratic(2.0, 0.2 * t)), pf.Entropy(0.4)), start, 1.0)
    law = pf.solve(problem, pf.grid.ChangCooper(cells=100, lower=-3.0, upper=3.0), dt=0.25).final
    assert np.array_equal(law.axes[0], edges)
