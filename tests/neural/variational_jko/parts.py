"""What several tests of VariationalJKO are built from."""

import numpy as np
import torch
from numpy.polynomial.legendre import leggauss

from pdeflow.neural import Convex
from pdeflow.neural.local_coordinates import LocalCoordinates
from pdeflow.neural.variational_jko.dual_ascent import DualAscent
from pdeflow.neural.variational_jko.dual_function import Profile, TestFamily
from pdeflow.neural.variational_jko.map_descent import ConvexDescent, ResidualDescent
from pdeflow.neural.variational_jko.nested_balls import NestedBalls

Z, W = leggauss(400)
COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def generator():
    return torch.Generator().manual_seed(0)


def line(low, high):
    """Nodes (n,) and weights of Gauss-Legendre quadrature on [low, high]."""
    return low + (high - low) * (Z + 1) / 2, (high - low) * W / 2


def around(internal, stretch, dim=2):
    """Balls up to `stretch` times as wide as the profile; None with an entropy."""
    if TestFamily(internal, dim).profile is None:
        return None
    radius = Profile(dim, internal.m).radius
    return NestedBalls(dim, 1.3 * radius, 1.3 * stretch * radius)


def dual_in_training(internal, dim, batch, sizes, balls):
    """A test function in training, in double precision, from zero."""
    family, coordinates = TestFamily(internal, dim), LocalCoordinates(np.zeros(dim))
    return DualAscent(internal, family, batch, sizes, None, balls, coordinates, generator(), torch.float64, "cpu")


def moving(kind):
    """A map of this kind in training in the plane, away from the identity."""
    if kind == "convex":
        move = ConvexDescent(np.array([1.0, 0.0]), COV, Convex(4, 2, 1), None, generator(), torch.float64, "cpu")
        move.map.weight.data.add_(0.3)
        return move
    move = ResidualDescent(
        np.array([1.0, 0.0]), COV, (4, 3) if kind == "residual" else (), None, generator(), torch.float64, "cpu"
    )
    move.affine.add_(0.1 * torch.arange(6, dtype=torch.float64).view(2, 3))
    if kind == "residual":
        move.network.parameters.add_(0.1)
    return move
