"""Double well on the line, V = (x² - 1)², temperature 1/2, from N(1, 1/16).

Chang-Cooper, second order in space and time.

No closed form exists. The laws are those of 25,600 cells and dt = 1/4096, summed exactly into 800 cells. The error bar
is the largest l1 distance over the stored times, in these 800 cells, to the run with half the cells and twice the step.
"""

import numpy as np

import pdeflow as pf

STORED_CELLS = 800
CELLS = 25_600
DT = 1 / 4096
ENDS = (-3.0, 3.0)  # leaves 8 standard deviations of the start (6e-16) and exp(-128) of the stationary law outside
TIMES = np.concatenate([np.linspace(0.0, 1.0, 9), [1.25, 1.5, 1.75, 2.0]])


def make(cells=CELLS, dt=DT):
    problem = pf.problems.double_well(barrier=1.0, temperature=0.5, horizon=2.0)
    method = pf.grid.ChangCooper(cells=cells, lower=ENDS[0], upper=ENDS[1], time_order=2)
    coarse = pf.grid.ChangCooper(cells=cells // 2, lower=ENDS[0], upper=ENDS[1], time_order=2)
    flow = pf.solve(problem, method, dt=dt, times=TIMES)
    half = pf.solve(problem, coarse, dt=2 * dt, times=TIMES)
    laws = [summed(law) for law in flow.laws]
    gap = max(float(np.abs(law.mass - summed(other).mass).sum()) for law, other in zip(laws, half.laws))
    error = pf.Estimate(
        gap,
        0.0,
        f"l1 distance of cell masses to the run with {cells // 2} cells and dt = {2 * dt:g}; for order 2 "
        "three times the error",
        "l1",
    )
    trajectory = pf.Trajectory(TIMES, laws, flow.stats)
    return (
        problem,
        trajectory,
        {"error": error, "method": method, "source": "changcooper1970", "seed": 0, "title": __doc__.split("\n")[0]},
    )


def summed(law):
    """The law in the stored cells: neighbouring masses added, nothing interpolated."""
    every = law.mass.size // STORED_CELLS
    return pf.laws.GridLaw(law.axes[0][::every], law.mass.reshape(STORED_CELLS, every).sum(axis=1))
