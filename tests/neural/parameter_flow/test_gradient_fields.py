"""The space of gradient fields on a sample, and the projection onto it."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.neural.parameter_flow.gradient_fields import GradientFields


def test_rotations_cost_nothing_in_the_true_metric(rng):
    """At N(0, I) the field (-y, x) has Ĝ = 2 and G = 0 [docs/math.md 8.2]; a sample sees about rank/(2n) of it."""
    n = 20_000
    x = rng.standard_normal((n, 2))
    space = GradientFields(x, x**3, 30, rng)
    spin = np.stack([-x[:, 1], x[:, 0]], axis=1)
    share = np.sum(space.coordinates(spin) ** 2) / np.sum(spin**2)
    assert share < 3 * space.rank / (2 * n) < 0.01
    assert abs(np.sum(spin**2) / n - 2) < 0.1


def test_the_inner_problem_is_solved_to_round_off(rng):
    x = rng.standard_normal((500, 3)) @ np.diag([1.0, 5.0, 0.1])
    force, field = np.sinh(0.3 * x), rng.standard_normal((500, 3))
    space = GradientFields(x, force, 40, rng)
    assert space.rank == 1 + 3 + 6 + 40
    assert np.abs(space.basis.T @ space.basis - np.eye(space.rank)).max() < 1e-13
    symmetric = np.array([[1.0, 2.0, 0.5], [2.0, -1.0, 0.3], [0.5, 0.3, 2.0]])
    for gradient in (force, np.ones_like(x), x @ symmetric):
        assert np.abs(space.project(gradient) - gradient).max() < 1e-11 * np.abs(gradient).max()
    # no coefficients give less: the residual is orthogonal to every field
    rest = field - space.project(field)
    assert np.abs(space.coordinates(rest)).max() < 1e-12 * np.linalg.norm(field)
    assert np.sum(rest**2) < np.sum(field**2)


def test_more_fields_than_memory_are_refused(rng):
    x = np.zeros((60_000, 30))
    with pytest.raises(pf.Unsupported, match="samples"):
        GradientFields(x, x, 100, rng)
