"""The force on the points of the base law, against differences of the moved density itself."""

import numpy as np
import pytest
from neural.parametric_cases import off_the_identity

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.interactions import PowerLaw, QuadraticAttraction
from pdeflow.energies.internal import Entropy, Power
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
