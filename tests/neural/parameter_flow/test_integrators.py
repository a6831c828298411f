"""The steps of θ' = f(θ) by themselves, on equations with known solutions."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.neural import RK4, Adaptive, Euler, Heun
from pdeflow.neural.parameter_flow.integrators import Slopes


def field(function):
    return lambda theta: Slopes(function(theta), lambda change: float(np.abs(change).max()), None)


def run(integrator, function, theta, dt, steps):
    slope, trial, total = field(function), dt, [0, 0]
    first = slope(theta)
    for _ in range(steps):
        moved = integrator.advance(slope, theta, first, dt, trial)
        theta, first, trial = moved.theta, moved.slopes, moved.trial
        np.testing.assert_array_equal(first.eta, function(theta))  # the slope handed on is that at the end
        total = [total[0] + moved.steps, total[1] + moved.evaluations]
    return theta, *total


@pytest.mark.parametrize("integrator, order", [(Euler(), 1), (Heun(), 2), (RK4(), 4)])
def test_orders_on_a_nonlinear_equation(integrator, order):
    """θ' = -θ² from 1: θ = 1/(1 + t)."""
    errors = [abs(run(integrator, lambda x: -x * x, np.array([1.0]), 1 / n, n)[0][0] - 0.5) for n in (16, 32)]
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.1


def test_adaptive_steps_keep_the_tolerance_at_the_cost_of_third_order():
    """Three slopes per step, and few steps refused; the steps grow in number as tolerance^(-1/3)."""
    counts = []
    for tolerance in (1e-4, 1e-7):
        theta, inner, asked = run(Adaptive(tolerance), lambda x: -x * x, np.array([1.0]), 1.0, 1)
        assert abs(theta[0] - 0.5) < 3 * tolerance and asked <= 3 * (inner + 4)
        counts.append(inner)
    assert counts[0] <= 9 and 5 < counts[1] / counts[0] < 20  # ten times as many for a tolerance of a thousandth


def test_a_step_that_leaves_the_maps_is_halved_and_one_that_cannot_be_is_an_error():
    def guarded(theta):
        if theta[0] < 0:
            raise pf.Diverged("it folds. More words.")
        return -10 * theta

    theta, inner, _ = run(Adaptive(), guarded, np.array([1.0]), 1.0, 1)
    np.testing.assert_allclose(theta, np.exp(-10), atol=1e-3)
    assert inner > 3
    with pytest.raises(pf.Diverged, match=r"it folds\. The map degenerates"):
        run(Adaptive(), lambda theta: guarded(theta) - 1.0, np.array([1.0]), 1.0, 1)


@pytest.mark.parametrize("wrong", [0, -1e-3, np.inf, "small", True])
def test_a_tolerance_that_is_none_is_refused(wrong):
    with pytest.raises(pf.BadInput, match="tolerance"):
        Adaptive(tolerance=wrong)


@pytest.mark.parametrize("kind", [Euler, Heun, RK4])
def test_only_the_adaptive_integrator_has_a_tolerance(kind):
    with pytest.raises(pf.BadInput, match="has no field 'tolerance'"):
        kind(tolerance=1e-3)
    assert kind() == kind()
