"""PWGF with affine maps on the porous medium equation: order 1, 2 and 4 in the step, on the line from t = 0.1 to 0.3.

From a Barenblatt law the velocity βx/t is linear, so affine maps are exact.
"""

import pdeflow as pf

SOURCE = "jin2025, section 5.2; docs/math.md 1.4"
CLAIMS = [
    pf.Claim("euler", "w2", 1.0, 0.1, SOURCE),
    pf.Claim("heun", "w2", 2.0, 0.1, SOURCE),
    pf.Claim("rk4", "w2", 4.0, 0.2, SOURCE),
]


def study(scale="quick"):
    """W2 on the line from t = 0.1 to 0.3, with affine maps."""
    integrators = {"euler": pf.neural.Euler(), "heun": pf.neural.Heun(), "rk4": pf.neural.RK4()}
    methods = {
        name: pf.neural.PWGF(map=pf.neural.Affine(), samples=200, integrator=integrator)
        for name, integrator in integrators.items()
    }
    steps = [1 / 80, 1 / 160, 1 / 320] if scale == "quick" else [1 / 80, 1 / 160, 1 / 320, 1 / 640]
    return pf.Study([pf.problems.porous_medium(1, 2.0, 0.1, 0.2)], methods, {"dt": steps}, {"w2": pf.metrics.w2})
