"""The sequence that QuantileJKO computes is the exact JKO sequence, to the floor of its representation, at every step
size.

Truth: pf.exact_jko at the run's own dt. The metric is what the distance exceeds the floor by: zero at every dt, or the
scheme goes somewhere else (towards the equation, say, or half a step off). The order claimed is inf: exact.
"""

import pdeflow as pf
from pdeflow._core.estimate import Estimate
from pdeflow.grid.quantile_jko.mesh import quantile_nodes

CLAIMS = [pf.Claim("jko-quantile", "beyond_floor", float("inf"), 0.1, "docs/math.md 1.1, 2.2, 4.1")]


def beyond_floor(approximation, truth, *, rng=None):
    """max(0, W2(approximation, truth) - W2(interpolant of the truth at the same levels, truth)).

    The JKO step minimises over all quantile functions linear between the levels, so it may come closer than the
    interpolant.
    """
    if not isinstance(approximation, pf.laws.Quantiles):
        raise pf.NotAvailable(f"{approximation!r} has no levels. This metric judges Quantiles laws. Use w2.")
    levels = approximation.levels
    floor = pf.metrics.w2(pf.laws.Quantiles(quantile_nodes(truth, levels), levels), truth)
    excess = pf.metrics.w2(approximation, truth).value - floor.value
    return Estimate(max(0.0, excess), 0.0, "closed form or quadrature", "beyond_floor")


def study(scale="quick"):
    """Sweep of dt over two decades on the problems whose JKO sequence is closed."""
    points = 201 if scale == "quick" else 1601
    return pf.Study(
        [
            pf.problems.ou(horizon=0.5),
            pf.problems.heat(horizon=0.5),
            pf.problems.mckean_vlasov_ou(horizon=0.5),
            pf.problems.porous_medium(start=0.05, horizon=0.5),
            pf.problems.newtonian_1d(horizon=0.5),
            pf.problems.log_repulsion(horizon=0.5),
        ],
        {"jko-quantile": pf.grid.QuantileJKO(points)},
        {"dt": [0.5, 0.1, 0.02, 0.005]},
        {"beyond_floor": beyond_floor},
        against=pf.exact_jko,
    )
