"""QuantileJKO in space.

Second order in 1/points with graded levels; with uniform levels first order, and only for bounded support.

Truth: pf.exact_jko at the run's dt, so no time error enters. The metric compares at the scheme's own levels, as l1 does
with cell masses: the distance between the computed quantile function and the truth's interpolant. Its representation
floor is zero; the plain W2 distance has a floor that falls with the same order and is larger than the error itself (the
step projects, init interpolates).
"""

import pdeflow as pf
from pdeflow.grid.quantile_jko.mesh import quantile_nodes

CLAIMS = [
    pf.Claim("graded", "node_w2", 2.0, 0.2, "docs/math.md 6.2"),
    pf.Claim("uniform", "node_w2", 1.0, 0.2, "docs/math.md 6.2"),
]


def node_w2(approximation, truth, *, rng=None):
    """W2 between a Quantiles law and the interpolant of the truth at its levels (the distance, not its square)."""
    if not isinstance(approximation, pf.laws.Quantiles):
        raise pf.NotAvailable(f"{approximation!r} has no levels. This metric judges Quantiles laws. Use w2.")
    levels = approximation.levels
    return pf.metrics.w2(approximation, pf.laws.Quantiles(quantile_nodes(truth, levels), levels))


def study(scale="quick"):
    """Sweep of points on the Barenblatt problem of docs/math.md 6.2 (m = 2, start 0.002, dt = 0.001)."""
    points = [51, 101, 201, 401] if scale == "quick" else [51, 101, 201, 401, 801, 1601, 3201]
    return pf.Study(
        [pf.problems.porous_medium()],
        {"graded": pf.grid.QuantileJKO(), "uniform": pf.grid.QuantileJKO(grading="uniform")},
        {"points": points},
        {"node_w2": node_w2, "w2": pf.metrics.w2},
        dt=0.001,
        against=pf.exact_jko,
    )
