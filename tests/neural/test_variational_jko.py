"""Variational JKO against the exact JKO sequences, its reports and its refusals."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian
from pdeflow.neural import Saddle, Training, VariationalJKO
from pdeflow.neural.pool import draw

SMALL = Training(pool=8192)


@pytest.mark.parametrize("dim, temperature", [(2, 1.0), (5, 0.3)])
def test_linear_maps_give_the_exact_jko_iterates_of_gaussians(dim, temperature):
    problem = pf.problems.ou(dim=dim, seed=1, temperature=temperature, horizon=0.5)
    flow = pf.solve(problem, VariationalJKO(map="linear", outer=400, training=SMALL), dt=0.25)
    truth = pf.exact_jko(problem, dt=0.25).final
    assert isinstance(flow.final, Gaussian)
    # blocks of the pool have exact moments, so that only the optimiser errs (seen: 2e-6)
    np.testing.assert_allclose(flow.final.mean(), truth.mean(), atol=3e-5)
    np.testing.assert_allclose(flow.final.cov(), truth.cov(), atol=3e-5)
    last = flow.history[-1]
    exact = problem.energy.evaluate(flow.final).value
    assert abs(last["bound"] - exact) < 1e-5 and abs(last["gap"]) < 1e-10 and last["test"] == "quadratic"


def test_forward_backward_is_the_gaussian_push_and_a_heat_step():
    problem = pf.problems.ou(dim=2, seed=3, horizon=0.5)
    flow = pf.solve(
        problem, VariationalJKO(map="linear", scheme="forward-backward", outer=400, training=SMALL), dt=0.25
    )
    mean, cov = problem.initial.mean(), problem.initial.cov()
    matrix, center = problem.energy.potential.matrix, problem.energy.potential.center
    for _ in range(2):  # MATH.md 4.3
        push = np.eye(2) - 0.25 * matrix
        mean, cov = mean - 0.25 * matrix @ (mean - center), push @ cov @ push
        values, basis = np.linalg.eigh(cov)
        cov = (basis * (values + 0.5 + np.sqrt(values**2 + values)) / 2) @ basis.T  # ½[Σ + 2c + (Σ² + 4cΣ)^½], c = dt T
    np.testing.assert_allclose(flow.final.mean(), mean, atol=3e-5)
    np.testing.assert_allclose(flow.final.cov(), cov, atol=3e-5)


def test_linear_maps_give_the_exact_jko_iterates_of_barenblatt_profiles():
    problem = pf.problems.porous_medium(horizon=0.002)
    flow = pf.solve(problem, VariationalJKO(map="linear", outer=400, training=SMALL), dt=0.001)
    truth = pf.exact_jko(problem, dt=0.001).final
    u = np.array([0.0, 0.25, 0.9, 1.0])
    np.testing.assert_allclose(flow.final.quantile(u), truth.quantile(u), atol=1e-4 * truth.radius)
    assert truth.radius > 1.05 * problem.initial.radius
    last = flow.history[-1]
    assert abs(last["bound"] - problem.energy.evaluate(truth).value) < 4 * last["bound_stderr"] + 1e-3


@pytest.mark.parametrize("kind", ["icnn", "residual"])
def test_networks_find_the_exact_jko_iterate(kind):
    problem = pf.problems.ou(dim=2, seed=1, horizon=0.25)
    method = VariationalJKO(map=kind, outer=120, networks=Saddle(16, 1, 0, 32), training=Training(pool=32768))
    flow = pf.solve(problem, method, dt=0.25)
    truth = pf.exact_jko(problem, dt=0.25).final
    x = flow.final.push(draw(problem.initial, 8192, 8192, np.random.default_rng(3)))
    np.testing.assert_allclose(x.mean(axis=0), truth.mean(), atol=0.02)
    np.testing.assert_allclose(np.cov(x.T), truth.cov(), atol=0.02)
    last = flow.history[-1]
    exact = problem.energy.evaluate(truth).value
    assert abs(last["bound"] - exact) < 0.01 + 3 * last["bound_stderr"]
