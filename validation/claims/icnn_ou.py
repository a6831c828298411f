"""ICNN-JKO on the published Ornstein-Uhlenbeck draws: SymKL to the exact solution falls as dt².

The claim is that this SymKL is that of the JKO sequence itself, whose error in W2 is of order one.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim(
        "icnn-jko",
        "sym_kl",
        2.0,
        0.3,
        "docs/math.md 4.2: the time error of JKO is of order one in W2, SymKL is its square",
    )
]


def sym_kl(approximation, truth, *, rng=None):
    return pf.metrics.sym_kl(approximation, truth, rng=rng, n=8192)


def study(scale="quick"):
    """Three step sizes on one draw in two dimensions; the paper scale takes four and the draws of three seeds."""
    seeds, steps = ([0], [0.2, 0.1, 0.05]) if scale == "quick" else ([0, 1, 2], [0.2, 0.1, 0.05, 0.025])
    problems = [pf.problems.ou(dim=2, seed=seed, ensemble="mokrov") for seed in seeds]
    return pf.Study(problems, {"icnn-jko": pf.neural.ICNNJKO()}, {"dt": steps}, {"sym_kl": sym_kl})
