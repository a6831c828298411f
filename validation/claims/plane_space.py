"""ChangCooper and FiniteVolume in the plane: second order in the cell masses, two schemes that share nothing but cells.

The problems are an Ornstein-Uhlenbeck flow whose matrix is not diagonal, with its exact law, and a double well beside
a quadratic well, turned by 30° and stripped of that structure. There the truth is the law of the two parts on 3,200
cells of the line each, turned, whose masses in the cells of the plane are exact (docs/math.md 7); its error is at most
that of the parts together. The steps are so short that time plays no part.
"""

import numpy as np

import pdeflow as pf

ANGLE = np.pi / 6
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
TIMES = [0.125, 0.25]
ENDS = {"lower": (-4.5, -4.5), "upper": (4.5, 4.5)}
PARTS = [
    pf.problems.double_well(initial=pf.laws.Gaussian(0.5, 0.2), horizon=0.25),
    pf.problems.ou(temperature=0.5, matrix=2.0, initial=pf.laws.Gaussian(-0.5, 0.3), horizon=0.25),
]
WHOLE = pf.problems.rotated(pf.problems.separable(PARTS), TURN)
TURNED = pf.Problem(WHOLE.energy, WHOLE.initial, WHOLE.horizon, name="turned double well")
SHEARED = pf.problems.ou(
    dim=2,
    matrix=[[2.0, 0.7], [0.7, 1.0]],
    temperature=0.5,
    initial=pf.laws.Gaussian([0.8, 0.4], 0.3 * np.eye(2)),
    horizon=0.25,
)
CLAIMS = [
    pf.Claim("chang-cooper", "l1", 2.0, 0.1, "changcooper1970; docs/math.md 7"),
    pf.Claim("finite-volume", "l1", at_least=1.9, source="carrillo2015; docs/math.md 13.7"),
]


def truth(problem, times):
    """The exact law, or that of the parts, whose distances to half as many cells and steps bound the error."""
    if problem.exact is not None:
        return pf.exact(problem, times)
    fine, coarse = (
        [pf.solve(part, pf.grid.ChangCooper(cells=n, time_order=2), dt=1.6 / n, times=times) for part in PARTS]
        for n in (3200, 1600)
    )
    bound = max(sum(pf.metrics.l1(a.at(t), b.at(t)).value for a, b in zip(fine, coarse)) for t in times)
    turn = pf.laws.AffineMap(TURN, np.zeros(2))
    laws = [pf.laws.Product([part.at(t) for part in fine]).pushed(turn) for t in times]
    return pf.Trajectory(times, laws, {"error": pf.Estimate(bound, 0.0, "half as many cells and steps", "l1")})


def study(scale="quick") -> pf.Study:
    """Three grids of 60 to 120 cells an axis (quick), or four up to 240 (paper)."""
    return pf.Study(
        problems=[TURNED, SHEARED],
        methods={
            "chang-cooper": pf.grid.ChangCooper(time_order=2, **ENDS),
            "finite-volume": pf.grid.FiniteVolume(**ENDS),
        },
        sweep={"cells": [60, 84, 120, 168, 240] if scale == "paper" else [60, 84, 120]},
        metrics={"l1": pf.metrics.l1},
        dt=1 / 256,
        times=TIMES,
        against=truth,
        floors=False,
    )
