"""The JKO functional of a convex map, term by term."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.icnn_jko.jko_functional import JKOFunctional
from pdeflow.neural.icnn_jko.log_det import Exact
from pdeflow.neural.local_coordinates import LocalCoordinates

AT, PLAIN = torch.tensor([[0.5, -0.3], [1.2, 0.1]], dtype=torch.float64), LocalCoordinates(np.zeros(2))
POTENTIAL = pf.potentials.Quadratic([[2.0, 0.5], [0.5, 1.0]], [1.0, 0.0])


@pytest.fixture
def move():
    return random_map(2)


def tensors(move):
    return move.mapped(lambda array: torch.tensor(array, requires_grad=True))


def test_the_value_is_transport_potential_and_entropy(move, rng):
    x, dt = rng.standard_normal((100, 2)), 0.3
    functional = JKOFunctional(pf.Energy(POTENTIAL, pf.Entropy(0.7)), AT, PLAIN)
    moved, log_det = move.with_log_det(x)
    expected = ((x - moved) ** 2).sum(1).mean() / 2 + dt * (POTENTIAL.value(moved).mean() - 0.7 * log_det.mean())
    assert functional.value(tensors(move), torch.from_numpy(x), dt) == pytest.approx(
        expected / move.scale**2, rel=1e-12
    )


def test_the_surrogate_has_the_gradient_of_the_value(move, rng):
    x, dt, step = torch.from_numpy(rng.standard_normal((50, 2))), 0.3, 1e-6
    functional = JKOFunctional(pf.Energy(POTENTIAL, pf.Entropy(0.7) + pf.Entropy(0.3)), AT, PLAIN)
    trained = tensors(move)
    functional.surrogate(trained, x, Exact(), dt).backward()
    slope = trained.shift.grad.numpy()
    for i, e in enumerate(np.eye(2)):
        ends = []
        for sign in (1, -1):
            other = tensors(move)
            with torch.no_grad():
                other.shift.add_(sign * step * torch.from_numpy(e))
            ends.append(functional.value(other, x, dt))
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


def test_pairs_of_an_interaction_are_of_distinct_points(move, rng):
    x, dt = rng.standard_normal((64, 2)), 0.3
    kernel = pf.interactions.QuadraticAttraction(0.8)
    functional = JKOFunctional(pf.Energy(interaction=kernel), AT, PLAIN)
    moved = move(x)
    pairs = [kernel.value(moved - np.roll(moved, shift, axis=0)).mean() for shift in (1, 11, 17, 32)]
    expected = ((x - moved) ** 2).sum(1).mean() / 2 + dt * np.mean(pairs) / 2
    assert functional.value(tensors(move), torch.from_numpy(x), dt) == pytest.approx(
        expected / move.scale**2, rel=1e-12
    )


@pytest.mark.parametrize("internal", [pf.Power(2.0), pf.Entropy() + pf.Power(2.0)])
def test_what_stands_beside_the_entropy_is_what_it_lacks(internal):
    with pytest.raises(
        pf.Unsupported, match=r"needs Entropy.*other terms than the entropy\. .*VariationalJKO or PWGF.*QuantileJKO"
    ):
        JKOFunctional(pf.Energy(internal=internal), AT, PLAIN)
