"""Levels of a quantile mesh, and the nodes that a law puts there."""

import numpy as np
from jaxtyping import Float
from scipy.special import betainc

from ..._core.errors import Unsupported
from ..._core.rising import require_sorted
from ...laws import Law

Nodes = Float[np.ndarray, " nodes"]  # n + 1 numbers: levels, quantiles, forces on them
Cells = Float[np.ndarray, " cells"]  # n numbers, one per cell between two levels

GRADINGS = ("graded", "uniform")
# Narrowest cell, in probability: levels next to 1 are floats, and a cell of 64 units keeps its weight to about 1 %.
NARROWEST_CELL = 64 * np.finfo(float).eps


def quantile_levels(points: int, grading: str) -> Nodes:
    """Increasing levels s_0 = 0 < ... < s_n = 1, symmetric about 1/2, with n = points - 1 cells.

    "uniform": s = ξ on the uniform grid ξ_i = i/n. "graded": s = I_ξ(5, 5), the regularised incomplete beta function
    (plus a share of ξ that keeps the narrowest cell at 64 float spacings): s ~ ξ^5 at both ends. For a quantile
    function that grows like √(-log s), or like s^γ with γ > -0.1, the W2 error of piecewise linear interpolation on
    it is second order in 1/n, so one rule serves bounded and unbounded support. (The cosine rule s = (1 - cos πξ)/2
    of docs/math.md 6.2 gives order 1.9 on the Barenblatt law of m = 2, 1.5 on that of m = 4/3 and 1.1 on a Gaussian.)
    """
    cells = points - 1
    xi = np.arange(cells + 1) / cells
    if grading == "graded":
        share = cells * NARROWEST_CELL
        s = (1 - share) * betainc(5.0, 5.0, xi) + share * xi
    else:
        s = xi
    half = (cells + 1) // 2
    s[cells - np.arange(half)] = 1 - s[:half]
    s[0], s[-1] = 0.0, 1.0
    return s


def quantile_nodes(law: Law, levels: Nodes) -> Nodes:
    """Nodes x_i = Q(s_i) of the law's quantile function, (n + 1,), non-decreasing.

    Where Q(0) or Q(1) is infinite, the end node is Q(ε) or Q(1 - ε) with ε = e^-2 s_1: for an exponential tail
    this keeps the mean of the end cell, and the mass ε beyond is counted inside that cell. ε is of order n^-5
    ("graded") or n^-1 ("uniform"), so the truncation vanishes with n; it is part of the representation floor.
    """
    x = np.array(law.quantile(levels), dtype=float)
    tail = np.exp(-2.0) * levels[1]
    ends = np.isfinite(x[[0, -1]])
    if not ends[0]:
        x[0] = law.quantile(np.array([tail]))[0]
    if not ends[1]:
        x[-1] = law.quantile(np.array([1 - tail]))[0]
    if not np.all(np.isfinite(x)):
        i = int(np.argmin(np.isfinite(x)))
        raise Unsupported(
            f"The quantile function of {law!r} is {x[i]} at level {levels[i]:.6g}. "
            "It must be finite inside (0, 1). Correct the law's quantile function."
        )
    require_sorted(x, levels, law)
    return np.maximum.accumulate(x)  # an inverse found by bisection may step back by one unit in the last place
