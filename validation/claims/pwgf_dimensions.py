"""PWGF with affine maps on Ornstein-Uhlenbeck flows in d = 1 to 16: order 1 by Euler and 2 by Heun in every dimension.

Each problem is a random draw, to t = 1/2. The projection error is zero: what is left is the integrator. The map has
d² + d parameters, whose matrix is solved for in every slope.
"""

import pdeflow as pf

SOURCE = "jin2025, Algorithm 4.1; docs/math.md 4.3"
CLAIMS = [pf.Claim("euler", "w2", 1.0, 0.1, SOURCE), pf.Claim("heun", "w2", 2.0, 0.1, SOURCE)]


def study(scale="quick"):
    """d = 1, 2, 4 and one draw each; at paper scale d = 1, 2, 4, 8, 16 and three draws each."""
    dims, draws = ([1, 2, 4], 1) if scale == "quick" else ([1, 2, 4, 8, 16], 3)
    integrators = {"euler": pf.neural.Euler(), "heun": pf.neural.Heun()}
    methods = {
        name: pf.neural.PWGF(map=pf.neural.Affine(), samples=500, integrator=integrator)
        for name, integrator in integrators.items()
    }
    return pf.Study(
        pf.Family(pf.problems.ou, dim=dims, seed=range(draws), horizon=0.5),
        methods,
        {"dt": [1 / 32, 1 / 64, 1 / 128, 1 / 256]},
        {"w2": pf.metrics.w2},
    )
