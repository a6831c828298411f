"""ICNN-JKO on Ornstein-Uhlenbeck flows in d = 1 to 64: SymKL falls as dt², and training adds little to it.

Each problem is a random draw: drift matrices with eigenvalues in [0.2, 3], random centres, from N(0, I), to t = 1/2.
The exact discrete sequence is that of exact JKO steps on the same draw, which no scheme of these steps passes; the
ratio to it says what training adds.
"""

import icnn_ou

import pdeflow as pf

CLAIMS = icnn_ou.CLAIMS


def sym_kl(approximation, truth, *, rng=None):
    """SymKL in nats, by 2048 samples a half where it has no closed form."""
    return pf.metrics.sym_kl(approximation, truth, rng=rng, n=2048)


def study(scale="quick"):
    """d = 2, 4, 8 and one draw each; at paper scale d = 1, 2, 4, ..., 64 and five draws each."""
    dims, draws = ([2, 4, 8], 1) if scale == "quick" else ([1, 2, 4, 8, 16, 32, 64], 5)
    return pf.Study(
        pf.Family(pf.problems.ou, dim=dims, seed=range(draws), horizon=0.5),
        {"icnn-jko": pf.neural.ICNNJKO()},
        {"dt": [0.25, 0.1, 0.05]},
        {"sym_kl": sym_kl},
        floors=False,
    )
