"""Maps in training: the map they leave, the direction they fall in, what the next step starts from."""

import numpy as np
import pytest
import torch
from neural.variational_jko.parts import COV, generator, moving

from pdeflow.neural import (
    Convex,
)
from pdeflow.neural.variational_jko.map_descent import ConvexDescent, ResidualDescent


@pytest.mark.parametrize("kind", ["residual", "affine", "convex"])
def test_a_map_in_training_is_the_map_it_leaves_and_falls_along_the_slope(kind, rng):
    move, x = moving(kind), rng.standard_normal((200, 2))
    y = move(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(move.finished()(x), y, atol=1e-12)
    target = torch.tensor([0.3, -0.2], dtype=torch.float64)
    before = float(((torch.from_numpy(y) - target) ** 2).sum() / 2)
    for i in range(30):
        y = move(torch.from_numpy(x))
        move.descend((y - target) / len(y), 0.02, i / 30)
    after = float(((move(torch.from_numpy(x)) - target) ** 2).sum() / 2)
    assert after < 0.8 * before


@pytest.mark.parametrize("kind", ["residual", "convex"])
def test_the_next_step_starts_from_the_map_before_in_the_new_coordinates(kind, rng):
    move, x = moving(kind), rng.standard_normal((20, 2))
    frame = np.array([1.0, 0.0]), COV
    if kind == "convex":
        again = ConvexDescent(*frame, Convex(4, 2, 1), move.raw(), generator(), torch.float64, "cpu")
    else:
        again = ResidualDescent(*frame, (4, 3), move.raw(), generator(), torch.float64, "cpu")
    np.testing.assert_allclose(again(torch.from_numpy(x)), move(torch.from_numpy(x)), atol=1e-12)
