"""The implicit scheme of Bailo, Carrillo and Hu: one axis after the other, whole lines at a time by Newton's method."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._core.compiled import FMA, Run, compiled
from ..._core.errors import Diverged
from ..._core.shapes import Numbers
from .cells import LEAST_DENSITY, Cells, Evaluation
from .explicit import ROUND_OFF, Substeps
from .reconstruction import upper_shares

MOST_ITERATIONS = 60
MOST_AVERAGES = 8
MOST_HALVINGS = 40
ACCURACY = 1e-12  # of the largest density: Newton's method ends where no cell changes by more
SHRINKAGE = 0.1  # a cell keeps at least this share of its density in an iteration
NOTHING = 1e-17  # of the largest density: a cell that changes by no more has arrived, whatever the share of it
GROWTH, CAUTION = 2.0, 0.9  # of substeps that keep a tolerance


@compiled(nogil=True, fastmath=FMA)
def _moved_on(here, step, growth, curved, nothing):
    """(the density after a Newton step, what counts as its change: inf where it is still on its way).

    A density stays positive. Where U'(0) is infinite (`curved`) and the step is no small one, U' is about linear in
    log ρ, so that the step is one of log ρ: down without bound, and up to `growth`, above which it is linear in ρ.
    """
    after, size = here + step, abs(step)
    if curved and size > 0.5 * here:
        level = max(here * np.exp(min(step / here, 700.0)), LEAST_DENSITY)
        after = min(level, max(after, growth)) if step > 0 else level
    elif after < SHRINKAGE * here:
        after = SHRINKAGE * here
    else:
        return after, size
    return after, np.inf if abs(after - here) > nothing else abs(after - here)


@compiled(cache=True, nogil=True, fastmath=FMA)
def _newton(begin, end, active, old, new, field, slope, curvature, shares, courant, curved, change, nothing, residual):
    """One Newton iteration for the lines active[begin:end] of arrays (m, n).

    Residual: new_i - old_i + F_{i+½} - F_{i-½} with F = courant · θ (ξ_i - ξ_{i+1}), θ the new density of the upwind
    cell times its share, ξ = slope + field; courant = dt/h². The matrix has column sums one and no positive entry off
    its diagonal. slope, curvature (active lines, n) belong to `new`. change[line] becomes the largest change of a cell,
    or inf where a cell had more than `residual`: a cell that is much too empty hardly changes.
    """
    n = old.shape[1]
    above, right, growth = np.empty(n), np.empty(n), np.empty(n)
    for k in range(begin, end):
        line = active[k]
        flux_before, own_before, other_before = 0.0, 0.0, 0.0
        largest = 0.0
        for i in range(n):
            flux, own, other = 0.0, 0.0, 0.0
            if i + 1 < n:
                fall = (slope[k, i] + field[line, i]) - (slope[k, i + 1] + field[line, i + 1])
                if fall > 0:
                    share = shares[line, i]
                    upwind = share * new[line, i]
                    own = courant * (share * fall + upwind * curvature[k, i])
                    other = -courant * upwind * curvature[k, i + 1]
                else:
                    share = 2.0 - shares[line, i + 1]
                    upwind = share * new[line, i + 1]
                    own = courant * upwind * curvature[k, i]
                    other = courant * (share * fall - upwind * curvature[k, i + 1])
                flux = courant * upwind * fall
            pivot = 1.0 + own - other_before
            growth[i] = new[line, i] * (pivot - 1.0)
            value = -(new[line, i] - old[line, i] + (flux - flux_before))
            if not abs(value) <= residual:
                largest = np.inf
            if i > 0:
                pivot += own_before * above[i - 1]
                value += own_before * right[i - 1]
            above[i], right[i] = other / pivot, value / pivot
            flux_before, own_before, other_before = flux, own, other
        step = 0.0
        for i in range(n - 1, -1, -1):
            step = right[i] - (above[i] * step if i + 1 < n else 0.0)
            new[line, i], size = _moved_on(new[line, i], step, growth[i], curved, nothing)
            if not size <= largest:
                largest = size
        change[line] = largest


def _solved(cells: Cells, old: Numbers, field: Numbers, axis: int, dt: float, run: Run) -> Any:
    """The densities after an implicit step along one axis in a given V + W*ρ, or None where Newton's method fails."""
    shape = np.moveaxis(old, axis, -1).shape
    before, outer = (np.ascontiguousarray(np.moveaxis(part, axis, -1)).reshape(-1, shape[-1]) for part in (old, field))
    shares = np.empty_like(before)
    run(len(before), upper_shares, before, shares)
    top = float(before.max())
    new = np.maximum(before, LEAST_DENSITY) if cells.capped else before.copy()
    courant = dt / float(cells.widths[axis]) ** 2
    # round-off of a flux is a share of courant times the range of V + W*ρ
    settings = (NOTHING * top, ACCURACY * top * (1 + courant * float(np.ptp(outer))))
    change, active = np.full(len(before), np.inf), np.arange(len(before))
    for _ in range(MOST_ITERATIONS):
        slope, curvature = cells.slopes(new[active])
        lines = (active, before, new, outer, slope, curvature, shares)
        run(len(active), _newton, *lines, courant, cells.capped, change, *settings)
        if not np.isfinite(new[active]).all():
            return None
        active = np.flatnonzero(change > ACCURACY * top)
        if len(active) == 0:
            return np.ascontiguousarray(np.moveaxis(new.reshape(shape), -1, axis))
    return None


