"""Cell masses of turned products in the plane, by integrals along the grid lines."""

import numpy as np
import pytest
from plane_cases import TURN

from pdeflow import metrics
from pdeflow.laws import AffineMap, FromQuantile, Gaussian, GridLaw, Product, Semicircle, Uniform
from pdeflow.laws import turned_products as turned
from pdeflow.laws.cell_integrals import box_masses

AXES = np.linspace(-4.0, 4.0, 41), np.linspace(-3.0, 5.0, 53)
SHIFT = np.array([0.3, 0.7])
SHEAR = np.array([[1.2, 0.5], [-0.3, 0.8]])


def cells_of(law, cells=1000):
    """A law on the line, constant on fine cells."""
    edges = np.linspace(-7.0, 7.0, cells + 1)
    mass = np.diff(law.cdf(edges))
    return GridLaw(edges, mass / mass.sum())


@pytest.mark.parametrize("matrix", [TURN, SHEAR, SHEAR[::-1]], ids=["turned", "sheared", "mirrored"])
def test_smooth_laws_have_the_masses_of_their_density(matrix):
    parts = Gaussian(0.2, 0.5), Gaussian(-0.1, 0.8)
    found = turned.turned_masses(parts, matrix, SHIFT, AXES)
    true = Gaussian(matrix @ [0.2, -0.1] + SHIFT, matrix @ np.diag([0.5, 0.8]) @ matrix.T)
    # the quadrature of the density is right to 1e-9 in all
    np.testing.assert_allclose(found.mass, box_masses(true, AXES), atol=1e-12)
    assert found.outside == pytest.approx(1 - found.mass.sum(), abs=1e-14)
    far = np.linspace(-9.0, 9.0, 31), np.linspace(-9.0, 9.0, 31)
    masses, true = turned.turned_masses(parts, matrix, SHIFT, far).mass, box_masses(true, far)
    faint = (true > 1e-40) & (true < 1e-18)
    assert faint.sum() > 100 and masses.min() >= 0
    # three Gauss points on cells of a deviation; by differences of line integrals nothing were left of these masses
    assert np.abs(np.log(masses[faint] / true[faint])).max() < 0.5


@pytest.mark.parametrize("parts", ["cells", "cells and smooth", "smooth and cells"])
def test_laws_of_cells_tend_to_the_smooth_ones_with_their_square(parts):
    laws = Gaussian(0.2, 0.5), Gaussian(-0.1, 0.8)
    true, errors = turned.turned_masses(laws, TURN, SHIFT, AXES).mass, []
    for cells in (150, 300):
        coarse = [cells_of(law, cells) for law in laws]
        mixed = {"cells": coarse, "cells and smooth": (coarse[0], laws[1]), "smooth and cells": (laws[0], coarse[1])}
        found = turned.turned_masses(mixed[parts], TURN, SHIFT, AXES)
        errors.append(np.abs(found.mass - true).sum())
        assert found.mass.sum() + found.outside == pytest.approx(1, abs=1e-12) and found.mass.min() >= 0
    assert errors[0] < 3e-3 and errors[0] / errors[1] == pytest.approx(4, abs=1)


def test_boxes_are_cut_exactly():
    """Two independent uniform laws turned by 45°: a square on its corner, of which a cell cuts triangles."""
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    square = [GridLaw(np.array([-1.0, 1.0]), np.array([1.0]))] * 2
    edges = np.array([-2.0, 0.0, 0.5, 2.0])
    found = turned.turned_masses(square, turn, np.zeros(2), (edges, edges))
    root = np.sqrt(2)
    # the part with x, y > 0 is |x + y| < √2; masses are areas over 4
    inner = 0.25 / 4
    right = ((root - 0.5) ** 2 / 2 - (root - 1) ** 2 / 2) / 4
    corner = (root - 1) ** 2 / 2 / 4
    left = 0.25
    np.testing.assert_allclose(found.mass[1:, 1:], [[inner, right], [right, corner]], atol=1e-15)
    np.testing.assert_allclose(found.mass[0, 0], left, atol=1e-15)
    assert found.mass.sum() == pytest.approx(1, abs=1e-14)
    straight = turned.turned_masses(square, np.eye(2), SHIFT, AXES)
    apart = [np.clip(np.diff(np.clip(axis - c, -1, 1)), 0, None) / 2 for axis, c in zip(AXES, SHIFT)]
    np.testing.assert_allclose(straight.mass, np.multiply.outer(*apart), atol=1e-15)


def test_a_push_forward_takes_them_and_so_do_the_metrics():
    laws = [cells_of(Gaussian(0.2, 0.5)), cells_of(Gaussian(-0.1, 0.8))]
    law = Product(laws).pushed(AffineMap(TURN, SHIFT)).pushed(AffineMap(np.eye(2), -SHIFT))
    true = Gaussian(TURN @ [0.2, -0.1], TURN @ np.diag([0.5, 0.8]) @ TURN.T)
    mass = box_masses(true, AXES)
    grid = GridLaw(AXES, mass / mass.sum())
    estimate = metrics.l1(grid, law)
    # outside the box lie 6e-4 of the law, which the other does not have
    assert "grid lines" in estimate.how and estimate.value == pytest.approx(2 * (1 - mass.sum()), abs=1e-4)
    assert metrics.kl(grid, law).value == pytest.approx(-np.log(mass.sum()), rel=1e-2)


def test_what_it_cannot_do_it_leaves_to_others():
    smooth = FromQuantile(lambda u: np.log(u / (1 - u)))
    assert turned.turned_masses([smooth, Gaussian(0.0, 1.0)], TURN, SHIFT, AXES) is None  # no distribution function
    narrow = turned.turned_masses([Gaussian(0.0, 1e-10), Gaussian(0.0, 1e-10)], TURN, SHIFT, AXES)
    home = tuple(int(np.searchsorted(axis, place)) - 1 for axis, place in zip(AXES, SHIFT))
    assert narrow is None or narrow.mass[home] == pytest.approx(1, abs=1e-9)  # no peak is overlooked
    for part in (Uniform(0.0, 1.0), Semicircle(1.0)):  # edges that the law does not tell are found by halving or not
        found = turned.turned_masses([part, part], TURN, SHIFT, AXES)
        assert found is None or abs(found.mass.sum() - 1) < 1e-9
