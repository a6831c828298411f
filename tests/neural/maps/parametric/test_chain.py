"""Chains of layers: their parts, and when they have an inverse."""

import numpy as np
import pytest
import torch
from neural.parametric_cases import drawn

import pdeflow as pf
from pdeflow.neural import Affine, Planar, Residual
from pdeflow.neural.maps.parametric import ParametricMap, build


def test_residual_maps_that_may_fold_have_no_inverse_and_say_why():
    family, theta, z = drawn(Residual(2, 3), 2, size=2.0)
    with pytest.raises(pf.NotAvailable, match="below 1"):
        ParametricMap(family, theta.numpy()).invert(z.numpy())


@pytest.mark.parametrize(
    "kind, size",
    [(Affine(), 12), (Planar(5), 12 + 5 * 7), (Planar(5, affine=False), 5 * 7), (Residual(2, 4), 12 + 2 * 28)],
)
def test_the_number_of_parameters_and_which_of_them_are_damped(kind, size):
    """d + d² for the affine map, and of every layer 2 width d + width; d = 3. Only the layers are damped."""
    family = build(kind, np.zeros(3), np.eye(3))
    affine = 12 if getattr(kind, "affine", True) else 0
    assert family.size == size and family.damped.sum() == size - affine and not family.damped[:affine].any()


def test_only_affine_families_know_the_image_of_the_standard_law():
    family, theta, z = drawn(Affine(), 2)
    mean, root = family.image_of_standard(theta)
    y = (z - family.center) @ torch.linalg.inv(family.root).T
    np.testing.assert_allclose(family.value(theta, z), mean + y.numpy() @ root.T, atol=1e-12)
    family, theta, _ = drawn(Planar(2), 2)
    assert family.image_of_standard(theta) is None


def test_a_map_that_turns_space_over_is_folded():
    family = build(Affine(), np.zeros(2), np.eye(2))
    theta = torch.tensor([0.0, 0.0, -1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    assert family.tangent(theta, torch.zeros(1, 2, dtype=torch.float64)).folded
