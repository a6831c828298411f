"""The grid of BackAndForthJKO: its ends, V with obstacles, and mass at ends that are no walls."""

from typing import Any

import numpy as np

from ..._core.errors import BadInput
from ..._core.shapes import Numbers, Points, Row
from ...problems import Problem
from ..cvxopt_jko.domain import choose_ends
from ..domain import require_fine_floats

EDGE_MASS = 1e-4  # in the outermost cells of an end that is no wall, above which the domain is too small
SAME = 1e-9  # of a cell: edges that differ by less are the same

Ends = tuple[float | None, ...]


def grid_edges(problem: Problem, cells: tuple[int, ...], lower: Ends, upper: Ends) -> tuple[Row, ...]:
    """The cell edges of each axis: a GridLaw of these cells keeps its own, else those given, on the line automatic."""
    known = problem.initial.grid_axes()
    if known is not None and all(end is None for end in (*lower, *upper)):
        regular = [np.linspace(axis[0], axis[-1], len(axis)) for axis in known]
        if tuple(len(axis) - 1 for axis in known) == cells and all(
            np.abs(axis - other).max() <= SAME * (axis[1] - axis[0]) for axis, other in zip(known, regular)
        ):
            return known
    if problem.dim == 1:
        lower, upper = ((end,) for end in choose_ends(problem, cells[0], lower[0], upper[0]))
    edges = []
    for axis, (n, low, high) in enumerate(zip(cells, lower, upper)):
        if low is None or high is None:
            raise BadInput(
                f"lower = {lower}, upper = {upper}: the ends of axis {axis} are not given. An automatic domain exists "
                "on the line only, and for a GridLaw of the same cells. Pass lower= and upper=, one number or one per "
                "axis."
            )
        edges.append(np.linspace(low, high, n + 1))
        require_fine_floats(edges[-1])
    return tuple(edges)


def potential_on_cells(potential: Any, edges: tuple[Row, ...]) -> Numbers:
    """V at the centres of the cells, inf at obstacles; `BadInput` for what is nan, -inf or of another kind."""
    centers = [(axis[1:] + axis[:-1]) / 2 for axis in edges]
    shape = tuple(len(axis) for axis in centers)
    if potential is None:
        return np.zeros(shape)
    x: Points = np.stack(np.meshgrid(*centers, indexing="ij"), axis=-1).reshape(-1, len(edges))
    with np.errstate(all="ignore"):  # a fault shows as a value that is no number, which is named below
        raw = getattr(potential, "with_walls", potential.value)(x)
    if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "fiu" or raw.shape != (len(x),):
        kind = f"an array of {raw.dtype}, shape {raw.shape}" if isinstance(raw, np.ndarray) else type(raw).__name__
        raise BadInput(
            f"The potential returned {kind} for x of shape {x.shape}. It must be a real array of shape {(len(x),)}. "
            "Sum over the last axis."
        )
    bad = np.isnan(raw) | (raw == -np.inf)
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            f"The potential is {raw[i]} at x = {x[i].tolist()}. It must be a number, or inf where there is an "
            "obstacle. Correct it there, or pass lower= and upper= that leave the point out.",
            x=x[i].tolist(),
            value=float(raw[i]),
        )
    return raw.astype(float).reshape(shape)


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
