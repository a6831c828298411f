"""Grid locking of the CVXOPT program: second order in the cell width once cells are small against a step, stuck before.

Truth: pf.exact_jko at the run's dt, so no time error enters. The claim is made where a step moves mass by some cells
(dt = 0.01: `displacement_in_cells` from 2 on). The problem `locked` is fan2022iclr's setting (t_0 = 0.002, dt = 0.001,
20 steps, m = 2) in steps of 0.001 and carries no claim: its first rows move less than one cell a step, and root_m2
reproduces the table of docs/math.md 6.1 (100 cells -20.8 %, 200 -3.2 %, 400 -1.1 %, 800 -0.22 %).
"""

import numpy as np

import pdeflow as pf

CLAIMS = [pf.Claim("cvxopt-jko", "l1", 2.0, 0.35, "docs/math.md 14")]


def root_m2(approximation, truth, *, rng=None):
    """|relative error of sqrt(E|x - mean|²)|, masses at the cell centres."""
    if not isinstance(approximation, pf.laws.GridLaw):
        raise pf.NotAvailable(f"{approximation!r} has no cells. This metric judges GridLaws. Use cov_error.")
    (x,) = approximation.centers
    mean = approximation.mass @ x
    return abs(np.sqrt(approximation.mass @ (x - mean) ** 2) / np.sqrt(truth.cov()[0, 0]) - 1)


def study(scale="quick"):
    """Sweep of cells on the Barenblatt problem, four steps of 0.01."""
    return _study([25, 50, 100, 200] if scale == "quick" else [25, 50, 100, 200, 400], 0.01, 0.04)


def locked(scale="quick"):
    """Sweep of cells in fan2022iclr's setting: twenty steps of 0.001."""
    return _study([50, 100, 200] if scale == "quick" else [100, 200, 300, 400, 800], 0.001, 0.02)


def _study(cells, dt, horizon):
    return pf.Study(
        [pf.problems.porous_medium(horizon=horizon)],
        {"cvxopt-jko": pf.grid.CvxoptJKO(lower=-0.8, upper=0.8)},
        {"cells": cells},
        {"l1": pf.metrics.l1, "root_m2": root_m2},
        dt=dt,
        against=pf.exact_jko,
    )
