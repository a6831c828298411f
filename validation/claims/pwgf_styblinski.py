"""PWGF on the Styblinski-Tang potential: the orders of Euler and Heun in the step, on the line.

The truth is the same projected flow by RK4 at a fine step.
"""

import pdeflow as pf

SOURCE = "jin2025, Algorithm 4.1"
CLAIMS = [pf.Claim("euler", "w2", 1.0, 0.15, SOURCE), pf.Claim("heun", "w2", 2.0, 0.2, SOURCE)]


def study(scale="quick"):
    """W2 at t = 0.1 on the line, with planar maps, against the same projected flow by rk4 at a fine step.

    The order of the integrators.
    """
    methods = {"euler": planar(pf.neural.Euler()), "heun": planar(pf.neural.Heun())}
    steps = [1 / 80, 1 / 160, 1 / 320] if scale == "quick" else [1 / 80, 1 / 160, 1 / 320, 1 / 640]
    problem = pf.problems.styblinski_tang(1, horizon=0.1)
    truth = pf.finer(planar(pf.neural.RK4()), dt=1 / 640)
    return pf.Study([problem], methods, {"dt": steps}, {"w2": pf.metrics.w2}, against=truth)


def planar(integrator):
    return pf.neural.PWGF(map=pf.neural.Planar(layers=6), samples=1000, integrator=integrator, damping=1e-2)
