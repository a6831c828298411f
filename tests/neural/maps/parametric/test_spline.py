"""Cubic splines that go on as straight lines, against those of scipy."""

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from pdeflow.neural.maps.parametric import spline

KNOTS = np.array([-2.0, -1.0, -0.25, 0.5, 1.5, 2.0])


@pytest.fixture
def coefficients(rng):
    return torch.from_numpy(rng.standard_normal((2, len(KNOTS) + 2)))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_inside_they_are_the_splines_of_scipy(order, coefficients, rng):
    table, edges = spline.pieces(KNOTS)
    y = torch.from_numpy(rng.uniform(-2, 2, (2, 50)))
    found = spline.evaluate(table, edges, coefficients, y, order)
    for row, place, mine in zip(coefficients.numpy(), y.numpy(), found):
        np.testing.assert_allclose(mine, BSpline(spline.padded(KNOTS, 3), row, 3)(place, nu=order), atol=1e-12)
    np.testing.assert_allclose(spline.Basis(table, edges, y).combine(coefficients, order).T, found, atol=1e-13)


def test_beyond_the_ends_they_are_tangent_lines(coefficients):
    table, edges = spline.pieces(KNOTS)
    y = torch.tensor([[-2.0, -5.0, 2.0, 6.0]]).double().expand(2, -1)
    value, slope = (spline.evaluate(table, edges, coefficients, y, order) for order in (0, 1))
    np.testing.assert_allclose(value[:, 1], value[:, 0] - 3 * slope[:, 0], atol=1e-12)
    np.testing.assert_allclose(value[:, 3], value[:, 2] + 4 * slope[:, 2], atol=1e-12)
    assert not spline.evaluate(table, edges, coefficients, y[:, [1, 3]], 2).any()


def test_the_lift_integrates_the_derivative_and_keeps_the_identity():
    table, edges = spline.pieces(KNOTS)
    matrix, middle = spline.lift(KNOTS)
    y = torch.linspace(-3, 3, 61).double()[None]
    identity = middle + matrix @ torch.ones(len(KNOTS) - 1, dtype=torch.float64)
    np.testing.assert_allclose(spline.evaluate(table, edges, identity[None], y), y, atol=1e-13)


def test_inserted_knots_change_nothing(rng):
    rates = np.exp(rng.standard_normal((2, len(KNOTS) - 1)))
    finer = np.sort(np.concatenate([KNOTS, [-1.5, 1.0]]))
    more, y = spline.inserted(KNOTS, rates, finer), torch.linspace(-2, 2, 81).double().expand(2, -1)
    slopes = []
    for knots, rate in ((KNOTS, rates), (finer, more)):
        table, edges = spline.pieces(knots)
        slopes.append(spline.evaluate(table, edges, torch.from_numpy(rate) @ spline.lift(knots)[0].T, y, 1))
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-12)


def test_products_over_the_points_are_those_of_the_dense_basis(coefficients, rng):
    table, edges = spline.pieces(KNOTS)
    basis = spline.Basis(table, edges, torch.from_numpy(rng.uniform(-3, 3, (2, 40))))
    values = torch.from_numpy(rng.standard_normal((40, 2)))
    for i in range(2):
        dense = basis.dense(i)
        np.testing.assert_allclose(dense @ coefficients[i], basis.combine(coefficients, 0)[:, i], atol=1e-12)
        np.testing.assert_allclose(dense.T @ values[:, i], basis.scatter(values)[i], atol=1e-12)
        np.testing.assert_allclose(dense.T @ dense / 40, basis.gram()[i], atol=1e-12)
