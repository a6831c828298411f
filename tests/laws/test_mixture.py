"""Finite mixtures of Gaussians."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.potentials import MixturePotential
from pdeflow.laws import Gaussian, GaussianMixture

MIXTURE = GaussianMixture([0.25, 0.0, 0.75], [[0.0, 3.0], [9.0, 9.0], [1.0, -1.0]], [np.diag([1.0, 0.5])] * 3)


def test_the_score_is_that_of_the_potential_whose_equilibrium_it_is(rng):
    x = MIXTURE.sample(30, rng)
    assert np.allclose(MIXTURE.score(x), -MixturePotential(MIXTURE).grad(x), rtol=1e-14, atol=1e-14)
    assert np.isfinite(MIXTURE.score(np.array([[1e3, -1e3]]))).all()  # where every component underflows


def test_one_component_with_all_the_weight_is_a_gaussian():
    alone = GaussianMixture([0.0, 1.0], [1.0, 2.0], [3.0, 4.0])
    assert alone.as_gaussian() is alone.components[1] and MIXTURE.as_gaussian() is None
    weights, parts = MIXTURE.gaussian_components()
    assert weights.tolist() == [0.25, 0.0, 0.75] and len(parts) == 3


def test_means_on_the_line_go_component_by_component():
    apart = GaussianMixture([0.5, 0.5], [-40.0, 40.0], 0.01)
    square = apart.mean_of(lambda x: x[:, 0] ** 2)
    assert square.value == pytest.approx(1600.01, rel=1e-13) and square.how == "quadrature"
    assert MIXTURE.mean_of(lambda x: x[:, 0]) is None  # in the plane only sampling is left


def test_cell_masses_of_diagonal_components_are_sums_of_products():
    axes = np.array([-1.0, 0.5, 2.0]), np.array([-2.0, 0.0, 4.0])
    cells = MIXTURE.cell_masses(axes)
    expected = 0.25 * MIXTURE.components[0].cell_masses(axes).mass + 0.75 * MIXTURE.components[2].cell_masses(axes).mass
    assert np.array_equal(cells.mass, expected)
    tilted = GaussianMixture([0.5, 0.5], [[0.0, 0.0]] * 2, [np.eye(2), [[1.0, 0.5], [0.5, 1.0]]])
    assert tilted.cell_masses(axes) is None


def test_projections_are_mixtures():
    flat = MIXTURE.projected(np.array([0.6, 0.8]))
    assert flat.means[:, 0] == pytest.approx(MIXTURE.means @ [0.6, 0.8], rel=1e-15)
    assert flat.covs[0, 0, 0] == pytest.approx(0.36 + 0.64 * 0.5, rel=1e-15)


def test_projections_and_differences_of_narrow_components_keep_their_spread():
    """Across N(0, R Rᵀ) with spreads 1 and 1e-8 between the axes the covariance itself has lost the narrow one."""
    narrow = Gaussian.from_root([0.0, 0.0], [[1.0, -1e-8], [1.0, 1e-8]])
    law = GaussianMixture.of_components(np.array([0.5, 0.5]), [narrow, Gaussian([0.0, 0.0], 1.0)])
    across = law.projected(np.array([-1.0, 1.0]))
    assert across.components[0].root()[0, 0] == pytest.approx(2e-8, rel=1e-7)  # what is left in R's own entries
    gap = law.difference()
    assert np.array_equal(gap.weights, np.full(4, 0.25))
    ours, mixed = gap.components[0].root(), gap.components[1].cov()
    assert np.linalg.det(ours) == pytest.approx(2 * 2e-8, rel=1e-7)
    assert np.array_equal(mixed, narrow.cov() + np.eye(2))


def test_a_covariance_that_is_none_is_named_by_its_place():
    with pytest.raises(pf.BadInput, match=r"^covs\[1\] is not positive definite"):
        GaussianMixture([0.5, 0.5], [0.0, 1.0], [1.0, -1.0])
    with pytest.raises(pf.BadInput, match=r"^covs\[0\] has shape \(2,\)"):
        GaussianMixture([0.5, 0.5], [[0.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [1.0, 2.0]])
