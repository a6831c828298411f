"""The closed forms of the convex network against automatic differentiation."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.maps.convex import ConvexMap, Layer
from pdeflow.neural.maps.jet import STRENGTH, sigmoid, softplus

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
    np.testing.assert_allclose(move.value_and_hessian(x)[1], hessian, **exact)
    product = move.at(x).product(v @ move.basis) @ move.basis.T
    np.testing.assert_allclose(product, np.einsum("nij,nj->ni", hessian, v), **exact)
    bilinear = move.at(x).bilinear(u @ move.basis, v @ move.basis)
    np.testing.assert_allclose(bilinear, np.einsum("ni,nij,nj->n", u, hessian, v), **exact)
    for mine, its in zip(move.value_and_hessian(x), tensors.value_and_hessian(torch.tensor(x))):
        np.testing.assert_allclose(mine, its.numpy(), **exact)
    np.testing.assert_allclose(move.value(x), tensors.value(torch.tensor(x)).numpy(), **exact)


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
