"""Porous medium in the plane, m = 3, from 0.2 N((2, 2), 0.1 I) + 0.8 U([-1, 1]²).

The start of [jin2025 (5.10)] in dimension 5, a Gaussian and a cube, taken in two of its coordinates; 0.1 is read as a
variance. The laws are those of finite volumes as they are. They are held against JKO steps by duality as the step goes
to 0, with which they share neither fluxes nor steps, and against the equation in its weak form.
"""

import runpy
from dataclasses import replace
from pathlib import Path

import pdeflow as pf

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))
TIMES = (0.125, 0.25, 0.5)
BOX = {"lower": -2.5, "upper": 4.0}  # the sides of the square are edges of cells
SIZES = {"stored": 52, "cells": 104, "dt": 1 / 32, "order": 1.25}
DUAL = {"dual_dt": 1 / 32, "dual_cells": 52, "tolerance": 1e-4}


def make(sizes=SIZES, dual=DUAL):
    square = pf.laws.Uniform([-1.0, -1.0], [1.0, 1.0])
    start = pf.laws.Mixture([0.2, 0.8], [pf.laws.Gaussian([2.0, 2.0], 0.1), square])
    problem = replace(pf.problems.porous_medium(2, 3.0), initial=start, horizon=0.5)
    return problem, *PLANE["with_fronts"](problem, BOX, TIMES, (__doc__, "jin2025"), **sizes, **dual)
