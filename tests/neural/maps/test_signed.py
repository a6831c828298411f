"""Negative weights that the quadratic outweighs: strongly convex maps, and refusals of all others."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.maps.convex import ConvexMap, Layer
from pdeflow.neural.maps.jet import STRENGTH
from pdeflow.neural.maps.signed import MARGIN, concave_part, shrink


def hessian_of(move, x):
    """∇²ψ(x), (n, d, d)."""
    return move.value_and_hessian(x)[1]


@pytest.mark.parametrize("dim, sharpness", [(1, 1.0), (2, 20.0), (6, 5.0)])
def test_negative_weights_that_the_quadratic_outweighs_leave_the_map_strongly_convex(dim, sharpness):
    move = random_map(dim, width=20, sharpness=sharpness, signed=True)
    assert move.weight.min() < 0
    rng = np.random.default_rng(3)
    layer = move.layers[0]
    kinks = -layer.bias[:, None] * layer.linear / (layer.linear**2).sum(1)[:, None]  # where the curvature is largest
    y = np.concatenate([kinks, kinks[rng.integers(20, size=500)] + 0.05 * rng.standard_normal((500, dim))])
    x = move.center + move.scale * y @ move.basis.T
    assert np.linalg.eigvalsh(hessian_of(move, x))[:, 0].min() > STRENGTH - 1e-13  # round-off
    fields = move.root, move.shift, move.layers, move.weight.clip(min=0), move.center, move.basis, move.scale
    taken = np.linalg.eigvalsh(hessian_of(move, x) - hessian_of(type(move)(*fields), x))  # by the negative weights
    assert taken.max() < 1e-13 and taken.min() < -0.05
    back, certificate = move.invert(move(x))
    np.testing.assert_allclose(back, x, rtol=0, atol=1e-9 * move.scale)  # condition times the residual
    assert certificate.residual < 1e-13
    with pytest.raises(pf.BadInput, match="does not outweigh"):
        type(move)(
            move.root,
            move.shift,
            move.layers,
            np.where(move.weight < 0, 1.003 * move.weight, move.weight),
            move.center,
            move.basis,
            move.scale,
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1.0, 60.0, 1e4])
def test_the_certificate_of_signed_weights_is_strict_whatever_the_size_and_precision(dtype, size):
    linear, zeros = np.array([[1.0, 0.0]]), np.zeros((0, 1, 2))

    def build(excess):
        fields = np.sqrt(size) * np.eye(2), np.zeros(2), np.array([-4 * (size + excess)]), np.zeros(2), np.eye(2)
        root, shift, weight, center, basis = (field.astype(dtype) for field in fields)
        layer = Layer(linear.astype(dtype), np.zeros(1, dtype), zeros.astype(dtype))
        return ConvexMap(root, shift, (layer,), weight, center, basis, 1.0)

    rounding = 4 * np.finfo(dtype).eps * size  # of the fields themselves
    with pytest.raises(pf.BadInput, match="does not outweigh"):
        build(0.6 * STRENGTH + rounding)
    assert np.linalg.eigvalsh(hessian_of(build(-rounding), np.zeros((1, 2), dtype)).astype(float)).min() > 0


@pytest.mark.parametrize("spread", [1.0, 1e3])
def test_shrunk_single_precision_maps_pass_the_check(spread, rng):
    for _ in range(20):
        move = random_map(4, width=30, seed=int(rng.integers(1000)))
        basis, _ = np.linalg.qr(rng.standard_normal((4, 4)))
        tensors = move.mapped(lambda array: torch.as_tensor(array, dtype=torch.float32))
        tensors.root.copy_(torch.as_tensor(basis @ np.diag(np.geomspace(1, 1 / spread, 4))))
        tensors.weight.copy_(torch.as_tensor(rng.standard_normal(30)))
        shrink(tensors)
        kept = tensors.mapped(lambda array: array.numpy().astype(float))  # what training does: refused if not certified
        quadratic = np.linalg.inv(np.linalg.cholesky(kept.root @ kept.root.T))
        most = np.linalg.eigvalsh(quadratic @ concave_part(kept.layers[0], kept.weight) @ quadratic.T)[-1]
        assert abs(most - (1 - MARGIN)) < 1e-6  # single precision of the weights


def test_no_negative_weight_needs_no_quadratic():
    tensors = random_map(2).mapped(torch.as_tensor)
    tensors.root.zero_()
    before = tensors.weight.clone()
    shrink(tensors)
    assert (tensors.weight == before).all()
    tensors.weight[0] = -1.0
    shrink(tensors)
    assert tensors.weight[0] == 0 and (tensors.weight[1:] == before[1:]).all()


def test_a_negative_weight_is_refused_because_the_network_is_not_convex():
    move = random_map(2, depth=2)
    with pytest.raises(pf.BadInput, match=r"weight has an entry of -0\.1"):
        type(move)(move.root, move.shift, move.layers, move.weight * 0 - 0.1, move.center, move.basis, move.scale)
