"""Compiled sums over a cloud: moments in O(n), and sums over all pairs in O(n²) by tiles that stay in the cache.

A tile is one block of BLOCK points against all others, coordinates as rows, so that inner loops run over points and
vectorise. Every point's sum runs over the others in their own order: the same bits for every number of threads.
"""

import numpy as np

from .._core.compiled import BLOCK, FMA, compiled, exp_negative


@compiled(nogil=True, cache=True, error_model="numpy")
def block_sums(begin, end, x, weights, sums):
    """sums[block] = Σ w_p x_p over the points of the block; x (n, d), weights (n,), sums (blocks, d)."""
    for block in range(begin, end):
        for p in range(block * BLOCK, min(len(x), (block + 1) * BLOCK)):
            for i in range(x.shape[1]):
                sums[block, i] += weights[p] * x[p, i]


@compiled(nogil=True, cache=True, error_model="numpy")
def block_moments(begin, end, x, weights, mean, second, third, fourth):
    """Σ w yyᵀ, Σ w |y|²y and Σ w |y|⁴ over the points of each block, y = x - mean.

    Shapes: (blocks, d, d), (blocks, d) and (blocks,).
    """
    dim = x.shape[1]
    y = np.empty(dim)
    for block in range(begin, end):
        for p in range(block * BLOCK, min(len(x), (block + 1) * BLOCK)):
            size = 0.0
            for i in range(dim):
                y[i] = x[p, i] - mean[i]
                size += y[i] * y[i]
            fourth[block] += weights[p] * size * size
            for i in range(dim):
                third[block, i] += weights[p] * size * y[i]
                for k in range(dim):
                    second[block, i, k] += weights[p] * y[i] * y[k]


@compiled(nogil=True, cache=True, error_model="numpy")
def moment_force(begin, end, at, mean, second, third, linear, quartic, out):
    """out += linear y + quartic [(|y|² + m2) y + 2 S y - q], y = at - mean [docs/math.md 2.1].

    S = second, m2 = tr S, q = third.
    """
    trace, dim = np.trace(second), at.shape[1]
    y = np.empty(dim)
    for p in range(begin * BLOCK, min(len(at), end * BLOCK)):
        size = trace
        for i in range(dim):
            y[i] = at[p, i] - mean[i]
            size += y[i] * y[i]
        for i in range(dim):
            turned = 0.0
            for k in range(dim):
                turned += second[i, k] * y[k]
            out[p, i] += linear * y[i] + quartic * (size * y[i] + 2.0 * turned - third[i])


@compiled(fastmath=FMA, error_model="numpy")
def _add_power(coefficient, exponent, squared, total):
    """total += coefficient r^exponent with r² = squared > 0; the frequent exponents need no pow."""
    for j in range(BLOCK):
        r2 = squared[j]
        if exponent == 0.0:
            power = 1.0
        elif exponent == 1.0:
            power = np.sqrt(r2)
        elif exponent == 2.0:
            power = r2
        elif exponent == -1.0:
            power = 1.0 / np.sqrt(r2)
        elif exponent == -2.0:
            power = 1.0 / r2
        else:
            power = r2 ** (0.5 * exponent)
        total[j] += coefficient * power


@compiled(fastmath=FMA, error_model="numpy")
def _gather(x, start, stop, own):
    for p in range(start, stop):
        for i in range(x.shape[1]):
            own[i, p - start] = x[p, i]


@compiled(fastmath=FMA, error_model="numpy")
def _square(own, point, squared):
    """squared[j] = |own_j - point|²."""
    squared[:] = 0.0
    for i in range(len(own)):
        for j in range(BLOCK):
            squared[j] += (own[i, j] - point[i]) ** 2


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def pair_force(begin, end, at, x, weights, total_weight, powers, slope, rate, out):
    """out += Σ_j w_j φ(|at - x_j|)(at - x_j) / total_weight; coincident points exert no force.

    φ(r) = Σ c r^p + slope exp(-rate r²). at : (m, d). x : (n, d). weights : (n,). powers : (k, 2), rows (c, p).
    """
    n, dim = x.shape
    squared, factor = np.empty(BLOCK), np.empty(BLOCK)
    for block in range(begin, end):
        start, stop = block * BLOCK, min(len(at), (block + 1) * BLOCK)
        own, total = np.zeros((dim, BLOCK)), np.zeros((dim, BLOCK))
        _gather(at, start, stop, own)
        for other in range(n):
            _square(own, x[other], squared)
            for j in range(BLOCK):  # any φ does at r = 0: it is multiplied by the difference, which is 0
                squared[j] = squared[j] if squared[j] > 0.0 else 1.0
            factor[:] = 0.0
            for c, p in powers:
                _add_power(c, p, squared, factor)
            if slope != 0.0:
                for j in range(BLOCK):
                    factor[j] += slope * exp_negative(-rate * squared[j])
            for j in range(BLOCK):
                factor[j] *= weights[other]
            for i in range(dim):
                for j in range(BLOCK):
                    total[i, j] += factor[j] * (own[i, j] - x[other, i])
        for p in range(start, stop):
            for i in range(dim):
                out[p, i] += total[i, p - start] / total_weight


@compiled(fastmath=FMA, error_model="numpy")
def _kernel_values(powers, log_factor, slope, rate, singular, squared, value):
    """value[j] = W(r) at r² = squared[j] of `pair_energy`, infinite at r = 0 where the kernel is singular."""
    value[:] = 0.0
    for c, p in powers:
        _add_power(c, p, squared, value)
    if log_factor != 0.0:
        for j in range(BLOCK):
            value[j] += log_factor * (0.5 * np.log(squared[j]))
    if slope != 0.0:
        for j in range(BLOCK):
            value[j] += slope * exp_negative(-rate * squared[j])
    if singular:
        for j in range(BLOCK):  # where two terms are infinite, the repulsive one wins
            value[j] = value[j] if squared[j] > 0.0 else np.inf


@compiled(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def pair_energy(begin, end, x, weights, powers, log_factor, slope, rate, singular, sums):
    """sums[block] = ½ Σ_i w_i Σ_j w_j W(x_i - x_j) over the i of the block.

    W(r) = Σ c r^p + log_factor log r + slope exp(-rate r²). powers : (k, 2), rows (c, p). singular : W(0) = ∞, and the
    pairs i = j are left out. Points of weight 0 count for nothing even where W is infinite.
    """
    n, dim = x.shape
    squared, value, total = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for block in range(begin, end):
        start, stop = block * BLOCK, min(n, (block + 1) * BLOCK)
        own = np.zeros((dim, BLOCK))
        _gather(x, start, stop, own)
        total[:] = 0.0
        for other in range(n):
            if weights[other] == 0.0:
                continue
            _square(own, x[other], squared)
            _kernel_values(powers, log_factor, slope, rate, singular, squared, value)
            if singular and start <= other < stop:
                value[other - start] = 0.0
            for j in range(BLOCK):
                total[j] += weights[other] * value[j]
        for p in range(start, stop):
            if weights[p] != 0.0:
                sums[block] += 0.5 * weights[p] * total[p - start]
