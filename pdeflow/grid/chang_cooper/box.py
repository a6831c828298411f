"""The Chang-Cooper scheme in two and three dimensions: grids, states, and steps by one-dimensional sub-steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.compiled import crew
from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.shapes import Numbers, Row
from ...laws import GridLaw
from ...problems import Problem
from ..box_domain import (
    NOISE,
    Region,
    choose_region,
    grid_values,
    open_faces,
    refuse_piled_up_faces,
    refuse_start_outside,
    start_masses,
    start_range,
)
from ..box_resolution import fullest_share, grid_change, refuse_unresolved
from ..domain import of_axes, own_axes, require_fine_floats, same_edges
from ..resolution import LEAST_CELLS, halved
from . import lines
from .elimination import DAMPED, STAGE_SHARE

CELLS = {1: 800, 2: 256, 3: 96}  # of each axis, where none are given
ALONE = 1 << 15  # cells below which threads cost more than they save


class BoxGrid:
    """What the steps of a run in two or three dimensions share.

    Attributes
    ----------
    axes : tuple of (n_k + 1,)
        Cell edges of each axis.
    values : (n_1, ..., n_d)
        V at the centres; cells where it is inf are closed on all sides.
    temperature : float
        T.
    tail_mass, stationary_tail : float
        Initial and stationary mass outside the grid.
    faces : dict
        The faces that mass may want to leave by, see `box_domain.open_faces`.
    half : BoxGrid or None
        Half as many cells an axis in the same box, which tell whether these resolve the flow; None below 6 cells.
    """

    def __init__(self, axes: Sequence[Row], values: Numbers, temperature: float):
        self.axes, self.values, self.temperature = tuple(axes), values, temperature
        self.tail_mass = self.stationary_tail = 0.0
        self.faces: dict[tuple[int, int], Any] = {}
        self.half: BoxGrid | None = None
        shape = values.shape
        self._seen = [(int(np.prod(shape[:k])), shape[k], int(np.prod(shape[k + 1 :]))) for k in range(values.ndim)]
        self._kept: dict[tuple[int, float], Numbers] = {}

    def along(self, cells: Numbers, k: int) -> Numbers:
        """A contiguous array of cells as (a, n_k, b), the lines of axis k in the middle."""
        return cells.reshape(self._seen[k])

    def factor(self, k: int, dt: float, run: Any, keep: bool = True) -> Numbers:
        """The elimination of I - dt L along axis k, made once per dt where it is kept."""
        found = self._kept.get((k, dt))
        if found is None:
            values = self.along(self.values, k)
            width = (self.axes[k][-1] - self.axes[k][0]) / values.shape[1]
            number = values.shape[0] * values.shape[2]
            found = np.empty((-(-number // lines.TILE), 4 * values.shape[1] * lines.TILE))
            run(number, lines.factor, values, self.temperature, dt * self.temperature / width**2, found)
            if keep:
                self._kept[k, dt] = found
        return found


@dataclass(frozen=True)
class BoxState:
    """What a run of ChangCooper in two or three dimensions carries from step to step.

    Attributes
    ----------
    grid : BoxGrid
        Prepared by `started`.
    mass : (n_1, ..., n_d)
        Probability of each cell.
    least : float
        The smallest cell met since the start, after any sub-step.
    steps : int
        Taken so far.
    half_mass : (n_1 // 2, ..., n_d // 2) or None
        The same run on half as many cells an axis.
    """

    grid: BoxGrid
    mass: Numbers
    least: float
    steps: int = 0
    half_mass: Numbers | None = None


def started(method: Any, problem: Problem, temperature: float) -> BoxState:
    """The initial law in cell masses on the grid of a `ChangCooper`."""
    dim, initial, potential = problem.dim, problem.initial, problem.energy.potential
    if method.time_order not in (1, 2):
        raise Unsupported(f"In dim {dim} time_order is 1 or 2, got {method.time_order}. Pass one of these.")
    counts = method.cells_of(dim)
    lower, upper = (of_axes(end, dim, name) for end, name in ((method.lower, "lower"), (method.upper, "upper")))
    own = own_axes(initial, counts)
    if own is not None and potential is not None and set(lower + upper) == {None}:
        lower, upper = tuple(axis[0] for axis in own), tuple(axis[-1] for axis in own)
    region = choose_region(problem, temperature, lower, upper)
    return _started_in(region, own, counts, problem, temperature)


def _started_in(
    region: Region, own: tuple[Row, ...] | None, counts: Sequence[int], problem: Problem, temperature: float
) -> BoxState:
    """The initial law in cells of a box; own : edges of a law that is constant on so many equal cells."""
    initial, potential = problem.initial, problem.energy.potential
    axes = [np.linspace(a, b, n + 1) for a, b, n in zip(region.lower, region.upper, counts)]
    for axis in axes:
        require_fine_floats(axis)
    known = None
    if own is not None and all(same_edges(mine, axis) for mine, axis in zip(own, axes)):
        axes, known = list(own), initial.cell_masses(own)
    if known is not None:
        mass, outside = np.array(known.mass, dtype=float), 0.0
    else:
        mass, outside = start_masses(initial, axes)
        _refuse_heat_outside(problem, temperature, region.lower, region.upper)
    grid = _prepared(potential, temperature, axes)
    outside += float(mass[~np.isfinite(grid.values)].sum())
    refuse_start_outside("initial law", outside, region.lower, region.upper)
    grid.tail_mass, grid.stationary_tail = outside, region.stationary_tail
    grid.faces = open_faces(potential, temperature, axes, grid.values)
    half_mass = None
    if min(counts) >= LEAST_CELLS:
        grid.half = _prepared(potential, temperature, [np.linspace(e[0], e[-1], (len(e) + 1) // 2) for e in axes])
        half_mass = halved(mass, on_cells=known is not None)
    return BoxState(grid, np.ascontiguousarray(mass), float(mass.min()), 0, half_mass)


def advanced(state: BoxState, time_order: int, dt: float, steps: int) -> BoxState:
    """The state `steps` steps later."""
    mass, half_mass, least = moved(state.grid, state.mass, state.half_mass, state.steps, time_order, dt, steps)
    return accepted(state, mass, half_mass, least, state.steps + steps, dt)


def moved(
    grid: BoxGrid, mass: Numbers, half_mass: Numbers | None, done: int, time_order: int, dt: float, steps: int
) -> tuple[Numbers, Numbers | None, float]:
    """The masses `steps` steps after the first `done`, those on half as many cells, and the smallest cell met."""
    mass, least = _moved(grid, mass, done, time_order, dt, steps)
    if grid.half is not None and half_mass is not None:
        half_mass, _ = _moved(grid.half, half_mass, done, time_order, dt, steps)
    return mass, half_mass, least


def accepted(
    state: BoxState, mass: Numbers, half_mass: Numbers | None, least: float, steps: int, dt: float
) -> BoxState:
    """The state with the masses after so many steps, or why they are refused."""
    if not np.isfinite(mass).all():
        cell = tuple(int(i) for i in np.argwhere(~np.isfinite(mass))[0])
        raise Diverged(
            f"The mass is {mass[cell]} in cell {list(cell)} after step {steps}. It must stay finite. Check the size of "
            f"V there (V = {state.grid.values[cell]:.6g}) and dt = {dt:g}.",
            step=steps,
            cell=cell,
        )
    refuse_piled_up_faces(state.grid.faces, mass, state.grid.axes, f"after step {steps}")
    return replace(state, mass=mass, least=min(state.least, least), steps=steps, half_mass=half_mass)


def law(state: BoxState) -> GridLaw:
    """The law with the state's cell masses; `Diverged` where one is below -1e-12."""
    least = float(state.mass.min())
    if least < -1e-12:
        cell = tuple(int(i) for i in np.unravel_index(np.argmin(state.mass), state.mass.shape))
        raise Diverged(
            f"Cell {list(cell)} has mass {least:.3g} after step {state.steps}. time_order=2 keeps cells non-negative "
            "for small dt only. Use a smaller dt, or time_order=1.",
            step=state.steps,
            cell=cell,
        )
    if state.steps > 0:
        refuse_unresolved(state.mass, state.half_mass, state.grid.axes, f"after step {state.steps}")
    return GridLaw(state.grid.axes, state.mass)


def report(state: BoxState) -> dict[str, Any]:
    """What the docstring of `ChangCooper` lists."""
    grid, mass = state.grid, state.mass
    faces = [float(mass.take(end, axis=k).sum()) for k in range(mass.ndim) for end in (0, -1)]
    return {
        "tail_mass": grid.tail_mass,
        "stationary_tail": grid.stationary_tail,
        "mass_error": float(mass.sum() - 1),
        "least": state.least,
        "edge_mass": tuple(faces),
        "fullest_share": fullest_share(mass),
        "grid_change": grid_change(mass, state.half_mass),
    }


def _moved(grid: BoxGrid, mass: Numbers, done: int, time_order: int, dt: float, steps: int) -> tuple[Numbers, float]:
    """The masses `steps` steps after the first `done`, and the smallest cell met after any sub-step."""
    if mass.size < ALONE:
        return _moved_by(_alone, grid, mass, done, time_order, dt, steps)
    with crew(lines.TILE) as run:
        return _moved_by(run, grid, mass, done, time_order, dt, steps)


def _alone(number: int, work: Any, *args: Any) -> None:
    """All tiles on the calling thread."""
    work(0, -(-number // lines.TILE), *args)


def _moved_by(
    run: Any, grid: BoxGrid, mass: Numbers, done: int, time_order: int, dt: float, steps: int
) -> tuple[Numbers, float]:
    """What `_moved` does, by a crew or alone."""
    mass, least = mass.copy(), np.inf
    visits = euler_visits(grid.values.ndim, done, steps, dt)
    if time_order == 2:
        visits = []
        if done == 0:  # four quarter steps of implicit Euler, used once
            for k, length, repeat in euler_visits(grid.values.ndim, 0, DAMPED, dt / DAMPED):
                least = min(least, _visit(grid, mass, k, grid.factor(k, length, run, keep=False), repeat, 1, run))
        visits = strang_visits(grid.values.ndim, steps - (done == 0), dt)
    for k, length, repeat in visits:
        factor = grid.factor(k, length if time_order == 1 else STAGE_SHARE * length, run)
        least = min(least, _visit(grid, mass, k, factor, repeat, time_order, run))
    return mass, float(least)


def _visit(grid: BoxGrid, mass: Numbers, k: int, factor: Numbers, repeat: int, order: int, run: Any) -> float:
    """`repeat` sub-steps along the lines of axis k, in place; the smallest cell met."""
    least, cells = np.empty(len(factor)), grid.along(mass, k)
    run(cells.shape[0] * cells.shape[2], lines.sweep, cells, factor, repeat, order, least)
    return float(least.min())


def euler_visits(dim: int, done: int, steps: int, dt: float) -> list[tuple[int, float, int]]:
    """(axis, length, repetitions) of the sub-steps of implicit Euler steps, neighbours along one axis taken together.

    One step runs through the axes forwards, the next one backwards: two steps are then symmetric, which leaves of the
    error of splitting its second order.
    """
    order = [k for step in range(done, done + steps) for k in (range(dim) if step % 2 == 0 else reversed(range(dim)))]
    return _together([(k, dt) for k in order])


def strang_visits(dim: int, steps: int, dt: float) -> list[tuple[int, float, int]]:
    """(axis, length, repetitions) of Strang steps: half steps along the first axes, a whole one, half steps back."""
    first = [(k, dt / 2) for k in range(dim - 1)]
    return _together([*first, (dim - 1, dt), *first[::-1]] * steps)


def _together(moves: list[tuple[int, float]]) -> list[tuple[int, float, int]]:
    visits: list[tuple[int, float, int]] = []
    for k, length in moves:
        if visits and visits[-1][:2] == (k, length):
            visits[-1] = (k, length, visits[-1][2] + 1)
        else:
            visits.append((k, length, 1))
    return visits


def with_potential(grid: BoxGrid, potential: Any) -> BoxGrid:
    """The same cells, and half as many, under another potential."""
    other = _prepared(potential, grid.temperature, grid.axes)
    other.tail_mass, other.stationary_tail = grid.tail_mass, np.nan
    other.faces = open_faces(potential, grid.temperature, grid.axes, other.values)
    if grid.half is not None:
        other.half = _prepared(potential, grid.temperature, grid.half.axes)
    return other


def _prepared(potential: Any, temperature: float, axes: Sequence[Row]) -> BoxGrid:
    values = grid_values(potential, [(axis[1:] + axis[:-1]) / 2 for axis in axes])
    if not np.isfinite(values).any():
        raise BadInput(
            f"The potential is inf at the centres of all {values.size} cells. It must be finite where the law has "
            "mass. Take more cells, or another box by lower= and upper=."
        )
    return BoxGrid(axes, np.ascontiguousarray(values), temperature)


def _refuse_heat_outside(problem: Problem, temperature: float, low: Numbers, high: Numbers) -> None:
    """Without a potential: `BadInput` where heat would reach the faces of a box that is given before the horizon."""
    if problem.energy.potential is not None:
        return
    spread = NOISE * np.sqrt(2 * temperature * problem.horizon)
    first, last = start_range(problem.initial)
    if (first - spread < low - 1e-9 * spread).any() or (last + spread > high + 1e-9 * spread).any():
        raise BadInput(
            f"The domain from {low} to {high} is too small for the heat flow up to the horizon {problem.horizon:g}: "
            f"the initial law reaches from {first} to {last}, and noise {spread:.3g} further. Leave lower= and upper= "
            "out for an automatic domain. If walls are meant there, let V be inf beyond them."
        )
