"""Every family of parametric maps through the same properties: derivatives against differences and autograd, inverses, files."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.maps.parametric import ParametricMap, Shape, build, planar

CASES = {
    "affine": ("affine", 3, Shape()),
    "planar": ("planar", 3, Shape(layers=5)),
    "planar, layers alone": ("planar", 2, Shape(layers=4, affine=False)),
    "planar, line": ("planar", 1, Shape(layers=3)),
    "residual": ("residual", 2, Shape(layers=3, width=4)),
    "neural ode": ("ode", 2, Shape(layers=2, width=3)),
    "neural ode, no affine": ("ode", 3, Shape(layers=3, width=2, affine=False)),
    "coordinatewise": ("coordinatewise", 3, Shape(width=7)),
    "coordinatewise, line": ("coordinatewise", 1, Shape(width=12)),
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
def test_products_with_the_jacobian_are_those_of_autograd(case, monkeypatch):
    family, theta, z = drawn(case)
    dense = torch.autograd.functional.jacobian(lambda t: family.value(t, z), theta).reshape(-1, family.size)
    tangent = family.tangent(theta, z)
    np.testing.assert_allclose(tangent.value, family.value(theta, z), atol=1e-13)
    np.testing.assert_allclose(tangent.rows(slice(0, len(z))), dense, atol=1e-12)
    eta, r = torch.from_numpy(np.random.default_rng(1).standard_normal(family.size)), torch.cos(z)
    np.testing.assert_allclose(tangent.apply(eta).reshape(-1), dense @ eta, atol=1e-12)
    np.testing.assert_allclose(tangent.transpose(r), dense.T @ r.reshape(-1), atol=1e-12)
    monkeypatch.setattr(
        "pdeflow.neural.maps.parametric.family.CHUNK", 4 * family.dim * family.size
    )  # 9 points in three parts
    monkeypatch.setattr("pdeflow.neural.maps.parametric.family.STRIPE", 5)
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
    if family.kind == "ode":
        with pytest.raises(pf.NotAvailable, match="not certified"):
            ParametricMap(family, theta.numpy()).invert(z.numpy())
        return
    move = ParametricMap(family, theta.numpy())
    x, certificate = move.invert(move(z.numpy()))
    np.testing.assert_allclose(x, z, atol=1e-10)
    assert certificate.points == 200 and certificate.residual < 1e-13


def test_the_trace_integral_is_the_log_determinant_up_to_the_integration():
    """A finer integration of the same field: the discrete log|det| tends to ∫ tr ∂f ds at the order of the steps."""
    family, theta, z = drawn(("ode", 2, Shape(layers=1, width=6, affine=False)), size=0.7, n=20)
    _, _, (weight,), (bias,), (mixing,) = family.unpack(theta)
    x, trace, steps = (z - family.center) @ family.inverse_root.T, 0.0, 4000
    for _ in range(steps):  # the midpoint rule
        middle = x + torch.tanh(x @ weight.T + bias) @ mixing.T / (2 * steps)
        slope = 1 - torch.tanh(middle @ weight.T + bias) ** 2
        trace = trace + slope @ (mixing.T * weight).sum(1) / steps
        x = x + torch.tanh(middle @ weight.T + bias) @ mixing.T / steps
    gaps = []
    for layers in (2, 4, 8):  # the same field over all stages
        more = type(family)("ode", family.center, family.root, layers, 6, False)
        gaps.append(float((more.tangent(theta.repeat(layers), z).log_det - trace).abs().max()))
    assert np.log2(gaps[1] / gaps[2]) > 3.5 and gaps[2] < 1e-3


def test_pieces_that_stretch_are_halved_and_the_function_stays(rng):
    family, theta, _ = drawn(("coordinatewise", 2, Shape(width=12)), size=0.1)
    theta[6] += 2.5  # the slope of one piece of the first coordinate
    z = family.center + torch.from_numpy(rng.standard_normal((4000, 2))) * family.scale
    finer, same = family.refined(theta, z)
    assert finer.size > family.size and len(same) == finer.size and set(family.knots) < set(finer.knots)
    before, after = family.tangent(theta, z), finer.tangent(same, z)
    for name in ("value", "log_det", "slope", "bend"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-11)
    assert family.refined(theta, z[:100])[0] is family  # too few points to feed more parameters
    move = pf.laws.PushForward(pf.laws.Gaussian([0.0, 0.0], 1.0), [ParametricMap(finer, same.numpy())])
    again = pf.laws.PushForward.from_data(*move.to_data())
    np.testing.assert_array_equal(again.push(z.numpy()), move.push(z.numpy()))


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
    law = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(family.dim), 1.0), [ParametricMap(family, theta.numpy())])
    again = pf.laws.PushForward.from_data(*law.to_data())
    np.testing.assert_array_equal(again.push(z.numpy()), law.push(z.numpy()))
    facts, arrays = law.to_data()
    for broken in ({"kind": "spiral"}, {"depth": 3}):
        with pytest.raises(pf.BadInput, match="architecture"):
            pf.laws.PushForward.from_data({**facts, "maps": [{**facts["maps"][0], **broken}]}, arrays)
    with pytest.raises(pf.BadInput, match="theta"):
        pf.laws.PushForward.from_data(facts, {**arrays, "map0000.theta": np.zeros(2)})


@pytest.mark.parametrize("bad", [{"layers": 0}, {"width": 2.5}, {"affine": 1}])
def test_shape_is_checked(bad):
    with pytest.raises(pf.BadInput, match=next(iter(bad))):
        Shape(**bad)
