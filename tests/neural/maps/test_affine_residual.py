"""Residual maps and the affine maps that training leaves."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.neural.maps.affine_residual import ResidualMap, affine_step

ROOT = np.array([[1.0, 0.2], [0.2, 0.5]])


def residual_map(rng, size=0.3):
    layers = tuple((size * rng.standard_normal((a, b)), size * rng.standard_normal(b)) for a, b in ((2, 4), (4, 2)))
    return ResidualMap(rng.standard_normal(2), ROOT, size * rng.standard_normal((2, 2)), rng.standard_normal(2), layers)


def test_zero_weights_are_the_identity(rng):
    move, x = residual_map(rng, 0.0), rng.standard_normal((5, 2))
    still = ResidualMap(move.center, ROOT, 0 * ROOT, np.zeros(2), move.layers)
    np.testing.assert_array_equal(still(x), x)


def test_the_map_is_its_formula(rng):
    move, x = residual_map(rng), rng.standard_normal((5, 2))
    u = np.linalg.solve(ROOT, (x - move.center).T).T
    (w1, b1), (w2, b2) = move.layers
    expected = x + (u @ move.matrix.T + move.shift + np.tanh(u @ w1 + b1) @ w2 + b2) @ ROOT
    np.testing.assert_allclose(move(x), expected, rtol=1e-13, atol=1e-13)
    assert move(x.astype(np.float32)).dtype == np.float32


def test_its_matrix_is_a_part_of_it_and_does_not_make_it_affine(rng):
    assert not residual_map(rng).affine


def test_what_it_lacks_it_says(rng):
    move = residual_map(rng)
    for question in ("with_log_det", "invert"):
        with pytest.raises(pf.NotAvailable, match=r"need not be invertible.*map='icnn' or 'linear'"):
            getattr(move, question)(np.zeros((1, 2)))


def test_data_without_widths_are_refused(rng):
    data, arrays = residual_map(rng).to_data()
    assert data == {"map": "ResidualMap", "widths": [4]}
    with pytest.raises(pf.BadInput, match="must have widths"):
        ResidualMap.from_data(2, {"map": "ResidualMap", "widths": []}, arrays)
    with pytest.raises(pf.BadInput, match=r"'layer1\.weight' is of shape"):
        ResidualMap.from_data(2, data, {**arrays, "layer1.weight": np.zeros((3, 2))})


def test_a_step_that_arrives_at_a_singular_matrix_has_diverged():
    with pytest.raises(pf.Diverged, match=r"must be invertible.*smaller dt"):
        affine_step(np.ones((2, 2)), np.zeros(2))
    assert affine_step(2 * np.eye(2), np.ones(2)).affine
