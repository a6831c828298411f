"""Inverting layers point by point."""

import numpy as np
import pytest
import torch

from pdeflow.neural.maps.parametric.layer_inverses import contraction, newton, ridge


def tensors(rng, *shapes):
    return [torch.from_numpy(rng.standard_normal(shape)) for shape in shapes]


@pytest.mark.parametrize("inner", [-0.999, -0.5, 0.0, 3.0, 40.0])
def test_a_planar_layer_is_inverted_up_to_the_edge_of_invertibility(inner, rng):
    w, b, x = tensors(rng, 3, (), (200, 3))
    u = w * inner / (w @ w)
    y = x + torch.tanh(x @ w + b)[:, None] * u
    found, steps = ridge(w, b, u, y)
    np.testing.assert_allclose(found + torch.tanh(found @ w + b)[:, None] * u, y, atol=1e-13)
    np.testing.assert_allclose(found, x, atol=1e-10)  # the slope at the edge of invertibility is 1e-3
    assert 1 <= steps < 200


def test_a_residual_layer_is_inverted_where_it_contracts(rng):
    w, b, a, x = tensors(rng, (4, 3), 4, (3, 4), (200, 3))
    a = 0.9 * a / (torch.linalg.matrix_norm(w, 2) * torch.linalg.matrix_norm(a, 2))
    found, steps = newton(w, b, a, x + torch.tanh(x @ w.T + b) @ a.T)
    np.testing.assert_allclose(found, x, atol=1e-13)
    assert 1 <= steps < 20


def test_the_contraction_is_that_of_the_worst_layer(rng):
    weight, mixing = tensors(rng, (3, 4, 2), (3, 2, 4))
    sizes = [np.linalg.norm(w, 2) * np.linalg.norm(a, 2) for w, a in zip(weight.numpy(), mixing.numpy())]
    np.testing.assert_allclose(contraction(weight, mixing), max(sizes), rtol=1e-12)
    assert contraction(weight[:0], mixing[:0]) == 0.0
