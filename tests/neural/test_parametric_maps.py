"""Every family of parametric maps through the same properties: derivatives against differences and autograd, inverses, files."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.parametric import ParametricMap, Shape, build, planar

CASES = {
    "affine": ("affine", 3, Shape()),
    "planar": ("planar", 3, Shape(layers=5)),
    "planar, layers alone": ("planar", 2, Shape(layers=4, affine=False)),
    "planar, line": ("planar", 1, Shape(layers=3)),
    "residual": ("residual", 2, Shape(layers=3, width=4)),
    "residual, wider than high": ("residual", 3, Shape(layers=2, width=2, affine=False)),
}
every = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def drawn(case, size=0.15, seed=0, n=9):
    """(family, θ away from the identity, points (n, d)), torch; the base law is neither centred nor isotropic."""
    kind, dim, shape = case
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.eye(dim) + 0.3 * np.ones((dim, dim))) * 0.7
    family = build(kind, rng.standard_normal(dim), root, shape)
    theta = family.start(torch.Generator().manual_seed(seed))
    theta = theta + size * torch.from_numpy(rng.standard_normal(family.size))
    return family, theta, family.center + torch.from_numpy(rng.standard_normal((n, dim)) @ root.T)


@every
def test_the_start_is_the_identity(case):
    family, _, z = drawn(case)
    tangent = family.tangent(family.start(torch.Generator().manual_seed(3)), z)
    np.testing.assert_allclose(tangent.value, z, atol=1e-14)
    np.testing.assert_allclose(tangent.log_det, 0.0, atol=1e-14)
    assert not tangent.folded


@every
def test_products_with_the_jacobian_are_those_of_autograd(case):
    family, theta, z = drawn(case)
    dense = torch.autograd.functional.jacobian(lambda t: family.value(t, z), theta).reshape(-1, family.size)
    tangent = family.tangent(theta, z)
    np.testing.assert_allclose(tangent.value, family.value(theta, z), atol=1e-13)
    np.testing.assert_allclose(tangent.rows(slice(0, len(z))), dense, atol=1e-12)
    eta, r = torch.from_numpy(np.random.default_rng(1).standard_normal(family.size)), torch.cos(z)
    np.testing.assert_allclose(tangent.apply(eta).reshape(-1), dense @ eta, atol=1e-12)
    np.testing.assert_allclose(tangent.transpose(r), dense.T @ r.reshape(-1), atol=1e-12)
    gram = tangent.gram()
    whole = torch.block_diag(*gram)
    np.testing.assert_allclose(whole, dense.T @ dense / len(z), atol=1e-12)


@every
def test_log_determinant_and_score_are_those_of_autograd(case):
    family, theta, z = drawn(case)
    tangent = family.tangent(theta, z)
    spatial = torch.stack([torch.autograd.functional.jacobian(lambda p: family.value(theta, p[None])[0], p) for p in z])
    np.testing.assert_allclose(tangent.jacobian(), spatial, atol=1e-12)
    np.testing.assert_allclose(tangent.log_det, torch.linalg.slogdet(spatial)[1], atol=1e-12)
    points = z.clone().requires_grad_()
    bend = torch.autograd.grad((family.tangent(theta, points).log_det + 0 * points.sum()).sum(), points)[0]
    start, weight = torch.sin(z), 1 + z[:, 0] ** 2
    wanted = torch.linalg.solve(spatial.transpose(1, 2), (start - weight[:, None] * bend)[:, :, None])[:, :, 0]
    np.testing.assert_allclose(tangent.score(start, weight), wanted, atol=1e-11)


@every
def test_inverse(case):
    family, theta, z = drawn(case, size=0.05, n=200)
    move = ParametricMap(family, theta.numpy())
    x, certificate = move.invert(move(z.numpy()))
    np.testing.assert_allclose(x, z, atol=1e-10)
    assert certificate.points == 200 and certificate.residual < 1e-13


def test_planar_layers_are_invertible_whatever_the_parameters(rng):
    u, w = (torch.from_numpy(rng.standard_normal((1000, 3)) * 10) for _ in range(2))
    inner = (planar.bounded(u, w) * w).sum(1)
    assert inner.min() > -1  # raw u·w goes down to -600
    assert (u * w).sum(1).min() < -300
    family, theta, z = drawn(("planar", 2, Shape(layers=6)), size=2.0, n=300)
    tangent = family.tangent(theta, z)
    assert not tangent.folded or torch.linalg.det(family.unpack(theta)[1]) < 0
    move = ParametricMap(family, theta.numpy())
    np.testing.assert_allclose(move(move.invert(move(z.numpy()))[0]), move(z.numpy()), atol=1e-9)


def test_residual_maps_that_may_fold_have_no_inverse_and_say_why():
    family, theta, z = drawn(("residual", 2, Shape(layers=2, width=3)), size=2.0)
    with pytest.raises(pf.NotAvailable, match="below 1"):
        ParametricMap(family, theta.numpy()).invert(z.numpy())


@every
def test_kept_as_arrays_and_read_back(case):
    family, theta, z = drawn(case)
    law = pf.neural.PushForward(pf.laws.Gaussian(np.zeros(family.dim), 1.0), [ParametricMap(family, theta.numpy())])
    again = pf.neural.PushForward.from_data(*law.to_data())
    np.testing.assert_array_equal(again.push(z.numpy()), law.push(z.numpy()))
    facts, arrays = law.to_data()
    for broken in ({"kind": "spiral"}, {"depth": 3}):
        with pytest.raises(pf.BadInput, match="architecture"):
            pf.neural.PushForward.from_data({**facts, "maps": [{**facts["maps"][0], **broken}]}, arrays)
    with pytest.raises(pf.BadInput, match="theta"):
        pf.neural.PushForward.from_data(facts, {**arrays, "map0000.theta": np.zeros(2)})


@pytest.mark.parametrize("bad", [{"layers": 0}, {"width": 2.5}, {"affine": 1}])
def test_shape_is_checked(bad):
    with pytest.raises(pf.BadInput, match=next(iter(bad))):
        Shape(**bad)
