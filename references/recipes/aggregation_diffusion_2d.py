"""Aggregation-diffusion in the plane, W = -exp(-|z|²)/π and 0.1 Δρ³, from the uniform law on [-3, 3]², mass 1.

The problem of [fan2022iclr section 4.4] while its edges and corners rise. The laws are those of finite volumes as they
are, held against JKO steps by duality with the interaction at the law before a step, extrapolated to steps of 0, with
which they share the convolution and neither fluxes nor steps, and against the equation in its weak form.
"""

import runpy
from pathlib import Path

PLANE = runpy.run_path(str(Path(__file__).with_name("_plane.py")))


def make():
    return PLANE["aggregation"](1.0, 1.0, (4.0, 8.0), words=(__doc__, "fan2022iclr"))
