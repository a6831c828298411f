"""DualJKO on Ornstein-Uhlenbeck flows of the line: order 1 in the step.

ε = 1e-6 adds at most 1.6e-5 to the temperature at the smallest step, so that the entropic steps are those of JKO.
The mixture needs the bumps: its potential h is no quadratic.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("dual-jko", "w2", 1.0, 0.1, "frogner2020; docs/math.md 13.2")]


def study(scale="quick"):
    """W2 at t = 1/2 from a Gaussian and from a mixture."""
    mixture = pf.laws.GaussianMixture([0.3, 0.7], [-1.0, 1.0], [0.2, 0.1])
    problems = [
        pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5, horizon=0.5),
        pf.problems.mixture_ou(mixture, horizon=0.5),
    ]
    steps = [1 / 4, 1 / 8, 1 / 16] if scale == "quick" else [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    methods = {"dual-jko": pf.neural.DualJKO(bumps=30, regularisation=1e-6)}
    return pf.Study(problems, methods, {"dt": steps}, {"w2": pf.metrics.w2})
