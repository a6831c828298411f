"""Row sums over pairs, against matrices of pairs."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pdeflow.metrics.pair_kernels import kernel_rows, stein_rows


@pytest.fixture(params=[1, 3, 40])
def clouds(request, rng):
    x, y = rng.standard_normal((300, request.param)), rng.standard_normal((200, request.param)) + 0.3
    weights = rng.random(200)
    return x, y, weights / weights.sum(), cdist(x, y)


@pytest.mark.parametrize("rates", [[], [0.5], [0.02, 0.3, 2.0]])
def test_rows_of_distances_and_of_gaussian_kernels(clouds, rates):
    x, y, weights, gaps = clouds
    matrix = np.mean([np.exp(-rate * gaps**2) for rate in rates], axis=0) if rates else -gaps
    sums, squares = kernel_rows(x, y, weights, np.array(rates))
    np.testing.assert_allclose(sums, matrix @ weights, rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(squares, matrix**2 @ weights, rtol=1e-13, atol=1e-300)


def test_rows_of_the_stein_kernel_against_finite_differences(rng):
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((7, 2))
    mine, other, rate, step = -1.3 * x + 0.1, -1.3 * y + 0.1, 0.7, 1e-4
    kernel = lambda a, b: (1 + rate * np.sum((a[:, None] - b[None]) ** 2, axis=-1)) ** -0.5  # noqa: E731
    value = (mine @ other.T) * kernel(x, y)
    for i, e in enumerate(step * np.eye(2)):
        value += mine[:, None, i] * (kernel(x, y + e) - kernel(x, y - e)) / (2 * step)
        value += other[None, :, i] * (kernel(x + e, y) - kernel(x - e, y)) / (2 * step)
        both = kernel(x + e, y + e) - kernel(x + e, y - e) - kernel(x - e, y + e) + kernel(x - e, y - e)
        value += both / (4 * step**2)
    weights = np.full(7, 1 / 7)
    sums, squares = stein_rows(x, mine, y, other, weights, rate)
    np.testing.assert_allclose(sums, value @ weights, atol=1e-7)  # central differences: step² and 1e-16/step²
    np.testing.assert_allclose(squares, value**2 @ weights, atol=1e-7)


def test_the_bits_do_not_depend_on_how_rows_are_shared_among_threads(rng):
    x, weights, few = rng.standard_normal((1000, 3)), np.full(1000, 1e-3), 50
    whole = kernel_rows(x, x, weights, np.array([0.5]))[0]
    assert np.array_equal(whole[:few], kernel_rows(x[:few], x, weights, np.array([0.5]))[0])
