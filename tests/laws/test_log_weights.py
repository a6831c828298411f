"""Likelihoods and other weights: Kalman's update, and what is no weight."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import AffineMap, Gaussian, GaussianLikelihood, Particles, reweighted, reweighting
from pdeflow.laws.log_weights import PathWeight, effective_size


def test_the_kalman_update_in_several_dimensions():
    """Against conditioning the joint law of (x, y) by its blocks."""
    rng = np.random.default_rng(0)
    root, matrix, noise = rng.standard_normal((3, 3)), rng.standard_normal((2, 3)), np.array([[0.5, 0.1], [0.1, 0.3]])
    law, y = Gaussian(rng.standard_normal(3), root @ root.T + np.eye(3)), np.array([0.3, -1.0])
    found = reweighting(law, GaussianLikelihood(y, noise, matrix))
    joint = matrix @ law.cov() @ matrix.T + noise
    gain = law.cov() @ matrix.T @ np.linalg.inv(joint)
    # 1e-12: matrices of condition below 100
    np.testing.assert_allclose(found.law.mean(), law.mean() + gain @ (y - matrix @ law.mean()), atol=1e-12)
    np.testing.assert_allclose(found.law.cov(), law.cov() - gain @ matrix @ law.cov(), atol=1e-12)
    there = Gaussian(matrix @ law.mean(), (joint + joint.T) / 2).log_density(y[None])[0]
    assert found.log_mean_weight == pytest.approx(there, abs=1e-12)


def test_weights_along_a_path_see_each_place():
    half, plus = AffineMap([[0.5]]), AffineMap([[1.0]], [3.0])
    weight = PathWeight(
        (half, plus), ((0, lambda x: x[:, 0]), (1, lambda x: 10 * x[:, 0]), (2, lambda x: 100 * x[:, 0]))
    )
    x = np.linspace(0.0, 2.0, 20_000)[:, None]  # more points than are pushed at a time
    np.testing.assert_allclose(weight(x), x[:, 0] + 5 * x[:, 0] + 100 * (x[:, 0] / 2 + 3), rtol=1e-15)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (lambda x: np.full(len(x), np.nan), "nan at x"),
        (lambda x: np.full(len(x), np.inf), "inf at x"),
        (lambda x: x, r"shape \(3, 1\)"),
        (lambda x: np.full(len(x), -np.inf), "zero wherever"),
    ],
)
def test_weights_that_are_none_are_refused(weight, words):
    with pytest.raises(pf.errors.BadInput, match=words):
        reweighted(Particles([0.0, 1.0, 2.0]), weight)


def test_an_observation_of_another_dimension_is_refused():
    with pytest.raises(pf.errors.BadInput, match="dimension 2"):
        reweighted(Gaussian(0.0, 1.0), GaussianLikelihood([0.0, 1.0], 1.0))


def test_the_effective_size_is_a_number_of_draws_in_any_unit():
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7.0, rel=1e-14)
    assert effective_size(np.array([0.0, 2.0, 0.0])) == 1.0
    assert effective_size(np.array([3.0, 1.0])) == pytest.approx(1.6, rel=1e-14)
