"""λ^q ∇log λ at draws of a law: against differences of its density, for products and laws moved by maps."""

import numpy as np
import pytest
from neural.parametric_cases import off_the_identity

import pdeflow as pf
from pdeflow.energies.internal import Entropy, InternalEnergy, Power
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, Law, Product, Ring, Uniform
from pdeflow.neural import Planar
from pdeflow.neural.parameter_flow.weighted_score import (
    density_powers,
    draw_with_scores,
    require_finite_dissipation,
    with_scores,
)

LINE = off_the_identity(Planar(2), Gaussian(0.5, 0.4), np.full(1, 0.5), np.full((1, 1), 0.6), 1)[2]
PLANE = GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], [0.3, 0.5])
LAWS = {
    "gaussian": Gaussian([0.1, 0.2], [[1.0, 0.3], [0.3, 0.8]]),
    "mixture": PLANE,
    "product with an edge": Product([Barenblatt(1, 1.8, 0.3), Gaussian(0.5, 0.4)]),
    "moved": off_the_identity(Planar(2), PLANE, np.zeros(2), np.eye(2), 5)[2],
    "moved twice": off_the_identity(
        Planar(1), off_the_identity(Planar(2), PLANE, np.zeros(2), np.eye(2), 5)[2], np.zeros(2), np.eye(2), 6
    )[2],
    "product with a moved law": Product([LINE, Gaussian(-0.5, 0.3)]),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_scores_are_the_differences_of_the_density(law, rng):
    powers = (0.0, 1.5)
    drawn, step = draw_with_scores(law, 30, rng, powers), 1e-5
    density = np.exp(law.log_density(drawn.x))
    np.testing.assert_allclose(drawn.log_density, np.log(density), rtol=1e-9, atol=1e-9)
    inside = density > 0.05 * density.max()  # away from an edge, where differences are not good
    differences = np.stack(
        [(law.log_density(drawn.x + step * e) - law.log_density(drawn.x - step * e)) / (2 * step) for e in np.eye(2)],
        axis=1,
    )
    for power, found in zip(powers, drawn.scores, strict=True):
        assert found.power == power
        np.testing.assert_allclose(found.weight, density**power, rtol=1e-8)
        wanted = density[inside, None] ** power * differences[inside]
        np.testing.assert_allclose(found.score[inside], wanted, rtol=1e-4, atol=1e-5)


def test_draws_are_those_of_the_law_itself():
    for law in LAWS.values():
        drawn = draw_with_scores(law, 20, np.random.default_rng(1), (0.0,))
        np.testing.assert_allclose(drawn.x, law.sample(20, np.random.default_rng(1)), rtol=1e-12, atol=1e-12)


def test_the_weighted_score_of_a_profile_is_finite_at_its_edge():
    law = Barenblatt(1, 2.0, 0.3)
    edge = np.array([[law.radius * (1 - 1e-15)]])
    score = with_scores(law, edge, (1.0,)).scores[0].score
    slope = -2 * law.k / law.scale**2 * law.scale**-1 * edge  # for m = 2 the density is a parabola: λ ∇log λ = ∇λ
    np.testing.assert_allclose(score, slope, rtol=1e-9)


class Exponential(InternalEnergy):
    """U(r) = e^r - 1, which is no sum of powers."""

    def value(self, r):
        return np.expm1(r)

    def pressure(self, r):
        return r * np.exp(r) - np.expm1(r)


class ExponentialWithCurvature(Exponential):
    def second_derivative(self, r):
        return np.exp(r)


def test_powers_of_the_density():
    assert density_powers(Entropy(2.0)) == (0.0,) and density_powers(Power(2.5)) == (1.5,)
    assert density_powers(Entropy() + Power(3, 0.5)) == (0.0, 2.0)
    assert density_powers(ExponentialWithCurvature()) == (0.0,)
    with pytest.raises(pf.Unsupported, match="m > 1"):
        density_powers(Entropy() + Power(0.5))
    with pytest.raises(pf.Unsupported, match="second_derivative"):
        density_powers(Exponential())


@pytest.mark.parametrize(
    "law", [Uniform(-1, 1), Barenblatt(1, 2.0, 0.1), Product([Gaussian(0, 1), Uniform(0, 1)])], ids=repr
)
def test_a_law_that_dissipates_infinitely_is_refused(law):
    with pytest.raises(pf.Unsupported, match="edge"):
        require_finite_dissipation(law, (0.0,))


def test_a_steeper_internal_energy_takes_a_profile_that_the_entropy_does_not():
    require_finite_dissipation(Barenblatt(1, 2.0, 0.1), (1.0,))
    with pytest.raises(pf.Unsupported, match="edge"):
        require_finite_dissipation(Barenblatt(1, 2.0, 0.1), (0.0, 1.0))


class Logistic(Law):
    """A user's law on the line, with its score."""

    dim = 1

    def sample(self, n, rng):
        return rng.logistic(size=(n, 1))

    def log_density(self, x):
        return -x[:, 0] - 2 * np.log1p(np.exp(-x[:, 0]))

    def score(self, x, power=0.0):
        return -np.tanh(x / 2) * np.exp(power * self.log_density(x))[:, None]


def test_a_law_of_ones_own_needs_a_score(rng):
    drawn = draw_with_scores(Logistic(), 20, rng, (0.0, 1.0))
    np.testing.assert_allclose(
        drawn.scores[1].score, drawn.scores[0].score * np.exp(drawn.log_density)[:, None], rtol=1e-12
    )
    with pytest.raises(pf.Unsupported, match="score"):
        draw_with_scores(Ring(1.0, [0.0, 0.0]), 20, rng, (0.0,))


def test_a_map_that_carries_no_score_is_named(rng):
    class Shear(pf.laws.Map):
        dim = 2

        def __call__(self, x):
            return x + np.stack([np.sin(x[:, 1]), 0 * x[:, 1]], axis=1)

    moved = pf.laws.PushForward(PLANE, [Shear()])
    with pytest.raises(pf.Unsupported, match=r"moved by Shear\. It has no with_score"):
        require_finite_dissipation(moved, (0.0,))
