"""The test function in training: its force, its ascent, what its fit gains."""

import numpy as np
import pytest
import torch
from neural.variational_jko.parts import COV, around, dual_in_training, generator

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, Power
from pdeflow.laws import Barenblatt
from pdeflow.neural.particles import draw_evenly
from pdeflow.neural.variational_jko.dual_function import Profile

SUM = Entropy(0.7) + Power(2.0, 1.5) + Power(3.0)
TERMS = {Entropy(0.7): (0.7, ()), SUM: (0.7, ((1.5, 2.0), (1.0, 3.0)))}


@pytest.mark.parametrize("internal", [Entropy(0.7), Power(2.0, 1.5), Power(3.0), SUM])
def test_the_force_is_the_gradient_of_what_the_bound_averages(internal, rng):
    balls = around(internal, 4.0)
    dual = dual_in_training(internal, 2, 64, (6, 5), balls)
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


@pytest.mark.parametrize("internal", [Entropy(0.7), Power(2.0, 1.5), Power(3.0), SUM])
def test_an_ascent_step_has_the_gradient_of_the_bound(internal, rng):
    balls = around(internal, 4.0)
    dual = dual_in_training(internal, 2, 64, (6, 5), balls)
    dual.network.parameters.add_(0.05)
    start = dual.network.parameters.clone()
    z = dual.follow(torch.from_numpy(0.5 * Barenblatt(2, 2.0, 1.0).sample(64, rng)))
    dual.climb(z, 0.0)
    reference = dual.references[dual.turn].numpy()

    def bound(parameters):
        dual.network.parameters.copy_(parameters)
        value = dual.network(torch.cat([z, dual.references[dual.turn]]))[0][:, 0].numpy()
        if dual.family.profile is None:
            # E_P of U'(g) - U'(μ) and E_μ of (p(g) - p(μ))/μ, over the temperature
            points, (temperature, powers) = torch.cat([z, dual.references[dual.turn]]).numpy(), TERMS[internal]
            log_mu = -(points**2).sum(1) / 2 - np.log(2 * np.pi) - np.log(np.diag(dual.frame[1].numpy())).sum()
            out = value[:64].mean() - np.exp(value[64:]).mean()
            for c, m in powers:
                g = np.exp((m - 1) * (log_mu + value))
                out += c / temperature * (m / (m - 1) * g[:64].mean() - (g * np.exp(value))[64:].mean())
            return out
        m, profile = internal.m, dual.family.profile
        g = profile.peak * np.maximum(1 - (reference**2).sum(1) / profile.radius**2 + value[64:], 0)
        # E_P m/(m-1) g - ∫ g^(m/(m-1)), over what g of one unit is worth
        weights = dual.weights[dual.turn][:, 0].numpy()
        return value[:64].mean() - (m - 1) / m / profile.peak * (weights @ g ** (m / (m - 1)))

    step = torch.randn(start.shape, generator=generator(), dtype=torch.float64)
    slope = (bound(start + 1e-6 * step) - bound(start - 1e-6 * step)) / 2e-6
    assert -(dual.network.gradient @ step).item() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("internal", [Entropy(), Power(3.0), Entropy(0.5) + Power(2.0)])
def test_the_fit_raises_the_bound_from_below_to_the_energy_of_a_law_that_is_not_quadratic(internal, rng):
    law = pf.laws.GaussianMixture([0.4, 0.6], [-1.0, 1.0], [0.1, 0.3])
    blocks = draw_evenly(law, 64 * 256, 256, rng).reshape(64, 256, 1)
    z = (blocks.reshape(-1, 1) - law.mean()) / np.sqrt(law.cov()[0, 0])
    balls = around(internal, max(1.3, abs(z).max() / Profile(1, 3.0).radius), dim=1)
    dual = dual_in_training(internal, 1, 256, (32, 32), balls)
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
