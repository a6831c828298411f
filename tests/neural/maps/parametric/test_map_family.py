"""Every family of parametric maps through the same properties: derivatives against differences and autograd."""

import numpy as np
import pytest
import torch
from neural.parametric_cases import CASES, drawn

every = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every
def test_the_start_is_the_identity(case):
    family, _, z = drawn(*case)
    tangent = family.tangent(family.start(torch.Generator().manual_seed(3)), z)
    np.testing.assert_allclose(tangent.value, z, atol=1e-14)
    np.testing.assert_allclose(tangent.log_det, 0.0, atol=1e-14)
    assert not tangent.folded


@every
def test_products_with_the_jacobian_are_those_of_autograd(case, monkeypatch):
    family, theta, z = drawn(*case)
    dense = torch.autograd.functional.jacobian(lambda t: family.value(t, z), theta).reshape(-1, family.size)
    tangent = family.tangent(theta, z)
    np.testing.assert_allclose(tangent.value, family.value(theta, z), atol=1e-13)
    np.testing.assert_allclose(tangent.rows(slice(0, len(z))), dense, atol=1e-12)
    eta, r = torch.from_numpy(np.random.default_rng(1).standard_normal(family.size)), torch.cos(z)
    np.testing.assert_allclose(tangent.apply(eta).reshape(-1), dense @ eta, atol=1e-12)
    np.testing.assert_allclose(tangent.transpose(r), dense.T @ r.reshape(-1), atol=1e-12)
    monkeypatch.setattr(
        "pdeflow.neural.maps.parametric.map_family.JACOBIAN_NUMBERS", 4 * family.dim * family.size
    )  # 9 points in three parts
    monkeypatch.setattr("pdeflow.neural.maps.parametric.map_family.GRAM_ROWS", 5)
    gram = tangent.gram()
    whole = torch.block_diag(*gram)
    np.testing.assert_allclose(whole, dense.T @ dense / len(z), atol=1e-12)


@every
def test_log_determinant_and_score_are_those_of_autograd(case):
    family, theta, z = drawn(*case)
    tangent = family.tangent(theta, z)
    spatial = torch.stack([torch.autograd.functional.jacobian(lambda p: family.value(theta, p[None])[0], p) for p in z])
    np.testing.assert_allclose(tangent.log_det, torch.linalg.slogdet(spatial)[1], atol=1e-12)
    points = z.clone().requires_grad_()
    bend = torch.autograd.grad((family.tangent(theta, points).log_det + 0 * points.sum()).sum(), points)[0]
    start, weight = torch.sin(z), 1 + z[:, 0] ** 2
    wanted = torch.linalg.solve(spatial.transpose(1, 2), (start - weight[:, None] * bend)[:, :, None])[:, :, 0]
    np.testing.assert_allclose(tangent.score(start, weight), wanted, atol=1e-11)
