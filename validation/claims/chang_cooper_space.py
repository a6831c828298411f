"""ChangCooper in space: second order in the cell masses, against exact laws (dt is so small that time plays no part).

docs/math.md 7: measured orders 1.998 to 2.000 on OU. Two norms, two error sizes: Σ|Δm| and (Σ Δm²/h)^½.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim("chang-cooper", "l1", 2.0, 0.05, "changcooper1970; docs/math.md 7"),
    pf.Claim("chang-cooper", "l2", 2.0, 0.05, "changcooper1970; docs/math.md 7"),
]


def study(scale="quick") -> pf.Study:
    """Five or six grids, each half as wide as the one before: 200 to 3,200 cells (quick), or to 6,400 (paper)."""
    paper = scale == "paper"
    return pf.Study(
        problems=[
            pf.problems.ou(),
            pf.problems.mixture_ou(),
            pf.problems.heat(initial=pf.laws.Gaussian(0.0, 0.25)),  # 9 is 6 deviations at t = 1
            pf.problems.ou(matrix=2.0, center=0.5, temperature=0.3),
        ],
        methods={"chang-cooper": pf.grid.ChangCooper(lower=-9.0, upper=9.0, time_order=2)},
        sweep={"cells": [200, 400, 800, 1600, 3200, 6400] if paper else [200, 400, 800, 1600, 3200]},
        metrics={"l1": pf.metrics.l1, "l2": pf.metrics.l2},
        dt=1 / 8192 if paper else 1 / 2048,
        times=[0.5, 1.0],
    )
