"""The training kit: the schedule, Adam on one vector, convex maps with their constraints."""

import pytest
import torch
from neural.variational_jko.parts import generator

from pdeflow.neural.maps.training import Adam


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
