"""Quadrature rules on panels and on cells, and adaptive quadrature on the line."""

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


MOST_PANELS = 1 << 16  # panels that one integral may take in all: some seconds
END = 1 - 2.0**-30  # the end of a panel, but on its own side of a jump that lies there


@functools.cache
def gauss_legendre(nodes: int) -> tuple[Values, Values]:
    """Gauss-Legendre nodes (n,) in (-1, 1) and weights (n,), computed once per number of nodes and read-only."""
    z, w = leggauss(nodes)
    z.setflags(write=False)
    w.setflags(write=False)
    return z, w


def polynomial_at(places: Sequence[float] | Row, z: Values) -> Numbers:
    """Weights (n, k) of the values at the nodes z (n,) that give the polynomial through them at the places (k,)."""
    others = [np.delete(z, i) for i in range(len(z))]
    return np.array([[np.prod((at - rest) / (x - rest)) for at in places] for x, rest in zip(z, others)])


@functools.cache
def end_values(nodes, gauss=False):
    """The weights of `polynomial_at` for both ends of (-1, 1), each on its own side."""
    return polynomial_at((-END, END), (gauss_legendre if gauss else kronrod)(nodes)[0])


@functools.cache
def kronrod(nodes: int) -> tuple[Values, Values, Values]:
    """Nodes (q,) in (-1, 1), Kronrod weights (q,), Gauss weights (q,) of the pair with 15 or 5 nodes; read-only."""
    x, k, g = (np.array(part) for part in _PAIRS[nodes])
    pair = np.concatenate([-x[:0:-1], x]), np.concatenate([k[:0:-1], k]), np.concatenate([g[:0:-1], g])
    for part in pair:
        part.setflags(write=False)
    return pair


def integrate(
    integrand: Callable[[Numbers, np.ndarray], Numbers],
    edges: Values | tuple[Values, Values],
    tolerances: Callable[[float], tuple[float, float]],
    what: str,
    rounds: int = 60,
    poles: Sequence[float] = (),
) -> float:
    """∫ integrand over the panels, which are bisected until the error estimate meets the target.

    Parameters
    ----------
    integrand : (points (k, q), parent (k,)) -> (k, q)
        What is integrated; parent is the number of the panel between `edges` in which the points lie.
    edges : (n + 1,), or (n,) and (n,)
        Ends of the first panels, increasing; or the lower and the upper end of each.
    tolerances : float -> (float, float)
        The total to (target, accepted), absolute. What round-off keeps between the two is returned.
    what : str
        What is integrated, for the error message.
    rounds : int
        The most bisections.
    poles : (k,)
        Ends of panels where the integrand may have no limit: it is not asked next to them.

    Returns
    -------
    float
        The integral. A kink or a jump inside a panel is closed in on by bisection: its panel shrinks to round-off.

    Raises
    ------
    NotConverged
        Where the error estimate stays above `accepted`.
    """
    low, high = edges if isinstance(edges, tuple) else (edges[:-1], edges[1:])
    inner, weight, coarse = kronrod(15 if len(low) < 4000 else 5)  # of many panels, most are short
    ends, beyond = end_values(len(inner)), 1 - inner[-1]
    parent, span = np.arange(len(low)), np.sum(high - low)
    narrow = (
        4e-16 * np.maximum(np.abs(low), np.abs(high)) if isinstance(edges, tuple) else 4e-16 * np.max(np.abs(edges))
    )
    done, done_error, spent, first = 0.0, 0.0, 0, len(low)
    for _ in range(rounds):
        half, spent = (high - low) / 2, spent + len(low)
        points, shut = first_points(low, high, len(inner)), False
        if len(poles):
            shut = np.isin(np.stack([low, high], axis=1), poles)
            points[:, -2:] = np.where(shut, points[:, [0, -3]], points[:, -2:])
        values = integrand(points, parent)
        values, at_ends = values[:, :-2], values[:, -2:]
        parts = half * (values @ weight)
        # both rules overlook a kink between an end and the node next to it; the value at the end shows it
        hidden = half * beyond * np.where(shut, 0.0, np.abs(at_ends - values @ ends)).max(axis=1)
        errors = np.maximum(half * np.abs(values @ (weight - coarse)), hidden)
        total = done + parts.sum()
        target, accepted = tolerances(total)
        share = np.maximum(2 * half / span, 1 / len(half))
        open_ = (errors > target * share) & (half > (narrow[parent] if isinstance(edges, tuple) else narrow))
        done, done_error = done + parts[~open_].sum(), done_error + errors[~open_].sum()
        if not open_.any():
            break
        if (len(low) > 50_000 and done_error + errors[open_].sum() <= accepted) or spent > MOST_PANELS + first:
            # what is left is round-off in the integrand, or more than can be afforded
            done, done_error = done + parts[open_].sum(), done_error + errors[open_].sum()
            break
        low, high, parent = low[open_], high[open_], parent[open_]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        parent = np.concatenate([parent, parent])
    if not (np.isfinite(done) and done_error <= accepted):
        raise NotConverged(
            f"The quadrature for {what} ended with error {done_error:.3g} on {done:.6g}; accepted is {accepted:.3g}. "
            "Smooth or "
            "piecewise smooth quantile functions and densities converge. Check the law for noise or NaN.",
            residual=float(done_error),
        )
    return float(done)


def first_points(low: Values, high: Values, nodes: int = 15) -> Numbers:
    """Points (k, nodes + 2) of the panels from low to high: the Kronrod points, then both ends, seen from within."""
    half = (high - low) / 2
    return (low + half)[:, None] + half[:, None] * np.concatenate([kronrod(nodes)[0], [-END, END]])


def halved_levels(panels: int = 44) -> Values:
    """Levels 0, 2^-panels, ..., 1/4, 1/2: the ends of panels that halve towards 0."""
    return np.concatenate([[0.0], 0.5 ** np.arange(panels, 0, -1.0)])


def dyadic_levels(panels: int = 44) -> Values:
    """Levels 0, 2^-44, ..., 1/4, 1/2, 3/4, ..., 1 - 2^-44, 1, which resolve the logarithmic growth of quantiles."""
    half = halved_levels(panels)
    return np.concatenate([half, 1 - half[-2::-1]])


def inner_levels(u: Numbers) -> Numbers:
    """u kept off 0 and 1 by the last representable level, where unbounded quantiles are still finite."""
    return np.clip(u, 1e-300, 1 - 2.0**-53)


def graded_rule(panels: int = 44, nodes: int = 16) -> tuple[Values, Values]:
    """Points u (n,) in (0, 1) and weights (n,): Gauss-Legendre on panels that halve towards both ends.

    The panels next to 0 and 1 have width 2^-panels, so that the logarithmic growth of quantile functions is resolved
    (44 is the most for which 1 - u still differs from 1).
    """
    z, w = gauss_legendre(nodes)
    half = halved_levels(panels)
    width, left = np.diff(half), half[:-1]
    u = (left[:, None] + width[:, None] * (z + 1) / 2).ravel()
    v = (width[:, None] * w / 2).ravel()
    return np.concatenate([u, 1 - u[::-1]]), np.concatenate([v, v[::-1]])


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
