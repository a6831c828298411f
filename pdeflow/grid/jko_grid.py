"""The grid of JKO steps, or of finite volumes: its ends, V with obstacles, and mass at ends that are no walls."""

from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Numbers, Row
from ..laws import Barenblatt, GridLaw, Law
from ..problems import Problem
from .box_domain import NOISE, choose_region, grid_values, refuse_start_outside, start_masses, start_range
from .cvxopt_jko.domain import choose_ends
from .domain import of_axes, own_axes, require_fine_floats, temperature_of
from .resolution import refuse_narrow

EDGE_MASS = 1e-4  # in the outermost cells of an end that is no wall, above which the domain is too small

Ends = tuple[float | None, ...]


class CellValues:
    """V at the centres, inf at obstacles; no plain array, as `solve` takes what is not finite there for a failure."""

    def __init__(self, array: Numbers):
        self.array = array


def chosen_edges(problem: Problem, default: dict[int, int], cells: Any, lower: Any, upper: Any) -> tuple[Row, ...]:
    """The cell edges of each axis for the fields of a method; default : cells an axis, by dimension."""
    dim = problem.dim
    numbers = tuple(default[dim] if n is None else int(n) for n in of_axes(cells, dim, "cells"))
    return grid_edges(problem, numbers, of_axes(lower, dim, "lower"), of_axes(upper, dim, "upper"))


def grid_edges(problem: Problem, cells: tuple[int, ...], lower: Ends, upper: Ends) -> tuple[Row, ...]:
    """The cell edges of each axis: a GridLaw of these cells keeps its own, else those given or automatic."""
    own = own_axes(problem.initial, cells)
    if own is not None and all(end is None for end in (*lower, *upper)):
        return own
    if problem.dim == 1:
        lower, upper = ((end,) for end in choose_ends(problem, cells[0], lower[0], upper[0]))
    if problem.dim == 2 and None in (*lower, *upper):
        lower, upper = _planar_ends(problem, lower, upper)
    edges = []
    for axis, (n, low, high) in enumerate(zip(cells, lower, upper)):
        if low is None or high is None:
            raise BadInput(
                f"lower = {lower}, upper = {upper}: the ends of axis {axis} are not given. An automatic domain exists "
                "on the line, in the plane for the entropy with a potential and for entropy and powers above 1 alone, "
                "and for a GridLaw of the same cells. Pass lower= and upper=, one number or one per axis."
            )
        edges.append(np.linspace(low, high, n + 1))
        require_fine_floats(edges[-1])
    return tuple(edges)


def _planar_ends(problem: Problem, lower: Ends, upper: Ends) -> tuple[Ends, Ends]:
    """The ends with the automatic ones filled in, where there are any.

    The entropy with a potential: as ChangCooper. Entropy and powers above 1 alone: what holds the initial law, widened
    by free heat flow and by the radius of the Barenblatt profile from a point, up to the horizon.
    """
    energy = problem.energy
    terms = None if energy.internal is None else energy.internal.terms()
    temperature = temperature_of(energy.internal)
    if energy.potential is not None:
        if temperature is None:
            return lower, upper
        region = choose_region(problem, temperature, lower, upper)
        return tuple(map(float, region.lower)), tuple(map(float, region.upper))
    if terms is None or any(m < 1 for _, m in terms):
        return lower, upper
    low, high = start_range(problem.initial)
    for c, m in terms:
        time = c * problem.horizon
        far = NOISE * float(np.sqrt(2 * time)) if m == 1 else Barenblatt(2, m, time).radius
        low, high = low - far, high + far
    return (
        tuple(float(a) if x is None else x for x, a in zip(lower, low)),
        tuple(float(b) if x is None else x for x, b in zip(upper, high)),
    )


