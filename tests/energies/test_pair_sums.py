"""Compiled sums over a cloud: moments and pairs against numpy."""

import numpy as np
import pytest

from pdeflow._core.compiled import BLOCK
from pdeflow.energies.pair_sums import (
    block_moments,
    block_sums,
    moment_force,
    pair_energy,
    pair_force,
)


def blocks_of(n):
    return -(-n // BLOCK)


def test_moments_by_blocks(rng):
    x, weights = rng.normal(size=(300, 3)) + 1.0, rng.random(300)
    n = blocks_of(300)
    sums, second, third, fourth = np.zeros((n, 3)), np.zeros((n, 3, 3)), np.zeros((n, 3)), np.zeros(n)
    block_sums(0, n, x, weights, sums)
    np.testing.assert_allclose(sums.sum(axis=0), weights @ x, rtol=1e-13)
    mean = weights @ x / weights.sum()
    block_moments(0, n, x, weights, mean, second, third, fourth)
    y = x - mean
    size = np.sum(y * y, axis=1)
    np.testing.assert_allclose(second.sum(axis=0), np.einsum("p,pi,pj->ij", weights, y, y), rtol=1e-12)
    np.testing.assert_allclose(third.sum(axis=0), (weights * size) @ y, rtol=1e-11, atol=1e-12)
    assert fourth.sum() == pytest.approx(weights @ size**2, rel=1e-13)
    force, second, third = np.zeros_like(y), second.sum(axis=0), third.sum(axis=0)
    moment_force(0, n, x, mean, second, third, 0.7, 0.3, force)
    by_hand = 0.7 * y + 0.3 * ((size + np.trace(second))[:, None] * y + 2 * y @ second - third)
    np.testing.assert_allclose(force, by_hand, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, -1.0, -2.0, 0.7])
def test_pairs_by_blocks(exponent, rng):
    """φ(r) = c r^p + slope exp(-rate r²), and coincident points exert no force."""
    x, weights = rng.normal(size=(200, 2)), rng.random(200)
    x[5], weights[7] = x[150], 0.0
    powers, slope, rate = np.array([[0.6, exponent]]), 0.4, 1.3
    z = x[:, None] - x
    r = np.sqrt(np.sum(z * z, axis=2))
    apart = np.where(r > 0, r, 1.0)
    force = np.zeros_like(x)
    pair_force(0, blocks_of(200), x, x, weights, 200, powers, slope, rate, force)
    factor = np.where(r > 0, 0.6 * apart**exponent + slope * np.exp(-rate * r * r), 0.0)
    np.testing.assert_allclose(force, np.einsum("j,ij,ijk->ik", weights, factor, z) / 200, rtol=1e-11, atol=1e-13)
    x[5] += 1e-3  # a singular energy of coincident points is infinite
    r = np.sqrt(np.sum((x[:, None] - x) ** 2, axis=2)) + np.eye(200)
    sums = np.zeros(blocks_of(200))
    pair_energy(0, blocks_of(200), x, weights, powers, 0.2, slope, rate, True, sums)
    pairs = 0.6 * r**exponent + 0.2 * np.log(r) + slope * np.exp(-rate * r * r)
    np.fill_diagonal(pairs, 0.0)
    assert sums.sum() == pytest.approx(0.5 * weights @ pairs @ weights, rel=1e-11)
