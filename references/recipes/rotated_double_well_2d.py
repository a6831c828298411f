"""Double well times quadratic well in the plane, rotated by 30 degrees, temperature 1/2, from a Gaussian.

V(x) = (y₁² - 1)² + y₂² with y = Qᵀx, from y ~ N((1, 1/2), diag(1/16, 1/4)). The laws are those of Chang-Cooper on a
grid that does not know the structure, extrapolated from halved steps and cells. They are held against finite volumes,
whose fluxes they do not share, against the product of the laws on two lines, rotated, against a million particles, and
against the equation in its weak form.
"""

import runpy
from pathlib import Path

import numpy as np

import pdeflow as pf

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))
TIMES = (0.125, 0.25, 0.5)
BOX = {"lower": -3.75, "upper": 3.75}  # leaves less than 1e-9 of the law outside at all times
STORED_CELLS, CELLS, DT, PARTICLES = 50, 100, 1 / 64, 1_000_000


def problem():
    start = pf.laws.Gaussian(1.0, 1 / 16), pf.laws.Gaussian(0.5, 1 / 4)
    well = pf.problems.double_well(temperature=0.5, initial=start[0], horizon=0.5)
    linear = pf.problems.ou(matrix=2.0, temperature=0.5, center=[0.0], initial=start[1], horizon=0.5)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    return pf.problems.rotated(pf.problems.separable([well, linear]), [[c, -s], [s, c]])


def make(cells=CELLS, dt=DT, particles=PARTICLES):
    whole = problem()
    plain = pf.Problem(whole.energy, whole.initial, 0.5)  # which no method can take apart
    axes, line = PLANE["edges"](BOX, STORED_CELLS), pf.grid.ChangCooper(time_order=2)
    lifted = {"the rotated product": pf.from_refinement(whole, line, dt, 400, times=TIMES, axes=axes)}
    sizes = {"stored": STORED_CELLS, "cells": cells, "dt": dt, "particles": particles, "particle_dt": 1 / 768}
    sizes["finer"] = 2  # 50 cells do not resolve the wells
    words = (__doc__, "changcooper1970")
    return whole, *PLANE["linear"](plain, BOX, TIMES, lifted, words, **sizes)
