"""FiniteVolume in time: implicit steps of first and of second order, against the explicit scheme on the same cells.

The two share the grid and the discrete energy, so that space plays no part; explicit substeps are so short that their
error does not count. Densities are smooth: where one has a front, as by powers alone, the second order falls to about
1.5 (measured 1.4 to 1.8), for cells at the front pass from one slope to the other in a step. That the common limit is
the right law is the claim of finite_volume_space.py.
"""

import pdeflow as pf

CELLS = {"cells": 100, "lower": -6.0, "upper": 6.0}
CLAIMS = [
    pf.Claim("first", "l1", 1.0, 0.1, "bailo2020"),
    pf.Claim("second", "l1", 2.0, 0.1, "docs/math.md 13.7: extrapolation of implicit steps"),
]


def semi_discrete(problem, times):
    """The truth: the same error in space, and hardly any in time, as half as many steps tell."""
    coarser, finer = (pf.solve(problem, pf.grid.FiniteVolume(**CELLS), dt=dt, times=times) for dt in (2**-10, 2**-11))
    return pf.Trajectory(finer.times, finer.laws, {"coarser": coarser})


def study(scale="quick") -> pf.Study:
    """Five steps from 1/16 to 1/256 (quick), or seven down to 1/1024 (paper)."""
    internal = pf.Entropy(0.5) + pf.Power(2.0, 0.5)
    energy = pf.Energy(pf.potentials.Quadratic(1.0), internal, pf.interactions.GaussianAttraction(0.5))
    return pf.Study(
        problems=[
            pf.problems.ou(),
            pf.problems.mckean_vlasov_ou(temperature=1.0),
            pf.problems.newtonian_1d(pf.laws.Gaussian(0.3, 1.0)),
            pf.Problem(energy, pf.laws.Gaussian(0.5, 0.5), 1.0, name="all-three"),
        ],
        methods={
            "first": pf.grid.FiniteVolume(**CELLS, stepping="implicit", time_order=1),
            "second": pf.grid.FiniteVolume(**CELLS, stepping="implicit", time_order=2),
        },
        sweep={"dt": [2.0**-k for k in range(4, 11 if scale == "paper" else 9)]},
        metrics={"l1": pf.metrics.l1},
        times=[0.5],
        against=semi_discrete,
    )
