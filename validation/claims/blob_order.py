"""Blob on Barenblatt profiles: order at least 1.5 in W2 of its density, one of its bare cloud.

The particles start on grids of width h, one in each cell with the exact mass there, and ε = h^0.95. The density φ_ε*μ
with which the method computes is compared with the exact law, for m = 2 and 3 on the line. The bare cloud μ cannot have
a better order than one: a point is h/√12 away from the mass of its cell. Substeps keep the time error a hundred times
below all this. For m = 3 the density has a vertical tangent at the edge of its support, which costs part of the order.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim("blob", "w2", at_least=1.5, source="carrillo2019; docs/math.md 13.5"),
    pf.Claim("blob, cloud", "w2", 1.0, 0.1, "docs/math.md 13.5"),
]


def study(scale="quick") -> pf.Study:
    """25 to 200 cells (quick) or to 400 (paper), from t0 = 0.1 over half a unit of time."""
    return pf.Study(
        problems=[pf.problems.porous_medium(1, 2.0, 0.1, 0.5), pf.problems.porous_medium(1, 3.0, 0.1, 0.5)],
        methods={"blob": pf.particle.Blob(), "blob, cloud": pf.particle.Blob(smoothed=False)},
        sweep={"cells": [25, 50, 100, 200, 400][: 5 if scale == "paper" else 4]},
        metrics={"w2": pf.metrics.w2},
        dt=0.25,
        times=[0.5],
    )
