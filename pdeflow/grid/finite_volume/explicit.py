"""The explicit scheme of Carrillo, Chertock and Huang: upwind fluxes, three stages, steps below its limits."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..._core.compiled import BLOCK, FMA, compiled
from ..._core.errors import Diverged
from ..._core.shapes import Numbers
from .cells import Cells, Evaluation

SAFETY = 0.9  # of the limits at the start of a substep, so that later stages stay below them
MOST_HALVINGS = 40
ROUND_OFF = 1e-13  # a rise of the energy by this share of the sum of its absolute terms is no rise
Run = Callable[..., None]


class Substeps(NamedTuple):
    """What a step came to.

    Attributes
    ----------
    density : (n_1, ..., n_d)
        At its end.
    evaluation : Evaluation
        The energy there.
    taken, refused : int
        Substeps.
    """

    density: Numbers
    evaluation: Evaluation
    taken: int
    refused: int


@compiled(cache=True, nogil=True, fastmath=FMA)
def _axis_rates(begin, end, density, field, slope, pressure, capped, width, rate, speed):
    """Add the inflow along the middle axis of arrays (a, n, b) to `rate`, for the lines `begin` to `end`.

    Lines are counted along the first axis, or along the last where the first has length one. speed : (lines,), the
    largest velocity met on each.
    """
    a, n, b = density.shape
    first, last, left, right = (begin, end, 0, b) if a > 1 else (0, a, begin, end)
    for j in range(first, last):
        for i in range(n - 1):
            for k in range(left, right):
                rest = (field[j, i, k] - field[j, i + 1, k]) / width
                inner = (slope[j, i, k] - slope[j, i + 1, k]) / width
                velocity = rest + inner
                if capped:  # U' is infinite in an empty cell, and the flux of diffusion into it is not
                    fuller = max(density[j, i, k], density[j, i + 1, k])
                    most = abs(rest)
                    if fuller > 0:
                        most += 2.0 * abs(pressure[j, i, k] - pressure[j, i + 1, k]) / (width * fuller)
                    velocity = min(max(velocity, -most), most)
                up = i if velocity > 0 else i + 1
                here = density[j, up, k]
                # the slope times the width: central, one-sided at a wall
                ahead = density[j, up + 1, k] - here if up + 1 < n else here - density[j, up - 1, k]
                behind = here - density[j, up - 1, k] if up > 0 else ahead
                rise = 0.5 * (ahead + behind)
                if abs(rise) > 2.0 * here:
                    rise = 0.0
                    if ahead * behind > 0 and 0 < up < n - 1:
                        least = min(2.0 * abs(ahead), 2.0 * abs(behind), 0.5 * abs(ahead + behind))
                        rise = least if ahead > 0 else -least
                face = here + 0.5 * rise if velocity > 0 else here - 0.5 * rise
                flux = velocity * face
                rate[j, i, k] -= flux / width
                rate[j, i + 1, k] += flux / width
                line = j if a > 1 else k
                if abs(velocity) > speed[line]:
                    speed[line] = abs(velocity)


def rates(cells: Cells, density: Numbers, at: Evaluation, run: Run) -> tuple[Numbers, float]:
    """(dρ/dt (n_1, ..., n_d), the longest explicit Euler step that keeps every cell non-negative).

    The flux through a face is u ρ with u = -Δ(U'(ρ) + V + W*ρ)/h and ρ the reconstruction in the upwind cell
    [carrillo2015 eqs. (2.4) to (2.7)]. run : a `compiled.crew` at work.
    """
    rate, limit = np.zeros_like(density), np.inf
    for axis, width in enumerate(cells.widths):
        shape = (int(np.prod(density.shape[:axis])), density.shape[axis], int(np.prod(density.shape[axis + 1 :])))
        lines = shape[0] if shape[0] > 1 else shape[2]
        speed = np.zeros(lines)
        arrays = (part.reshape(shape) for part in (density, at.field, at.slope, at.pressure))
        run(lines * BLOCK, _axis_rates, *arrays, cells.capped, float(width), rate.reshape(shape), speed)
        with np.errstate(divide="ignore"):
            limit = min(limit, float(np.divide(width, 2 * density.ndim * speed.max())))
    return rate, limit


def stable_step(cells: Cells, density: Numbers) -> float:
    """The stability limit 1/(Σ_i 4 max p'(ρ)/h_i² + max ρ · s), with s the `stiffness` of the kernel."""
    diffusion = 4 * cells.diffusivity(density) * float(np.sum(1 / cells.widths**2))
    decay = diffusion + cells.stiffness * float(density.max())
    return 1 / decay if decay > 0 else np.inf


def explicit_step(cells: Cells, density: Numbers, at: Evaluation | None, dt: float, run: Run) -> Substeps:
    """One step of length dt in equal substeps below both limits, which are looked at again after each.

    A substep is the strong-stability-preserving Runge-Kutta method of three stages. It is taken again at half its
    length where a later stage violates the limit of positivity or the discrete energy rises.
    """
    at = cells.evaluate(density) if at is None else at
    left, taken, refused, halvings, share = dt, 0, 0, 0, 1.0
    while left > 0:
        rate, positive = rates(cells, density, at, run)
        longest = SAFETY * min(positive, stable_step(cells, density)) * share
        count = max(1, int(np.ceil(left / longest)))
        length = left / count
        found = _three_stages(cells, density, rate, length, run)
        if found is not None:
            after = cells.evaluate(found)
            if after.energy <= at.energy + ROUND_OFF * at.scale:
                density, at, taken = found, after, taken + 1
                left, halvings, share = (left - length if count > 1 else 0.0), 0, min(1.0, 2 * share)
                continue
        refused, halvings, share = refused + 1, halvings + 1, share / 2
        if halvings > MOST_HALVINGS:
            raise Diverged(
                f"No substep down to {length:.3g} keeps the density non-negative and lets the energy fall. Flows of "
                "convex internal energies and finite potentials have such steps. Check V, U and W for values that are "
                "not finite or not smooth on the scale of a cell."
            )
    return Substeps(density, at, taken, refused)


def _three_stages(cells: Cells, density: Numbers, rate: Numbers, length: float, run: Run) -> Any:
    """The density after a substep, or None where a later stage is longer than its limit."""
    stage = density + length * rate
    second, positive = rates(cells, stage, cells.evaluate(stage), run)
    if not length <= positive:
        return None
    # the convex combinations of the method, written as sums of rates: these sum to zero, so that mass does not drift
    rate += second
    stage = density + (length / 4) * rate
    third, positive = rates(cells, stage, cells.evaluate(stage), run)
    if not length <= positive:
        return None
    return density + (length / 6) * (rate + 4 * third)
