"""EulerMaruyama: weak order one, in the mean and in the covariance, on Ornstein-Uhlenbeck flows in one and two
dimensions.

In the plane the matrix and the start do not commute. All runs of a seed follow one Brownian path from one initial cloud
(brownian_step). The truth is the exact law of the equation, so the floor is the sampling error of the cloud: steps and
starts are chosen so that the bias of the scheme stands at least six floors high. Its exact recursion has slopes 1.05
(mean) and 1.00 (covariance) on these steps.
"""

import pdeflow as pf
from pdeflow.laws import Gaussian

PLANE = [[1.2, 0.5], [0.5, 0.8]]
CLAIMS = [
    pf.Claim("euler-maruyama", "mean_error", 1.0, 0.1, "talay1990; docs/math.md 4.3"),
    pf.Claim("euler-maruyama", "cov_error", 1.0, 0.1, "talay1990; docs/math.md 4.3"),
]


def study(scale="quick") -> pf.Study:
    """Steps 1/4 to 1/32 with 10⁶ particles (quick), or 1/4 to 1/128 with 2·10⁷ (paper)."""
    paper = scale == "paper"
    levels = range(2, 8) if paper else range(2, 6)
    return pf.Study(
        problems=[
            pf.problems.ou(temperature=0.25, initial=Gaussian(4.0, 4.0)),
            pf.problems.ou(2, PLANE, temperature=0.25, initial=Gaussian([4.0, 0.0], [[4.0, 0.0], [0.0, 1.0]])),
        ],
        methods={
            "euler-maruyama": pf.particle.EulerMaruyama(
                20_000_000 if paper else 1_000_000, brownian_step=2.0 ** -levels[-1]
            )
        },
        sweep={"dt": [2.0**-k for k in levels]},
        metrics={"mean_error": pf.metrics.mean_error, "cov_error": pf.metrics.cov_error},
        seeds=range(2),
    )
