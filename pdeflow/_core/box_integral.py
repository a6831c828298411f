"""Integrals over the cells of a grid, which are halved where two rules disagree."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.polynomial.legendre import Legendre

from .errors import NotConverged
from .quadrature import END, MOST_PANELS, gauss_legendre
from .shapes import Numbers, Points, Row, Values

_POINTS_AT_ONCE = 1 << 18  # points at which a function is asked at a time: tens of megabytes


def gauss_lobatto(nodes: int) -> tuple[Values, Values]:
    """Gauss-Lobatto nodes (n,) in [-1, 1], both ends among them, and weights (n,), exact to degree 2n - 3."""
    last = Legendre.basis(nodes - 1)
    z = np.concatenate([[-1.0], np.sort(last.deriv().roots().real), [1.0]])
    return z, 2 / (nodes * (nodes - 1) * last(z) ** 2)


def box_integral(
    function: Callable[[Points], Values],
    axes: Sequence[Row],
    density: Numbers,
    nodes: int,
    what: str,
    accepted: float = 1e-9,
) -> float:
    """∫ function · density over the cells of a grid, of a density (n_1, ..., n_d) that is constant in each cell.

    The Gauss rule with `nodes` points an axis and the Lobatto rule with two more must agree; a cell on which they
    do not is halved in every axis. The value is that of the first rule. Raises `NotConverged` where their
    differences sum to more than `accepted` of ∫|function| density after 2^16 cells beyond the first.
    """
    dim = len(axes)
    center = np.stack(np.meshgrid(*[(e[1:] + e[:-1]) / 2 for e in axes], indexing="ij"), axis=-1).reshape(-1, dim)
    half = np.stack(np.meshgrid(*[np.diff(e) / 2 for e in axes], indexing="ij"), axis=-1).reshape(-1, dim)
    full = np.flatnonzero(density.ravel() != 0)
    center, half = center[full], half[full]
    mass = density.ravel()[full] * np.prod(2 * half, axis=1)
    corner, (z, w) = np.array(list(product((-1, 1), repeat=dim))), gauss_lobatto(nodes + 2)
    rules = gauss_legendre(nodes), (np.clip(z, -END, END), w)
    total, error, size, scale, spent, first = 0.0, 0.0, 0.0, 0.0, 0, len(full)
    while True:
        value, other = (_cell_means(function, center, half, *rule) * mass for rule in rules)
        spent += len(center)
        scale, gaps = max(scale, size + float(np.sum(np.abs(value)))), np.abs(value - other)
        rough = ~(gaps <= 0.01 * accepted * scale / max(first, 1))
        if float(gaps.sum()) + error <= 1e-4 * accepted * scale or spent > first + MOST_PANELS:
            rough[:] = False
        total, size = total + np.sum(value[~rough]), size + float(np.sum(np.abs(value[~rough])))
        error += float(np.sum(gaps[~rough]))
        if not rough.any():
            break
        half = np.repeat(half[rough] / 2, len(corner), axis=0)
        center = np.repeat(center[rough], len(corner), axis=0) + np.tile(corner, (int(rough.sum()), 1)) * half
        mass = np.repeat(mass[rough] / len(corner), len(corner))
    if not error <= accepted * scale:
        raise NotConverged(
            f"The quadrature of {what} over the cells of a grid ended with error {error:.3g} on {total:.6g}; accepted "
            f"is {accepted * scale:.3g}. Piecewise smooth functions converge. Use a finer grid, or check the function "
            "for noise.",
            residual=error,
        )
    return float(total)


def _cell_means(function, center, half, z, w):
    """The mean of the function over each box, by the rule with the points z and the weights w in every axis."""
    node = np.array(list(product(z, repeat=center.shape[1])))
    weight = np.prod(np.array(list(product(w / 2, repeat=center.shape[1]))), axis=1)
    rows, parts = max(1, _POINTS_AT_ONCE // len(node)), []
    for start in range(0, len(center), rows):
        cut = slice(start, start + rows)
        x = center[cut, None] + half[cut, None] * node
        parts.append(np.asarray(function(x.reshape(-1, center.shape[1]))).reshape(len(x), -1) @ weight)
    return np.concatenate(parts) if parts else np.empty(0)
