"""JKO steps on problems that are neither Gaussian nor on the line: order one in d = 10, 30 and 100, the errors split.

A rotated product of double wells and Styblinski-Tang coordinates in d = 30 and mexican hats in d = 10 and 100. W2 of
two laws that one rotation moved, or of two that are invariant under rotations, is a finite sum or an integral on the
line, so no error of samples hides the order. QuantileJKO runs on the parts with 600 levels; its exact discrete sequence
is that of 4,001 levels. The truth is Chang-Cooper of second order on the parts, with its own error in time.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("quantile-jko", "w2", 1.0, 0.15, "jko1998")]


def study(scale="quick"):
    """W2 at t = 1/8, dt = 1/16 ... 1/64; at paper scale one more step."""
    problems = [
        pf.problems.rotated_wells(30, horizon=0.125),
        pf.problems.mexican_hat(10, horizon=0.125),
        pf.problems.mexican_hat(100, barrier=0.05, initial=pf.laws.Gaussian([0.0] * 100, 0.1), horizon=0.125),
    ]
    steps = [1 / 16, 1 / 32, 1 / 64] if scale == "quick" else [1 / 16, 1 / 32, 1 / 64, 1 / 128]
    truth = pf.finer(pf.grid.ChangCooper(cells=3000, time_order=2), dt=1 / 4096)
    methods = {"quantile-jko": pf.grid.QuantileJKO(points=600)}
    return pf.Study(problems, methods, {"dt": steps}, {"w2": pf.metrics.w2}, against=truth)
