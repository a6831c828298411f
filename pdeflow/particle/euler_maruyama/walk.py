"""The compiled walk of particles: all steps between two saved times, block by block."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..._core.compiled import BLOCK, FMA, compiled
from .drift import field_gradient
from .noise import HALF_BLOCK, add_normals


@compiled(fastmath=FMA, error_model="numpy")
def _walk_block(block, x, force, field, steps, dt, first_increment, increments, deviation, k0, k1):
    """`walk` for the particles of one block, which stay in the first-level cache for all steps."""
    n, dim = x.shape
    start = block * BLOCK
    stop = min(n, start + BLOCK)
    own, gradient = np.zeros((dim, BLOCK)), np.zeros((dim, BLOCK))
    y, pull, shares = np.empty((dim, BLOCK)), np.empty((dim, BLOCK)), np.empty((len(field.log_factors) + 2, BLOCK))
    low, high = np.empty(HALF_BLOCK), np.empty(HALF_BLOCK)
    for p in range(start, stop):
        for i in range(dim):
            own[i, p - start] = x[p, i]
    for step in range(steps):
        field_gradient(field, own, y, pull, shares, gradient)
        if len(force) > 0:
            for p in range(start, stop):
                for i in range(dim):
                    gradient[i, p - start] += force[p, i]
        begin = first_increment + step * increments
        for i in range(dim):
            low[:] = 0.0
            high[:] = 0.0
            if deviation > 0.0:
                for increment in range(begin, begin + increments):
                    add_normals(block, i, increment, k0, k1, low, high)
            for j in range(HALF_BLOCK):
                own[i, j] = own[i, j] - dt * gradient[i, j] + deviation * low[j]
            for j in range(HALF_BLOCK):
                own[i, HALF_BLOCK + j] = own[i, HALF_BLOCK + j] - dt * gradient[i, HALF_BLOCK + j] + deviation * high[j]
    for p in range(start, stop):
        for i in range(dim):
            x[p, i] = own[i, p - start]


def _build(sources: int) -> Any:
    """The walk, compiled. `sources` is a digest of the files whose functions it inlines.

    numba keeps compiled code on disk and compiles anew when the file of a function has changed, or a variable that the
    function closes over. It does not look at the files of the functions that are called. The digest is such a variable,
    so that a change in those files takes effect too.
    """

    @compiled(nogil=True, cache=True, error_model="numpy")
    def walk(begin, end, x, force, field, steps, dt, first_increment, increments, deviation, k0, k1):
        """x <- x - dt (∇V(x) + force) + deviation Σ ξ over the `increments` of a step, `steps` times, in place.

        For blocks begin to end - 1. x : (n, d). force : (n, d), the part of the drift computed outside (then steps is
        1), or (0, d). deviation : √(2 T h) with h = dt / increments; 0 draws nothing. k0, k1 : key words.
        """
        digest = sources  # noqa: F841
        for block in range(begin, end):
            _walk_block(block, x, force, field, steps, dt, first_increment, increments, deviation, k0, k1)

    return walk


_INLINED_FILES = ("noise.py", "drift.py", "../../_core/compiled.py")
walk = _build(zlib.crc32(b"".join((Path(__file__).parent / name).read_bytes() for name in _INLINED_FILES)))
