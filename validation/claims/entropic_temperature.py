"""JKO with entropic transport is the flow of the temperature T + ε/(2 dt), to first order in dt.

With ε = 2 κ dt the regularisation adds the same temperature κ at every dt. Truth: the exact law of the same potential
with the temperature T + κ, where the methods are given T. The methods are ProximalRecursion on fixed points, the cells
of a box with their volumes, and EntropicJKO on the same cells.
"""

import pdeflow as pf

EXTRA = 0.5  # κ, beside T = 1/2 and 1
BOX, CELLS = (-8.0, 8.0), 200
SOURCE = "caluya2020; docs/math.md 13.1: 1/β + ε/(2h)"
CLAIMS = [pf.Claim(name, "bures", 1.0, 0.1, SOURCE) for name in ("recursion", "grid")]


def warmer(problem, times):
    """The exact laws of the problem with the temperature T + κ."""
    energy = problem.energy
    same = pf.problems.ou(
        problem.dim, energy.potential.matrix, energy.potential.center,
        temperature=energy.internal.coefficient + EXTRA, initial=problem.initial, horizon=problem.horizon,
    )  # fmt: skip
    return pf.exact(same, times)


def study(scale="quick") -> pf.Study:
    """Four steps from 1/8 to 1/64 (quick), or six down to 1/256 (paper), on the line."""
    start, width = pf.laws.Gaussian(1.0, 0.25), (BOX[1] - BOX[0]) / CELLS
    axis = [BOX[0] + width * k for k in range(CELLS + 1)]
    points = pf.particle.FixedPoints.of_cells([axis])
    return pf.Study(
        problems=[
            pf.problems.ou(initial=start, horizon=0.5),
            pf.problems.ou(matrix=2.0, temperature=0.5, initial=start, horizon=0.5),
        ],
        methods={
            "recursion": pf.particle.ProximalRecursion(points, tolerance=1e-7, iterations=2000),
            "grid": pf.grid.EntropicJKO(cells=CELLS, lower=BOX[0], upper=BOX[1]),
        },
        sweep={
            "dt": [2.0**-k for k in range(3, 9 if scale == "paper" else 7)],
            "regularisation": lambda dt: 2 * EXTRA * dt,
        },
        metrics={"bures": pf.metrics.bures},
        against=warmer,
    )
