"""Sums over near particles against all pairs."""

from itertools import pairwise

import numpy as np
import pytest

from pdeflow.particle.blob.neighbour_sums import in_columns, near_sums


def sums(x, mass, factor, reach, rate, forces, parts=1):
    columns, n = in_columns(x, reach), len(x)
    out = np.full((n, x.shape[1] if forces else 1), np.nan)
    place = (columns.x, columns.starts, columns.shape, columns.low, columns.width, reach, rate)
    cuts = np.linspace(0, len(columns.groups), parts + 1).astype(int)
    for begin, end in pairwise(cuts):
        near_sums(begin, end, columns.groups, *place, mass[columns.order], factor[columns.order], forces, out)
    back = np.empty_like(out)
    back[columns.order] = out
    return back


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_they_are_the_sums_over_all_pairs(dim, rng):
    x, mass, factor = rng.normal(size=(700, dim)), rng.random(700), rng.random(700)
    x[5] = x[9]
    x[:20] *= 30  # a few far away, where columns are nearly empty
    rate, reach = 40.0, np.sqrt(25 / 40.0)
    z = x[:, None] - x
    k = np.exp(-rate * np.sum(z * z, axis=2))
    # what lies beyond the reach is below exp(-25) = 1.4e-11 for each unit of mass
    np.testing.assert_allclose(sums(x, mass, factor, reach, rate, False)[:, 0], k @ mass, rtol=0, atol=1.4e-11 * 700)
    pairs = mass * (factor[:, None] + factor) * k
    force = sums(x, mass, factor, reach, rate, True)
    np.testing.assert_allclose(force, np.einsum("ij,ijk->ik", pairs, z), rtol=0, atol=1.4e-11 * 700)
    assert np.abs(force).max() > 0.1
    assert np.array_equal(force, sums(x, mass, factor, reach, rate, True, parts=7))  # the same bits however shared


def test_what_is_beyond_the_reach_costs_no_more_columns_than_particles():
    x = np.zeros((40, 2))
    x[:, 0] = np.geomspace(1e-3, 1e6, 40)
    columns = in_columns(x, 1e-3)
    assert len(columns.starts) <= 4 * 40 + 2 and columns.groups[-1, 1] == 40
    assert np.array_equal(np.sort(columns.order), np.arange(40))
