"""ChangCooper under a potential V(t, x): the rates of each step are those of a time within it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._core.errors import Unsupported
from ...problems import Problem
from ..box_domain import choose_region
from ..domain import choose_box, of_axes
from . import box, elimination
from .elimination import DAMPED, STAGE_SHARE
from .rates import Grid, prepared

if TYPE_CHECKING:
    from .scheme import ChangCooper, GridState

LOOKED_AT = 33  # times up to the horizon, for which the automatic domain holds the Gibbs law


def started(method: ChangCooper, problem: Problem, temperature: float) -> GridState | box.BoxState:
    """The state at the start, on a grid that holds V at all times that are looked at; its rates are of no time."""
    if problem.dim > 1:
        return _started_in_a_box(method, problem, temperature)
    (cells,) = method.cells_of(1)
    (lower,), (upper,) = of_axes(method.lower, 1, "lower"), of_axes(method.upper, 1, "upper")
    if lower is None or upper is None:
        found = [
            choose_box(_at(problem, time), temperature, cells, lower, upper)
            for time in np.linspace(0.0, problem.horizon, LOOKED_AT)
        ]
        lower, upper = min(one.lower for one in found), max(one.upper for one in found)
    state = method.on_the_line(_at(problem, 0.0), temperature, lower, upper)
    rates: Any = {"up": None, "down": None}  # nobody may take those of one time for those of a step
    half = None if state.grid.half is None else replace(state.grid.half, **rates)
    return replace(state, grid=replace(state.grid, stationary_tail=np.nan, half=half, **rates))


def _started_in_a_box(method: ChangCooper, problem: Problem, temperature: float) -> box.BoxState:
    """The same in two or three dimensions."""
    dim = problem.dim
    lower, upper = of_axes(method.lower, dim, "lower"), of_axes(method.upper, dim, "upper")
    if None in (*lower, *upper):
        found = [
            choose_region(_at(problem, time), temperature, lower, upper)
            for time in np.linspace(0.0, problem.horizon, LOOKED_AT)
        ]
        lower = tuple(np.min([one.lower for one in found], axis=0).tolist())
        upper = tuple(np.max([one.upper for one in found], axis=0).tolist())
    state = box.started(replace(method, lower=lower, upper=upper), _at(problem, 0.0), temperature)
    state.grid.stationary_tail = np.nan
    return state


def advanced(
    method: ChangCooper,
    problem: Problem,
    state: GridState | box.BoxState,
    dt: float,
    steps: int,
    time: float | None,
) -> GridState | box.BoxState:
    """The state `steps` steps later; `time` is that at which the first of them begins."""
    if time is None:
        raise Unsupported(
            f"V = {problem.energy.potential!r} depends on time, and the step was called without one. pf.solve passes "
            "it. In a loop of your own pass time=, that at which the call begins."
        )
    for k in range(steps):
        if isinstance(state, box.BoxState):
            state = _stepped_in_a_box(method, problem, state, dt, time + k * dt)
        else:
            state = _stepped(method, problem, state, dt, time + k * dt)
    return state


def _stepped_in_a_box(
    method: ChangCooper, problem: Problem, state: box.BoxState, dt: float, time: float
) -> box.BoxState:
    """One step along all axes under the potential of one time, or its quarters under those of theirs."""
    grid, mass, half_mass, least = state.grid, state.mass, state.half_mass, state.least
    for k, (share, when) in enumerate(_substeps(method.time_order, state.steps)):
        grid = box.with_potential(grid, problem.energy.potential.at(time + when * dt))
        order, done = (method.time_order, state.steps) if share == 1 else (1, k)
        mass, half_mass, lowest = box.moved(grid, mass, half_mass, done, order, share * dt, 1)
        least = min(least, lowest)
    return box.accepted(replace(state, grid=grid), mass, half_mass, least, state.steps + 1, dt)


def _stepped(method: ChangCooper, problem: Problem, state: GridState, dt: float, time: float) -> GridState:
    mass, half_mass, least, ends = state.mass, state.half_mass, np.inf, state.grid.open_ends
    for share, when in _substeps(method.time_order, state.steps):
        grid, half = _prepared(problem, state.grid, time + when * dt)
        order = method.time_order if share == 1 else 1
        mass, lowest = _solved(grid, mass, share * dt, order)
        least, ends = min(least, lowest), grid.open_ends
        if half is not None and half_mass is not None:
            half_mass, _ = _solved(half, half_mass, share * dt, order)
    held = replace(state, grid=replace(state.grid, open_ends=ends))
    return method.accepted(held, mass, half_mass, float(least), state.steps + 1, dt)


def _substeps(time_order: int, done: int) -> list[tuple[float, float]]:
    """(length, time of the rates) of the parts of a step, as shares of it."""
    if time_order == 1:
        return [(1.0, 1.0)]
    if done == 0:
        return [(1 / DAMPED, (k + 1) / DAMPED) for k in range(DAMPED)]
    return [(1.0, 0.5)]


def _solved(grid: Grid, mass: Any, dt: float, time_order: int) -> tuple[Any, float]:
    if time_order == 1:
        return elimination.implicit_euler(mass, grid.factor(dt), 1)
    return elimination.second_order(mass, grid.factor(STAGE_SHARE * dt), 1)


def _prepared(problem: Problem, grid: Grid, time: float) -> tuple[Grid, Grid | None]:
    """The rates at one time, on the grid and on the half as fine one."""
    potential = problem.energy.potential.at(time)
    fine = prepared(potential, grid.temperature, grid.edges)
    half = None if grid.half is None else prepared(potential, grid.temperature, grid.half.edges, fine)
    return fine, half


def _at(problem: Problem, time: float) -> Problem:
    """The problem as it is at one time."""
    return replace(problem, energy=problem.energy.at(time), exact=None)
