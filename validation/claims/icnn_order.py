"""ICNN-JKO converges with order one in dt on Ornstein-Uhlenbeck flows in one, two and four dimensions.

W2 to the exact law: by quantiles on the line; in higher dimension between Gaussians of the same mean and covariance,
those of the model by pushing 65536 points whose moments are exactly the first law's (the maps are affine to the
accuracy of training, so there is no sampling error; the part of the maps that is not affine is seen in second order
only).
"""

import numpy as np

import pdeflow as pf
from pdeflow._core.estimate import Estimate
from pdeflow.neural.particles import draw

CLAIMS = [pf.Claim("icnn-jko", "w2", 1.0, 0.15, "jko1998; docs/math.md 4.2; mokrov2021")]
POINTS = 65536


def w2(approximation, truth, *, rng=None):
    """W2 (not its square) to a Gaussian, exact on the line, by moments else."""
    if approximation.dim == 1 or not hasattr(approximation, "push"):  # the exact JKO iterates are Gaussians
        return pf.metrics.w2(approximation, truth)
    x = approximation.push(draw(approximation.base, POINTS, POINTS, np.random.default_rng(0)))
    near = pf.laws.Gaussian(x.mean(axis=0), np.cov(x.T, bias=True))
    return Estimate(pf.metrics.w2(near, truth).value, 0.0, f"Bures distance of the moments, {POINTS} points", "w2")


def study(scale="quick"):
    """d = 1 from N(2, 1/4); d = 2 and 4 with drift matrices and centres of seed 0, from N(0, I)."""
    steps = [1 / 4, 1 / 8, 1 / 16] if scale == "quick" else [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]
    problems = [pf.problems.ou(), pf.problems.ou(dim=2, seed=0), pf.problems.ou(dim=4, seed=0)]
    return pf.Study(problems, {"icnn-jko": pf.neural.ICNNJKO()}, {"dt": steps}, {"w2": w2})
