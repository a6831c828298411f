"""ICNN-JKO on the Styblinski-Tang potential: order one in dt on the line.

The truth is Chang-Cooper on a fine grid, with its own error.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("icnn-jko", "w2", 1.0, 0.25, "jko1998; mokrov2021")]


def study(scale="quick"):
    """W2 at t = 0.3 on the line, against Chang-Cooper of second order with 3200 cells and 1500 steps, and its own error
    in time.
    """
    problem = pf.problems.styblinski_tang(1, horizon=0.3)
    steps = [0.15, 0.075, 0.0375] if scale == "quick" else [0.15, 0.075, 0.0375, 0.01875]
    method = pf.neural.ICNNJKO(width=64, iterations=400, network=pf.neural.Network(sharpness=100.0))
    truth = pf.finer(pf.grid.ChangCooper(cells=3200, time_order=2), dt=1e-4)
    return pf.Study([problem], {"icnn-jko": method}, {"dt": steps}, {"w2": pf.metrics.w2}, against=truth)
