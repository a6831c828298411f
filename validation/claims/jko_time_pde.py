"""JKO in time against the equation: QuantileJKO is first order in dt on Ornstein-Uhlenbeck and Barenblatt problems.

Truth: the exact solution of the equation. The leading constants (docs/math.md 4.2 and 1.1) are tested
in tests/grid/quantile_jko/test_scheme.py. The steps are small enough that the second-order term of the JKO sequence
itself stays within the tolerance: at dt = 1/32 on Ornstein-Uhlenbeck the local order of the exact sequence is 0.985.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("jko-quantile", "w2", 1.0, 0.05, "jko1998, section 5; docs/math.md 4.2 and 1.1")]


def study(scale="quick"):
    """Sweep of dt on both problems with one mesh.

    Both problems share the horizon 1/2: the Barenblatt law starts at PDE time 0.05, as that of 0.002 does to t = 0.02
    on scaled axes.
    """
    points = 1000 if scale == "quick" else 4000
    steps = [1 / 128, 1 / 256, 1 / 512] if scale == "quick" else [1 / 128, 1 / 256, 1 / 512, 1 / 1024, 1 / 2048]
    return pf.Study(
        [pf.problems.ou(horizon=0.5), pf.problems.porous_medium(start=0.05, horizon=0.5)],
        {"jko-quantile": pf.grid.QuantileJKO(points)},
        {"dt": steps},
        {"w2": pf.metrics.w2},
    )
