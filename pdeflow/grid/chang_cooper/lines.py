"""Compiled kernels for the generator of a grid in two or three dimensions, along all lines of cells in one direction.

Along each line the elimination is that of `elimination`, from one end to the other: pivots q_j = p_j + up_j dt without
a subtraction, steps in flux form, the solution where the rounding of fluxes would drown a cell. Lines are worked on in
tiles of `TILE`, side by side in the registers of a processor; a tile that is not full is filled up with lines without
rates. Each line has its own arithmetic, so that its bits do not depend on the number of threads.

Arrays of cells are seen as (a, n, b) with the lines along the middle; line i begins at the cell (i // b, 0, i % b).
"""

import numpy as np

from ..._core.compiled import compiled
from .elimination import DROWNED_DIFFERENCE, KAPPA, OPTIONS

TILE = 16
# Unsigned numbers as indices: of signed ones compiled code asks each time whether they count from the end, and such
# loops do not run side by side.
_WIDTH, _ROW = np.uint64(TILE), np.uint64(4 * TILE)
_B, _G = np.uint64(0), np.uint64(TILE)  # share passed on, inverse pivot
_E, _A = np.uint64(2 * TILE), np.uint64(3 * TILE)  # backward factor, share handed back


@compiled(cache=True, nogil=True)
def rate_factors(low, high, temperature):
    """B(w) and B(-w) of w = (high - low) / temperature; zero twice beside a wall, where V is infinite."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return 0.0, 0.0
    w = (high - low) / temperature
    size = abs(w)
    if size < 1e-4:
        return 1 - w / 2 + w * w / 12, 1 + w / 2 + w * w / 12  # next term w⁴/720 < 1e-18
    falling = size * np.exp(-size) if size > 700.0 else size / np.expm1(size)
    rising = falling + size
    return (falling, rising) if w > 0 else (rising, falling)


@compiled(cache=True, nogil=True)
def factor(begin, end, values, temperature, rate, coefficients):
    """Coefficients (tiles, 4 n TILE) of I - dt L along the lines of the tiles; rate is dt T/h², values V (a, n, b)."""
    n, after = values.shape[1], values.shape[2]
    lines = values.shape[0] * after
    for tile in range(begin, end):
        c = coefficients[tile]
        for lane in range(TILE):
            line = tile * TILE + lane
            p = 1.0
            for j in range(n):
                k = np.uint64(j) * _ROW + np.uint64(lane)
                outwards, back = 0.0, 0.0
                if line < lines and j < n - 1:
                    i, m = line // after, line % after
                    up, down = rate_factors(values[i, j, m], values[i, j + 1, m], temperature)
                    outwards, back = rate * up, rate * down
                q = p + outwards
                c[k + _B], c[k + _G], c[k + _E], c[k + _A] = outwards / q, 1.0 / q, back / q, back * (p / q)
                p = 1.0 + c[k + _A]


@compiled(**OPTIONS)
def _gather(cells, tile, m):
    """The masses of the lines of a tile, from (a, n, b) to (n, TILE)."""
    n, after = cells.shape[1], cells.shape[2]
    first, lines = tile * TILE, cells.shape[0] * after
    i, k = np.uint64(first // after), np.uint64(first % after)
    if first % after + TILE <= after:
        for j in range(n):
            row, to = np.uint64(j), np.uint64(j) * _WIDTH
            for lane in range(TILE):
                m[to + np.uint64(lane)] = cells[i, row, k + np.uint64(lane)]
        return
    for lane in range(TILE):
        line, to = first + lane, np.uint64(lane)
        i, k = np.uint64(line // after), np.uint64(line % after)
        for j in range(n):
            m[np.uint64(j) * _WIDTH + to] = cells[i, np.uint64(j), k] if line < lines else 0.0


@compiled(**OPTIONS)
def _scatter(cells, tile, m):
    n, after = cells.shape[1], cells.shape[2]
    first, lines = tile * TILE, cells.shape[0] * after
    i, k = np.uint64(first // after), np.uint64(first % after)
    if first % after + TILE <= after:
        for j in range(n):
            row, start = np.uint64(j), np.uint64(j) * _WIDTH
            for lane in range(TILE):
                cells[i, row, k + np.uint64(lane)] = m[start + np.uint64(lane)]
        return
    for lane in range(min(TILE, lines - first)):
        line, start = first + lane, np.uint64(lane)
        i, k = np.uint64(line // after), np.uint64(line % after)
        for j in range(n):
            cells[i, np.uint64(j), k] = m[np.uint64(j) * _WIDTH + start]


@compiled(**OPTIONS)
def _forward(m, r, c, n):
    """The elimination from the first cell of each line to the last."""
    for lane in range(TILE):
        r[lane] = m[lane]
    for j in range(1, n):
        here, k = np.uint64(j) * _WIDTH, np.uint64(j - 1) * _ROW
        before = here - _WIDTH
        for lane in range(TILE):
            u = np.uint64(lane)
            r[here + u] = c[k + _B + u] * r[before + u] + m[here + u]
    here, k = np.uint64(n - 1) * _WIDTH, np.uint64(n - 1) * _ROW
    for lane in range(TILE):
        u = np.uint64(lane)
        r[here + u] *= c[k + _G + u]


@compiled(**OPTIONS)
def _moved(m, r, flow, c, n, share, checked):
    """m + share (S m - m) in flux form for the lines (n, TILE) of a tile, in place; S m is an implicit Euler step.

    Where `checked`, which takes share = 1, S m itself stands in cells that the rounding of fluxes would drown.
    """
    _forward(m, r, c, n)
    last = np.uint64(n - 1)
    for lane in range(TILE):
        flow[last * _WIDTH + np.uint64(lane)] = 0.0
    for i in range(1, n):
        j = last - np.uint64(i)
        here, k = j * _WIDTH, j * _ROW
        there = here + _WIDTH
        for lane in range(TILE):
            u = np.uint64(lane)
            x = r[there + u]
            out = c[k + _B + u] * r[here + u] - c[k + _A + u] * x
            moved = m[there + u] + share * (out - flow[there + u])
            m[there + u] = moved if not checked or abs(moved - x) <= DROWNED_DIFFERENCE * abs(x) else x
            flow[here + u] = out
            r[here + u] = c[k + _E + u] * x + c[k + _G + u] * r[here + u]
    for lane in range(TILE):
        x, moved = r[lane], m[lane] - share * flow[lane]
        m[lane] = moved if not checked or abs(moved - x) <= DROWNED_DIFFERENCE * abs(x) else x


@compiled(**OPTIONS)
def sweep(begin, end, cells, coefficients, repeat, order, least):
    """`repeat` steps along the lines of the tiles, in place; the smallest cell met after them into least (tiles,).

    order : 1 is implicit Euler, 2 is (1+√2) S² - √2 S.
    """
    n = cells.shape[1]
    m, r, flow = np.empty(n * TILE), np.empty(n * TILE), np.empty(n * TILE)
    for tile in range(begin, end):
        c = coefficients[tile]
        _gather(cells, tile, m)
        low = np.inf
        for _ in range(repeat):
            if order == 1:
                _moved(m, r, flow, c, n, 1.0, True)
            else:
                _moved(m, r, flow, c, n, 1.0, False)
                _moved(m, r, flow, c, n, KAPPA, False)
            low = min(low, m.min())
        least[tile] = low
        _scatter(cells, tile, m)
