"""The training kit: the schedule, Adam on one vector, convex maps with their constraints."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map
from neural.variational_jko.parts import generator

import pdeflow as pf
from pdeflow.neural.maps.training import FASTER, WAIT, Adam, ConvexTraining, schedule


def test_adam_is_adam_and_its_shared_form_keeps_the_direction():
    start = torch.randn(6, generator=generator(), dtype=torch.float64)
    mine, theirs = start.clone(), start.clone().requires_grad_()
    adam, other = Adam(mine, (0.9, 0.98)), torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.98), eps=1e-10)
    for _ in range(5):
        adam.step(2 * mine, 0.1)
        theirs.grad = 2 * theirs.detach()
        other.step()
    torch.testing.assert_close(mine, theirs.detach(), rtol=0, atol=1e-14)
    shared = start.clone()
    Adam(shared, (0.9, 0.98), shared=True).step(2 * start, 0.1)
    move = start - shared
    torch.testing.assert_close(move / move.norm(), start / start.norm(), rtol=0, atol=1e-14)
    assert move.square().mean().sqrt().item() == pytest.approx(0.1, rel=1e-9)


def test_the_learning_rate_rises_and_falls_to_zero_as_a_cosine():
    shares = [schedule(iteration, 400) for iteration in range(401)]
    assert shares[0] == pytest.approx(1 / 20) and shares[19] == max(shares) and shares[400] == 0
    assert shares[200] == pytest.approx(0.5) and shares[100] == pytest.approx((1 + 0.5**0.5) / 2)
    assert schedule(0, 5) == 1.0  # a budget of a few steps has no time to rise


def test_a_convex_map_in_training_has_its_arrays_in_three_groups():
    start = random_map(3, width=16, depth=2, rank=1)
    training = ConvexTraining(start, pf.neural.Network(), torch.float64, "cpu")
    (quadratic, one), (hidden, other), (bounded, divisor) = training.groups
    assert set(quadratic) == {"root", "shift"} and set(bounded) == {"weight", "layer1.mixing"}
    assert (one, other, divisor) == (1.0, 1.0, 4.0) and "layer0.linear" in hidden
    assert all(array.requires_grad for group, _ in training.groups for array in group.values())
    x = np.random.default_rng(0).standard_normal((5, 3))
    np.testing.assert_array_equal(training.finished()(x), start(x))


@pytest.mark.parametrize("signed", [False, True])
def test_projection_leads_back_to_convex_maps(signed):
    start = random_map(2, width=8, depth=1, rank=0)
    training = ConvexTraining(start, pf.neural.Network(signed=signed), torch.float64, "cpu")
    with torch.no_grad():
        training.map.weight.fill_(-50.0)
    training.project()
    weight = training.map.weight.max().item()
    assert weight == 0 if not signed else -50 < weight < 0
    training.finished()  # whose constructor refuses what is not convex


def test_neurons_placed_along_the_curvature_do_not_wait_and_share_the_rate_with_those_of_their_direction():
    start = random_map(2, width=8, depth=1, rank=0)
    random, placed = (
        ConvexTraining(start, pf.neural.Network(directions=directions), torch.float64, "cpu")
        for directions in ("random", "curvature")
    )
    assert (random.wait, placed.wait) == (WAIT, 0.0)
    assert random.groups[2][1] == pytest.approx(8**0.5) and placed.groups[2][1] == pytest.approx(4**0.5 / FASTER)
