"""Nodes of the integrals against closed forms."""

import numpy as np
import pytest
from scipy.special import logsumexp

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural.dual_jko.basis import Basis
from pdeflow.neural.dual_jko.nodes import common_targets, initial_nodes, near_targets, panel_nodes, sampled_targets

GAMMA, SCALE = 0.04, 0.1


def quadratic(dim):
    """A basis without bumps, weights, and log ∫exp((h(y) - |x - y|²)/γ) dy/(πγ)^(d/2) at x for h = 0.1 f."""
    basis = Basis(np.zeros(dim), np.eye(dim), np.empty((0, dim)), 1.0)
    c = np.full(basis.size, 0.5)

    def closed(x):
        slope, hessian = basis.quadratic_part(c)
        curved = np.eye(dim) - 0.5 * SCALE * hessian
        pull = x + 0.5 * SCALE * slope
        top = (pull @ np.linalg.inv(curved) * pull).sum(axis=1) - (x**2).sum(axis=1)
        return top / GAMMA - 0.5 * np.linalg.slogdet(curved)[1]

    return basis, c, closed


def test_near_and_sampled_targets_are_exact_for_quadratics():
    rng = np.random.default_rng(0)
    for dim in (1, 3):
        basis, c, closed = quadratic(dim)
        x = rng.standard_normal((5, dim))
        if dim == 1:
            y, logs = near_targets(x, basis, c, SCALE, GAMMA)
        else:
            y, logs = sampled_targets(x, basis, c, SCALE, GAMMA, rng.standard_normal((5, 4, dim)))
        values = basis.combined(y.reshape(-1, dim), c).reshape(logs.shape)
        assert np.allclose(logsumexp(logs + SCALE * values / GAMMA, axis=1), closed(x), atol=1e-11)  # round-off of 1/γ


def test_common_targets_hold_a_kernel_wider_than_their_panels():
    basis, c, closed = quadratic(1)
    x = np.linspace(-1, 1, 5)[:, None]
    nodes, width = panel_nodes(np.linspace(-4, 4, 41))
    y, logs = common_targets(x, nodes, width, GAMMA)
    value = logsumexp(logs + SCALE * basis.combined(y, c) / GAMMA, axis=1)
    assert np.allclose(value, closed(x), atol=1e-9)  # panels of 1.4 deviations of the kernel


def test_initial_nodes_stand_for_the_law():
    rng = np.random.default_rng(0)
    for law in (pf.laws.GaussianMixture([0.3, 0.7], [-1.0, 1.0], [0.01, 0.1]), pf.laws.Uniform(-0.5, 1.5)):
        x, weights = initial_nodes(law, 0, rng)
        assert weights @ x[:, 0] == pytest.approx(law.mean()[0], abs=1e-10)
        assert weights @ x[:, 0] ** 2 == pytest.approx(law.cov()[0, 0] + law.mean()[0] ** 2, abs=1e-10)
    cloud = pf.laws.Particles(np.array([[0.0, 1.0], [2.0, 3.0]]), [0.25, 0.75])
    x, weights = initial_nodes(cloud, 100, rng)
    assert np.array_equal(x, cloud.x) and np.array_equal(weights, cloud.weights)
