"""BackAndForthJKO in time against the equation: first order in dt in the plane, as JKO is.

Truth: the exact solution of the porous medium equation. The errors of the cells and of the gap are below a tenth of
that of the shortest step. That the sequence is the exact JKO sequence, to the gap and the grid, is what
`back_and_forth_space` and benchmarks/back_and_forth.py show.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("back-and-forth", "l1", 1.0, 0.1, "jko1998, section 5; docs/math.md 1.1")]


def study(scale="quick"):
    """Sweep of dt on a Barenblatt profile, m = 2, from 0.1 to 0.3."""
    cells = 128 if scale == "quick" else 256
    return pf.Study(
        [pf.problems.porous_medium(2, 2.0, 0.1, 0.2)],
        {"back-and-forth": pf.grid.BackAndForthJKO(cells=cells, lower=-1.6, upper=1.6)},
        {"dt": [0.05, 0.04, 0.025, 0.02, 0.0125, 0.01]},
        {"l1": pf.metrics.l1},
    )
