"""Entropic transport between clouds: certified by duality."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import pdeflow as pf
from pdeflow.metrics import entropic_transport as module
from pdeflow.metrics.entropic_transport import entropic_transport, self_transport


@pytest.fixture
def clouds(rng):
    x, y = rng.standard_normal((40, 2)), rng.standard_normal((30, 2)) + 0.5
    p, q = rng.random(40), rng.random(30)
    return x, y, p / p.sum(), q / q.sum()


@pytest.mark.parametrize("epsilon", [0.05, 1.0, 50.0])
def test_the_plan_of_the_potentials_is_a_coupling_of_that_cost(clouds, epsilon):
    """A coupling of the form exp((u + v - C)/ε) p q is the optimum: there is no other check to make."""
    x, y, p, q = clouds
    cost = cdist(x, y, "sqeuclidean")
    found = entropic_transport(cost, p, q, epsilon, 1e-12)
    plan = p[:, None] * np.exp((found.u[:, None] + found.v - cost) / epsilon) * q
    np.testing.assert_allclose(plan.sum(axis=1), p, rtol=1e-5)
    np.testing.assert_allclose(plan.sum(axis=0), q, rtol=1e-5)
    value = np.sum(plan * cost) + epsilon * np.sum(plan * np.log(plan / np.outer(p, q)))
    assert found.value == pytest.approx(value, abs=1e-5) and found.gap <= 1e-12
    own = cdist(x, x, "sqeuclidean")
    assert self_transport(own, p, epsilon, 1e-12).value == pytest.approx(
        entropic_transport(own, p, p, epsilon, 1e-12).value, abs=2e-12
    )


def test_the_gap_bounds_the_error_however_early_the_iteration_stops(clouds, monkeypatch):
    x, y, p, q = clouds
    cost = cdist(x, y, "sqeuclidean")
    exact = entropic_transport(cost, p, q, 0.3, 1e-13).value
    monkeypatch.setattr(module, "SCALINGS", 1)
    for allowed in (1e-1, 1e-3, 1e-5):
        early = entropic_transport(cost, p, q, 0.3, allowed)
        assert -1e-12 <= exact - early.value <= early.gap + 1e-12 <= allowed + 1e-12


def test_groups_far_apart_between_which_mass_moves_slowly_are_solved(rng):
    """Scalings alone would take 1e5 rounds here; POT's sinkhorn_log stops at its limit of iterations."""
    x = np.concatenate([rng.standard_normal((20, 1)), rng.standard_normal((20, 1)) + 12])
    y = np.concatenate([rng.standard_normal((21, 1)), rng.standard_normal((19, 1)) + 12])
    found = entropic_transport(cdist(x, y, "sqeuclidean"), np.full(40, 1 / 40), np.full(40, 1 / 40), 1.0, 1e-9)
    assert found.gap <= 1e-9


def test_what_is_not_certified_is_refused(clouds, monkeypatch):
    x, y, p, q = clouds
    monkeypatch.setattr(module, "ROUNDS", 1)
    monkeypatch.setattr(module, "SCALINGS", 1)
    with pytest.raises(pf.NotConverged, match="regularisation"):
        entropic_transport(cdist(x, y, "sqeuclidean"), p, q, 0.02, 1e-12)
