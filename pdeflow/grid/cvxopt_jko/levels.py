"""The same step on half as many cells: where it moves mass says which pairs of the finer grid are worth a variable."""

from dataclasses import replace

import numpy as np

from ..._core.compiled import compiled
from ..._core.shapes import Row, Values
from .pairs import Band, Places
from .program import RESTING_MASS, Certificate, Program

LIGHT = 1e-8  # mass of a new cell from which on multipliers are taken at their word
NEAR = 1.5  # reduced cost, in units of moving by one wide cell, up to which a wide new cell is taken for its column


def halved(program: Program) -> Program:
    """The program on cells of twice the width: masses added, V and W averaged; the last cell may be half a one."""
    n = len(program.old)
    pairs = np.arange(0, n, 2)
    members = np.minimum(pairs + 2, n) - pairs
    kernel = program.kernel
    if kernel is not None:
        kernel = np.add.reduceat(np.add.reduceat(kernel, pairs, 0), pairs, 1) / np.multiply.outer(members, members)
    return replace(
        program,
        centers=program.centers[0] + program.width * (pairs + 0.5),
        width=2 * program.width,
        old=np.add.reduceat(program.old, pairs),
        potential=np.add.reduceat(program.potential, pairs) / members,
        kernel=kernel,
        band=None,
    )


def spread_to(fine: Program, mass: Row) -> Values:
    """Masses (n,) of the fine cells from those of the wide ones, their logarithm linear between the centres."""
    places = (np.arange(len(fine.old)) - 0.5) / 2
    logs = np.log(np.maximum(mass / 2, RESTING_MASS))
    return np.exp(np.interp(places, np.arange(len(mass)), logs))


def band_around(fine: Program, wide: Program, judged: Certificate) -> Band:
    """For each old cell of the fine grid the new ones to which the wide grid moves its mass, and one beyond."""
    first, last = _moves(wide, judged)
    column = fine.moving // 2
    n = len(fine.old)
    return Band(n, np.maximum(2 * first[column] - 1, 0), np.minimum(2 * last[column] + 3, n))


def widened_band(program: Program, judged: Certificate, below: float) -> Band:
    """The band of a program with what it lacked: pairs of reduced cost less than `below`, and where f moves mass."""
    assert program.band is not None and judged.wanted is not None
    rows, columns, reduced = judged.wanted
    band = program.band.widened(rows[reduced < below], columns[reduced < below])
    first, last = _moves(program, judged)
    first, last = np.maximum(first[program.moving] - 1, 0), np.minimum(last[program.moving] + 2, band.n)
    return Band(band.n, np.minimum(band.first, first), np.maximum(band.end, last))


def _moves(program: Program, judged: Certificate) -> tuple[Places, Places]:
    """The first and the last new cell of each old one to which the dual moves mass, within about one cell."""
    reach, asked = judged.reach, np.ones(len(program.old), dtype=bool)
    if judged.mass is not None:
        reach, mass = extended_reach(program, judged.reach, judged.mass)
        asked = mass > RESTING_MASS
    low, lowest = program.lowest(reach)
    allowed, double_dt = NEAR * program.width**2 / (2 * program.dt), 2 * program.dt
    return near_lowest(program.centers, reach, low, lowest, asked, allowed, double_dt)


def extended_reach(program: Program, reach: Values, mass: Values) -> tuple[Values, Values]:
    """f with tails, and the masses that it asks for: the multipliers of light cells carry no digits.

    Beyond the outermost new cells that should hold 1e-8 and more, f - V - Wq = U' continues as a quadratic function,
    but f bends by no more than -1/dt, which is what it does where one old cell feeds all new ones.
    """
    assert program.cells is not None
    heavy = np.flatnonzero(mass > LIGHT)
    stride = (heavy[-1] - heavy[0]) // 16
    if stride == 0:
        return reach, mass
    smooth = program.smooth(mass)
    extended = reach.copy()
    for end, inwards in ((int(heavy[0]), 1), (int(heavy[-1]), -1)):
        beyond = np.arange(end - 1, -1, -1) if inwards == 1 else np.arange(end + 1, len(reach))
        a, b, c = (reach - smooth)[end + inwards * stride * np.arange(3)]
        t = -np.abs(beyond - end) / stride
        tail = smooth[beyond] + a + (b - a) * t + (c - 2 * b + a) / 2 * t * (t - 1)
        way = program.width * np.abs(beyond - end)
        slope = (reach[end] - reach[end + inwards]) / program.width - program.width / (2 * program.dt)
        extended[beyond] = np.maximum(tail, reach[end] + slope * way - way**2 / (2 * program.dt))
    return extended, program.cells.conjugate(extended - smooth)[1]


@compiled(cache=True)
def near_lowest(x, f, low, lowest, asked, allowed, double_dt):
    """The first and the last asked i of each j with (x_i - x_j)²/(2 dt) + f_i <= low_j + allowed, or the lowest one."""
    first, last = lowest.copy(), lowest.copy()
    for j in range(len(x)):
        for i in range(len(x)):
            off = x[i] - x[j]
            if asked[i] and off * off / double_dt + f[i] <= low[j] + allowed:
                first[j], last[j] = min(first[j], i), max(last[j], i)
    return first, last
