"""Steps in several dimensions: what sampling costs, and when it is refused."""

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural import DualJKO
from pdeflow.neural.dual_jko.sampled_step import SampledStep


def test_in_the_plane_sampling_is_all_that_is_left():
    problem = pf.problems.ou(2, seed=1, ensemble="mokrov", initial=pf.laws.Gaussian(np.zeros(2), np.eye(2)))
    method = DualJKO(samples=2048, bumps=0)
    state, rng = method.init(problem, np.random.default_rng(0)), np.random.default_rng(0)
    for _ in range(4):
        state = method.step(problem, state, 0.05, rng)
    closed = method.exact_sequence(problem, dt=0.05, times=[0.2]).final
    x = np.random.default_rng(1).standard_normal((4000, 2)) @ np.linalg.cholesky(closed.cov()).T + closed.mean()
    gap = method.law(state).log_unnormalised(x) - closed.log_density(x)
    # 5 coefficients of 2,048 draws: a variance of 5/2048 without the gain of the Sobol sequence
    assert np.var(gap) < 5e-3
    assert method.report(state)["effective_share"] > 0.5


def test_the_marginal_error_sees_what_quadratics_lack():
    """Two components 4 deviations apart in the plane, which quadratics make one Gaussian."""
    start = pf.laws.GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], [0.25 * np.eye(2)] * 2)
    problem, errors = pf.problems.mixture_ou(start), []
    for bumps in (0, 20):
        method, rng = DualJKO(samples=2048, bumps=bumps, width=1.0), np.random.default_rng(0)
        state = method.step(problem, method.init(problem, rng), 0.05, rng)
        errors.append(method.report(state)["marginal_error"])
    assert errors[0] > 0.03 > 3 * errors[1]  # the noise of 2,048 draws is 0.01, of which the fit takes a part


def test_one_gaussian_that_cannot_cover_the_law_is_said():
    problem = pf.problems.mixture_target(6, 7, 5.0)
    with pytest.raises(pf.NotConverged, match="reference"):
        pf.solve(problem, DualJKO(samples=512, bumps=0), dt=0.5, times=[2.0])


def test_a_law_on_fewer_draws_than_a_covariance_needs_is_refused():
    """One draw with all of the law has no covariance, of which a Cholesky factor would be asked."""
    problem = pf.problems.ou(2, initial=pf.laws.Gaussian(np.zeros(2), np.eye(2)))
    method, rng = DualJKO(samples=64, bumps=0), np.random.default_rng(0)
    step = SampledStep(method, problem, method.init(problem, rng), 0.1, rng)
    z = rng.standard_normal((64, 2))
    with pytest.raises(pf.NotConverged, match="1 effective draws"):
        step._reference(step._basis(), z, np.eye(64)[0])
