"""Conjugate gradients for weighted H1 metrics on a grid: a v - ∇·(w ∇v) with no-flux ends, in compiled passes."""

import numpy as np

from ..._core.compiled import BLOCK, FMA, Run, compiled
from ..._core.shapes import Numbers

_OPTIONS = {"cache": True, "nogil": True, "fastmath": FMA}


@compiled(**_OPTIONS)
def _apply(first, end, weight, links_x, links_y, v, out, dot):
    """out = A v on the rows from `first` to `end`, and the sums of v times it over each row."""
    nx, ny = v.shape
    for i in range(first, end):
        total = 0.0
        for j in range(ny):
            z = weight[i, j] * v[i, j]
            if i > 0:
                z += links_x[i - 1, j] * (v[i, j] - v[i - 1, j])
            if i < nx - 1:
                z += links_x[i, j] * (v[i, j] - v[i + 1, j])
            if j > 0:
                z += links_y[i, j - 1] * (v[i, j] - v[i, j - 1])
            if j < ny - 1:
                z += links_y[i, j] * (v[i, j] - v[i, j + 1])
            out[i, j] = z
            total += z * v[i, j]
        dot[i] = total


@compiled(**_OPTIONS)
def _advance(first, end, step, x, residual, direction, image, inverse, dot):
    """One step along the direction, and the sums over each row of the square of the residual in the metric 1/diag."""
    for i in range(first, end):
        total = 0.0
        for j in range(x.shape[1]):
            x[i, j] += step * direction[i, j]
            residual[i, j] -= step * image[i, j]
            total += residual[i, j] * residual[i, j] * inverse[i, j]
        dot[i] = total


@compiled(**_OPTIONS)
def _turn(first, end, ratio, residual, direction, inverse):
    """The next direction."""
    for i in range(first, end):
        for j in range(residual.shape[1]):
            direction[i, j] = ratio * direction[i, j] + residual[i, j] * inverse[i, j]


@compiled(**_OPTIONS)
def _eliminated(weight, links, right):
    """The solution on a line. Pivots are sums: no two numbers are subtracted, however small the weights are."""
    n = len(weight)
    x, pivot = np.empty(n), np.empty(n)
    own, carried = 0.0, 0.0
    for i in range(n):
        own += weight[i]
        link = links[i] if i < n - 1 else 0.0
        pivot[i] = own + link
        x[i] = right[i] + carried
        carried = link / pivot[i] * x[i]
        own *= link / pivot[i]
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] + (links[i] * x[i + 1] if i < n - 1 else 0.0)) / pivot[i]
    return x


def solve_weighted(
    weight: Numbers,
    links_x: Numbers,
    links_y: Numbers,
    right: Numbers,
    run: Run,
    accuracy: float = 0.1,
    most: int = 400,
) -> tuple[Numbers, int]:
    """(v, iterations) with weight v + Σ over neighbours link (v - v_neighbour) = right.

    Directly on the line, where the second axis has one point. Else by conjugate gradients, preconditioned by the
    diagonal, until the residual has fallen to `accuracy` of the start in that metric, or for `most` iterations. Sums
    are taken row by row in a fixed order: the same bits for every number of threads.

    Parameters
    ----------
    weight : (n_1, n_2)
        > 0.
    links_x, links_y : (n_1, n_2)
        >= 0, the links to the next point of each axis; the last row or column is not used.
    right : (n_1, n_2)
        The right side.
    run : callable
        Threads, as for `c_transform.lower_envelope`.
    """
    if right.shape[1] == 1:
        return _eliminated(weight[:, 0], links_x[:, 0], right[:, 0])[:, None], 1
    diagonal = weight.copy()
    diagonal[:-1] += links_x[:-1]
    diagonal[1:] += links_x[:-1]
    diagonal[:, :-1] += links_y[:, :-1]
    diagonal[:, 1:] += links_y[:, :-1]
    rows, inverse = len(right) * BLOCK, 1 / diagonal
    x, residual, direction = np.zeros_like(right), right.copy(), right * inverse
    image, dot = np.empty_like(right), np.empty(len(right))
    size = first = float(np.sum(residual * direction))
    for iteration in range(most):
        if size <= accuracy**2 * first:
            return x, iteration
        run(rows, _apply, weight, links_x, links_y, direction, image, dot)
        step = size / dot.sum()
        run(rows, _advance, step, x, residual, direction, image, inverse, dot)
        ratio, size = float(dot.sum()) / size, float(dot.sum())
        run(rows, _turn, ratio, residual, direction, inverse)
    return x, most
