"""What a convex map is by construction: strongly convex, the identity at the start, the same in other coordinates."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.maps.convex import first_map, log_determinant
from pdeflow.neural.maps.jet import STRENGTH


def hessian_of(move, x):
    """∇²ψ(x), (n, d, d)."""
    return move.value_and_hessian(x)[1]


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


@pytest.mark.parametrize("depth, rank", [(1, 0), (3, 2)])
def test_parameter_groups_hold_what_training_changes_once_each(depth, rank):
    move = random_map(3, depth=depth, rank=rank, sharpness=2.0)
    quadratic, hidden, nonnegative = move.parameter_groups()
    assert list(quadratic) == ["root", "shift"]
    assert list(nonnegative) == ["weight", *(f"layer{i}.mixing" for i in range(1, depth))]
    kinds = ("linear", "bias", "quadratic")[: 3 if rank else 2]  # arrays without entries are left out
    assert list(hidden) == [f"layer{i}.{name}" for i in range(depth) for name in kinds]
    kept = move.to_data()[1]
    fixed = {"center", "basis", "scale", *(name for name in kept if name.endswith("sharpness"))}
    assert move.parameter_groups().all().keys() == {name for name, a in kept.items() if a.size} - fixed


def test_damaged_data_are_named():
    data, arrays = random_map(2).to_data()
    with pytest.raises(pf.BadInput, match="must have width, depth and rank"):
        pf.neural.ConvexMap.from_data(2, {"map": "ConvexMap"}, arrays)
    with pytest.raises(pf.BadInput, match=r"'layer0\.linear' is of shape"):
        pf.neural.ConvexMap.from_data(3, data, arrays)
