"""PWGF with affine maps on Ornstein-Uhlenbeck flows: order 1, 2 and 4 in the step for Euler, Heun and RK4.

With T = Uz + v of a Gaussian base law the projection error is zero and the law stays Gaussian: what is left is the
integrator.
"""

import pdeflow as pf

SOURCE = "jin2025, Algorithm 4.1; docs/math.md 4.3"
CLAIMS = [
    pf.Claim("euler", "w2", 1.0, 0.1, SOURCE),
    pf.Claim("heun", "w2", 2.0, 0.1, SOURCE),
    pf.Claim("rk4", "w2", 4.0, 0.1, SOURCE),
]


def problems():
    start = pf.laws.Gaussian([0.5, 1.0], [[2.0, 0.9], [0.9, 0.6]])
    return [
        pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25)),
        pf.problems.ou(2, [[1.5, 0.5], [0.5, 0.8]], [1.0, -0.5], 0.5, start, 0.5),
    ]


def study(scale="quick"):
    """W2 on the line, and in the plane where matrix and start do not commute."""
    integrators = {"euler": pf.neural.Euler(), "heun": pf.neural.Heun(), "rk4": pf.neural.RK4()}
    methods = {
        name: pf.neural.PWGF(map=pf.neural.Affine(), samples=500, integrator=integrator)
        for name, integrator in integrators.items()
    }
    steps = [1 / 64, 1 / 128, 1 / 256] if scale == "quick" else [1 / 64, 1 / 128, 1 / 256, 1 / 512, 1 / 1024]
    return pf.Study(problems(), methods, {"dt": steps}, {"w2": pf.metrics.w2})
