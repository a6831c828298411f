"""Pairs of cells: a band does the sums, the factorisation and the maxima of all pairs."""

import numpy as np
import pytest
from cvxopt_jko_cases import kkt_error

from pdeflow.grid.cvxopt_jko.pairs import AllPairs, Band, highest_reach

FIRST, END = np.array([0, 0, 1, 2, 4]), np.array([2, 3, 4, 6, 7])


def test_sums_of_a_band_are_those_of_its_matrix(rng):
    band, every = Band(7, FIRST, END), AllPairs(7, 5)
    x, c, v = rng.random(band.size), rng.random(5), rng.random(7)
    full = np.zeros((7, 5))
    full[band.rows, band.columns] = x
    assert band.size == (END - FIRST).sum() and band.width == 4
    assert np.allclose(band.row_sums(x, c), every.row_sums(full.ravel(), c), rtol=1e-14)
    assert np.allclose(band.column_sums(x), every.column_sums(full.ravel()), rtol=1e-14)
    assert np.allclose(band.column_sums(x, v), every.column_sums(full.ravel(), v), rtol=1e-14)
    weighted = np.zeros((7, 5))
    weighted[band.rows, band.columns] = band.per_row(v) * band.per_column(c)
    assert np.allclose(weighted[full > 0], np.multiply.outer(v, c)[full > 0])


@pytest.mark.parametrize("n", [7, 40])
def test_the_kkt_solver_on_a_band_against_a_dense_solve(rng, n):
    """40 rows are solved by the banded factorisation, 7 by a full one: the band is wide for them."""
    k = n - 2
    first = np.maximum(np.arange(k) - 1, 0)
    band = Band(n, first, np.minimum(first + 4, n))
    size = band.size
    p, d = rng.random(k) + 0.1, rng.random(size) + 0.2
    rows, sums = np.zeros((n, size)), np.zeros((k, size))
    rows[band.rows, np.arange(size)] = p[band.columns]
    sums[band.columns, np.arange(size)] = 1
    root = rng.standard_normal((n, 4))
    for hessian in (None, rng.random(n) + 0.1, root @ root.T):
        # condition number of the dense matrix is about 1e4
        assert kkt_error(band, p, d, hessian, rows, sums, rng) < 1e-9


def test_the_highest_reach_is_that_over_all_pairs(rng):
    x, y = np.sort(rng.random(60)), np.sort(rng.random(40))
    values = rng.random(40)
    values[rng.random(40) < 0.2] = -np.inf
    full = values - (x[:, None] - y) ** 2 / 0.02
    best, where = highest_reach(x, y, values, 0.02)
    assert np.array_equal(best, full.max(1)) and np.array_equal(where, full.argmax(1))
    best, _ = highest_reach(x, y, np.full(40, -np.inf), 0.02)
    assert np.all(best == -np.inf)


def test_a_band_is_widened_to_the_pairs_and_one_beyond():
    wider = Band(7, FIRST, END).widened(np.array([6, 0]), np.array([0, 4]))
    assert wider.first.tolist() == [0, 0, 1, 2, 0] and wider.end.tolist() == [7, 3, 4, 6, 7]
