"""FiniteVolume in space: second order in the cell masses where densities are smooth, against exact laws.

Explicit steps, whose error in time is far below. On the line with entropy and a potential, with an interaction, and for
an interaction with a kink alone (the Newtonian kernel), where the law is smooth; in the plane for McKean-Vlasov.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim("finite-volume", "l1", 2.0, 0.1, "carrillo2015; docs/math.md 13.7"),
    pf.Claim("finite-volume", "l1", at_least=1.9, source="carrillo2015; docs/math.md 13.7"),
]
PLANE = pf.laws.Gaussian([1.0, 0.5], [[0.3, 0.0], [0.0, 0.2]])


def study(scale="quick") -> pf.Study:
    """Five grids of 48 to 192 cells an axis on [-9, 9] (quick), or seven to 384 (paper)."""
    return pf.Study(
        problems=[
            pf.problems.ou(),
            pf.problems.mckean_vlasov_ou(temperature=1.0),
            pf.problems.newtonian_1d(),
            pf.problems.mckean_vlasov_ou(temperature=1.0, initial=PLANE),
        ],
        methods={"finite-volume": pf.grid.FiniteVolume(lower=-9.0, upper=9.0)},
        sweep={"cells": [48, 72, 96, 144, 192, 288, 384][: 7 if scale == "paper" else 5]},
        metrics={"l1": pf.metrics.l1},
        dt=0.25,
        times=[0.25],
    )
