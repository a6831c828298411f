"""Local coordinates: plain near 0, exact elsewhere, and an error where double precision holds no law."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.local_coordinates import (
    Cloud,
    LocalCoordinates,
    coordinates_of,
    require_resolved,
    require_resolved_law,
)


def test_a_law_near_zero_keeps_its_coordinates_bit_by_bit(rng):
    x = 3.0 + rng.standard_normal((50, 2))
    cloud = Cloud.of(x, "float32")
    assert cloud.coordinates.plain and cloud.x is cloud.points and (cloud.points == x.astype("float32")).all()
    y = torch.from_numpy(x)
    assert cloud.coordinates.outward(y) is y and cloud.coordinates.differences(y) is y


@pytest.mark.parametrize("center, spread", [(1e6, 1.0), (0.0, 1e-9), (1e9, 1e9), (-3e4, 1e-3), (7.0, 1e12)])
def test_single_precision_holds_the_points_relative_to_the_spread(center, spread, rng):
    x = center + spread * rng.standard_normal((200, 2))
    cloud = Cloud.of(x, "float32")
    # round-off of single precision at up to 32 + 4 spreads, and that of x itself
    bound = 36 * 6e-8 * spread + 2 * np.spacing(abs(center))
    assert np.abs(cloud.x - x).max() < bound
    exponent = np.log2(cloud.coordinates.unit)
    assert exponent == round(exponent)
    there = cloud.coordinates.outward(torch.from_numpy(cloud.points)).numpy()
    np.testing.assert_array_equal(there, cloud.x)
    apart = cloud.coordinates.differences(cloud.points[:1] - cloud.points[1:])
    np.testing.assert_allclose(apart, x[:1] - x[1:], atol=2 * bound)


def test_a_cloud_that_moves_far_is_counted_anew(rng):
    cloud = Cloud.of(rng.standard_normal((100, 2)).astype("float32"), "float32")
    assert cloud.moved(cloud.points + np.float32(5.0)).coordinates is cloud.coordinates
    moved = cloud.moved(cloud.points + np.float32(1000.0))
    assert not moved.coordinates.plain and np.abs(moved.points).max() < 40
    np.testing.assert_allclose(moved.x, cloud.points + np.float32(1000.0), atol=1e-4)
    here, other = moved.coordinates, LocalCoordinates(np.array([1.0, 2.0]), 0.5)
    inside = here.within(other)
    np.testing.assert_allclose(other.outward(inside.outward(moved.points)), moved.x, rtol=1e-12)


def test_what_double_precision_cannot_tell_apart_is_refused():
    for mean, spread in (([1e9], [1e-9]), ([0.0, 1e3], [1.0, 1e-12])):
        with pytest.raises(pf.Unsupported, match="Move the origin of the problem"):
            require_resolved(np.array(mean), np.array(spread))
    require_resolved(np.array([1e9, 5.0]), np.array([1.0, 0.0]))  # no spread at all is another question
    with pytest.raises(pf.Unsupported, match="standard deviation 1e-09"):
        require_resolved_law(pf.laws.Gaussian(1e9, 1e-18))
    assert coordinates_of(np.array([np.nan]), np.array([np.inf])).plain


def test_a_function_that_takes_no_double_precision_is_named():
    coordinates = LocalCoordinates(np.array([1e6]))
    with pytest.raises(pf.Unsupported, match=r"in double precision.*module\.double\(\)"):
        coordinates.asked(lambda x: x @ torch.ones(1), "V", torch.zeros(2, 1))
    assert coordinates.asked(lambda x: x.sum(-1), "V", torch.zeros(2, 1)).tolist() == [1e6, 1e6]
