"""Clouds on the same points with nearly the same weights."""

import time
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from pdeflow import metrics
from pdeflow.laws import Particles
from pdeflow.metrics.reweighted import differences, w2_of_differences_on_the_line

ot = pytest.importorskip("ot")


def test_differences_are_exact_where_the_quotients_are_not():
    x, p = np.array([[0.0], [1.0], [1.0]]), np.array([0.5, 0.25, 0.25])
    q = np.array([0.5, 0.25, 0.25 + 2.0**-48])
    found = differences(x, p, x, q)
    exact = Fraction(1, 2) - Fraction(1, 2) / (1 + Fraction(2) ** -48)
    assert found.points.tolist() == [[0.0], [1.0]] and found.more[0] == float(exact) == found.moved
    assert differences(x, p, x + 2.0, q) is None  # other points
    assert differences(x, p, x, np.array([0.4, 0.3, 0.3])) is None  # too much moves
    assert differences(x, p, x, p * (1 + 1e-16)).moved == 0.0


def test_differences_of_many_points_are_those_of_fractions_each_to_the_bit(rng):
    """Points of one cloud may coincide, and many hold the same two numbers."""
    x, p = rng.permutation(np.repeat(np.arange(20.0), 3))[:, None], rng.choice([1.0, 1 + 1e-5, 3.0], 60)
    for y, q in ((x[::-1], p[::-1] * rng.choice([1.0, 1 + 1e-6], 60)), (np.arange(20.0)[:, None], np.zeros(20))):
        if not q.any():
            q = np.array([p[x[:, 0] == place].sum() for place in y[:, 0]]) * (1 + 1e-6 * rng.random(20))
        found = differences(x, p, y, q)
        share = lambda z, w, place: sum(map(Fraction, w[z[:, 0] == place])) / sum(map(Fraction, w))  # noqa: E731
        assert found.more.tolist() == [float(share(x, p, place) - share(y, q, place)) for place in np.arange(20.0)]
    points, equal = rng.standard_normal((5000, 1)), np.full(5000, 1 / 5000)
    start = time.process_time()
    assert differences(points, equal, points[::-1], equal).moved == 0.0
    assert time.process_time() - start < 0.5  # 0.02 s; a fraction for each point took 0.6 s


@pytest.mark.parametrize("size", [1e-3, 1e-2])
def test_the_differences_cost_what_the_whole_linear_program_does(size):
    """Costs to be paid at a thousandth of the mass are still seen by HiGHS."""
    rng = np.random.default_rng(2)
    x, p = rng.standard_normal((9, 2)), rng.dirichlet(np.full(9, 5.0))
    q = p * (1 + size * rng.uniform(-0.05, 0.05, 9))
    q /= q.sum()
    sums = np.zeros((18, 9, 9))
    sums[np.arange(9), np.arange(9), :] = 1
    sums[9 + np.arange(9), :, np.arange(9)] = 1
    cost = cdist(x, x, "sqeuclidean")
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    program = linprog(cost.ravel(), A_eq=sums.reshape(18, -1), b_eq=np.append(p, q), method="highs", options=options)
    assert metrics.w2(Particles(x, p), Particles(x, q)).value == pytest.approx(np.sqrt(program.fun), rel=1e-5)


def test_a_point_that_cannot_pass_on_so_much_is_left_to_the_linear_program():
    x = np.array([[0.0], [1.0], [2.0]])
    p, q = np.array([0.5, 1e-5, 0.5 - 1e-5]), np.array([0.4991, 1e-5, 0.5 - 1e-5 + 9e-4])
    assert w2_of_differences_on_the_line(differences(x, p, x, q)) is None
    plane = np.hstack([x, np.zeros((3, 1))])
    expected = np.sqrt(2 * 1e-5 + 4 * (9e-4 - 1e-5))  # through the middle as much as lies there, else at once
    assert metrics.w2(Particles(x, p), Particles(x, q)).value == pytest.approx(expected, rel=1e-8)
    assert metrics.w2(Particles(plane, p), Particles(plane, q)).value == pytest.approx(expected, rel=1e-8)


def test_clouds_at_the_end_of_the_numbers_are_compared_on_the_line():
    x, p = np.array([[0.0], [1e308], [1.5e308]]), np.array([0.25, 0.25, 0.5])
    found = metrics.w2(Particles(x, p), Particles(x, p + np.array([2.0**-20, 0.0, -(2.0**-20)])))
    assert found.value == pytest.approx(np.sqrt(2.0**-20 * 1.25) * 1e308, rel=1e-9)
