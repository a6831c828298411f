"""c-transforms on grids in linear time, for the quadratic cost: two passes of lower envelopes of parabolas."""

from collections.abc import Sequence

import numpy as np

from ..._core.compiled import BLOCK, FMA, Run, compiled
from ..._core.shapes import Numbers

_OPTIONS = {"cache": True, "nogil": True, "fastmath": FMA}


@compiled(**_OPTIONS)
def _envelope_of_line(f, weight, out, site, begin):
    """out[q] = min_p f[p] + weight (q - p)² of a line (n,), inf entries left out [felzenszwalb2012, Algorithm 1].

    site (n,) and begin (n + 1,) are work space: the parabolas of the envelope and where each begins to be lowest.
    """
    n = len(f)
    last = -1
    for q in range(n):
        if f[q] == np.inf:
            continue
        cross = -np.inf
        while last >= 0:
            p = site[last]
            cross = 0.5 * ((f[q] - f[p]) / (weight * (q - p)) + q + p)
            if cross > begin[last]:
                break
            last -= 1
        last += 1
        site[last] = q
        begin[last] = cross if last > 0 else -np.inf
    if last < 0:
        out[:] = np.inf
        return
    k = 0
    for q in range(n):
        while k < last and begin[k + 1] < q:
            k += 1
        out[q] = f[site[k]] + weight * (q - site[k]) ** 2


@compiled(**_OPTIONS)
def _envelopes(first, end, f, weight, out):
    """`_envelope_of_line` of the rows from `first` to `end` of f (k, n)."""
    n = f.shape[1]
    site, begin = np.empty(n, np.int64), np.empty(n + 1)
    for row in range(first, end):
        _envelope_of_line(f[row], weight, out[row], site, begin)


def lower_envelope(f: Numbers, weights: Sequence[float], run: Run) -> Numbers:
    """min over q of f(q) + Σ_i weights_i (p_i - q_i)² at every point p of a grid, in units of its spacings.

    Parameters
    ----------
    f : (n_1, n_2)
        Values; inf leaves a point out.
    weights : (2,)
        > 0; for the cost |x - y|²/(2 dt) they are h_i²/(2 dt).
    run : callable
        Threads, see `pdeflow._core.compiled.crew`: run(rows * BLOCK, work, ...) calls work on shares of the rows.
    """
    for weight in reversed(weights):  # the last axis first; each pass ends with the axes exchanged
        out = np.empty_like(f)
        run(len(f) * BLOCK, _envelopes, f, weight, out)
        f = np.ascontiguousarray(out.T)
    return f


@compiled(**_OPTIONS)
def _hull_of_lines(first, end, phi, open_points, half, site, across):
    """φ + half q² of the rows from `first` to `end` made convex, by lowering it where it is not.

    Between closed points, or across them. site (rows, n) is work space.
    """
    n = phi.shape[1]
    for row in range(first, end):
        f, kept = phi[row], site[row]
        last = -1
        for q in range(n + 1):
            closed = q == n or not open_points[row, q]
            if closed and across and q < n:
                continue
            while not closed and last >= 1:  # the last point is kept where it lies below the chord of its neighbours
                p, o = kept[last], kept[last - 1]
                bend = (f[q] - f[p]) / (q - p) - (f[p] - f[o]) / (p - o) + half * (q - o)
                if bend >= 0.0:
                    break
                last -= 1
            if not closed:
                last += 1
                kept[last] = q
                continue
            for k in range(last):
                o, p = kept[k], kept[k + 1]
                slope = (f[p] - f[o]) / (p - o)
                for r in range(o + 1, p):
                    f[r] = f[o] + (r - o) * (slope + half * (p - r))
            last = -1


def convex_along_axes(phi: Numbers, open_points: np.ndarray, weights: Sequence[float], run: Run) -> Numbers:
    """φ + Σ_i weights_i p_i² made convex along the lines of each axis in turn, by lowering it where it is not.

    On the line across closed points, else between them. The c-transform of φ does not change for weights h_i²/(2 dt):
    what is lowered stays above the convex hull.
    """
    across = phi.shape[1] == 1
    for weight in weights:
        phi, open_points = np.ascontiguousarray(phi.T), np.ascontiguousarray(open_points.T)
        run(len(phi) * BLOCK, _hull_of_lines, phi, open_points, weight, np.empty(phi.shape, np.int64), across)
    return np.ascontiguousarray(phi)
