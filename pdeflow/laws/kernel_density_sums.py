"""Compiled sums of Gaussian kernels over the points of a `KernelDensity`, in coordinates in which a kernel is N(0, I).

A tile is a block of places against a few points, so that memory does not grow with the number of pairs. Every place is
summed over the points in their own order: the same bits for every number of threads and for every batch of places.
"""

import math

import numpy as np

from .._core.compiled import BLOCK, FMA, compiled, exp_negative

CHUNK = 32  # points of a tile: its 32 KiB stay in the innermost cache
REACH = 39.0  # deviations beyond the outermost point at which a share is below the smallest double
SMALLEST = 1e-300  # of the shares: what is less is taken as this


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def log_sums(begin, end, at, x, log_weights, means, logs, centres):
    """logs[p] = log Σ_j w_j exp(-|at_p - x_j|²/2), and with `means` the mean of the x_j by these summands.

    at : (m, d). x : (n, d). log_weights : (n,). logs : (m,). centres : (m, d), left alone without `means`. The largest
    summand so far is divided out, so that no sum underflows.
    """
    n, dim = x.shape
    tile, top, total = np.empty((CHUNK, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    higher, own, moment = np.empty(BLOCK), np.zeros((dim, BLOCK)), np.zeros((dim, BLOCK))
    for block in range(begin, end):
        start, stop = block * BLOCK, min(len(at), (block + 1) * BLOCK)
        for p in range(start, stop):
            for i in range(dim):
                own[i, p - start] = at[p, i]
        top[:] = -np.inf
        total[:] = 0.0
        moment[:] = 0.0
        for first in range(0, n, CHUNK):
            count = min(CHUNK, n - first)
            higher[:] = top
            for k in range(count):
                tile[k] = 0.0
                for i in range(dim):
                    for j in range(BLOCK):
                        tile[k, j] += (own[i, j] - x[first + k, i]) ** 2
                for j in range(BLOCK):
                    tile[k, j] = log_weights[first + k] - 0.5 * tile[k, j]
                    higher[j] = max(higher[j], tile[k, j])
            for j in range(BLOCK):
                rescale = exp_negative(top[j] - higher[j])
                total[j] *= rescale
                top[j] = rescale  # kept for the moments, then replaced
            if means:
                for i in range(dim):
                    for j in range(BLOCK):
                        moment[i, j] *= top[j]
            for j in range(BLOCK):
                top[j] = higher[j]
            for k in range(count):
                for j in range(BLOCK):
                    tile[k, j] = exp_negative(tile[k, j] - higher[j])
                    total[j] += tile[k, j]
                if means:
                    for i in range(dim):
                        for j in range(BLOCK):
                            moment[i, j] += tile[k, j] * x[first + k, i]
        for p in range(start, stop):
            logs[p] = top[p - start] + np.log(total[p - start])
            if means:
                for i in range(dim):
                    centres[p, i] = moment[i, p - start] / total[p - start]


@compiled(nogil=True, fastmath=FMA, error_model="numpy")
def _share(place, x, weights, side):
    """Σ_j w_j Φ(side (place - x_j)): the share below for side 1, above for side -1."""
    total = 0.0
    for j in range(len(x)):
        total += weights[j] * (0.5 * math.erfc(side * (x[j] - place) * math.sqrt(0.5)))
    return total


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def line_shares(begin, end, at, x, weights, side, shares):
    """shares[p] = Σ_j w_j Φ(side (at_p - x_j)); at (m,), x and weights (n,)."""
    for p in range(begin * BLOCK, min(len(at), end * BLOCK)):
        shares[p] = _share(at[p], x, weights, side)


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def line_places(begin, end, shares, x, weights, side, places):
    """The places below (side 1) or above (side -1) which these shares lie; x increasing.

    Newton's method on the logarithm of the share, inside a bracket that a bisection halves where a step leaves it; it
    ends where the bracket or a step is round-off.
    """
    n = len(x)
    for p in range(begin * BLOCK, min(len(shares), end * BLOCK)):
        share = max(shares[p], SMALLEST)
        low, high = x[0] - REACH, x[n - 1] + REACH
        place = 0.5 * (x[0] + x[n - 1])
        for _ in range(200):
            here = _share(place, x, weights, side)
            if side * (here - share) >= 0.0:
                high = place
            else:
                low = place
            density = 0.0
            for j in range(n):
                density += weights[j] * exp_negative(-0.5 * (place - x[j]) ** 2)
            density *= 1.0 / math.sqrt(2.0 * math.pi)
            small = 4e-16 * max(abs(place), 1e-3)
            if here > 0.0 and density > 0.0:
                step = -side * np.log(here / share) * here / density
            else:
                step = np.inf
            following = place + step
            if not (low < following < high):
                following = 0.5 * (low + high)
            if abs(following - place) <= small or high - low <= small:
                place = following
                break
            place = following
        places[p] = place
