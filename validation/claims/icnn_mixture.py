"""ICNN-JKO on a flow with two modes: order one in dt on `mixture_ou`, on the line at t = 1."""

import pdeflow as pf

CLAIMS = [pf.Claim("icnn-jko", "w2", 1.0, 0.25, "jko1998; mokrov2021")]


def study(scale="quick"):
    """The bimodal Ornstein-Uhlenbeck flow on the line at t = 1."""
    steps = [1 / 2, 1 / 4, 1 / 8] if scale == "quick" else [1 / 2, 1 / 4, 1 / 8, 1 / 16]
    method = pf.neural.ICNNJKO(width=64, iterations=400, network=pf.neural.Network(sharpness=100.0))
    return pf.Study([pf.problems.mixture_ou()], {"icnn-jko": method}, {"dt": steps}, {"w2": pf.metrics.w2})
