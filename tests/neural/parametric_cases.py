"""Parametric maps away from the identity, for the tests of the maps and of the flows of their parameters."""

import numpy as np
import torch

import pdeflow as pf
from pdeflow.neural import Affine, Coordinatewise, NeuralODE, Planar, Residual
from pdeflow.neural.maps.parametric import ParametricMap, build

CASES = {
    "affine": (Affine(), 3),
    "planar": (Planar(5), 3),
    "planar, layers alone": (Planar(4, affine=False), 2),
    "planar, line": (Planar(3), 1),
    "residual": (Residual(3, 4), 2),
    "neural ode": (NeuralODE(2, 3), 2),
    "neural ode, no affine": (NeuralODE(3, 2, affine=False), 3),
    "coordinatewise": (Coordinatewise(7), 3),
    "coordinatewise, line": (Coordinatewise(12), 1),
    "residual, wider than high": (Residual(2, 2, affine=False), 3),
}


def drawn(kind, dim, size=0.15, seed=0, n=9):
    """(family, θ away from the identity, points (n, d)), torch; the base law is neither centred nor isotropic."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.eye(dim) + 0.3 * np.ones((dim, dim))) * 0.7
    family = build(kind, rng.standard_normal(dim), root)
    theta = family.start(torch.Generator().manual_seed(seed))
    theta = theta + size * torch.from_numpy(rng.standard_normal(family.size))
    return family, theta, family.center + torch.from_numpy(rng.standard_normal((n, dim)) @ root.T)


def off_the_identity(kind, law, center, root, seed):
    """(family, θ, `law` moved): a map of that kind with parameters near, not at, the identity."""
    family = build(kind, center, root)
    theta = family.start(torch.Generator().manual_seed(seed))
    theta = theta + 0.1 * torch.from_numpy(np.random.default_rng(seed).standard_normal(family.size))
    return family, theta, pf.laws.PushForward(law, [ParametricMap(family, theta.numpy())])
