"""FiniteVolume on Barenblatt profiles, whose edge limits the order: at least 1.4 in L1, against the exact laws.

The density has a kink at the edge of its support for m = 2 and a vertical tangent for m = 3.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("finite-volume", "l1", at_least=1.4, source="carrillo2015; docs/math.md 13.7")]


def study(scale="quick") -> pf.Study:
    """Five grids of 50 to 800 cells on [-3, 3] (quick), or six to 1,600 (paper)."""
    return pf.Study(
        problems=[pf.problems.porous_medium(1, 2.0, 0.1, 0.5)],
        methods={"finite-volume": pf.grid.FiniteVolume(lower=-3.0, upper=3.0)},
        sweep={"cells": [50, 100, 200, 400, 800, 1600][: 6 if scale == "paper" else 5]},
        metrics={"l1": pf.metrics.l1},
        dt=0.25,
        times=[0.5],
    )
