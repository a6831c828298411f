"""Certified transport between clouds."""

import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import pdeflow as pf
from pdeflow.metrics import cloud_transport
from pdeflow.metrics.cloud_transport import certified_w2


def clouds(n, dim, seed=5):
    x, y = np.random.default_rng(seed).standard_normal((2, n, dim))
    return x, np.full(n, 1 / n), y, np.full(n, 1 / n)


def test_a_plan_that_is_not_optimal_is_refused(monkeypatch):
    """Two pairs exchanged: the gap shows it, and no attempt is left."""
    monkeypatch.setitem(sys.modules, "ot", None)

    def wrong(cost):
        rows, columns = linear_sum_assignment(cost)
        columns[:2] = columns[1::-1]
        return rows, columns

    monkeypatch.setattr(cloud_transport, "linear_sum_assignment", wrong)
    with pytest.raises(pf.NotConverged, match=r"duality gap.*equally many") as caught:
        certified_w2(*clouds(30, 2))
    assert caught.value.residual > 0


def test_equal_clouds_need_no_pot(monkeypatch):
    x, p, y, q = clouds(40, 3)
    cost = cdist(x, y, "sqeuclidean")
    with_pot = certified_w2(x, p, y, q)
    monkeypatch.setitem(sys.modules, "ot", None)
    value, stderr = certified_w2(x, p, y, q)
    assert value == pytest.approx(np.sqrt(cost[linear_sum_assignment(cost)].mean()), rel=1e-14)
    assert with_pot[0] == pytest.approx(value, rel=1e-14)
    # the dual potentials of a discrete problem are not unique
    assert with_pot[1] == pytest.approx(stderr, rel=0.3)


def test_one_point_and_equal_clouds():
    one = np.ones(1)
    assert certified_w2(np.zeros((1, 2)), one, np.array([[3.0, 4.0]]), one) == (5.0, 0.0)
    x, p, _, _ = clouds(20, 2)
    assert certified_w2(x, p, x[::-1].copy(), p)[0] == 0.0


def test_what_a_double_does_not_hold_is_an_error():
    one = np.ones(1)
    with pytest.raises(pf.NotConverged, match="double does not hold"):
        certified_w2(np.full((1, 2), -1.7e308), one, np.full((1, 2), 1.7e308), one)
