"""EulerMaruyama: weak order one in the mean on Ornstein-Uhlenbeck flows in d = 1 to 64 dimensions.

Each problem is a random draw from a start that is far from equilibrium, so that the bias of the scheme stands above the
sampling error of the cloud, which is its floor. All runs of a seed follow one Brownian path from one initial cloud
(brownian_step).
"""

import numpy as np

import pdeflow as pf

CLAIMS = [pf.Claim("euler-maruyama", "mean_error", 1.0, 0.1, "talay1990; docs/math.md 4.3")]


def far_ou(dim, seed):
    """An Ornstein-Uhlenbeck draw at temperature 1/4 from N(4, I)."""
    return pf.problems.ou(dim, seed=seed, temperature=0.25, initial=pf.laws.Gaussian(np.full(dim, 4.0), 1.0))


def study(scale="quick"):
    """d = 1, 4, 16, steps 1/8 to 1/64 and 10⁵ particles; at paper scale d = 1, 2, 4, ..., 64, three draws and 10⁶."""
    paper = scale == "paper"
    levels = range(3, 8) if paper else range(3, 7)
    return pf.Study(
        pf.Family(far_ou, dim=[1, 2, 4, 8, 16, 32, 64] if paper else [1, 4, 16], seed=range(3 if paper else 1)),
        {"euler-maruyama": pf.particle.EulerMaruyama(10**6 if paper else 10**5, brownian_step=2.0 ** -levels[-1])},
        {"dt": [2.0**-k for k in levels]},
        {"mean_error": pf.metrics.mean_error},
        seeds=range(2),
    )
