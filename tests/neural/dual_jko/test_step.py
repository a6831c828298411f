"""What a step starts from."""

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural import DualJKO
from pdeflow.neural.dual_jko.step import State, Step, moments

OU = pf.problems.ou(2, seed=1, ensemble="mokrov")
X = np.random.default_rng(0).standard_normal((500, 2))
STATE = State(OU.initial, X, np.full(500, 1 / 500))


def test_the_prediction_is_the_closed_step_where_v_is_quadratic():
    step = Step(DualJKO(regularisation=0.01), OU, STATE, 0.1, np.random.default_rng(0))
    start = pf.laws.Gaussian(*moments(X, STATE.weights))
    problem = pf.Problem(OU.energy, start, 1.0)
    closed = DualJKO(regularisation=0.01).exact_sequence(problem, dt=0.1, times=[0.1]).final
    mean, cov = step.predicted()
    assert np.allclose(mean, closed.mean(), atol=1e-10) and np.allclose(cov, closed.cov(), atol=1e-10)  # round-off
    basis = step.whitened(np.empty((0, 2)), 1.0)
    c = step.start(basis, None, X)
    logs = -basis.combined(X, c) - OU.energy.potential.value(X) / OU.energy.internal.temperature
    assert np.ptp(logs - closed.log_density(X)) < 1e-8  # exp(-V/T - f) is the predicted Gaussian
    assert not step.outgrown(basis, c) and step.outgrown(basis, -1e4 * np.abs(c)) != step.outgrown(
        basis, 1e4 * np.abs(c)
    )


def test_a_potential_must_be_finite():
    walls = pf.potentials.FromFunction(lambda x: np.where(x[:, 0] > 0, np.inf, x[:, 0] ** 2), dim=1)
    problem = pf.Problem(pf.Energy(walls, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 1.0)
    with pytest.raises(pf.BadInput, match="finite"):
        DualJKO().init(problem, np.random.default_rng(0))
