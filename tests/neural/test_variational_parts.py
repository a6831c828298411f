"""The parts of VariationalJKO: maps, closed gradients, the optimiser, particles, the forward step."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, Power
from pdeflow.energies.mean_field import mean_force
from pdeflow.laws import AffineMap, Barenblatt, Gaussian, PushForward
from pdeflow.neural import ResidualMap
from pdeflow.neural.maps.affine_residual import affine_step
from pdeflow.neural.particles import draw_evenly, held_out, matched, moments
from pdeflow.neural.settings import Network
from pdeflow.neural.variational_jko.ascent import Dual
from pdeflow.neural.variational_jko.balls import Balls
from pdeflow.neural.variational_jko.descent import Convex, Residual
from pdeflow.neural.variational_jko.dual_function import Profile
from pdeflow.neural.variational_jko.forces import force_of
from pdeflow.neural.variational_jko.forward import exact_forward_backward, forward_map
from pdeflow.neural.variational_jko.perceptron import Adam, Perceptron

COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def generator():
    return torch.Generator().manual_seed(0)


def around(internal, stretch, dim=2):
    """Balls up to `stretch` times as wide as the profile; None for Entropy."""
    if isinstance(internal, Entropy):
        return None
    radius = Profile(dim, internal.m).radius
    return Balls(dim, 1.3 * radius, 1.3 * stretch * radius)


def network(*sizes):
    net = Perceptron(sizes, generator(), torch.float64)
    net.parameters.add_(0.1 * torch.randn(net.parameters.shape, generator=generator(), dtype=torch.float64))
    return net


def test_the_closed_gradients_of_a_network_are_those_of_automatic_differentiation():
    net, x = network(3, 5, 4, 2), torch.randn(7, 3, generator=generator(), dtype=torch.float64)
    delta = torch.randn(7, 2, generator=generator(), dtype=torch.float64)
    out, activations = net(x)
    net.backward(activations, delta)
    flat, y = net.parameters.clone().requires_grad_(), x.clone().requires_grad_()
    z = y
    for i, (w, b) in enumerate(net._views(flat)):
        z = z @ w + b
        z = torch.tanh(z) if i < 2 else z
    torch.testing.assert_close(out, z.detach(), rtol=0, atol=1e-14)
    (z * delta).sum().backward()
    torch.testing.assert_close(net.gradient, flat.grad, rtol=0, atol=1e-13)
    torch.testing.assert_close(net.pull(activations, delta), y.grad, rtol=0, atol=1e-14)


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


def moving(kind):
    if kind == "icnn":
        move = Convex(np.array([1.0, 0.0]), COV, 4, Network(2, 1), None, generator(), torch.float64, "cpu")
        move.move.weight.data.add_(0.3)
        return move
    move = Residual(
        np.array([1.0, 0.0]), COV, (4, 3) if kind == "residual" else (), None, generator(), torch.float64, "cpu"
    )
    move.affine.add_(0.1 * torch.arange(6, dtype=torch.float64).view(2, 3))
    if kind == "residual":
        move.network.parameters.add_(0.1)
    return move


@pytest.mark.parametrize("kind", ["residual", "linear", "icnn"])
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


@pytest.mark.parametrize("kind", ["residual", "icnn"])
def test_the_next_step_starts_from_the_map_before_in_the_new_coordinates(kind, rng):
    move, x = moving(kind), rng.standard_normal((20, 2))
    frame = np.array([1.0, 0.0]), COV
    if kind == "icnn":
        again = Convex(*frame, 4, Network(2, 1), move.raw(), generator(), torch.float64, "cpu")
    else:
        again = Residual(*frame, (4, 3), move.raw(), generator(), torch.float64, "cpu")
    np.testing.assert_allclose(again(torch.from_numpy(x)), move(torch.from_numpy(x)), atol=1e-12)


def test_an_affine_map_knows_volume_inverse_and_composition(rng):
    first, second = AffineMap(COV, [1.0, -1.0]), AffineMap([[0.0, -1.0], [2.0, 0.0]], [0.0, 3.0])
    x = rng.standard_normal((5, 2))
    (whole,) = first.then(second)
    y, volume = whole.with_log_det(x)
    np.testing.assert_allclose(y, second(first(x)), atol=1e-13)
    np.testing.assert_allclose(volume, np.log(2 * 1.75), atol=1e-13)
    back, certificate = whole.invert(y)
    np.testing.assert_allclose(back, x, atol=1e-13)
    assert certificate.residual < 1e-14 and certificate.points == 5
    assert AffineMap([[2.0]], [1.0]).increasing and not AffineMap([[-2.0]], [1.0]).increasing and not first.increasing
    with pytest.raises(pf.Diverged, match="invertible"):
        affine_step(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(pf.BadInput, match="invertible"):
        AffineMap(np.ones((2, 2)))
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (first,))
    np.testing.assert_allclose(law.log_density(x), Gaussian([1.0, -1.0], COV @ COV).log_density(x), atol=1e-12)
    law = PushForward(Gaussian([1.0, 0.0], 0.5), (first, second))
    np.testing.assert_allclose(law.mean(), second(first(np.array([1.0, 0.0]))), atol=1e-12)
    np.testing.assert_allclose(law.cov(), 0.5 * whole.matrix @ whole.matrix.T, atol=1e-12)


@pytest.mark.parametrize("kind", ["residual", "linear"])
def test_maps_are_kept_in_files(kind, rng, tmp_path):
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (moving(kind).finished(),) * 2)
    path = pf.reference.save_flow(tmp_path / "flow.h5", law)
    again = pf.reference.load_flow(path)
    x = rng.standard_normal((5, 2))
    assert type(again.maps[1]) is type(law.maps[1]) and (again.push(x) == law.push(x)).all()
    architecture, arrays = law.to_data()
    arrays.pop("map0001.shift")
    with pytest.raises(pf.BadInput, match="'shift' is missing"):
        PushForward.from_data(architecture, arrays)


def test_a_residual_law_has_no_density_and_says_why(rng):
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (moving("residual").finished(),))
    for ask in (lambda: law.log_density(np.zeros((1, 2))), lambda: law.sample_with_log_density(3, rng)):
        with pytest.raises(pf.NotAvailable, match=r"residual network need not be invertible.*map='icnn' or 'linear'"):
            ask()
    with pytest.raises(pf.BadInput, match="widths"):
        ResidualMap.from_data(2, {"map": "ResidualMap"}, {})


@pytest.mark.parametrize("internal", [Entropy(0.7), Power(2.0, 1.5), Power(3.0)])
def test_the_force_is_the_gradient_of_what_the_bound_averages(internal, rng):
    balls = around(internal, 4.0)
    dual = Dual(internal, 2, 64, (6, 5), None, balls, generator(), torch.float64, "cpu")
    dual.network.parameters.add_(0.05)
    y = Barenblatt(2, 2.0, 1.0).sample(64, rng) @ COV
    z = dual.follow(torch.from_numpy(y))
    force, test, step = dual.force(z).numpy(), dual.finished(), 1e-6
    slope = [(test.at_law(y + step * e) - test.at_law(y - step * e)) / (2 * step) for e in np.eye(2)]
    inside = np.isfinite(
        test.log_density(y)
    )  # beyond the edge of h the force goes on, so that particles there still move
    assert inside.sum() > 40
    np.testing.assert_allclose(force[inside], np.stack(slope, axis=1)[inside], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("internal", [Entropy(), Power(3.0)])
def test_the_fit_raises_the_bound_from_below_to_the_energy_of_a_law_that_is_not_quadratic(internal, rng):
    law = pf.laws.GaussianMixture([0.4, 0.6], [-1.0, 1.0], [0.1, 0.3])
    blocks = draw_evenly(law, 64 * 256, 256, rng).reshape(64, 256, 1)
    z = (blocks.reshape(-1, 1) - law.mean()) / np.sqrt(law.cov()[0, 0])
    balls = around(internal, max(1.3, abs(z).max() / Profile(1, 3.0).radius), dim=1)
    dual = Dual(internal, 1, 256, (32, 32), None, balls, generator(), torch.float64, "cpu")
    exact = Energy(internal=internal).evaluate(law).value
    bounds = []
    for _ in range(2):
        dual.follow(torch.from_numpy(blocks.reshape(-1, 1)))
        test = dual.finished()
        value, spread = test.at_reference(np.random.default_rng(1), 100_000)
        bounds.append(test.at_law(draw_evenly(law, 100_000, 1000, rng)).mean() - value)
        for i in range(400):
            dual.climb(dual.follow(torch.from_numpy(blocks[i % 64])), 0.01 * (1 - i / 400))
    assert bounds[0] < bounds[1] < exact + 3 * spread
    assert exact - bounds[1] < 0.35 * (exact - bounds[0])  # the quadratic alone leaves a gap, most of which is closed


def test_blocks_are_even_on_the_line_and_have_the_moments_of_the_whole(rng):
    law = Barenblatt(1, 2.0, 0.1)
    x = draw_evenly(law, 1000, 100, rng)
    assert x.shape == (1000, 1)
    for block in x.reshape(10, 100):
        assert (np.floor(np.sort(law.cdf(block)) * 100) == np.arange(100)).all()
    for plane in (Barenblatt(2, 2.0, 0.1, center=[1.0, 0.0]), pf.laws.Uniform([0.0, 0.0], [1.0, 3.0])):
        center, cov = moments(draw_evenly(plane, 1000, 100, rng))
        np.testing.assert_allclose(center, plane.mean(), atol=1e-13)
        np.testing.assert_allclose(cov, plane.cov(), atol=1e-13)
    x = 1 + rng.standard_normal((400, 2)) @ COV
    center, cov = moments(x)
    blocks = matched(x, 100)
    for block in blocks:
        np.testing.assert_allclose(block.mean(axis=0), center, atol=1e-12)
        np.testing.assert_allclose(np.cov(block.T, bias=True), cov, atol=1e-12)
    few = rng.standard_normal((30, 2))
    assert (matched(few, 10).reshape(-1, 2) == few).all()  # moving so few points would deform them


def test_held_out_points_carry_their_log_density_where_there_is_one(rng):
    for law in (Gaussian([0.0, 1.0], COV), Barenblatt(2, 2.0, 1.0), pf.laws.Uniform(0.0, 1.0)):
        x, log_density = held_out(law, 64, 16, rng)
        np.testing.assert_allclose(log_density, law.log_density(x), atol=1e-12)
    assert held_out(pf.laws.Particles(np.arange(5.0)), 64, 16, rng)[1] is None


def test_the_forward_step_moves_against_potential_and_mean_force(rng):
    x, dt = rng.standard_normal((300, 2)), 0.1
    kernel, potential = pf.interactions.PowerLaw(4.0, 2.0), pf.potentials.DoubleWell(1.0, 2)
    move = forward_map(Energy(potential, None, kernel), x, dt)
    np.testing.assert_allclose(move(x), x - dt * (potential.grad(x) + mean_force(kernel, x)), atol=1e-12)
    with pytest.raises(pf.NotAvailable, match="backward"):
        PushForward(Gaussian([0.0, 0.0], 1.0), (move,)).sample_with_log_density(3, rng)
    affine = forward_map(
        Energy(pf.potentials.Quadratic(COV, 1.0), None, pf.interactions.QuadraticAttraction(0.5)), x, dt
    )
    expected = x - dt * ((x - 1) @ COV + 0.5 * (x - x.mean(axis=0)))
    assert isinstance(affine, AffineMap)
    np.testing.assert_allclose(affine(x), expected, atol=1e-12)


def test_the_exact_forward_backward_sequence_rests_at_the_exact_equilibrium():
    problem = pf.problems.ou(dim=2, seed=2, temperature=0.6, horizon=50.0)
    law = exact_forward_backward(problem, 0.25, None).final
    np.testing.assert_allclose(law.mean(), problem.energy.potential.center, atol=1e-5)
    np.testing.assert_allclose(law.cov(), 0.6 * np.linalg.inv(problem.energy.potential.matrix), atol=1e-5)
    with pytest.raises(pf.NotAvailable, match="forward-backward"):
        exact_forward_backward(pf.problems.double_well(), 0.25, None)


def test_the_force_on_a_batch_leaves_out_the_particle_itself(rng):
    y = rng.standard_normal((15, 2))  # too few to have been given the moments of the law
    energy = Energy(pf.potentials.Quadratic(COV), None, pf.interactions.GaussianAttraction())
    force = force_of(energy, 2)(torch.from_numpy(y)).numpy()
    for i in (0, 11):
        others = np.delete(y, i, axis=0)
        expected = COV @ y[i] + energy.interaction.grad(y[i] - others).mean(axis=0)
        np.testing.assert_allclose(force[i], expected, atol=1e-12)
    shared = pf.potentials.FromFunction(
        lambda x: (x**4).sum(-1), dim=2
    )  # no gradient given: through automatic differentiation
    np.testing.assert_allclose(force_of(Energy(shared), 2)(torch.from_numpy(y)), 4 * y**3, atol=1e-12)


@pytest.mark.parametrize("internal", [Entropy(0.7), Power(2.0, 1.5), Power(3.0)])
def test_an_ascent_step_has_the_gradient_of_the_bound(internal, rng):
    balls = around(internal, 4.0)
    dual = Dual(internal, 2, 64, (6, 5), None, balls, generator(), torch.float64, "cpu")
    dual.network.parameters.add_(0.05)
    start = dual.network.parameters.clone()
    z = dual.follow(torch.from_numpy(0.5 * Barenblatt(2, 2.0, 1.0).sample(64, rng)))
    dual.climb(z, 0.0)
    reference = dual.references[dual.turn].numpy()

    def bound(parameters):
        dual.network.parameters.copy_(parameters)
        value = dual.network(torch.cat([z, dual.references[dual.turn]]))[0][:, 0].numpy()
        if isinstance(internal, Entropy):
            return value[:64].mean() - np.exp(value[64:]).mean()
        m, profile = internal.m, dual.profile
        g = profile.peak * np.maximum(1 - (reference**2).sum(1) / profile.radius**2 + value[64:], 0)
        # E_P m/(m-1) g - ∫ g^(m/(m-1)), over what g of one unit is worth
        weights = dual.weights[dual.turn][:, 0].numpy()
        return value[:64].mean() - (m - 1) / m / profile.peak * (weights @ g ** (m / (m - 1)))

    step = torch.randn(start.shape, generator=generator(), dtype=torch.float64)
    slope = (bound(start + 1e-6 * step) - bound(start - 1e-6 * step)) / 2e-6
    assert -(dual.network.gradient @ step).item() == pytest.approx(slope, rel=1e-6)
