"""DualJKO on Ornstein-Uhlenbeck flows of the line: order 1 in the step.

ε = 1e-4 adds 8e-4 to the temperature at a step of 1/16, so that the entropic steps are nearly those of JKO.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("dual-jko", "w2", 1.0, 0.1, "frogner2020; docs/math.md 13.2")]


def study(scale="quick"):
    """W2 at t = 1/2 from a Gaussian."""
    problem = pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5, horizon=0.5)
    steps = [1 / 4, 1 / 8, 1 / 16] if scale == "quick" else [1 / 8, 1 / 16, 1 / 32, 1 / 64]
    methods = {"dual-jko": pf.neural.DualJKO(bumps=12, regularisation=1e-4)}
    return pf.Study([problem], methods, {"dt": steps}, {"w2": pf.metrics.w2})
