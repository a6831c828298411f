"""Where a one-dimensional grid must lie: the ends that hold the initial law, the stationary law and the way between.

What is asked of each axis of a grid is the same in more dimensions, and is asked here too; see `box_domain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from .._core.errors import BadInput, Unsupported
from .._core.rising import require_sorted
from .._core.shapes import Values
from .._core.validate import count
from ..energies.internal import InternalEnergy
from ..laws import Law
from ..problems import Problem
from .line_potential import WithEnds, is_wall, potential_values, values_with_walls, wall_towards

Edges = Float[np.ndarray, " edges"]  # n + 1 ends of n cells

TAIL_MASS = 1e-13  # mass that an automatic domain leaves outside at each end, by each law
MASS_TOLERANCE = (
    1e-3  # mass outside a given domain, or piled up at an end that is not a wall, above which it is refused
)
LEAST_FALL = 1e-12  # a fall of V by this times T from a cell to the next is round-off, no force
RIM_SHARE = 100  # an end of the domain is its outermost cell, or the hundredth of the cells there if that is more
COARSEST_FLOATS = 1e-2  # of a cell: where two neighbouring floats lie farther apart, a grid cannot hold the law
_EMPTY_DEPTH = 45.0  # exp(-45) = 3e-20: potential differences (in units of T) beyond which a place is empty
_MOST_DOUBLINGS = 24


def check_ends(lower: float | None, upper: float | None) -> None:
    """`BadInput` unless each end is a finite number or None (automatic), and lower lies below upper."""
    for name, end in (("lower", lower), ("upper", upper)):
        number = isinstance(end, int | float | np.number) and not isinstance(end, bool)
        if end is not None and not (number and np.isfinite(end)):
            raise BadInput(f"{name} is {end!r}. It must be a finite number, or None for automatic. Pass one of these.")
    if lower is not None and upper is not None and not lower < upper:
        raise BadInput(f"lower is {lower}, upper {upper}. lower must be below upper. Exchange or correct them.")


def of_axes(entry: Any, dim: int, name: str) -> tuple[Any, ...]:
    """One entry for each axis, from one for all or from one for each."""
    if not isinstance(entry, tuple):
        return (entry,) * dim
    if len(entry) != dim:
        raise BadInput(f"{name} has {len(entry)} entries, the problem has dim {dim}. Pass one, or one per axis.")
    return entry


def check_axes(cells: Any, lower: Any, upper: Any) -> None:
    """`BadInput` unless the cells and ends of each axis make sense, see `check_ends`."""
    counts = {len(entry) for entry in (cells, lower, upper) if isinstance(entry, tuple)}
    if len(counts) > 1 or not counts <= {1, 2, 3}:
        raise BadInput(
            f"cells is {cells!r}, lower {lower!r}, upper {upper!r}. Each is one entry for all axes, or a tuple with "
            "one for each of up to three. Pass tuples of one length."
        )
    for number in cells if isinstance(cells, tuple) else (cells,):
        if number is not None:
            count(number, "cells", 3)
    dim = counts.pop() if counts else 1
    for low, high in zip(of_axes(lower, dim, "lower"), of_axes(upper, dim, "upper")):
        check_ends(low, high)


def own_axes(law: Law, cells: Sequence[int]) -> tuple[Edges, ...] | None:
    """The edges of each axis of a law that is constant on so many equal cells, else None."""
    axes = law.grid_axes()
    if axes is None or [len(axis) - 1 for axis in axes] != list(cells):
        return None
    return axes if all(same_edges(axis, np.linspace(axis[0], axis[-1], len(axis))) for axis in axes) else None


def same_edges(edges: Edges, others: Edges) -> bool:
    """Whether two sets of edges agree to round-off: 1e-9 of a cell, far below any discretisation error."""
    return edges.shape == others.shape and bool(np.abs(edges - others).max() <= 1e-9 * (edges[1] - edges[0]))


def temperature_of(internal: InternalEnergy | None) -> float | None:
    """T where the internal energy is T r log r, else None."""
    return internal.coefficient if internal is not None and internal.exponent == 1 else None


@dataclass(frozen=True)
class Box:
    """The ends of a grid.

    Attributes
    ----------
    lower, upper : float
        The ends.
    stationary_tail : float
        Stationary mass outside, or NaN where exp(-V/T) cannot be normalised.
    """

    lower: float
    upper: float
    stationary_tail: float


def _flank(
    potential: Any, temperature: float, start: float, width: float, least: float
) -> tuple[Values, Values] | None:
    """Nodes and values from `start` outwards (signed width, doubled each time) until exp(-V/T) is empty.

    At a wall they end. None if exp(-V/T) never is empty.
    """
    nodes = [np.array([float(start)])]
    values = [values_with_walls(potential, nodes[0])]
    if np.isinf(values[0][0]):
        return nodes[0], values[0]
    for _ in range(_MOST_DOUBLINGS):
        x = nodes[-1][-1] + width * np.linspace(0.0, 1.0, 129)[1:]
        v = values_with_walls(potential, x)
        if np.isinf(v).any():
            i = int(np.argmax(np.isinf(v)))
            wall = np.array([wall_towards(potential, float(nodes[-1][-1]), float(x[i]))])
            x, v = np.append(x[:i], wall), np.append(v[:i], potential_values(potential, wall))
            return np.concatenate([*nodes, x]), np.concatenate([*values, v])
        nodes.append(x)
        values.append(v)
        least = min(least, values[-1].min())
        outer = values[-1][64:]
        if outer.min() - least > _EMPTY_DEPTH * temperature and outer[-1] >= outer[0]:
            return np.concatenate(nodes), np.concatenate(values)
        width *= 2
    return None


def stationary_outside(
    potential: Any, temperature: float, lower: float, upper: float, values: Values
) -> tuple[float, float]:
    """Stationary mass below `lower` and above `upper`; NaN twice where exp(-V/T) decays on neither or only one side.

    values : V at equidistant points of [lower, upper]. Nothing lies beyond a wall, where V is inf, nor beyond an end
    outside of which V is not a number.
    """
    if potential is None:
        return np.nan, np.nan
    sides, spread = [], upper - lower
    for start, width in ((lower, -spread / 8), (upper, spread / 8)):
        try:
            side = _flank(potential, temperature, start, width, values.min())
        except BadInput:
            side = np.array([start]), np.array([np.inf])
        if side is not None and abs(side[0][-1] - start) <= 1e-12 * spread:  # round-off in the place of a wall
            side = np.array([start]), np.array([np.inf])
        sides.append(side)
    if any(side is None for side in sides):
        return np.nan, np.nan
    least = min(values.min(), *(side[1].min() for side in sides))
    inside = np.mean(np.exp(-(values - least) / temperature)) * spread
    tails = [
        abs(np.trapezoid(np.exp(-(v - least) / temperature), x)) if len(x) > 1 else 0.0 for x, v in sides
    ]  # the flanks are finest (spread/1024) next to the ends, where the outside mass is
    below, above = (tail / (inside + sum(tails)) for tail in tails)
    return below, above


def _stationary_range(
    potential: Any, temperature: float, low: float, high: float, least: float
) -> tuple[float, float] | None:
    """The interval that leaves `TAIL_MASS` of exp(-V/T) outside at each end, by scanning outwards from [low, high].

    None if there is none. least : the width, in units of x, that the scan starts with where [low, high] is narrower.
    """
    if high - low < least:
        high = wall_towards(potential, low, low + least)
    width = max(high - low, least)
    inner = np.linspace(low, high, 513)
    values = potential_values(potential, inner)
    left = _flank(potential, temperature, low, -width / 4, values.min())
    right = _flank(potential, temperature, high, width / 4, values.min())
    if left is None or right is None:
        return None
    x = np.concatenate([left[0][:0:-1], inner, right[0][1:]])
    v = np.concatenate([left[1][:0:-1], values, right[1][1:]])
    full = np.flatnonzero(v - v.min() < _EMPTY_DEPTH * temperature)
    x = np.linspace(x[max(full[0] - 1, 0)], x[min(full[-1] + 1, len(x) - 1)], 2049)  # the same once more, finer
    v = potential_values(potential, x)
    weight = np.exp(-(v - v.min()) / temperature)
    total = np.cumsum(weight) / weight.sum()
    back = np.cumsum(weight[::-1]) / weight.sum()
    return x[max(np.searchsorted(total, TAIL_MASS) - 1, 0)], x[::-1][max(np.searchsorted(back, TAIL_MASS) - 1, 0)]


def between_walls(potential: Any, low: float, middle: float, high: float) -> tuple[float, float]:
    """[low, high] less what lies beyond walls of V, seen from `middle`."""
    return wall_towards(potential, middle, low), wall_towards(potential, middle, high)


def _automatic(problem: Problem, temperature: float, lower: float | None, upper: float | None) -> tuple[float, float]:
    """Ends that hold the initial and the stationary law to `TAIL_MASS` and all that lies downhill.

    Without a potential they hold the growth to the horizon. They do not pass walls, nor an end that is given.
    """
    levels = np.array([TAIL_MASS, 0.5, 1 - TAIL_MASS])
    quantiles = np.asarray(problem.initial.quantile(levels), dtype=float)
    require_sorted(quantiles, levels, problem.initial)
    low, middle, high = map(float, quantiles)
    potential = WithEnds(problem.energy.potential, lower, upper)
    if problem.energy.potential is None:
        growth = 7.4 * np.sqrt(2 * temperature * problem.horizon)  # P(N(0,1) > 7.4) = 7e-14
        return low - growth, high + growth
    low, high = between_walls(potential, low, middle, high)
    least = 1e-3 * float(
        np.sqrt(2 * temperature * problem.horizon)
    )  # a share of how far noise goes: a length in any unit
    stationary = _stationary_range(potential, temperature, low, high, least)
    if stationary is None:
        raise BadInput(
            f"exp(-V/T) with V = {potential!r}, T = {temperature:g} does not decay on both sides of [{low:.6g}, "
            f"{high:.6g}]. An automatic domain needs a stationary law. Pass lower= and upper=."
        )
    # the stationary law does not tell where mass waits for long: a well that is empty at the end may be full before
    passing = downhill(potential, low, high)
    return min(passing[0], stationary[0]), max(passing[1], stationary[1])


def downhill(potential: Any, low: float, high: float) -> tuple[float, float]:
    """[low, high] widened to where V is at least its maximum there, or to a wall.

    Mass that only runs downhill does not pass.
    """
    level = potential_values(potential, np.linspace(low, high, 513)).max()
    ends = []
    for start, sign in ((low, -1.0), (high, 1.0)):
        width = (high - low) / 64 if high > low else 1e-2
        for _ in range(_MOST_DOUBLINGS):
            x = start + sign * width * np.linspace(0.0, 1.0, 257)
            values = values_with_walls(potential, x)
            over = values >= level
            if over.any():
                i = int(np.argmax(over))
                wall = i > 0 and np.isinf(values[i])
                ends.append(wall_towards(potential, float(x[i - 1]), float(x[i])) if wall else float(x[i]))
                break
            width *= 2
        else:
            raise BadInput(
                f"V = {potential!r} stays below its maximum on [{low:.6g}, {high:.6g}] out to {x[-1]:.6g}. Mass may "
                "run that far, so there is no automatic domain. Pass lower= and upper=."
            )
    return ends[0], ends[1]


def choose_box(
    problem: Problem, temperature: float, cells: int, lower: float | None = None, upper: float | None = None
) -> Box:
    """The ends of the grid: those given, the others automatic.

    `BadInput` if stationary mass above `MASS_TOLERANCE` is left outside.
    """
    if lower is None or upper is None:
        low, high = _automatic(problem, temperature, lower, upper)
        lower, upper = low if lower is None else lower, high if upper is None else upper
        if not lower < upper:
            raise BadInput(
                f"The domain is [{lower:.6g}, {upper:.6g}], one end given and the other automatic. lower must lie "
                "below upper. Pass both."
            )
    edges = np.linspace(lower, upper, cells + 1)
    values = potential_values(problem.energy.potential, (edges[1:] + edges[:-1]) / 2)
    tails = stationary_outside(problem.energy.potential, temperature, lower, upper, values)
    refuse_outside("stationary law exp(-V/T)", *tails, lower, upper)
    return Box(float(lower), float(upper), float(sum(tails)))


def require_fine_floats(edges: Edges) -> None:
    """`BadInput` where floats near the grid are too coarse for its cells: far from 0 a cell has hardly any digits."""
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    spacing = float(np.spacing(np.abs(edges).max()))
    if spacing > COARSEST_FLOATS * width:
        raise BadInput(
            f"The grid [{edges[0]:.6g}, {edges[-1]:.6g}] has cells of {width:.3g}, and floats there lie {spacing:.3g} "
            f"apart; at most {COARSEST_FLOATS:g} of a cell is accepted. Shift the problem so that its laws lie near 0, "
            "or take fewer cells.",
            spacing=spacing,
            width=float(width),
        )


def refuse_outside(what: str, below: float, above: float, lower: float, upper: float) -> None:
    """`BadInput` where the mass of `what` outside [lower, upper] is above `MASS_TOLERANCE`.

    NaN passes: there is no such law.
    """
    if below + above > MASS_TOLERANCE:
        raise BadInput(
            f"The domain [{lower:.6g}, {upper:.6g}] is too small: the {what} has mass {below + above:.3g} outside "
            f"({below:.3g} below, {above:.3g} above); at most {MASS_TOLERANCE:g} is accepted, and no-flux ends "
            "would pile it up: the problem lives on the whole line. Widen lower= and upper=, or leave both out for an "
            "automatic domain. If walls are meant there, let V be inf beyond them, e.g. FromFunction(lambda x: "
            f"np.where((x[:, 0] >= {lower:.6g}) & (x[:, 0] <= {upper:.6g}), 0.0, np.inf)) for pure heat; then start "
            "from a law that lies within.",
            outside=float(below + above),
        )  # fmt: skip


def open_ends(potential: Any, temperature: float, edges: Edges, values: Values) -> tuple[str, ...]:
    """Of "lower" and "upper" those ends where V falls outwards and goes on beyond, so that mass wants out.

    An end beside which V cannot be evaluated (half a cell beyond it) is a wall. values : V at the centres of the cells.
    """
    if potential is None:
        return ()
    half = (edges[1] - edges[0]) / 2
    ends = ("lower", edges[0] - half, values[1] - values[0]), ("upper", edges[-1] + half, values[-2] - values[-1])
    return tuple(
        name for name, ghost, fall in ends if fall > LEAST_FALL * temperature and not is_wall(potential, ghost)
    )


def refuse_piled_up(ends: tuple[str, ...], mass: Values, edges: Edges, when: str) -> None:
    """`BadInput` where more than `MASS_TOLERANCE` of the mass (n,) lies at one of the `ends` of `open_ends`."""
    rim = max(1, len(mass) // RIM_SHARE)
    for name in ends:
        share = float(mass[:rim].sum() if name == "lower" else mass[-rim:].sum())
        if share > MASS_TOLERANCE:
            x = edges[0] if name == "lower" else edges[-1]
            raise BadInput(
                f"Mass {share:.3g} lies in the outermost {'cell' if rim == 1 else f'{rim} cells'} at the {name} end "
                f"x = {x:.6g} {when}, where V falls outwards: it would leave [{edges[0]:.6g}, {edges[-1]:.6g}], and "
                f"the no-flux end piles it up; at most {MASS_TOLERANCE:g} is accepted. Widen {name}= so that the "
                "flow stays inside up to the horizon, or take a potential that confines. If a wall is meant there, "
                "let V be inf beyond it.",
                end=name, mass=share, x=float(x),
            )  # fmt: skip


def free_tail(mass: Values, centers: Values, spread: float, lower: float, upper: float) -> tuple[float, float]:
    """Mass that a free heat flow of standard deviation `spread` carries out of [lower, upper]: (below, above)."""
    return float(mass @ ndtr((lower - centers) / spread)), float(mass @ ndtr((centers - upper) / spread))


def cell_masses(law: Law, edges: Edges) -> tuple[Values, tuple[float, float]]:
    """Differences of the cdf, the mass outside put into the end cells, and that mass (below, above)."""
    if "cdf" not in law.answers():
        raise Unsupported(
            f"{law!r} has no cdf; it answers: {', '.join(law.answers())}. Cell masses need one. Give it cdf(x), or "
            "start from a law on the line that has one, e.g. a GridLaw."
        )
    cdf = np.asarray(law.cdf(edges), dtype=float)
    if not (np.isfinite(cdf).all() and cdf.min() >= -1e-12 and cdf.max() <= 1 + 1e-12 and np.diff(cdf).min() >= -1e-12):
        raise BadInput(
            f"The cdf of {law!r} leaves [0, 1] or decreases between the edges. A distribution function does "
            "neither. Correct the law's cdf."
        )
    below, above = float(max(cdf[0], 0.0)), float(max(1.0 - cdf[-1], 0.0))
    cdf = np.maximum.accumulate(np.clip(cdf, 0.0, 1.0))  # what is removed is round-off, see above
    cdf[0], cdf[-1] = 0.0, 1.0
    return np.diff(cdf), (below, above)
