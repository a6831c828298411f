"""W2 between clouds is the optimum or an error, whatever the unit of length and however far a point lies out."""

import importlib.util

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import pdeflow as pf
from pdeflow.laws import Particles

needs_pot = pytest.mark.skipif(importlib.util.find_spec("ot") is None, reason="POT is not installed")


def w2(a, b):
    return pf.metrics.w2(a, b).value


def total(x, y):
    cost = cdist(x, y, "sqeuclidean")
    return cost[linear_sum_assignment(cost)].sum()


@pytest.mark.parametrize("unit", [1e-12, 1e-7, 1e-6, 1.0, 1e12])
def test_the_unit_of_length_does_not_change_the_optimum(unit):
    """cvxpy/cvxpy#681: wrong answers without a warning where all data are small."""
    x, y = np.random.default_rng(0).standard_normal((2, 400, 2))
    estimate = pf.metrics.w2(Particles(x * unit), Particles(y * unit))
    assert estimate.value == pytest.approx(unit * np.sqrt(total(x, y) / 400), rel=1e-12)
    assert estimate.stderr == pytest.approx(unit * pf.metrics.w2(Particles(x), Particles(y)).stderr, rel=1e-6)


@pytest.mark.parametrize("far", [1e6, 1e8, 1e10])
def test_an_outlier_does_not_spoil_the_plan_of_the_others(far):
    """PythonOT/POT#229, GUDHI/gudhi-devel#465: a plan that is not optimal beside one huge cost."""
    x, y = np.random.default_rng(0).standard_normal((2, 400, 2))
    x[0], y[0] = (far, 0), (far, 1)
    exact = np.sqrt((total(x[1:], y[1:]) + 1) / 400)
    assert w2(Particles(x), Particles(y)) == pytest.approx(exact, rel=1e-12)


@needs_pot
@pytest.mark.parametrize("far", [1e6, 1e10])
def test_weighted_clouds_with_an_outlier_equal_the_same_points_repeated(far):
    """PythonOT/POT#229 for clouds of different weights and sizes."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((20, 3))
    x[0] = y[0] = (far, 0, 0)
    y[0, 1] = 1
    k, m = rng.multinomial(60, np.full(29, 1 / 29)) + 1, rng.multinomial(70, np.full(19, 1 / 19)) + 1
    k, m = np.append(2, k), np.append(2, m)  # as many far points in both clouds, and 91 in all
    exact = np.sqrt((total(np.repeat(x[1:], k[1:], axis=0), np.repeat(y[1:], m[1:], axis=0)) + 2) / 91)
    assert k.sum() == m.sum() == 91
    assert w2(Particles(x, k / 91), Particles(y, m / 91)) == pytest.approx(exact, rel=1e-12)


def test_distances_whose_squares_leave_the_doubles_are_right_or_an_error():
    """cvxpy/cvxpy#681, at the ends of the range."""
    x, y = np.random.default_rng(0).standard_normal((2, 20, 2))
    for unit in (1e-200, 1e200):
        assert w2(Particles(x * unit), Particles(y * unit)) == pytest.approx(unit * w2(Particles(x), Particles(y)))
    with pytest.raises(pf.NotConverged, match="doubles"):
        w2(Particles([[0.0, 0], [1e-150, 0], [1e150, 0]]), Particles([[3e-150, 0], [2e-150, 0], [1e150, 0]]))


def test_the_sliced_distance_does_not_depend_on_the_unit():
    """cvxpy/cvxpy#681 for the sliced distance."""
    x, y = np.random.default_rng(0).standard_normal((2, 50, 3))
    values = [
        pf.metrics.sliced_w2(Particles(x * unit), Particles(y * unit), rng=np.random.default_rng(1)).value / unit
        for unit in (2.0**-600, 1.0, 2.0**600)
    ]
    assert values[0] == values[1] == values[2] > 0


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-6])
def test_a_difference_on_few_levels_is_seen(width):
    """The two quantile functions differ by 1 on the levels from .3 to .3 + width (scipy/scipy#7204 on levels)."""
    early = pf.laws.FromQuantile(lambda u: u + (u > 0.3))
    late = pf.laws.FromQuantile(lambda u: u + (u > 0.3 + width))
    np.testing.assert_allclose(pf.metrics.w2(early, late).value, width**0.5, rtol=1e-9)


