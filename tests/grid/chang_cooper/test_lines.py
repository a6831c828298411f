"""Elimination along all lines of a grid in one direction."""

import numpy as np
import pytest

from pdeflow.grid.chang_cooper import elimination, lines
from pdeflow.grid.chang_cooper.rates import bernoulli


def swept(cells, values, rate, order, repeat=1, temperature=1.0):
    """The masses (a, n, b) after `repeat` steps, and the smallest cell."""
    count = cells.shape[0] * cells.shape[2]
    tiles = -(-count // lines.TILE)
    factors = np.empty((tiles, 4 * cells.shape[1] * lines.TILE))
    lines.factor(0, tiles, values, temperature, rate, factors)
    cells, least = cells.copy(), np.empty(tiles)
    lines.sweep(0, tiles, cells, factors, repeat, order, least)
    return cells, least.min()


@pytest.mark.parametrize("w", [0.0, 1e-300, 9.9e-5, 1.01e-4, 0.3, 5.0, 699.0, 701.0, 1e4])
def test_rate_factors_are_those_of_the_line(w):
    up, down = float(bernoulli(w)), float(bernoulli(-w))
    assert lines.rate_factors(0.0, 2 * w, 2.0) == pytest.approx((up, down), rel=1e-14, abs=1e-300)
    assert lines.rate_factors(2 * w, 0.0, 2.0) == pytest.approx((down, up), rel=1e-14, abs=1e-300)
    assert lines.rate_factors(np.inf, 0.0, 1.0) == lines.rate_factors(0.0, np.inf, 1.0) == (0.0, 0.0)
    assert lines.rate_factors(np.inf, np.inf, 1.0) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 40, 37), (37, 40, 1), (3, 40, 11), (2, 3, 16)])
@pytest.mark.parametrize("order", [1, 2])
def test_every_line_is_solved_as_on_the_line(shape, order):
    """Full tiles, tiles that are filled up, and lines in any direction."""
    rng = np.random.default_rng(0)
    values, cells = 3 * rng.standard_normal(shape), rng.random(shape)
    cells /= cells.sum()
    after, least = swept(cells, values, 2.0, order, repeat=3)
    step = elimination.implicit_euler if order == 1 else elimination.second_order
    for i in range(shape[0]):
        for k in range(shape[2]):
            w = np.diff(values[i, :, k])
            factors = elimination.factor(2.0 * bernoulli(w), 2.0 * bernoulli(-w), 1.0)
            line, _ = step(cells[i, :, k], factors, 3)
            # the line is eliminated from both ends, so only round-off may differ
            np.testing.assert_allclose(after[i, :, k], line, atol=1e-15)
    assert after.sum() == pytest.approx(1, abs=1e-13)
    assert least <= after.min()


def test_positive_cells_keep_a_small_relative_error_and_walls_close():
    """Over 260 orders of magnitude, with rates of 1e9: the fixed point exp(-V) stays to round-off in every cell."""
    x = np.linspace(-24, 24, 200)
    values = np.broadcast_to(x**2, (9, 200)).reshape(9, 200, 1).copy()
    weight = np.exp(-values)
    after, least = swept(weight, values, 1e9, 1, repeat=5)
    np.testing.assert_allclose(after, weight, rtol=1e-11)
    assert least >= 0
    values[:, 100] = np.inf
    mass = np.zeros_like(weight)
    mass[:, 20] = 1.0
    after, _ = swept(mass, values, 1e9, 1)
    assert after[:, 100:].max() == 0 and after[:, :100].sum() == pytest.approx(9, abs=1e-12)
