"""ChangCooper in time: first order by implicit Euler, second by the L-stable two-stage function.

Judged against the scheme's own limit dt -> 0 on the same cells, exp(tL) by a contour integral, so that space plays no
part and problems without a closed form can be judged too. That this limit is the right law is the claim of
chang_cooper_space.py.
"""

import pdeflow as pf

CELLS = {"cells": 800, "lower": -7.0, "upper": 7.0}
CLAIMS = [
    pf.Claim("implicit-euler", "l1", 1.0, 0.05, "docs/math.md 7: implicit Euler"),
    pf.Claim("l-stable", "l1", 2.0, 0.1, "docs/math.md 7: second order in time"),
]


def semi_discrete(problem, times):
    """The truth: no error in time, the same error in space."""
    return pf.grid.exponential(problem, pf.grid.ChangCooper(**CELLS), times)


def study(scale="quick") -> pf.Study:
    """Five steps from 1/64 to 1/1024 (quick), or seven down to 1/4096 (paper)."""
    levels = range(6, 13) if scale == "paper" else range(6, 11)
    return pf.Study(
        problems=[pf.problems.ou(), pf.problems.mixture_ou(), pf.problems.double_well()],
        methods={
            "implicit-euler": pf.grid.ChangCooper(**CELLS, time_order=1),
            "l-stable": pf.grid.ChangCooper(**CELLS, time_order=2),
        },
        sweep={"dt": [2.0**-k for k in levels]},
        metrics={"l1": pf.metrics.l1},
        times=[0.5, 1.0],
        against=semi_discrete,
    )
