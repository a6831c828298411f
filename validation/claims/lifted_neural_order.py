"""ICNN-JKO on the mexican hat in d = 10: order one in dt for a law that is neither Gaussian nor on the line.

W2 (not its square) between the laws of |x|, which is at most W2 of the laws themselves and equal to it where both are
invariant under rotations, as the truth and the exact discrete sequence are. The method is not told the radius. What the
maps of the network lack of that invariance is not seen here; the battery `lifted_neural` has KL in all ten coordinates.
At t = 1/8 the exact sequence is 0.0601, 0.0321 and 0.0163 from the truth for dt = 1/8, 1/16 and 1/32 (order 0.94): what
is above that is training, and it flattens the slope.
"""

import numpy as np

import pdeflow as pf
from pdeflow._core.estimate import Estimate
from pdeflow.neural.particles import draw

CLAIMS = [pf.Claim("icnn-jko", "w2_radius", 1.0, 0.25, "jko1998; mokrov2021")]
POINTS = 131_072  # their own error in W2 is about 1e-3


def w2_radius(approximation, truth, *, rng=None):
    """W2 (not its square) between the laws of |x|, that of a push-forward by draws."""
    radius = truth.radial_part()
    if approximation.radial_part() is not None:
        return pf.metrics.w2(approximation.radial_part(), radius)
    x = approximation.push(draw(approximation.base, POINTS, POINTS, np.random.default_rng(0)))
    r = np.sort(np.linalg.norm(x, axis=1))
    gap = r - radius.quantile((np.arange(POINTS) + 0.5) / POINTS)
    return Estimate(float(np.sqrt(np.mean(gap**2))), 0.0, f"W2 of the radii, {POINTS} points", "w2_radius")


def study(scale="quick"):
    """W2 of the radii at t = 1/8, dt = 1/8, 1/16 and 1/32; at paper scale one more step and more iterations."""
    iterations, steps = (240, [1 / 8, 1 / 16, 1 / 32]) if scale == "quick" else (600, [1 / 8, 1 / 16, 1 / 32, 1 / 64])
    method = pf.neural.ICNNJKO(
        width=256,
        iterations=iterations,
        batch=512,
        learning_rate=0.1,
        network=pf.neural.Network(directions="curvature"),
        training=pf.neural.Training(pool=65_536),
    )
    truth = pf.finer(pf.grid.ChangCooper(cells=2000, time_order=2), dt=1 / 1024)
    return pf.Study(
        [pf.problems.mexican_hat(10, horizon=1 / 8)],
        {"icnn-jko": method},
        {"dt": steps},
        {"w2_radius": w2_radius},
        against=truth,
    )
