"""Splines of each coordinate: pieces that are halved while the map stays."""

import numpy as np
import torch
from neural.parametric_cases import drawn

import pdeflow as pf
from pdeflow.neural import Coordinatewise
from pdeflow.neural.maps.parametric import ParametricMap


def test_pieces_that_stretch_are_halved_and_the_function_stays(rng):
    family, theta, _ = drawn(Coordinatewise(12), 2, size=0.1)
    theta[6] += 2.5  # the slope of one piece of the first coordinate
    z = family.center + torch.from_numpy(rng.standard_normal((4000, 2))) * family.scale
    finer, same = family.refined(theta, z)
    assert finer.size > family.size and len(same) == finer.size and set(family.knots) < set(finer.knots)
    before, after = family.tangent(theta, z), finer.tangent(same, z)
    for name in ("value", "log_det", "slope", "bend"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-11)
    assert family.refined(theta, z[:100])[0] is family  # too few points to feed more parameters
    move = pf.laws.PushForward(pf.laws.Gaussian([0.0, 0.0], 1.0), [ParametricMap(finer, same.numpy())])
    again = pf.laws.PushForward.from_data(*move.to_data())
    np.testing.assert_array_equal(again.push(z.numpy()), move.push(z.numpy()))
