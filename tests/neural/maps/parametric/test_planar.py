"""The bounded vector of a planar layer."""

import numpy as np
import torch
from neural.parametric_cases import drawn

from pdeflow.neural import Planar
from pdeflow.neural.maps.parametric import ParametricMap, planar


def test_planar_layers_are_invertible_whatever_the_parameters(rng):
    u, w = (torch.from_numpy(rng.standard_normal((1000, 3)) * 10) for _ in range(2))
    inner = (planar.bounded(u, w) * w).sum(1)
    assert inner.min() > -1  # raw u·w goes down to -600
    assert (u * w).sum(1).min() < -300
    family, theta, z = drawn(Planar(6), 2, size=2.0, n=300)
    tangent = family.tangent(theta, z)
    assert not tangent.folded or torch.linalg.det(family.unpack(theta)[1]) < 0
    move = ParametricMap(family, theta.numpy())
    np.testing.assert_allclose(move(move.invert(move(z.numpy()))[0]), move(z.numpy()), atol=1e-9)


def test_the_bounded_vector_is_the_raw_one_near_zero_and_its_derivatives_are_those_of_autograd(rng):
    u, w, du, dw, g = (torch.from_numpy(rng.standard_normal(3)) for _ in range(5))
    np.testing.assert_allclose(planar.bounded(1e-6 * u, w), 1e-6 * u, atol=1e-11)
    by_u, by_w = torch.autograd.functional.jacobian(planar.bounded, (u, w))
    for mine, theirs in zip(planar.bounded_jacobian(u, w), (by_u, by_w)):
        np.testing.assert_allclose(mine, theirs, atol=1e-13)
    np.testing.assert_allclose(planar.bounded_apply(u, w, du, dw), by_u @ du + by_w @ dw, atol=1e-13)
    for mine, theirs in zip(planar.bounded_transpose(u, w, g), (by_u.T @ g, by_w.T @ g)):
        np.testing.assert_allclose(mine, theirs, atol=1e-13)
