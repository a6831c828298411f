"""Gaussian laws."""

import numpy as np
import pytest

from pdeflow._core.errors import BadInput
from pdeflow.laws import AffineMap, Gaussian, PushForward
from pdeflow.laws.maps import Map

TILTED = Gaussian([1.0, -2.0], [[2.0, 0.6], [0.6, 0.5]])


def test_quantiles_and_density_by_hand():
    law = Gaussian(1.0, 4.0)
    assert law.quantile(np.array([0.5, 0.8413447460685429])) == pytest.approx([1.0, 3.0], rel=1e-14)
    assert law.log_density(np.array([[3.0]]))[0] == pytest.approx(-0.5 - 0.5 * np.log(8 * np.pi), rel=1e-15)
    assert law.entropy() == pytest.approx(0.5 * np.log(8 * np.pi * np.e), rel=1e-15)
    assert law.power_integral(2.0) == pytest.approx(1 / (2 * 2 * np.sqrt(np.pi)), rel=1e-14)


def test_the_score_pulls_to_the_mean():
    x = np.array([[2.0, -2.0], [1.0, -2.0]])
    expected = -np.linalg.inv(TILTED.cov()) @ [1.0, 0.0]
    assert np.allclose(TILTED.score(x), [expected, [0.0, 0.0]], rtol=1e-14)
    weighted = TILTED.score(x, 0.5)[0]
    assert np.allclose(weighted, expected * np.exp(0.5 * TILTED.log_density(x[:1])[0]), rtol=1e-14)


def test_an_affine_map_makes_a_gaussian_and_another_map_does_not():
    class Shear(Map):
        dim = 2

        def __call__(self, x):
            return x + np.sin(x[:, ::-1])

    matrix, shift = np.array([[0.5, 1.0], [0.0, 2.0]]), np.array([3.0, 0.0])
    moved = TILTED.pushed(AffineMap(matrix, shift))
    assert isinstance(moved, Gaussian) and moved.mean() == pytest.approx(matrix @ [1.0, -2.0] + shift, rel=1e-15)
    assert np.allclose(moved.cov(), matrix @ TILTED.cov() @ matrix.T, rtol=1e-15)
    assert isinstance(TILTED.pushed(Shear()), PushForward)


def test_blocks_need_a_block_diagonal_covariance():
    assert TILTED.blocks([1, 1]) is None and TILTED.blocks([2]) == (TILTED,) and TILTED.blocks([1]) is None
    law = Gaussian(np.arange(3.0), np.diag([1.0, 2.0, 3.0]))
    first, rest = law.blocks([1, 2])
    assert first.cov().tolist() == [[1.0]] and rest.mean().tolist() == [1.0, 2.0]


def test_fourth_moment_of_a_pair():
    # X - Y ~ N(0, 2C): E|X - Y|^4 = (tr 2C)² + 2 |2C|²
    assert TILTED.mean_pair_power(4.0).value == pytest.approx(25 + 2 * 4 * (4 + 2 * 0.36 + 0.25), rel=1e-14)
    assert TILTED.mean_pair_power(3.0) is None


def test_a_truth_value_is_no_number():
    with pytest.raises(BadInput, match="mean is an array of bool"):
        Gaussian(True, 1.0)
