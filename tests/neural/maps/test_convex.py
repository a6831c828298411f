"""The closed forms of the convex network against automatic differentiation, and what it is by construction."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.maps.convex import ConvexMap, Layer, first_map, log_determinant
from pdeflow.neural.maps.jet import STRENGTH, sigmoid, softplus
from pdeflow.neural.maps.signed import MARGIN, concave_part, shrink


def hessian_of(move, x):
    """∇²ψ(x), (n, d, d)."""
    return move.value_and_hessian(x)[1]


SHAPES = [
    (dim, depth, rank, pieces, sharpness, False)
    for dim in (1, 2, 5)
    for depth in (1, 2, 3)
    for rank in (0, 1, 3)
    for pieces, sharpness in ((1, 1.0), (3, 1.0), (1, 5.0), (3, 5.0))
] + [(dim, 1, 0, 1, sharpness, True) for dim in (1, 2, 5) for sharpness in (1.0, 5.0)]


@pytest.mark.parametrize("dim, depth, rank, pieces, sharpness, signed", SHAPES)
def test_closed_forms_are_the_derivatives_of_psi(dim, depth, rank, pieces, sharpness, signed):
    move = random_map(dim, depth=depth, rank=rank, pieces=pieces, sharpness=sharpness, signed=signed)
    tensors = move.mapped(torch.as_tensor)
    rng = np.random.default_rng(1)
    x, u, v = rng.standard_normal((3, 4, dim))
    leaf = torch.tensor(x, requires_grad=True)
    gradient = torch.autograd.grad(tensors.value(leaf).sum(), leaf, create_graph=True)[0]
    rows = [torch.autograd.grad(gradient[:, i].sum(), leaf, retain_graph=True)[0].numpy() for i in range(dim)]
    hessian, gradient = np.stack(rows, axis=1), gradient.detach().numpy()
    exact = {"rtol": 1e-12, "atol": 1e-12 * np.abs(hessian).max()}  # two float64 evaluations of one formula
    np.testing.assert_allclose(move(x), gradient, **exact)
    np.testing.assert_allclose(hessian_of(move, x), hessian, **exact)
    product = move.at(x).product(v @ move.basis) @ move.basis.T
    np.testing.assert_allclose(product, np.einsum("nij,nj->ni", hessian, v), **exact)
    bilinear = move.at(x).bilinear(u @ move.basis, v @ move.basis)
    np.testing.assert_allclose(bilinear, np.einsum("ni,nij,nj->n", u, hessian, v), **exact)
    for mine, its in zip(move.value_and_hessian(x), tensors.value_and_hessian(torch.tensor(x))):
        np.testing.assert_allclose(mine, its.numpy(), **exact)
    np.testing.assert_allclose(move.value(x), tensors.value(torch.tensor(x)).numpy(), **exact)


@pytest.mark.parametrize("depth, rank, pieces", [(1, 0, 1), (2, 2, 1), (1, 0, 4), (2, 1, 3)])
def test_strongly_convex_by_construction_even_without_the_quadratic(depth, rank, pieces):
    move = random_map(3, depth=depth, rank=rank, pieces=pieces)
    flat = type(move)(0 * move.root, move.shift, move.layers, move.weight, move.center, move.basis, move.scale)
    x = 30 * np.random.default_rng(2).standard_normal((200, 3))
    # far away every softplus is straight, so only ε is left; round-off of sums of size ten
    assert np.linalg.eigvalsh(hessian_of(flat, x)).min() > STRENGTH - 1e-13
    np.testing.assert_allclose(
        log_determinant(hessian_of(flat, x)), np.linalg.slogdet(hessian_of(flat, x))[1], rtol=1e-10
    )


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


def test_the_first_map_is_the_identity(rng):
    generator = torch.Generator().manual_seed(0)
    basis, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    move = first_map(rng.standard_normal(3), basis, 2.5, 16, pf.neural.Network(2, 1, 3), generator)
    x = rng.standard_normal((5, 3))
    np.testing.assert_allclose(move(x), x, rtol=0, atol=1e-14)  # round-off of (1 - ε) + ε
    np.testing.assert_allclose(hessian_of(move, x), np.broadcast_to(np.eye(3), (5, 3, 3)), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "depth, rank, pieces, signed", [(1, 0, 1, False), (2, 2, 1, False), (2, 1, 3, False), (1, 0, 1, True)]
)
def test_other_coordinates_leave_the_hidden_functions_alone(depth, rank, pieces, signed, rng):
    move = random_map(3, depth=depth, rank=rank, pieces=pieces, sharpness=2.0, signed=signed)
    basis, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    seen = move.seen_from(rng.standard_normal(3), basis, 0.6)
    x = rng.standard_normal((5, 3))
    np.testing.assert_allclose(
        hessian_of(seen, x), hessian_of(move, x), rtol=0, atol=1e-12 * np.abs(hessian_of(move, x)).max()
    )
    gap = seen(x) - move(x)  # the affine part keeps its own centre: a constant
    np.testing.assert_allclose(gap, np.broadcast_to(gap[0], gap.shape), atol=1e-12)


def test_one_neuron_is_the_log_density_of_a_gaussian_mixture(rng):
    means = 3 * rng.standard_normal((4, 2))
    mixture = pf.laws.GaussianMixture(np.full(4, 0.25), means, 1.0)
    away = means[1:] - means[0]  # log q = log q_0 + log(1 + Σ exp z_p), z_p = (m_p - m_0)·x - (|m_p|² - |m_0|²)/2
    layer = Layer(away, -((means[1:] ** 2).sum(1) - (means[0] ** 2).sum()) / 2, np.zeros((0, 3, 2)))
    move = ConvexMap(np.eye(2), np.zeros(2), (layer,), np.ones(1), np.zeros(2), np.eye(2), 1.0)
    x = 4 * rng.standard_normal((6, 2))
    first = pf.laws.Gaussian(means[0], 1.0).log_density(x) - np.log(4)
    plain = (x**2).sum(1) * (1 + STRENGTH) / 2
    np.testing.assert_allclose(move.value(x) - plain, mixture.log_density(x) - first, rtol=0, atol=1e-12)
    score = -pf.potentials.MixturePotential(mixture).grad(x)
    np.testing.assert_allclose(move(x) - (1 + STRENGTH) * x, score + x - means[0], rtol=0, atol=1e-12)


def test_sigmoid_and_softplus_do_not_overflow():
    z = np.array([-800.0, -1.0, 0.0, 1.0, 800.0])
    np.testing.assert_allclose(sigmoid(z), [0.0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1.0], rtol=1e-15)
    np.testing.assert_allclose(softplus(z), [0.0, np.log1p(np.exp(-1)), np.log(2), np.log1p(np.e), 800.0], rtol=1e-14)
    np.testing.assert_allclose(softplus(torch.tensor(z)).numpy(), softplus(z), rtol=1e-14)