def _sweep(cells: Cells, density: Numbers, at: Evaluation, axis: int, dt: float, run: Run) -> Any:
    """(density, evaluation) after an implicit step along one axis, or None where none is found.

    W*ρ is that of the start, which suffices where W only attracts: its energy is concave. Where the energy rises it is
    the mean of start and end, by iteration.
    """
    field = at.field
    for _ in range(MOST_AVERAGES):
        found = _solved(cells, density, field, axis, dt, run)
        if found is None:
            return None
        after = cells.evaluate(found)
        if after.energy <= at.energy + ROUND_OFF * at.scale:
            return found, after
        if cells.convolution is None:
            return None
        field = (at.field + after.field) / 2
    return None


def _sweeps(cells: Cells, start: Any, axes: Sequence[int], dt: float, run: Run, moved: Any = None) -> Any:
    """(density, evaluation) after a step along each of the axes in turn, or None.

    moved : arrays (n_1, ..., n_d), one an axis, to which what passes the upper face of each cell is added.
    """
    for axis in axes:
        density, at = start
        after = _sweep(cells, density, at, axis, dt, run)
        if after is None:
            return None
        if moved is not None:
            moved[axis] += np.cumsum(density - after[0], axis=axis)
        start = after
    return start


def _extrapolated(halves: Any, moved: Sequence[Numbers]) -> Numbers:
    """The density at which errors of second order in the step cancel: `halves` less the inflow of `moved`.

    moved : what two half steps moved through the upper faces, less what the whole step did. Where a cell would lose
    more than the share 1 - SHRINKAGE of its density by it, all that leaves the cell is reduced alike, so that mass and
    sign are kept [zalesak1979].
    """
    density = halves[0].copy()
    out = np.zeros_like(density)
    for axis, part in enumerate(moved):
        outer, inner = np.moveaxis(out, axis, 0), np.moveaxis(part, axis, 0)[:-1]
        outer[:-1] += np.maximum(inner, 0.0)
        outer[1:] -= np.minimum(inner, 0.0)
    most = (1 - SHRINKAGE) * density
    kept = np.where(out > most, most / np.where(out > most, out, 1.0), 1.0)
    for axis, part in enumerate(moved):
        whole, share, inner = (np.moveaxis(each, axis, 0) for each in (density, kept, part))
        passed = inner[:-1] * np.where(inner[:-1] > 0, share[:-1], share[1:])
        whole[:-1] -= passed
        whole[1:] += passed
    return density


def _substep(cells: Cells, now: Any, length: float, order: int, checked: bool, run: Run) -> Any:
    """((density, evaluation), Σ|Δm| between one step and two half steps or 0 where not `checked`, whether the half
    steps were kept with order 2), or None.

    The two half steps are kept, or with order 2 their extrapolation where the energy falls by it too.
    """
    axes = list(range(now[0].ndim))
    if order == 1 and not checked:
        found = _sweeps(cells, now, axes, length, run)
        return None if found is None else (found, 0.0, False)
    moved = [np.zeros_like(now[0]) for _ in axes]
    whole = _sweeps(cells, now, axes, length, run, moved)
    for part in moved:
        np.negative(part, out=part)
    # the same order of the axes twice, so that the error of taking them in turn cancels too; with order 1 it cancels
    # at once where they are taken backwards the second time
    turns = axes + (axes if order == 2 else axes[::-1])
    found = None if whole is None else _sweeps(cells, now, turns, length / 2, run, moved)
    if whole is None or found is None:
        return None
    error = float(np.abs(whole[0] - found[0]).sum()) * cells.volume
    if order == 1:
        return found, error, False
    density = _extrapolated(found, moved)
    at = cells.evaluate(density)
    falls = at.energy <= now[1].energy + ROUND_OFF * now[1].scale
    return ((density, at) if falls else found), error, not falls


def implicit_step(
    cells: Cells,
    density: Numbers,
    at: Evaluation,
    dt: float,
    order: int,
    tolerance: float | None,
    longest: float,
    run: Run,
) -> tuple[Substeps, float]:
    """(one step of length dt, the length of the next substep).

    tolerance : the largest Σ|Δm| between a substep in one and the same in two halves; None takes dt itself. A substep
    is taken again at half its length where no solution is found or the energy rises.
    """
    left, taken, refused, unextrapolated, halvings = dt, 0, 0, 0, 0
    longest = min(longest, dt)
    while left > 0:
        count = max(1, int(np.ceil(left / longest * (1 - 1e-12))))
        length = left / count
        found = _substep(cells, (density, at), length, order, tolerance is not None, run)
        error = 0.0 if found is None or tolerance is None else found[1] / tolerance
        scaling = CAUTION / np.sqrt(max(error, 1e-6))  # the error of a substep falls with the square of its length
        if found is not None and error <= 1:
            (density, at), taken, halvings, unextrapolated = found[0], taken + 1, 0, unextrapolated + found[2]
            left = left - length if count > 1 else 0.0
            longest = min(max(longest, length * min(GROWTH, scaling)), dt) if scaling > 1 else length * scaling
            continue
        refused, halvings = refused + 1, halvings + 1
        longest = length / 2 if found is None else length * max(0.1, scaling)
        if halvings > MOST_HALVINGS:
            raise Diverged(
                f"No implicit substep down to {length:.3g} has a solution with falling energy. Flows of convex "
                "internal energies and finite potentials have such steps. Check V, U and W for values that are not "
                "finite or not smooth on the scale of a cell."
            )
    return Substeps(density, at, taken, refused, unextrapolated), longest
