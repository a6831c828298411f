"""c-transforms by lower envelopes against all pairs, and hulls along lines."""

import numpy as np
import pytest

from pdeflow._core.compiled import crew
from pdeflow.grid.back_and_forth.c_transform import convex_along_axes, lower_envelope


def all_pairs(f, weights):
    i, j = np.indices(f.shape)
    cost = weights[0] * (i[..., None, None] - i) ** 2 + weights[1] * (j[..., None, None] - j) ** 2
    return (f + cost).min(axis=(2, 3))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (12, 17)])
@pytest.mark.parametrize("left_out", [0.0, 0.4, 1.0])
def test_the_envelope_is_the_minimum_over_all_pairs(shape, left_out):
    rng = np.random.default_rng(3)
    f = rng.normal(size=shape)
    f[rng.random(shape) < left_out] = np.inf
    with crew() as run:
        found = lower_envelope(f, (0.03, 0.2), run)
    expected = all_pairs(f, (0.03, 0.2))
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    assert np.allclose(found[np.isfinite(found)], expected[np.isfinite(found)], rtol=0, atol=1e-13)  # round-off


def test_hulls_are_convex_below_and_leave_the_transform():
    rng = np.random.default_rng(5)
    phi, weights = rng.normal(size=(15, 11)), (0.05, 0.1)
    with crew() as run:
        hull = convex_along_axes(phi.copy(), np.ones(phi.shape, dtype=bool), weights, run)
        assert np.allclose(lower_envelope(phi, weights, run), lower_envelope(hull, weights, run), atol=1e-13)
    assert (hull <= phi + 1e-13).all() and (hull < phi - 0.1).any()
    assert (np.diff(hull, 2, axis=1) + 2 * weights[1] > -1e-12).all()  # the last axis is done last


def test_hulls_stop_at_closed_points_and_leave_what_is_convex():
    phi = np.array([[0.0, 3.0, 0.0, 9.0, 0.0, 3.0, 0.0]])
    closed = np.arange(7)[None] == 3
    with crew() as run:
        hull = convex_along_axes(phi.copy(), ~closed, (1.0, 0.5), run)
        same = convex_along_axes(hull.copy(), ~closed, (1.0, 0.5), run)
    # between 0 and 2 the chord of φ + q²/2 at 1 is 1, so that φ falls from 3 to 1/2
    assert np.allclose(hull, [[0.0, 0.5, 0.0, 9.0, 0.0, 0.5, 0.0]], atol=1e-15)
    assert np.array_equal(same, hull)
