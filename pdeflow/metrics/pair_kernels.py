"""Compiled sums of a kernel over all pairs of two clouds, row by row, in blocks that stay in the cache.

Memory is O(n): no matrix of pairs is kept. Every row is summed over the other cloud in its own order, so that the bits
do not depend on the number of threads.
"""

import numpy as np

from .._core.compiled import BLOCK, FMA, compiled, crew, exp_negative
from .._core.shapes import Numbers, Points, Row, Values

# A smaller number of pairs is summed by the calling thread.
SHARED_FROM = 1_000_000


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def _kernel_rows(begin, end, x, others, weights, rates, sums, squares):
    """sums[i] = Σ_j w_j k(x_i, y_j), squares[i] = Σ_j w_j k²; k = -|x - y| without rates, else the mean of e^(-rate
    r²).

    others : (m, d).
    """
    dim = x.shape[1]
    own, gap = np.empty((dim, BLOCK)), np.empty(BLOCK)
    value, total, total_square = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for block in range(begin, end):
        start, stop = block * BLOCK, min(len(x), (block + 1) * BLOCK)
        own[:] = 0.0
        for p in range(start, stop):
            for i in range(dim):
                own[i, p - start] = x[p, i]
        total[:] = 0.0
        total_square[:] = 0.0
        for other in range(len(others)):
            gap[:] = 0.0
            for i in range(dim):
                place = others[other, i]
                for j in range(BLOCK):
                    gap[j] += (own[i, j] - place) ** 2
            if len(rates) == 0:
                for j in range(BLOCK):
                    value[j] = -np.sqrt(gap[j])
            else:
                value[:] = 0.0
                for rate in rates:
                    for j in range(BLOCK):
                        value[j] += exp_negative(-rate * gap[j])
                for j in range(BLOCK):
                    value[j] /= len(rates)
            weight = weights[other]
            for j in range(BLOCK):
                total[j] += weight * value[j]
                total_square[j] += weight * value[j] * value[j]
        for p in range(start, stop):
            sums[p], squares[p] = total[p - start], total_square[p - start]


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def _stein_rows(begin, end, x, score, others, other_score, weights, rate, sums, squares):
    """As `_kernel_rows` for the Stein kernel of q^(-½), q = 1 + rate r², and the scores of a target at the points."""
    dim = x.shape[1]
    own, slope = np.empty((dim, BLOCK)), np.empty((dim, BLOCK))
    gap, both, along = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    total, total_square = np.empty(BLOCK), np.empty(BLOCK)
    for block in range(begin, end):
        start, stop = block * BLOCK, min(len(x), (block + 1) * BLOCK)
        own[:] = 0.0
        slope[:] = 0.0
        for p in range(start, stop):
            for i in range(dim):
                own[i, p - start], slope[i, p - start] = x[p, i], score[p, i]
        total[:] = 0.0
        total_square[:] = 0.0
        for other in range(len(others)):
            gap[:] = 0.0
            both[:] = 0.0
            along[:] = 0.0
            for i in range(dim):
                place, its = others[other, i], other_score[other, i]
                for j in range(BLOCK):
                    r = own[i, j] - place
                    gap[j] += r * r
                    both[j] += slope[i, j] * its
                    along[j] += (slope[i, j] - its) * r
            weight = weights[other]
            for j in range(BLOCK):
                q = 1.0 / (1.0 + rate * gap[j])
                k = np.sqrt(q)
                u = k * (both[j] + rate * q * (along[j] + dim - 3.0 * rate * gap[j] * q))
                total[j] += weight * u
                total_square[j] += weight * u * u
        for p in range(start, stop):
            sums[p], squares[p] = total[p - start], total_square[p - start]


def kernel_rows(x: Points, others: Numbers, weights: Row, rates: Row) -> tuple[Values, Values]:
    """(Σ_j w_j k(x_i, y_j), Σ_j w_j k(x_i, y_j)²), each (n,).

    Parameters
    ----------
    x, others : (n, d), (m, d)
        The points x_i and y_j.
    weights : (m,)
        w_j.
    rates : (l,)
        k = (1/l) Σ exp(-rate |x - y|²), and -|x - y| for l = 0.
    """
    return _rows(
        _kernel_rows, len(x), len(others), np.ascontiguousarray(x), np.ascontiguousarray(others), weights, rates
    )


def stein_rows(
    x: Points, score: Points, others: Numbers, other_score: Numbers, weights: Row, rate: float
) -> tuple[Values, Values]:
    """As `kernel_rows`, for u = s(x)·s(y) k + s(x)·∇_y k + s(y)·∇_x k + tr ∇_x∇_y k of k = (1 + rate |x - y|²)^(-½).

    score, other_score : (n, d), (m, d), the scores s of the target at x and at the others.
    """
    arrays = [np.ascontiguousarray(part) for part in (x, score, others, other_score)]
    return _rows(_stein_rows, len(x), len(others), *arrays, weights, float(rate))


def _rows(work, n, m, *args):
    sums, squares = np.empty(n), np.empty(n)
    if n * m < SHARED_FROM:
        work(0, -(-n // BLOCK), *args, sums, squares)
    else:
        with crew() as run:
            run(n, work, *args, sums, squares)
    return sums, squares
