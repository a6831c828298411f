"""InteractingParticles in their number: order one of quantiles, ½ of random points, weakly and in W2, on the line.

The Newtonian kernel moves a uniform law along a known flow. The forces on quantiles are exact, so that W2 stays what it
was at the start: a point of each cell is 1/√12 of a cell away from its mass. Random points err by their own noise; mean
and covariance of a cloud are its weak errors. Runge-Kutta steps of 1/16 err by 1e-7 and play no part.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim("quantiles", "w2", 1.0, 0.1, "the start: one point a cell"),
    pf.Claim("random points", "w2", 0.5, 0.1, "the start: draws of a law of bounded support"),
    pf.Claim("random points", "mean_error", 0.5, 0.1, "central limit theorem"),
    pf.Claim("random points", "cov_error", 0.5, 0.1, "central limit theorem"),
]


def study(scale="quick") -> pf.Study:
    """100 to 25,600 points and 32 seeds (quick), or to 102,400 and 64 (paper)."""
    paper = scale == "paper"
    return pf.Study(
        problems=[pf.problems.newtonian_1d(initial=pf.laws.Uniform([-2.0], [1.0]))],
        methods={
            "quantiles": pf.particle.InteractingParticles(start="quantiles"),
            "random points": pf.particle.InteractingParticles(),
        },
        sweep={"particles": [100 * 4**k for k in range(6 if paper else 5)]},
        metrics={"w2": pf.metrics.w2, "mean_error": pf.metrics.mean_error, "cov_error": pf.metrics.cov_error},
        dt=1 / 16,
        times=[0.5],
        seeds=range(64 if paper else 32),
    )
