"""Neurons of a first step along the axes of the curvature of the energy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.icnn_jko.curvature_frames import KINK, NEAR_MEAN, REACHED, STEEP, STEEPEST, along_curvature
from pdeflow.neural.icnn_jko.jko_functional import JKOFunctional
from pdeflow.neural.local_coordinates import LocalCoordinates
from pdeflow.neural.maps.convex import first_map
from pdeflow.neural.settings import Network
from pdeflow.problems.random_draws import haar_rotation


def placed(energy, dim, width=None):
    """The map whose neurons were placed, and particles of N(0, I)."""
    x = np.random.default_rng(0).standard_normal((500, dim)).astype(np.float32)
    functional = JKOFunctional(energy, torch.as_tensor(x[:4]), LocalCoordinates(np.zeros(dim)))
    basis, generator = haar_rotation(dim, np.random.default_rng(1)), torch.Generator().manual_seed(0)
    start = first_map(np.full(dim, 0.2), basis, 1.1, width or 2 * dim, Network(directions="curvature"), generator)
    return along_curvature(start, functional, x, generator), x


def test_every_axis_of_a_rotated_product_has_the_same_number_of_neurons():
    problem = pf.problems.rotated_wells(6, seed=3)
    move, _ = placed(problem.energy, 6)
    axes = np.array(problem.structure.rotation)
    along = move.layers[0].linear @ move.basis.T @ axes  # in the axes of the product
    size = np.linalg.norm(along, axis=1)
    # gradients in single precision, over differences of a tenth of a spread: 1e-5; axes of like curvature mix more
    assert abs(along).max(axis=1) == pytest.approx(size, rel=1e-3)
    assert np.bincount(abs(along).argmax(axis=1)).tolist() == [2] * 6
    assert size.min() >= STEEP[0] and size.max() <= STEEP[1]


def test_every_neuron_bends_where_a_particle_is_nearer_to_the_mean():
    move, x = placed(pf.problems.rotated_wells(4, seed=1).energy, 4)
    y = NEAR_MEAN * (x - move.center) @ move.basis / move.scale
    z = y @ move.layers[0].linear.T + move.layers[0].bias
    assert abs(z).min(axis=0).max() < 1e-5  # round-off of single precision
    np.testing.assert_allclose(move(x.astype(float)), x, atol=1e-6)  # weights are zero: still the identity


def test_an_interaction_has_curvature_too():
    move, _ = placed(pf.Energy(interaction=pf.interactions.PowerLaw(4.0)), 3, width=5)
    frame = move.layers[0].linear[:3] / np.linalg.norm(move.layers[0].linear[:3], axis=1, keepdims=True)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert len(move.layers[0].linear) == 5  # the second frame is cut


def test_an_entropy_alone_has_no_curvature():
    with pytest.raises(pf.Unsupported, match="without potential and interaction"):
        placed(pf.Energy(internal=pf.Entropy(1.0)), 2)


def test_second_differences_that_are_not_finite_are_refused():
    potential = pf.potentials.FromFunction(lambda x: (x * np.inf).sum(-1))
    with pytest.raises(pf.Unsupported, match="not finite"):
        placed(pf.Energy(potential), 2)


def method(directions, **settings):
    network, training = pf.neural.Network(directions=directions), pf.neural.Training(pool=2048)
    return pf.neural.ICNNJKO(width=24, iterations=30, batch=256, network=network, training=training, **settings)


def test_a_first_step_ends_lower_than_from_random_directions():
    problem, losses = pf.problems.rotated_wells(12, horizon=1 / 32), []
    for directions in ("random", "curvature"):
        chosen = method(directions)
        state = chosen.init(problem, np.random.default_rng(0))
        state = chosen.step(problem, state, 1 / 32, np.random.default_rng(1))
        losses.append(chosen.report(state)["loss"] * 32)
    assert losses[1] < losses[0] - 0.5  # nats; measured 2.6 against 4.0


def test_every_step_starts_at_the_identity_and_at_the_rate_of_the_last_move():
    problem, chosen = pf.problems.rotated_wells(4, horizon=1.0), method("curvature")
    state = chosen.init(problem, np.random.default_rng(0))
    x = state.pool.x
    state = chosen.step(problem, state, 1 / 32, np.random.default_rng(1))
    length = np.sqrt(np.mean((state.pool.x - x) ** 2))
    assert state.lengths == pytest.approx((length, length), rel=1e-6)  # sums in single precision
    later = chosen._start(state, torch.Generator().manual_seed(0))
    y = state.pool.points[:5].astype(float)
    np.testing.assert_allclose(later(y), y, atol=1e-12)
    for last, share in ((0.25, 0.25), (4.0, 1.0)):
        moved = replace(state, lengths=(length, last * length))
        assert chosen._rate(moved) == pytest.approx(share * chosen.learning_rate)
        assert method("random")._rate(moved) == chosen.learning_rate


def test_neurons_that_stay_are_spaced_evenly_along_every_axis():
    x = np.random.default_rng(0).standard_normal((2000, 4)).astype(np.float32) * [1, 1, 1, 2]
    problem = pf.problems.rotated(pf.problems.rotated_wells(4, seed=1), np.eye(4))
    functional = JKOFunctional(problem.energy, torch.as_tensor(x[:4]), LocalCoordinates(np.zeros(4)))
    network, generator = Network(directions="curvature", signed=True, neurons="fixed"), torch.Generator().manual_seed(0)
    start = first_map(np.zeros(4), np.eye(4), 1.0, 20, network, generator)
    layer = along_curvature(start, functional, x.astype(np.float32), generator, staying=True).layers[0]
    size = np.linalg.norm(layer.linear, axis=1)
    axes, bends = layer.linear / size[:, None], -layer.bias / size
    for frame, quantile in ((0, REACHED[0]), (4, REACHED[1])):
        rows = slice(4 * frame, 4 * frame + 4)
        np.testing.assert_allclose(bends[rows], np.quantile(x @ axes[rows].T, quantile, axis=0), rtol=1e-6)
    reach = np.diff(np.quantile(x @ axes.T, REACHED, axis=0), axis=0)[0]
    np.testing.assert_allclose(size, np.minimum(4 * KINK / reach, STEEPEST / (x @ axes.T).std(axis=0)), rtol=1e-6)
