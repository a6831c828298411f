"""The floor of the rows EM_sim: the kernel density of exact draws of the truth, by the same two estimators.

SymKL and Scott's rule are invariant under affine maps, so that all Gaussians of one dimension have one floor: on
Ornstein-Uhlenbeck flows it is measured once for each draw and stands at all times.
"""

import numpy as np
from competitors.euler_maruyama import SIZES, estimates
from competitors.rows import Measured

import pdeflow as pf

LABEL = "floor: KDE of exact draws"
PUBLISHED = {}
__all__ = ["LABEL", "PUBLISHED", "SIZES", "measure"]


def measure(experiment, problem, truths, times, size, seed) -> list[Measured]:
    """One `Measured` for each time."""
    rng = np.random.default_rng([seed, 2])
    if experiment == "ornstein_uhlenbeck":
        normal = pf.laws.Gaussian(np.zeros(problem.dim), 1.0)
        pair = estimates(experiment, normal.sample(size, rng), normal, seed)
        return [Measured(*pair, 0.0) for _ in times]
    return [Measured(*estimates(experiment, truth.sample(size, rng), truth, seed), 0.0) for truth in truths]
