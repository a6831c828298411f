"""The sums over pairs against the plain formula, and the median against numpy's."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.particle.svgd import kernel_sums


def plain(x, pull, temperature, kernel, slope):
    """(1/n) Σ_j [k(x_j, x_i) pull_j + T ∇_{x_j} k(x_j, x_i)] by its definition."""
    return np.array(
        [np.mean([kernel(a, b) * p + temperature * slope(a, b) for a, p in zip(x, pull, strict=True)], 0) for b in x]
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])  # some ten units of round-off
def test_the_direction_is_that_of_the_definition(dtype, tolerance, monkeypatch):
    monkeypatch.setattr(kernel_sums, "ROWS", 32)  # several tiles, the last one not whole
    rng = np.random.default_rng(0)
    x, pull = rng.standard_normal((2, 100, 3))
    x += 1000.0  # the offset takes no digits of float32: the cloud is centred
    found = kernel_sums.gaussian_direction(x, pull, 0.7, 1.3, dtype)
    expected = plain(
        x,
        pull,
        0.7,
        lambda a, b: np.exp(-np.sum((a - b) ** 2) / 1.3),
        lambda a, b: (2 / 1.3) * (b - a) * np.exp(-np.sum((a - b) ** 2) / 1.3),
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_the_linear_direction_is_that_of_the_definition():
    rng = np.random.default_rng(1)
    x, pull = rng.standard_normal((2, 40, 3))
    expected = plain(x, pull, 0.7, lambda a, b: a @ b + 1, lambda a, b: b)
    np.testing.assert_allclose(kernel_sums.linear_direction(x, pull, 0.7), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 40, 700, 1500])
def test_the_median_is_that_of_all_pairs(n):
    x = np.random.default_rng(n).standard_normal((n, 2)) ** 3
    x[: n // 10] += 1e3  # two groups: the sample's guess need not be good
    squares = np.sum((x[:, None] - x[None]) ** 2, axis=-1)[np.triu_indices(n, 1)]
    expected = np.sort(squares)[(len(squares) - 1) // 2]
    assert kernel_sums.median_squared_distance(x, "float64") == pytest.approx(expected, rel=1e-9)


def test_a_sample_that_misleads_is_found_out_by_the_count():
    """Every third of 1,536 points, which are those of the sample, lies in a narrow cluster."""
    x = np.random.default_rng(0).standard_normal((1536, 1))
    x[np.linspace(0, 1535, kernel_sums.SAMPLE).astype(int)] *= 1e-3
    squares = ((x - x.T) ** 2)[np.triu_indices(1536, 1)]
    expected = np.sort(squares)[(len(squares) - 1) // 2]
    assert kernel_sums.median_squared_distance(x, "float64") == pytest.approx(expected, rel=1e-9)


def test_points_that_coincide_have_no_median():
    with pytest.raises(pf.BadInput, match="half of the pairs coincide"):
        kernel_sums.median_squared_distance(np.zeros((20, 2)), "float64")
