"""Inverting convex maps: the certificate, and failures that are errors."""

import numpy as np
import pytest
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.maps.inversion import invert


def test_an_inversion_that_fails_is_an_error_not_the_last_iterate():
    with pytest.raises(pf.NotConverged, match="at 3 of 3 points: residual") as caught:
        random_map(2).invert(np.full((3, 2), 500.0), most=0)
    assert caught.value.points == 3 and caught.value.residual > 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_certificate_is_the_largest_relative_residual(dtype, rng):
    move, y = random_map(3, depth=2), (5 * rng.standard_normal((40, 3))).astype(dtype)
    x, certificate = invert(move, y)
    size = move.scale + np.linalg.norm(y - move.center, axis=1)
    residual = np.max(np.linalg.norm(move.astype(dtype)(x) - y, axis=1) / size)
    assert x.dtype == dtype and certificate.points == 40
    assert abs(certificate.residual - residual) < 8 * np.finfo(dtype).eps  # blocks of other sizes round differently
