"""Projected flows on the line with residual networks: order 1, 2 and 4 in the step for euler, heun and rk4.

On fixed points a run is an ordinary differential equation in θ, so every map has the order of its integrator against
the projected flow itself, here rk4 at a fine step; how far that is from the true flow is the business of δ0
(validation/reproductions/jin2025.py, which also has the orders of planar maps). The metric is (E|T(z) - T'(z)|²)^½ over
the initial law, by quadrature in the level: W2 itself where both maps increase, an upper bound of it else.
"""

import numpy as np

import pdeflow as pf
from pdeflow._core.quadrature import graded_rule

SOURCE = "jin2025, Algorithm 4.1"
CLAIMS = [
    pf.Claim(name, "map_distance", order, 0.15, SOURCE) for name, order in (("euler", 1.0), ("heun", 2.0), ("rk4", 4.0))
]


def map_distance(approximation, truth, *, rng=None):
    level, weight = graded_rule()
    z = approximation.base.quantile(level)[:, None]
    return float(np.sqrt(weight @ (approximation.push(z) - truth.push(z))[:, 0] ** 2))


def method(integrator):
    kind = pf.neural.Residual(layers=2, width=4)
    return pf.neural.PWGF(map=kind, samples=400, integrator=integrator, damping=1e-2)


def study(scale="quick"):
    steps = [1 / 40, 1 / 80, 1 / 160] if scale == "quick" else [1 / 40, 1 / 80, 1 / 160, 1 / 320]
    methods = {"euler": method(pf.neural.Euler()), "heun": method(pf.neural.Heun()), "rk4": method(pf.neural.RK4())}
    start = pf.laws.GaussianMixture([0.5, 0.5], [-0.7, 0.7], [0.3, 0.3])
    problems = [
        pf.problems.mixture_ou(start, 1.0, 0.3, horizon=0.2),
        pf.problems.mckean_vlasov_ou(initial=start, horizon=0.2),
    ]
    truth = pf.finer(method(pf.neural.RK4()), dt=1 / 1280)
    return pf.Study(problems, methods, {"dt": steps}, {"map_distance": map_distance}, against=truth)
