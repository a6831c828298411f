"""Styblinski-Tang in the plane, V = 3/50 Σ (x_i⁴ - 16 x_i² + 5 x_i), temperature 1, from N(0, I).

The laws are those of Chang-Cooper in the plane, extrapolated from halved steps and cells. They are held against finite
volumes, whose fluxes they do not share, against the square of the law on the line, against a million particles, and
against the equation in its weak form.
"""

import runpy
from pathlib import Path

import pdeflow as pf

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))
TIMES = (0.3, 0.6, 0.9)
BOX = {"lower": -6.0, "upper": 6.0}  # leaves less than 1e-9 of the law outside at all times
STORED_CELLS, CELLS, DT, PARTICLES = 60, 120, 0.3 / 8, 1_000_000


def make(cells=CELLS, dt=DT, particles=PARTICLES):
    problem, line = (pf.problems.styblinski_tang(dim, horizon=0.9) for dim in (2, 1))
    axis = PLANE["edges"](BOX, STORED_CELLS)[0]
    grid = pf.grid.ChangCooper(time_order=2, **BOX)
    one = pf.from_refinement(line, grid, dt, 16 * STORED_CELLS, times=TIMES, axes=[axis])
    bar = pf.Estimate(2 * one.stats["error"].value, 0.0, "twice that of the law on the line", "l1")
    lifted = {"the law on the line, squared": pf.Trajectory(TIMES, pf.lift(one, 2).laws, {"error": bar})}
    sizes = {"stored": STORED_CELLS, "cells": cells, "dt": dt, "particles": particles, "particle_dt": 0.3 / 192}
    return problem, *PLANE["linear"](problem, BOX, TIMES, lifted, (__doc__, "changcooper1970"), **sizes)
