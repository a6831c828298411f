"""PWGF of the aggregation W = |x|⁴/4 - |x|²/2 on the line: the orders of Euler and Heun in the step.

The truth is the same projected flow by RK4 at a fine step.
"""

import pdeflow as pf

CLAIMS = [
    pf.Claim("euler", "w2", 1.0, 0.15, "jin2025, Algorithm 4.1"),
    pf.Claim("heun", "w2", 2.0, 0.2, "order of the integrator"),
]


def study(scale="quick"):
    """W2 at t = 1/2 on the line, from N(1.25, 0.36), with planar maps, against the same projected flow by rk4 at a fine
    step.
    """
    steps = [1 / 20, 1 / 40, 1 / 80] if scale == "quick" else [1 / 20, 1 / 40, 1 / 80, 1 / 160]
    problem = pf.problems.ring_aggregation(1, initial=pf.laws.Gaussian(1.25, 0.36), horizon=0.5)
    methods = {"euler": line(pf.neural.Euler()), "heun": line(pf.neural.Heun())}
    truth = pf.finer(line(pf.neural.RK4()), dt=1 / 640)
    return pf.Study([problem], methods, {"dt": steps}, {"w2": pf.metrics.w2}, against=truth)


def line(integrator):
    return pf.neural.PWGF(map=pf.neural.Planar(layers=4), samples=500, integrator=integrator, damping=1e-2)
