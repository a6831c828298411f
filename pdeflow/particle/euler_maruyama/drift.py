"""Compiled drifts of particles: ∇V of the built-in potentials block by block.

A block is an array (d, BLOCK): coordinates are rows, so that inner loops run over particles and vectorise.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from ..._core.compiled import BLOCK, FMA
from ..._core.errors import BadInput, Diverged
from ..._core.validate import require_gradient
from ...energies.potentials import DoubleWell, MixturePotential, Quadratic, StyblinskiTang

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


FAR_OUT = 1e6  # a gradient that is not finite this many times farther out than the start is a blow-up, not a fault of V


def potential_gradient(potential, state, dt):
    """∇V of a user's potential at the cloud, checked. BadInput names the point; far outside the start it is a blow-up."""
    x = state.x
    far = np.max(np.abs(x), axis=1) > FAR_OUT * (1 + state.reach)
    try:
        with np.errstate(all="ignore"):  # an overflow out there shows as inf below
            gradient = np.asarray(potential.grad(x.copy()))
        require_gradient(gradient, x, "potential.grad(x)")
    except BadInput as error:
        if far.any():
            raise Diverged(
                f"Particle {int(np.argmax(far))} is at {x[np.argmax(far)].tolist()} after step {state.steps}, where the gradient is not finite. "
                f"The step is too large for the drift. Use a smaller dt than {dt:g}.",
                step=state.steps, particle=int(np.argmax(far)), dt=dt,
            ) from error  # fmt: skip
        raise
    return gradient
