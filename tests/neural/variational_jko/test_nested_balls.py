"""Nested balls integrate without bias."""

import numpy as np
import pytest
from neural.variational_jko.parts import line

from pdeflow.neural.variational_jko.nested_balls import NestedBalls, ball_volume


@pytest.mark.parametrize("dim, outer", [(1, 1.0), (2, 1.0), (2, 1.7), (2, 40.0), (3, 9.0)])
def test_nested_balls_integrate_without_bias(dim, outer):
    balls, rng = NestedBalls(dim, 1.0, outer), np.random.default_rng(4)
    ratio = balls.radii[1:] / balls.radii[:-1]
    assert balls.radii[-1] == outer and np.all(ratio <= 2) and (outer == 1.0) == (len(balls.radii) == 1)
    r, w = line(0, 1.0)
    exact = (
        {1: 2, 2: 2 * np.pi, 3: 4 * np.pi}[dim] * (r ** (dim - 1) * w) @ (1 - r**2)
    )  # of what lives in the inner ball
    found = []
    for _ in range(200):
        z, weights = balls.draw(rng, 1000)
        assert z.shape == (1000, dim) and np.linalg.norm(z, axis=1).max() <= outer * (1 + 1e-12)
        found.append(weights @ np.maximum(1 - (z * z).sum(1), 0))
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact) < 4 * error
    assert error < 0.01 * exact  # of one ball 40 times as wide: 0.1
    if outer == 1.0:
        np.testing.assert_allclose(weights, ball_volume(dim, 1.0) / 1000, rtol=1e-14)  # Proposition 2 as it stands
    # the whole largest ball is covered, with the weight that its shells are due
    whole = [(draws[1]).sum() for draws in (balls.draw(rng, 1000) for _ in range(200))]
    assert abs(np.mean(whole) - ball_volume(dim, outer)) < 4 * np.std(whole) / np.sqrt(200) + 1e-9
