"""CvxoptJKO with automatic cells against the equation: order one in dt, and no locking.

Truth: the exact solution of the equation. `time_error` is the error of the exact JKO sequence: what the program on the
grid adds to it is below 5 %. The number of cells grows faster than 1/dt (docs/math.md 6.1); with a fixed number the
scheme has no order in dt, see grid_locking.py.
"""

import pdeflow as pf

CLAIMS = [pf.Claim("cvxopt-jko", "w2", 1.0, 0.1, "jko1998; docs/math.md 6.1")]


def study(scale="quick"):
    """Sweep of dt on an Ornstein-Uhlenbeck and a Barenblatt problem."""
    return pf.Study(
        [pf.problems.ou(), pf.problems.porous_medium(start=0.2, horizon=1.0)],
        {"cvxopt-jko": pf.grid.CvxoptJKO()},
        {"dt": [1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 16] if scale == "quick" else [1 / 4, 1 / 8, 1 / 16, 1 / 32]},
        {"w2": pf.metrics.w2},
    )
