"""BackAndForthJKO in space: second order in the cell width on the line.

Truth: pf.exact_jko at the run's dt, so no time error enters. The metric compares cell masses; the tolerance of the gap
is far below what the error of the grid does to the objective. Below 200 cells the
order is seen less clearly: the limited slopes of the old law act at its peak. The plane: benchmarks/back_and_forth.py.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("back-and-forth", "l1", 2.0, 0.15, "docs/math.md 13.6")]


def study(scale="quick"):
    """Sweep of cells for a Gaussian that moves and widens."""
    return pf.Study(
        [pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5, horizon=0.4)],
        {"back-and-forth": pf.grid.BackAndForthJKO(lower=-5.0, upper=6.0, tolerance=1e-11)},
        {"cells": [200, 283, 400, 566, 800, 1131] + ([] if scale == "quick" else [1600, 2263])},
        {"l1": pf.metrics.l1},
        dt=0.1,
        against=pf.exact_jko,
    )