def initial_masses(law: Law, edges: tuple[Row, ...]) -> tuple[Numbers, float]:
    """(the masses of the law in the cells, what lies outside put into the outermost, that mass)."""
    mass, tail = start_masses(law, edges)
    refuse_start_outside("initial law", tail, *np.array([(axis[0], axis[-1]) for axis in edges]).T)
    return mass, tail


def start(problem: Problem, edges: tuple[Row, ...]) -> tuple[CellValues, Numbers, float]:
    """(V at the centres, the initial masses, what of them lay outside), with no mass behind obstacles."""
    mass, tail = initial_masses(problem.initial, edges)
    potential = potential_on_cells(problem.energy.potential, edges)
    refuse_behind_obstacles(mass, potential)
    return CellValues(potential), mass, tail


def law_after(steps: int, edges: tuple[Row, ...], mass: Numbers) -> GridLaw:
    """The law of these masses; after a step `BadInput` where a quarter of it lies within half a cell of an axis."""
    if steps > 0:
        for axis, line in enumerate(edges):
            others = tuple(i for i in range(mass.ndim) if i != axis)
            refuse_narrow(mass.sum(axis=others), line, f"The law after step {steps}")
    return GridLaw(edges, mass)


def potential_on_cells(potential: Any, edges: tuple[Row, ...]) -> Numbers:
    """V at the centres of the cells, inf at obstacles; `BadInput` for what is nan, -inf or of another kind."""
    return grid_values(potential, [(axis[1:] + axis[:-1]) / 2 for axis in edges])


def refuse_behind_obstacles(mass: Numbers, potential: Numbers) -> None:
    """`BadInput` where the initial law has mass in cells where V is inf."""
    share = float(mass[np.isinf(potential)].sum())
    if share > 0:
        raise BadInput(
            f"The initial law has mass {share:.3g} in cells where the potential is inf, at an obstacle or beyond a "
            "wall. There it must have none. Start from a law that lies between the obstacles.",
            mass=share,
        )


def edge_masses(mass: Numbers) -> Numbers:
    """The mass in the outermost cells at the lower and upper end of each axis (d, 2)."""
    lines = [mass.sum(axis=tuple(i for i in range(mass.ndim) if i != axis)) for axis in range(mass.ndim)]
    return np.array([[float(line[0]), float(line[-1])] for line in lines])


def refuse_arrivals(potential: Any, mass: Numbers, before: Numbers, edges: tuple[Row, ...], when: str) -> None:
    """`BadInput` where more than `EDGE_MASS` of the mass has come to an end of the domain that is no wall.

    before : the masses at the start of the step. An end is a wall where V is inf half a cell beyond its middle.
    """
    now, was = edge_masses(mass), edge_masses(before)
    for axis, end in np.argwhere((now > EDGE_MASS) & (now > was)):
        name, edge = ("lower", "upper")[end], float(edges[axis][-end])
        if potential is not None and _is_wall(potential, edges, int(axis), int(end)):
            continue
        raise BadInput(
            f"Mass {now[axis, end]:.3g} lies in the outermost cells at the {name} end {edge:.6g} of axis {axis} "
            f"{when}, and more comes: it would leave, and the end of the grid piles it up; at most {EDGE_MASS:g} is "
            f"accepted. Widen {name}= so that the flow stays inside up to the horizon. If a wall is meant there, let V "
            "be inf beyond it.",
            axis=int(axis),
            end=name,
            mass=float(now[axis, end]),
        )


def _is_wall(potential: Any, edges: tuple[Row, ...], axis: int, end: int) -> bool:
    """Whether V is not finite half a cell beyond the middle of an end."""
    x = np.array([[(line[0] + line[-1]) / 2 for line in edges]])
    width = edges[axis][1] - edges[axis][0]
    x[0, axis] = edges[axis][-end] + (end - 0.5) * width
    try:
        with np.errstate(all="ignore"):
            return not np.isfinite(np.asarray(potential.value(x), dtype=float)).all()
    except BadInput:  # by which FromFunction answers where V is not finite
        return True
