"""Compiled sums of Gaussian kernels over the points of a `KernelDensity`, in coordinates in which a kernel is N(0, I).

A tile is a block of places against a few points, so that memory does not grow with the number of pairs. Every place is
summed over the points in their own order: the same bits for every number of threads and for every batch of places.
"""

import math

import numpy as np

from .._core.compiled import BLOCK, FMA, compiled, exp_negative

CHUNK = 32  # points of a tile: its 32 KiB stay in the innermost cache
REACH = 39.0  # deviations beyond the outermost point at which a share is below the smallest double
NEAR = 9.0  # deviations below which a kernel lies whole: Φ(-9) = 1e-19
ROUND_OFF = 2e-15  # of sums over some thousand points
SMALLEST = 1e-300  # of the shares: what is less is taken as this


@compiled(nogil=True, fastmath=FMA, error_model="numpy")
def _exponents(own, x, first, count, log_weights, tile, higher):
    """tile[k] = log w - |own - x|²/2 for the points of a chunk, and `higher` their maximum with what it was."""
    for k in range(count):
        tile[k] = 0.0
        for i in range(len(own)):
            for j in range(BLOCK):
                tile[k, j] += (own[i, j] - x[first + k, i]) ** 2
        for j in range(BLOCK):
            tile[k, j] = log_weights[first + k] - 0.5 * tile[k, j]
            higher[j] = max(higher[j], tile[k, j])


@compiled(nogil=True, fastmath=FMA, error_model="numpy")
def _add_chunk(x, first, count, tile, top, higher, total, moment):
    """Add exp(tile - higher) to the sums, which were relative to `top`, and their products with x to the moments."""
    for j in range(BLOCK):
        top[j] = exp_negative(top[j] - higher[j])
        total[j] *= top[j]
    for i in range(len(moment)):
        for j in range(BLOCK):
            moment[i, j] *= top[j]
    for k in range(count):
        for j in range(BLOCK):
            tile[k, j] = exp_negative(tile[k, j] - higher[j])
            total[j] += tile[k, j]
        for i in range(len(moment)):
            for j in range(BLOCK):
                moment[i, j] += tile[k, j] * x[first + k, i]
    top[:] = higher


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def log_sums(begin, end, at, x, log_weights, means, logs, centres):
    """logs[p] = log Σ_j w_j exp(-|at_p - x_j|²/2), and with `means` the mean of the x_j by these summands.

    at : (m, d). x : (n, d). log_weights : (n,). logs : (m,). centres : (m, d), left alone without `means`. The largest
    summand so far is divided out, so that no sum underflows.
    """
    n, dim = x.shape
    tile, top, total = np.empty((CHUNK, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    higher, own, moment = np.empty(BLOCK), np.zeros((dim, BLOCK)), np.zeros((dim if means else 0, BLOCK))
    for block in range(begin, end):
        start, stop = block * BLOCK, min(len(at), (block + 1) * BLOCK)
        for p in range(start, stop):
            own[:, p - start] = at[p]
        top[:] = -np.inf
        total[:] = 0.0
        moment[:] = 0.0
        for first in range(0, n, CHUNK):
            count = min(CHUNK, n - first)
            higher[:] = top
            _exponents(own, x, first, count, log_weights, tile, higher)
            _add_chunk(x, first, count, tile, top, higher, total, moment)
        for p in range(start, stop):
            logs[p] = top[p - start] + np.log(total[p - start])
            for i in range(len(moment)):
                centres[p, i] = moment[i, p - start] / total[p - start]


@compiled(nogil=True, fastmath=FMA, error_model="numpy")
def _share(place, x, weights, total):
    """The share below a place and the density there, Σ_j w_j Φ(place - x_j) and Σ_j w_j φ(place - x_j).

    x increasing, total[j] = w_0 + ... + w_(j-1). Points more than NEAR below count whole; points above are left out
    from where on they can add no more than round-off.
    """
    first = np.searchsorted(x, place - NEAR)
    share, density, everything = total[first], 0.0, total[len(x)]
    for j in range(first, len(x)):
        gap = x[j] - place
        part = 0.5 * math.erfc(gap * math.sqrt(0.5))
        if part * (everything - total[j]) < 1e-17 * share:
            break
        share += weights[j] * part
        density += weights[j] * exp_negative(-0.5 * gap * gap)
    return share, density / math.sqrt(2.0 * math.pi)


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def line_shares(begin, end, at, x, weights, total, shares):
    """shares[p] = Σ_j w_j Φ(at_p - x_j); at (m,), x increasing and weights (n,), total (n + 1,) their running sums."""
    for p in range(begin * BLOCK, min(len(at), end * BLOCK)):
        shares[p] = _share(at[p], x, weights, total)[0]


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def line_places(begin, end, shares, x, weights, total, places):
    """The places below which these shares lie; x increasing, weights (n,), total (n + 1,) their running sums.

    Newton's method on the logarithm of the share from the quantile of the points, inside a bracket that a bisection
    halves where a step leaves it. It ends where the bracket, a step or what is left of the share is round-off.
    """
    n = len(x)
    for p in range(begin * BLOCK, min(len(shares), end * BLOCK)):
        share = max(shares[p], SMALLEST)
        low, high = x[0] - REACH, x[n - 1] + REACH
        place = x[min(n - 1, max(0, np.searchsorted(total, share) - 1))]
        for _ in range(200):
            here, density = _share(place, x, weights, total)
            if abs(here - share) <= ROUND_OFF * share:
                break
            if here >= share:
                high = place
            else:
                low = place
            small = ROUND_OFF * max(abs(place), 1e-3)
            step = -np.log(here / share) * here / density if here > 0.0 and density > 0.0 else np.inf
            following = place + step
            if not (low <= following <= high):
                following = 0.5 * (low + high)
            moved, place = abs(following - place), following
            if moved <= small or high - low <= small:
                break
        places[p] = place
