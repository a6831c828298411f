"""All quadrature rules: on panels, on cells, adaptive on the line, and over the levels of quantile functions."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial.legendre import leggauss

from .errors import NotConverged
from .shapes import Numbers, Points, Row, Values

# Nodes in [0, 1), Kronrod weights, Gauss weights (zero at the added nodes): the pair (7, 15) of QUADPACK, and (2, 5).
_PAIRS = {
    15: (
        (0.0, 0.207784955007898467600689403773245, 0.405845151377397166906606412076961,
         0.586087235467691130294144691693013, 0.741531185599394439863864773280788, 0.864864423359769072789712788640926,
         0.949107912342758524526189684047851, 0.991455371120812639206854697526329),
        (0.209482141084727828012999174891714, 0.204432940075298892414161999234649, 0.190350578064785409913256402421014,
         0.169004726639267902826583426598550, 0.140653259715525918745189590510238, 0.104790010322250183839876322541518,
         0.063092092629978553290700663189204, 0.022935322010529224963732008058970),
        (0.417959183673469387755102040816327, 0.0, 0.381830050505118944950369775488975, 0.0,
         0.279705391489276667901467771423780, 0.0, 0.129484966168869693270611432679082, 0.0),
    ),
    5: (
        (0.0, 0.577350269189625764509148780501957, 0.925820099772551461566566776583999),
        (28 / 45, 27 / 55, 98 / 495),
        (0.0, 1.0, 0.0),
    ),
}  # fmt: skip


@functools.cache
def gauss_legendre(nodes: int) -> tuple[Values, Values]:
    """Gauss-Legendre nodes (n,) in (-1, 1) and weights (n,), computed once per number of nodes and read-only."""
    z, w = leggauss(nodes)
    z.setflags(write=False)
    w.setflags(write=False)
    return z, w


def kronrod(nodes: int) -> tuple[Values, Values, Values]:
    """Nodes (q,) in (-1, 1), Kronrod weights (q,), Gauss weights (q,) of the pair with 15 or 5 nodes."""
    x, k, g = (np.array(part) for part in _PAIRS[nodes])
    return np.concatenate([-x[:0:-1], x]), np.concatenate([k[:0:-1], k]), np.concatenate([g[:0:-1], g])


def integrate(
    integrand: Callable[[Numbers, np.ndarray], Numbers],
    edges: Values,
    tolerances: Callable[[float], tuple[float, float]],
    what: str,
    rounds: int = 60,
) -> float:
    """∫ integrand over [edges[0], edges[-1]], panels bisected until the error estimate meets the target.

    Parameters
    ----------
    integrand : (points (k, q), parent (k,)) -> (k, q)
        What is integrated; parent is the number of the panel between `edges` in which the points lie.
    edges : (n + 1,)
        Ends of the first panels, increasing.
    tolerances : float -> (float, float)
        The total to (target, accepted), absolute. What round-off keeps between the two is returned.
    what : str
        What is integrated, for the error message.
    rounds : int
        The most bisections.

    Returns
    -------
    float
        The integral. A kink or a jump inside a panel is closed in on by bisection: its panel shrinks to round-off.

    Raises
    ------
    NotConverged
        Where the error estimate stays above `accepted`.
    """
    z, weight, coarse = kronrod(15 if len(edges) < 4000 else 5)  # of many panels, most are short
    low, high, parent = edges[:-1], edges[1:], np.arange(len(edges) - 1)
    span, narrow = edges[-1] - edges[0], 4e-16 * np.max(np.abs(edges))
    done, done_error = 0.0, 0.0
    for _ in range(rounds):
        half = (high - low) / 2
        values = integrand((low + half)[:, None] + half[:, None] * z, parent)
        parts = half * (values @ weight)
        errors = half * np.abs(values @ (weight - coarse))
        total = done + parts.sum()
        target, accepted = tolerances(total)
        share = np.maximum(2 * half / span, 1 / len(half))
        open_ = (errors > target * share) & (half > narrow)
        done, done_error = done + parts[~open_].sum(), done_error + errors[~open_].sum()
        if not open_.any():
            break
        low, high, parent = low[open_], high[open_], parent[open_]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        parent = np.concatenate([parent, parent])
        if done_error + errors[open_].sum() <= accepted and len(low) > 50_000:
            # what is left is round-off in the integrand: more panels would not help
            done, done_error = done + parts[open_].sum(), done_error + errors[open_].sum()
            break
    if not (np.isfinite(done) and done_error <= accepted):
        raise NotConverged(
            f"The quadrature for {what} ended with error {done_error:.3g} on {done:.6g}; accepted is {accepted:.3g}. "
            "Smooth or "
            "piecewise smooth quantile functions and densities converge. Check the law for noise or NaN.",
            residual=float(done_error),
        )
    return float(done)


def dyadic_levels(panels: int = 44) -> Values:
    """Levels 0, 2^-44, ..., 1/4, 1/2, 3/4, ..., 1 - 2^-44, 1, which resolve the logarithmic growth of quantiles."""
    half = 0.5 ** np.arange(panels, 0, -1.0)
    return np.concatenate([[0.0], half, 1 - half[-2::-1], [1.0]])


def inner_levels(u: Numbers) -> Numbers:
    """u kept off 0 and 1 by the last representable level, where unbounded quantiles are still finite."""
    return np.clip(u, 1e-300, 1 - 2.0**-53)


def graded_rule(panels: int = 44, nodes: int = 16) -> tuple[Values, Values]:
    """Points u (n,) in (0, 1) and weights (n,): Gauss-Legendre on panels that halve towards both ends.

    The panels next to 0 and 1 have width 2^-panels, so that the logarithmic growth of quantile functions is resolved
    (44 is the most for which 1 - u still differs from 1).
    """
    z, w = gauss_legendre(nodes)
    half = np.concatenate([[0.0], 0.5 ** np.arange(panels, 0, -1.0)])
    width, left = np.diff(half), half[:-1]
    u = (left[:, None] + width[:, None] * (z + 1) / 2).ravel()
    v = (width[:, None] * w / 2).ravel()
    return np.concatenate([u, 1 - u[::-1]]), np.concatenate([v, v[::-1]])


def level_integral(function: Callable[[Values], Values], nodes: int = 16, tolerance: float = 1e-14) -> float:
    """∫_0^1 function(u) du of a function that may have kinks and jumps and may grow like a power of log u at the ends.

    Parameters
    ----------
    function : (n,) -> (n,)
        The integrand at levels in (0, 1).
    nodes : int
        Gauss-Legendre points per panel.
    tolerance : float
        Relative to the whole.

    Returns
    -------
    float
        The integral.

    Notes
    -----
    The panels are those of `graded_rule`, each halved where its value and that of its two halves differ by more than
    the tolerance. A jump is closed in on by bisection, 50 times at most.
    """
    z, w = gauss_legendre(nodes)
    half = np.concatenate([[0.0], 0.5 ** np.arange(44, 0, -1.0)])
    left, width = np.tile(half[:-1], 2), np.tile(np.diff(half), 2)
    right_end = np.arange(len(left)) >= len(half) - 1  # panels measured from level 1 downwards

    def integrals(left, width, right_end):
        v = left[:, None] + width[:, None] * (z + 1) / 2
        values = np.asarray(function(np.where(right_end[:, None], 1 - v, v).ravel()), dtype=float)
        return values.reshape(v.shape) @ w * width / 2

    coarse, total, scale = integrals(left, width, right_end), 0.0, None
    for _ in range(50):
        scale = np.sum(np.abs(coarse)) if scale is None else scale
        left_half = integrals(left, width / 2, right_end)
        right_half = integrals(left + width / 2, width / 2, right_end)
        # the panels at levels 0 and 1 stay whole: finer nodes would round to the ends themselves
        rough = (np.abs(left_half + right_half - coarse) > tolerance * scale) & (left > 0)
        total += np.sum(np.where(left > 0, left_half + right_half, coarse)[~rough])
        left = np.concatenate([left[rough], left[rough] + width[rough] / 2])
        coarse = np.concatenate([left_half[rough], right_half[rough]])
        width, right_end = np.tile(width[rough] / 2, 2), np.tile(right_end[rough], 2)
        if not len(left):
            break
    return float(total + np.sum(coarse))


def gauss_panels(edges: Row, nodes: int) -> tuple[Numbers, Row]:
    """Gauss-Legendre points (k, nodes) of the panels between the edges (k + 1,), and weights (nodes,) with sum one."""
    z, w = gauss_legendre(nodes)
    return edges[:-1, None] + np.diff(edges)[:, None] * (z + 1) / 2, w / 2


def gauss_and_lobatto() -> tuple[tuple[Values, Values], tuple[Values, Values]]:
    """Two rules (nodes (5,), weights (5,)) on (-1, 1), exact to degree 9 and 7; the second has nodes at both ends."""
    inner = np.sqrt(3 / 7)
    return gauss_legendre(5), (np.array([-1, -inner, 0, inner, 1]), np.array([9, 49, 64, 49, 9]) / 90)


def cell_nodes(axes: Sequence[Row], nodes: int) -> tuple[Points, Row]:
    """Gauss points (cells · nodes^d, d) of every cell of a grid, and their weights within a cell (nodes^d,)."""
    z, w = gauss_legendre(nodes)
    shape = tuple(len(axis) - 1 for axis in axes)
    per_axis = [((axis[1:] + axis[:-1]) / 2)[:, None] + np.diff(axis)[:, None] * z / 2 for axis in axes]
    cells = np.indices(shape).reshape(len(axes), -1)
    inner = np.indices((nodes,) * len(axes)).reshape(len(axes), -1)
    x = np.stack([axis[c][:, i] for axis, c, i in zip(per_axis, cells, inner)], axis=-1)
    return x.reshape(-1, len(axes)), np.prod((w / 2)[inner], axis=0)
