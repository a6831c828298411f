"""Porous medium in the plane, m = 2, from two bumps, 0.4 N((-1, 0), 0.06 I) + 0.6 N((0.8, 0.4), 0.09 I), that meet.

The laws are those of finite volumes as they are. They are held against JKO steps by duality as the step goes to 0, with
which they share neither fluxes nor steps, and against the equation in its weak form.
"""

import runpy
from dataclasses import replace
from pathlib import Path

import pdeflow as pf

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))
TIMES = (0.125, 0.25, 0.5)
BOX = {"lower": -3.0, "upper": 3.0}
SIZES = {"stored": 50, "cells": 100, "dt": 1 / 32, "order": 1.5}
DUAL = {"dual_dt": 1 / 32, "dual_cells": 50, "tolerance": 2e-4, "dual_order": 0.75}


def make(sizes=SIZES, dual=DUAL):
    start = pf.laws.GaussianMixture([0.4, 0.6], [[-1.0, 0.0], [0.8, 0.4]], [0.06, 0.09])
    problem = replace(pf.problems.porous_medium(2, 2.0), initial=start, horizon=0.5)
    return problem, *PLANE["with_fronts"](problem, BOX, TIMES, (__doc__, "vazquez2007"), **sizes, **dual)
