"""The force on the points of the base law, against differences of the moved density itself."""

import numpy as np
import pytest
from neural.parametric_cases import off_the_identity

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.interactions import PowerLaw, QuadraticAttraction
from pdeflow.energies.internal import Entropy, InternalEnergy, Power
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, Product
from pdeflow.neural import Affine, Planar
from pdeflow.neural.maps.parametric import build
from pdeflow.neural.parameter_flow.base_points import draw_base_points

MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], [0.3, 0.5])
LAWS = {
    "mixture": MIXTURE,
    "product with an edge": Product([Barenblatt(1, 1.8, 0.3), Gaussian(0.5, 0.4)]),
    "moved": off_the_identity(Planar(2), MIXTURE, np.zeros(2), np.eye(2), 5)[2],
    "product with a moved law": Product(
        [
            off_the_identity(Planar(2), Gaussian(0.5, 0.4), np.full(1, 0.5), np.full((1, 1), 0.6), 1)[2],
            Gaussian(-0.5, 0.3),
        ]
    ),
}


@pytest.mark.parametrize("internal", [Entropy(0.7), Power(2.5, 1.3)])
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_the_force_is_the_gradient_of_the_first_variation(internal, law):
    """Against differences of U'(ρ) along the moved density itself."""
    points = draw_base_points(law, 40, np.random.default_rng(2), internal)
    family, theta, moved = off_the_identity(Planar(3), law, points.center, points.root, 0)
    tangent = family.tangent(theta, points.points)
    force, energy, _ = points.force(Energy(internal=internal), tangent)
    if isinstance(law, pf.laws.PushForward):
        moved = pf.laws.PushForward(law.base, (*law.maps, *moved.maps))
    x, h = tangent.value.numpy(), 1e-5

    def variation(at):
        log = moved.log_density(at)
        return 0.7 * log if isinstance(internal, Entropy) else 1.3 * 2.5 / 1.5 * np.exp(1.5 * log)

    differences = np.stack([(variation(x + h * e) - variation(x - h * e)) / (2 * h) for e in np.eye(2)], axis=1)
    inside = np.abs(points.points[:, 0].numpy()) < 0.9 * getattr(getattr(law, "laws", [None])[0], "radius", np.inf)
    np.testing.assert_allclose(force.numpy()[inside], differences[inside], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(energy, internal.per_mass_of_log(moved.log_density(x)).mean(), rtol=1e-10)


def test_interaction_energy_and_its_standard_error():
    law, kernel = Gaussian([0.0, 0.0], 0.5), PowerLaw(4, 2)  # energy 1/2 exactly
    points = draw_base_points(law, 4000, np.random.default_rng(0), None)
    family = build(Affine(), points.center, points.root)
    _, energy, stderr = points.force(Energy(interaction=kernel), family.tangent(family.start(None), points.points))
    assert abs(energy - Energy(interaction=kernel).evaluate(law).value) < 4 * stderr and 0.01 < stderr < 0.05
    # the standard deviation of W*ρ, not of half of it: for |z|²/2 that of (|x|² + tr Σ)/2
    energies = Energy(interaction=QuadraticAttraction(1.0))
    _, _, stderr = points.force(energies, family.tangent(family.start(None), points.points))
    np.testing.assert_allclose(stderr, 0.5 / np.sqrt(4000), rtol=0.05)


class Cubic(InternalEnergy):
    """A user's U(r) = r³/2, that is Power(3), told by its second derivative alone."""

    def value(self, r):
        return r**3 / 2

    def pressure(self, r):
        return r**3

    def second_derivative(self, r):
        return 3 * r


def forces(internal, law):
    points = draw_base_points(law, 200, np.random.default_rng(2), internal)
    family, theta, _ = off_the_identity(Planar(3), law, points.center, points.root, 0)
    return points.force(Energy(internal=internal), family.tangent(theta, points.points))


def test_the_force_of_a_sum_is_the_sum_of_the_forces():
    parts = [forces(internal, MIXTURE) for internal in (Entropy(0.7), Power(2.5, 1.3))]
    force, energy, _ = forces(Entropy(0.7) + Power(2.5, 1.3), MIXTURE)
    np.testing.assert_allclose(force, parts[0][0] + parts[1][0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(energy, parts[0][1] + parts[1][1], rtol=1e-12)


def test_an_internal_energy_of_ones_own_gives_the_force_of_the_power_that_it_is():
    for mine, theirs in zip(forces(Cubic(), MIXTURE), forces(Power(3.0), MIXTURE)):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def test_an_affine_image_of_a_gaussian_is_drawn_as_the_gaussian_that_it_is():
    moved = pf.laws.PushForward(Gaussian([0.0, 0.0], 1.0), [pf.laws.AffineMap([[2.0, 1.0], [0.0, 1.0]], [1.0, 0.0])])
    points = draw_base_points(moved, 500, np.random.default_rng(0), Entropy())
    x = points.points.numpy()
    np.testing.assert_allclose(x.mean(axis=0), [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(np.cov(x.T, bias=True), [[5.0, 1.0], [1.0, 1.0]], atol=1e-12)
    assert points.law is moved


def test_a_law_in_a_subspace_is_refused():
    flat = pf.laws.Particles([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(pf.Unsupported, match="subspace"):
        draw_base_points(flat, 100, np.random.default_rng(0), None)
