"""The entropy of a radius in quantile coordinates: values, derivatives, and steps on the half line."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import pdeflow as pf
from pdeflow.grid import QuantileJKO
from pdeflow.grid.quantile_jko.radius import RadiusTerm


def test_the_mean_logarithm_of_each_cell_is_exact():
    x = np.array([0.0, 1e-9, 0.3, 0.3001, 0.5, 2.0])
    for cell, (a, b) in enumerate(pairwise(x)):
        w = np.eye(5)[cell]
        mean = quad(np.log, a, b, epsabs=0, epsrel=1e-13)[0] / (b - a)
        assert RadiusTerm(2.0, w).value(x) == pytest.approx(-2 * mean, rel=1e-11)
        assert RadiusTerm(2.0, w, 0.25).value(x - 0.25) == pytest.approx(-2 * mean, rel=1e-7)
    assert RadiusTerm(2.0, np.ones(5)).value(x - 1e-3) == np.inf


def test_derivatives_are_those_of_the_value():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0.01, 3.0, 12))
    x[4] = x[3] * (1 + 1e-4)
    term = RadiusTerm(1.7, rng.uniform(0.1, 1.0, 11))
    gradient, diagonal, off, _ = term.derivatives(x)
    steps = 1e-6 * np.eye(12)
    # central differences of step 1e-6: round-off of 1e-10
    assert [(term.value(x + h) - term.value(x - h)) / 2e-6 for h in steps] == pytest.approx(gradient, abs=1e-7)
    bend = np.array([(term.derivatives(x + h)[0] - term.derivatives(x - h)[0]) / 2e-6 for h in steps])
    assert np.diag(bend) == pytest.approx(diagonal, rel=1e-5) and np.diag(bend, 1) == pytest.approx(off, rel=1e-5)


@pytest.mark.parametrize("dim", [2, 3, 100])
def test_radii_reach_the_closed_sequence_at_second_order(dim):
    problem = pf.problems.radial([0.0, 0.5], dim)
    truth, errors = pf.exact_jko(problem, dt=0.125, times=[0.5]).final, []
    for points in (101, 201):
        flow = pf.solve(problem, QuantileJKO(points=points), dt=0.125, times=[0.5])
        assert flow.final.radius.q[0] > 0 and flow.history[-1]["gradient"] <= 1e-10
        errors.append(pf.metrics.w2(flow.final, truth).value)
    assert errors[1] < 1e-4 and np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.06)