def test_narrow_modes_far_apart_are_carried_to_their_places():
    """A share of 1e-3 goes from the first mode to the second, 100 further on (scipy/scipy#7204 on levels)."""
    before = pf.laws.GaussianMixture([0.5, 0.5], [-50.0, 50.0], 1e-12)
    after = pf.laws.GaussianMixture([0.499, 0.501], [-50.0, 50.0], 1e-12)
    np.testing.assert_allclose(pf.metrics.w2(before, after).value, 100 * 0.001**0.5, rtol=1e-7)  # widths: 1e-6 of 3


def without_widths(one, other, places):
    """W2 of the mixtures of points, by the levels at which the one or the other goes on to its next place."""
    ends = np.cumsum(one), np.cumsum(other)
    edges = np.clip(np.unique(np.concatenate([[0], *ends])), 0, 1)
    i, j = (np.minimum(np.searchsorted(part, (edges[1:] + edges[:-1]) / 2), len(places) - 1) for part in ends)
    return np.sqrt(np.diff(edges) @ (places[i] - places[j]) ** 2)


def test_small_shares_between_narrow_modes_are_carried_to_their_places():
    """Widths of 1e-9 to 1e-5, distances of 100, shares of 1e-6 to 1e-2 of a mode (scipy/scipy#7204 on levels)."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = rng.integers(2, 8)
        means, weights = np.sort(rng.uniform(-100, 100, count)), rng.dirichlet(np.ones(count))
        moved, (i, j) = weights.copy(), rng.choice(count, 2, replace=False)
        share, width = 10 ** rng.uniform(-6, -2) * weights[i], 10 ** rng.uniform(-9, -5)
        moved[i] -= share
        moved[j] += share
        laws = [pf.laws.GaussianMixture(w / w.sum(), means, width**2) for w in (weights, moved)]
        # the triangle inequality bounds what the widths do, and weights of 1e-16 what their rounding does
        expected = without_widths(weights, moved, means)
        np.testing.assert_allclose(w2(*laws), expected, atol=2 * width + 1e-12 / expected)


def test_widths_of_narrow_modes_far_apart_are_compared_to_round_off():
    """Modes that stay in their places: what is left are the widths (scipy/scipy#7204 on levels)."""
    weights, means = np.array([0.30, 0.25, 0.45]), np.array([-80.3, 5.1, 77.7])
    one, other = (pf.laws.GaussianMixture(weights, means, (width * np.arange(1, 4)) ** 2) for width in (1e-9, 3e-9))
    expected = 2e-9 * np.sqrt(weights @ np.arange(1, 4) ** 2)
    np.testing.assert_allclose(w2(one, other), expected, rtol=1e-12)
    again = pf.laws.GaussianMixture(weights[::-1] / (1 + 2e-16), means[::-1], (3e-9 * np.arange(3, 0, -1)) ** 2)
    np.testing.assert_allclose(w2(one, again), expected, rtol=1e-12)  # weights that differ by rounding alone


@needs_pot
@pytest.mark.parametrize("share", [1e-14, 1e-10, 1e-6])
def test_weights_that_differ_by_little_give_one_distance_on_the_line_and_in_the_plane(share):
    """PythonOT/POT#190: small weights are lost, here the difference of two large ones."""
    rng = np.random.default_rng(0)
    x, p = rng.standard_normal((40, 2)), rng.dirichlet(np.ones(40))
    q = p * (1 + share * rng.standard_normal(40))
    q /= q.sum()
    flat = np.stack([x[:, 0], 0 * x[:, 0]], axis=1)
    on_the_line = w2(Particles(x[:, 0], p), Particles(x[:, 0], q))
    assert w2(Particles(flat, p), Particles(flat, q)) == pytest.approx(on_the_line, rel=1e-10)
    assert w2(Particles(x, p), Particles(x, q)) > on_the_line > 0


@pytest.mark.parametrize("far", [1e1, 1e2, 1e5, 1e12])
def test_a_far_point_of_both_clouds_leaves_the_standard_error_alone(far):
    """PythonOT/POT#229: the dual potentials of a group that no mass connects to the others are free, and were 69."""
    x, y = np.random.default_rng(1).standard_normal((2, 300, 2))
    x[0] = y[5] = far, 0
    estimate, bulk = (pf.metrics.w2(Particles(a), Particles(b)) for a, b in ((x, y), (x[1:], np.delete(y, 5, axis=0))))
    assert estimate.value == pytest.approx(bulk.value * np.sqrt(299 / 300), rel=1e-12)
    assert estimate.stderr == pytest.approx(
        bulk.stderr, rel=0.1
    )  # of one point in 300, and of the choice of potentials
