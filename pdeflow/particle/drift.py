"""Compiled drifts of particles: ∇V of the built-in potentials block by block, and ∇W*ρ of the built-in kernels.

A block is an array (d, BLOCK): coordinates are rows, so that inner loops run over particles and vectorise. Sums over
particles are taken block by block in a fixed order, so that they are the same bits for every number of threads.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from ..interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from ..potentials import DoubleWell, MixturePotential, Quadratic, StyblinskiTang
from .random_stream import BLOCK, FMA

NONE, LINEAR, CUBIC, MIXTURE = 0, 1, 2, 3

# One tuple of one type for every potential, so that one compiled kernel serves them all.
# cubic : (3,), ∇V_i = c3 x_i³ + c1 x_i + c0. matrices (k, d, d), centers (k, d), log_factors (k,): the components of a mixture.
Field = namedtuple("Field", "kind matrices centers log_factors cubic temperature")


def compiled_field(potential, dim):
    """∇V of a built-in potential as a `Field`; None for any other object (subclasses included: they may override grad)."""
    kind = type(potential)
    if potential is None:
        return _field(NONE, dim)
    if kind is Quadratic:
        return _field(LINEAR, dim, potential.matrix[None], potential.center[None])
    if kind is DoubleWell:
        return _field(CUBIC, dim, cubic=(4 * potential.barrier, -4 * potential.barrier, 0.0))
    if kind is StyblinskiTang:
        return _field(CUBIC, dim, cubic=(4 * potential.scale, -32 * potential.scale, 5 * potential.scale))
    if kind is MixturePotential:
        parts = potential.precisions, potential.mixture.means, potential._log_factors
        return _field(MIXTURE, dim, *parts, temperature=potential.temperature)
    return None


def _field(kind, dim, matrices=None, centers=None, log_factors=(0.0,), cubic=(0.0, 0.0, 0.0), temperature=1.0):
    matrices = np.zeros((1, dim, dim)) if matrices is None else matrices
    centers = np.zeros((1, dim)) if centers is None else centers
    arrays = [np.array(a, dtype=float, order="C") for a in (matrices, centers, log_factors, cubic)]
    return Field(kind, *arrays, float(temperature))


@njit(fastmath=FMA, error_model="numpy")
def _multiply(matrix, y, out):
    """out = matrix y for y : (d, BLOCK), four columns at a time to spare loads of `out`."""
    dim = len(matrix)
    for i in range(dim):
        for j in range(BLOCK):
            out[i, j] = 0.0
        whole = dim - dim % 4
        for k in range(0, whole, 4):
            a, b, c, d = matrix[i, k], matrix[i, k + 1], matrix[i, k + 2], matrix[i, k + 3]
            for j in range(BLOCK):
                out[i, j] += a * y[k, j] + b * y[k + 1, j] + (c * y[k + 2, j] + d * y[k + 3, j])
        for k in range(whole, dim):
            a = matrix[i, k]
            for j in range(BLOCK):
                out[i, j] += a * y[k, j]


@njit(fastmath=FMA, error_model="numpy")
def _pull(field, c, x, y, out):
    """y = x - center, out = matrix y, of component c."""
    for i in range(len(x)):
        center = field.centers[c, i]
        for j in range(BLOCK):
            y[i, j] = x[i, j] - center
    _multiply(field.matrices[c], y, out)


@njit(fastmath=FMA, error_model="numpy")
def _mixture_gradient(field, x, y, pull, shares, out):
    """∇(-T log q) = T Σ_c share_c Λ_c (x - m_c), shares by a shifted exponential; shares : (k + 2, BLOCK) scratch."""
    components = len(field.log_factors)
    top, total = shares[components], shares[components + 1]
    for j in range(BLOCK):
        top[j], total[j] = -np.inf, 0.0
    for c in range(components):
        _pull(field, c, x, y, pull)
        for j in range(BLOCK):
            exponent = 0.0
            for i in range(len(x)):
                exponent += pull[i, j] * y[i, j]
            shares[c, j] = field.log_factors[c] - 0.5 * exponent
            top[j] = max(top[j], shares[c, j])
    for c in range(components):
        for j in range(BLOCK):
            shares[c, j] = np.exp(shares[c, j] - top[j])
            total[j] += shares[c, j]
    out[:] = 0.0
    for c in range(components):
        _pull(field, c, x, y, pull)
        for i in range(len(x)):
            for j in range(BLOCK):
                out[i, j] += field.temperature * (shares[c, j] / total[j]) * pull[i, j]


@njit(fastmath=FMA, error_model="numpy")
def field_gradient(field, x, y, pull, shares, out):
    """∇V at the block x : (d, BLOCK) into out : (d, BLOCK); y, pull and shares are scratch."""
    if field.kind == LINEAR:
        _pull(field, 0, x, y, out)
    elif field.kind == CUBIC:
        c3, c1, c0 = field.cubic
        for i in range(len(x)):
            for j in range(BLOCK):
                out[i, j] = x[i, j] * (c3 * (x[i, j] * x[i, j]) + c1) + c0
    elif field.kind == MIXTURE:
        _mixture_gradient(field, x, y, pull, shares, out)
    else:
        out[:] = 0.0


def compiled_force(kernel):
    """(x (n, d), crew) -> (∇W*ρ)(x) (n, d) for the cloud's own empirical law, self pairs left out; None for a user's kernel.

    O(n) by moments for QuadraticAttraction and PowerLaw(4, 2), O(n²) for the others.
    """
    kind = type(kernel)
    if kind is QuadraticAttraction:
        return lambda x, crew: _moment_force(x, crew, kernel.strength, 0.0)
    if kind is PowerLaw and (kernel.a, kernel.b) == (4, 2):
        return lambda x, crew: _moment_force(x, crew, -1.0, 1.0)
    slope, rate = 0.0, 0.0
    if kind is PowerLaw:
        powers = (1.0, kernel.a - 2.0), (-1.0, kernel.b - 2.0)
    elif kind is LogRepulsion:
        powers = (float(kernel.attraction), 0.0), (-float(kernel.repulsion), -2.0)
    elif kind is GaussianAttraction:
        powers = (0.0, 0.0), (0.0, 0.0)
        slope, rate = 2.0 * kernel.strength / kernel.width**2, 1.0 / kernel.width**2
    else:
        return None

    def force(x, crew):
        out = np.empty_like(x)
        crew(len(x), _pair_force, x, *powers, slope, rate, out)
        return out

    return force


def _moment_force(x, crew, linear, quartic):
    """linear y + quartic [(|y|² + m2) y + 2 S y - q], y = x - mean, m2 = mean |y|², S = mean yyᵀ, q = mean |y|²y [MATH.md 2.1]."""
    n, dim = x.shape
    blocks = -(-n // BLOCK)
    sums, squares, cubes = np.zeros((blocks, dim)), np.zeros((blocks, dim, dim)), np.zeros((blocks, dim))
    crew(n, _block_sums, x, sums)
    mean = sums.sum(axis=0) / n
    if quartic != 0:
        crew(n, _block_moments, x, mean, squares, cubes)
    out = np.empty_like(x)
    crew(n, _apply_moments, x, mean, squares.sum(axis=0) / n, cubes.sum(axis=0) / n, linear, quartic, out)
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _block_sums(begin, end, x, sums):
    for block in range(begin, end):
        for p in range(block * BLOCK, min(len(x), (block + 1) * BLOCK)):
            for i in range(x.shape[1]):
                sums[block, i] += x[p, i]


@njit(nogil=True, cache=True, error_model="numpy")
def _block_moments(begin, end, x, mean, squares, cubes):
    for block in range(begin, end):
        for p in range(block * BLOCK, min(len(x), (block + 1) * BLOCK)):
            y = x[p] - mean
            size = np.sum(y * y)
            for i in range(len(y)):
                cubes[block, i] += size * y[i]
                for k in range(len(y)):
                    squares[block, i, k] += y[i] * y[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _apply_moments(begin, end, x, mean, second, third, linear, quartic, out):
    trace = np.trace(second)
    for p in range(begin * BLOCK, min(len(x), end * BLOCK)):
        y = x[p] - mean
        size = np.sum(y * y) + trace
        for i in range(len(y)):
            turned = np.sum(second[i] * y)
            out[p, i] = linear * y[i] + quartic * (size * y[i] + 2.0 * turned - third[i])


@njit(fastmath=FMA, error_model="numpy")
def _add_power(coefficient, exponent, squared, factor):
    """factor += coefficient r^exponent with r² = squared, nothing at r = 0; the frequent exponents need no pow."""
    for j in range(BLOCK):
        r2 = squared[j] if squared[j] > 0.0 else 1.0
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
        factor[j] += coefficient * power if squared[j] > 0.0 else 0.0


@njit(nogil=True, cache=True, fastmath=FMA, error_model="numpy")
def _pair_force(begin, end, x, first, second, slope, rate, out):
    """(1/n) Σ_j φ(|x_i - x_j|) (x_i - x_j), φ = c r^p + c' r^p' + slope exp(-rate r²); coincident points exert no force."""
    n, dim = x.shape
    for block in range(begin, end):
        start, stop = block * BLOCK, min(n, (block + 1) * BLOCK)
        own, total = np.zeros((dim, BLOCK)), np.zeros((dim, BLOCK))
        squared, factor = np.empty(BLOCK), np.empty(BLOCK)
        for p in range(start, stop):
            for i in range(dim):
                own[i, p - start] = x[p, i]
        for other in range(n):
            squared[:] = 0.0
            factor[:] = 0.0
            for i in range(dim):
                for j in range(BLOCK):
                    squared[j] += (own[i, j] - x[other, i]) ** 2
            if first[0] != 0.0:
                _add_power(first[0], first[1], squared, factor)
            if second[0] != 0.0:
                _add_power(second[0], second[1], squared, factor)
            if slope != 0.0:
                for j in range(BLOCK):
                    factor[j] += slope * np.exp(-rate * squared[j])
            for i in range(dim):
                for j in range(BLOCK):
                    total[i, j] += factor[j] * (own[i, j] - x[other, i])
        for p in range(start, stop):
            for i in range(dim):
                out[p, i] = total[i, p - start] / n
