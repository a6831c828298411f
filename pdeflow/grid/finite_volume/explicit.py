"""The explicit scheme of Carrillo, Chertock and Huang: upwind fluxes, three stages, steps below its limits."""

from typing import Any, NamedTuple

import numpy as np

from ..._core.compiled import Run
from ..._core.errors import Diverged
from ..._core.shapes import Numbers
from .cells import Cells, Evaluation
from .reconstruction import axis_rates

SAFETY = 0.9  # of the limits at the start of a substep, so that later stages stay below them
MOST_HALVINGS = 40
ROUND_OFF = 1e-13  # a rise of the energy by this share of the sum of its absolute terms is no rise


class Substeps(NamedTuple):
    """What a step came to.

    Attributes
    ----------
    density : (n_1, ..., n_d)
        At its end.
    evaluation : Evaluation
        The energy there.
    taken, refused, unextrapolated : int
        Substeps, those taken again, shorter, and those of implicit steps of order 2 that kept their half steps.
    """

    density: Numbers
    evaluation: Evaluation
    taken: int
    refused: int
    unextrapolated: int = 0


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
        run(lines, axis_rates, *arrays, cells.capped, float(width), rate.reshape(shape), speed)
        with np.errstate(divide="ignore"):
            limit = min(limit, float(np.divide(width, 2 * density.ndim * speed.max())))
    return rate, limit


def stable_step(cells: Cells, density: Numbers) -> float:
    """The stability limit 1/(Σ_i 4 max p'(ρ)/h_i² + max ρ · s), with s the `stiffness` of the kernel."""
    diffusion = 4 * cells.diffusivity(density) * float(np.sum(1 / cells.widths**2))
    decay = diffusion + cells.stiffness * float(density.max())
    return 1 / decay if decay > 0 else np.inf


def explicit_step(cells: Cells, density: Numbers, at: Evaluation, dt: float, run: Run) -> Substeps:
    """One step of length dt in equal substeps below both limits, which are looked at again after each.

    A substep is the strong-stability-preserving Runge-Kutta method of three stages. It is taken again at half its
    length where a later stage violates the limit of positivity or the discrete energy rises.
    """
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
