"""Aggregation-diffusion in the plane, W = -exp(-|z|²) and 0.1 Δρ³, from the uniform law on [-3, 3]², mass 9.

The problem of [fan2022iclr section 4.4] with density 1/4 and without 1/π, stored as a law of mass 1. The laws are those
of finite volumes as they are, held against JKO steps by duality with the interaction at the law before a step,
extrapolated to steps of 0, with which they share the convolution and neither fluxes nor steps, and against the equation
in its weak form.
"""

import math
import runpy
from pathlib import Path

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))


def make():
    return PLANE["aggregation"](9.0, math.pi, (0.15, 0.3), tolerance=1e-5, words=(__doc__, "fan2022iclr"))
