"""Porous medium in the plane, m = 3, from 0.2 N(0, 0.1 I) + 0.8 N((2, 2), 0.2 I).

The mixture of [jin2025 (5.8)] in dimension 10, taken in two of its coordinates; 0.1 and 0.2 are read as variances. The
laws are those of finite volumes as they are. They are held against JKO steps by duality as the step goes to 0, with
which they share neither fluxes nor steps, and against the equation in its weak form.
"""

import runpy
from dataclasses import replace
from pathlib import Path

import pdeflow as pf

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))
TIMES = (0.125, 0.25, 0.5)
BOX = {"lower": -2.0, "upper": 4.5}
SIZES = {"stored": 52, "cells": 104, "dt": 1 / 32, "order": 1.75}
DUAL = {"dual_dt": 1 / 32, "dual_cells": 52, "tolerance": 1e-4}


def make(sizes=SIZES, dual=DUAL):
    start = pf.laws.GaussianMixture([0.2, 0.8], [[0.0, 0.0], [2.0, 2.0]], [0.1, 0.2])
    problem = replace(pf.problems.porous_medium(2, 3.0), initial=start, horizon=0.5)
    return problem, *PLANE["with_fronts"](problem, BOX, TIMES, (__doc__, "jin2025"), **sizes, **dual)
