"""Where a grid in two or three dimensions must lie: the box that holds the start, the stationary law and the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .._core.errors import BadInput, Unsupported
from .._core.shapes import Numbers, Row, Vector
from ..energies.potentials import values_with_walls
from ..laws import Law
from ..laws.cell_integrals import cell_masses
from ..laws.reach import reach_along_axes
from ..problems import Problem
from .domain import LEAST_FALL, MASS_TOLERANCE, RIM_SHARE, TAIL_MASS

NODES = {2: 129, 3: 41}  # of an axis where V is scanned
COARSE_NODES = {2: 64, 3: 24}  # of an axis where the mass outside a box that is given is summed
EMPTY_DEPTH = 34.0  # exp(-34) = 2e-15: potential differences (in units of T) beyond which a place is empty
START_DEPTH = 31.0  # exp(-31) = 3e-14: where the initial density is lower than its maximum by this, no mass starts
NOISE = 7.4  # P(N(0, 1) > 7.4) = 7e-14
_MOST_WIDENINGS = 60
_WALL_HALVINGS = 60

Ends = tuple[float | None, ...]


@dataclass(frozen=True)
class Region:
    """The ends of a grid.

    Attributes
    ----------
    lower, upper : (d,)
        The ends of each axis.
    stationary_tail : float
        Stationary mass outside, or NaN where exp(-V/T) cannot be normalised.
    """

    lower: Vector
    upper: Vector
    stationary_tail: float


def grid_values(potential: Any, axes: Sequence[Row]) -> Numbers:
    """V at all points of a grid (n_1, ..., n_d), inf at walls; `BadInput` for what is nan, -inf or of another kind."""
    shape = tuple(len(axis) for axis in axes)
    if potential is None:
        return np.zeros(shape)
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    with np.errstate(all="ignore"):  # a fault shows as a non-finite value, which is named below
        raw = values_with_walls(potential, x)
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
            f"The potential is {raw[i]} at x = {np.array2string(x[i], precision=12)}. It must be a number, or inf "
            "where there is a wall. Correct it there, or pass lower= and upper= that leave the point out.",
            x=x[i].tolist(), value=float(raw[i]),
        )  # fmt: skip
    return raw.astype(float).reshape(shape)


def start_range(law: Law) -> tuple[Vector, Vector]:
    """A box that holds the initial law but for about `TAIL_MASS` at each of its faces; `BadInput` if none is known."""
    known = reach_along_axes(law, TAIL_MASS)
    if known is None:
        raise BadInput(
            f"How far the initial law {law!r} reaches is not known: it has no support, quantiles, Gaussian components "
            "or factors that tell. An automatic domain must hold it. Pass lower= and upper=, one number or one per "
            "axis."
        )
    return known[:, 0], known[:, 1]


def choose_region(problem: Problem, temperature: float, lower: Ends, upper: Ends) -> Region:
    """The ends of the grid: those given, the others automatic.

    `BadInput` if stationary mass above `MASS_TOLERANCE` is left outside.
    """
    potential = problem.energy.potential
    low, high = (np.array([np.nan if end is None else float(end) for end in ends]) for ends in (lower, upper))
    if np.isnan(low).any() or np.isnan(high).any():
        wide_low, wide_high = _automatic(problem, temperature, low, high)
        low, high = np.where(np.isnan(low), wide_low, low), np.where(np.isnan(high), wide_high, high)
        if not (low < high).all():
            raise BadInput(
                f"The domain is from {low} to {high}, some ends given and others automatic. lower must lie below "
                "upper. Pass both."
            )
    tail = np.nan if potential is None else _stationary_outside(potential, temperature, low, high)
    if tail > MASS_TOLERANCE:
        raise BadInput(
            f"The domain from {low} to {high} is too small: the stationary law exp(-V/T) has mass {tail:.3g} outside; "
            f"at most {MASS_TOLERANCE:g} is accepted, and no-flux faces would pile it up: the problem lives in the "
            "whole space. Widen lower= and upper=, or leave both out for an automatic domain. If walls are meant "
            "there, let V be inf beyond them; then start from a law that lies within.",
            outside=float(tail),
        )
    return Region(low, high, float(tail))


def _automatic(problem: Problem, temperature: float, given_low: Vector, given_high: Vector) -> tuple[Vector, Vector]:
    """Ends that hold the initial law, the stationary law and all that the initial law passes downhill."""
    potential, law = problem.energy.potential, problem.initial
    first_low, first_high = start_range(law)
    noise = np.sqrt(2 * temperature * problem.horizon)
    if potential is None:
        return first_low - NOISE * noise, first_high + NOISE * noise
    middle, half = (first_low + first_high) / 2, np.maximum((first_high - first_low) / 2, 1e-3 * noise)
    low = np.where(np.isnan(given_low), middle - half, given_low)
    high = np.where(np.isnan(given_high), middle + half, given_high)
    fixed = ~np.isnan(given_low), ~np.isnan(given_high)
    start = low.copy(), high.copy()
    for _ in range(_MOST_WIDENINGS):
        axes, occupied = _scan(potential, temperature, law, low, high, start)
        touched = [
            np.array([occupied.take(end, axis=k).any() for k in range(law.dim)]) & ~held
            for end, held in zip((0, -1), fixed)
        ]
        if not (touched[0].any() or touched[1].any()):
            break
        width = (high - low) / 2
        low, high = low - width * touched[0], high + width * touched[1]
    else:
        raise BadInput(
            f"exp(-V/T) with V = {potential!r}, T = {temperature:g} does not decay on all sides of the initial law "
            f"(looked at from {low} to {high}). An automatic domain needs a stationary law. Pass lower= and upper=, "
            "one number or one per axis."
        )
    for _ in range(_MOST_WIDENINGS):
        near = _around(axes, occupied)
        new_low = np.where(fixed[0], low, np.maximum(low, near[0]))
        new_high = np.where(fixed[1], high, np.minimum(high, near[1]))
        shrunk = (new_high - new_low) / (high - low)
        low, high = new_low, new_high
        if shrunk.min() > 0.9:
            break
        axes, occupied = _scan(potential, temperature, law, low, high, start)
    return _to_walls(potential, low, high, first_low, first_high)


def _scan(
    potential: Any, temperature: float, law: Law, low: Vector, high: Vector, start: tuple[Vector, Vector]
) -> tuple[list[Row], np.ndarray]:
    """Nodes of a box, and which of them may be occupied.

    Occupied are the box of the start as far as the initial density is not empty, what lies on the way of steepest
    descent from there, and all where V is less than `EMPTY_DEPTH` T above the highest end of such a way, or above the
    lowest V.
    """
    dim = len(low)
    axes = [np.linspace(a, b, NODES[dim]) for a, b in zip(low, high)]
    values = grid_values(potential, axes)
    if not np.isfinite(values).any():
        raise BadInput(
            f"The potential is inf at all points that were looked at from {low} to {high}, where the initial law has "
            "its mass. It must be finite there. Start from a law between the walls."
        )
    inside = np.ones(values.shape, dtype=bool)
    for k, axis in enumerate(axes):
        here = (axis >= start[0][k]) & (axis <= start[1][k])
        here[int(np.argmin(np.abs(axis - (start[0][k] + start[1][k]) / 2)))] = True
        inside &= here.reshape([-1 if j == k else 1 for j in range(dim)])
    if "log_density" in law.answers():
        nodes = np.flatnonzero(inside)
        x = np.stack([axis[i] for axis, i in zip(axes, np.unravel_index(nodes, values.shape))], axis=1)
        height = law.log_density(x)
        kept = height > height.max() - START_DEPTH if np.isfinite(height).any() else np.ones(len(x), dtype=bool)
        inside[:] = False
        inside.ravel()[nodes[kept]] = True
    inside &= np.isfinite(values)
    passed, top = _downhill(values, inside)
    level = max(top, float(values.min())) + EMPTY_DEPTH * temperature
    return axes, passed | (values <= level)


def _downhill(values: Numbers, start: np.ndarray) -> tuple[np.ndarray, float]:
    """The nodes on the ways of steepest descent from those of `start`, and the highest V at the end of one."""
    dim, shape = values.ndim, values.shape
    padded = np.pad(values, 1, constant_values=np.inf)
    best, lowest = np.arange(values.size).reshape(shape), values.copy()
    strides = np.array([int(np.prod(shape[k + 1 :])) for k in range(dim)])
    for move in product((-1, 0, 1), repeat=dim):
        there = padded[tuple(slice(1 + m, 1 + m + n) for m, n in zip(move, shape))]
        better = there < lowest
        best = np.where(better, np.arange(values.size).reshape(shape) + int(strides @ np.array(move)), best)
        lowest = np.where(better, there, lowest)
    best, passed = best.ravel(), start.ravel().copy()
    front = np.flatnonzero(passed)
    ends = front[best[front] == front]
    while len(front):
        front = np.unique(best[front])
        ends = np.append(ends, front[best[front] == front])
        front = front[~passed[front]]
        passed[front] = True
    top = float(values.ravel()[ends].max()) if len(ends) else -np.inf
    return passed.reshape(shape), top


def _around(axes: Sequence[Row], occupied: np.ndarray) -> tuple[Vector, Vector]:
    """The box of the nodes that are occupied, one node wider at each face."""
    low, high = [], []
    for k, axis in enumerate(axes):
        full = np.flatnonzero(occupied.any(axis=tuple(j for j in range(len(axes)) if j != k)))
        low.append(axis[max(full[0] - 1, 0)])
        high.append(axis[min(full[-1] + 1, len(axis) - 1)])
    return np.array(low), np.array(high)


def _to_walls(
    potential: Any, low: Vector, high: Vector, inner_low: Vector, inner_high: Vector
) -> tuple[Vector, Vector]:
    """The box with each face that lies wholly beyond a wall moved inwards onto it."""
    low, high = low.copy(), high.copy()
    for k in range(len(low)):
        others = [np.linspace(a, b, NODES[len(low)]) for a, b in zip(low, high)]
        for ends in (low, high):

            def open_at(place, k=k, others=others):
                return np.isfinite(grid_values(potential, [*others[:k], np.array([place]), *others[k + 1 :]])).any()

            if open_at(ends[k]):
                continue
            walls, inside = float(ends[k]), float((inner_low[k] + inner_high[k]) / 2)
            if not open_at(inside):
                continue
            for _ in range(_WALL_HALVINGS):
                middle = (walls + inside) / 2
                walls, inside = (walls, middle) if open_at(middle) else (middle, inside)
            ends[k] = inside
    return low, high


def _stationary_outside(potential: Any, temperature: float, low: Vector, high: Vector) -> float:
    """The stationary mass outside a box; NaN where exp(-V/T) does not decay on all sides.

    The parts outside are slabs, one a face, in which the weight is summed over midpoints.
    """
    dim, wide = len(low), (low.copy(), high.copy())
    for _ in range(_MOST_WIDENINGS):
        axes = [np.linspace(a, b, COARSE_NODES[dim]) for a, b in zip(*wide)]
        values = grid_values(potential, axes)
        occupied = values <= values.min() + EMPTY_DEPTH * temperature
        touched = [np.array([occupied.take(end, axis=k).any() for k in range(dim)]) for end in (0, -1)]
        if not (touched[0].any() or touched[1].any()):
            break
        width = (wide[1] - wide[0]) / 2
        wide = wide[0] - width * touched[0], wide[1] + width * touched[1]
    else:
        return np.nan
    near = _around(axes, occupied)
    wide = np.minimum(low, near[0]), np.maximum(high, near[1])
    boxes, outer = [], [wide[0].copy(), wide[1].copy()]
    for k in range(dim):
        for a, b in ((wide[0][k], low[k]), (high[k], wide[1][k])):
            if b > a:
                box = outer[0].copy(), outer[1].copy()
                box[0][k], box[1][k] = a, b
                boxes.append(box)
        outer[0][k], outer[1][k] = low[k], high[k]
    least = float(values.min())
    inside = _weight(potential, temperature, least, low, high, COARSE_NODES[dim])
    outside = [_weight(potential, temperature, least, a, b, COARSE_NODES[dim]) for a, b in boxes]
    total = inside + sum(outside)
    return float(sum(outside) / total) if total > 0 else np.nan


def _weight(potential: Any, temperature: float, least: float, low: Vector, high: Vector, n: int) -> float:
    """∫ exp(-(V - least)/T) over a box by n midpoints an axis."""
    axes = [a + (np.arange(n) + 0.5) / n * (b - a) for a, b in zip(low, high)]
    with np.errstate(under="ignore", over="ignore"):
        return float(np.exp(-(grid_values(potential, axes) - least) / temperature).mean() * np.prod(high - low))


def start_masses(law: Law, axes: Sequence[Row]) -> tuple[Numbers, float]:
    """The masses of a law in the cells of a grid, the mass outside put into the outermost cells, and that mass.

    The outermost cells get it in proportion to what they hold.
    """
    if "log_density" not in law.answers() and law.atoms() is None and law.cell_masses(axes) is None:
        raise Unsupported(
            f"{law!r} has no density; it answers: {', '.join(law.answers())}. Cell masses need one. Give it "
            "log_density(x), or start from a law that has one, e.g. a GridLaw."
        )
    found = cell_masses(law, axes)
    mass, outside = np.array(found.mass, dtype=float), float(found.outside)
    if outside > 0:
        rim = np.zeros(mass.shape, dtype=bool)
        for k in range(mass.ndim):
            index = np.moveaxis(rim, k, 0)
            index[0], index[-1] = True, True
        held = mass[rim]
        share = held / held.sum() if held.sum() > 0 else np.full(len(held), 1 / len(held))
        mass[rim] += outside * share
    return mass, outside


def refuse_start_outside(what: str, outside: float, low: Vector, high: Vector) -> None:
    """`BadInput` where more than `MASS_TOLERANCE` of a law lies outside the box."""
    if outside > MASS_TOLERANCE:
        raise BadInput(
            f"The domain from {low} to {high} is too small: the {what} has mass {outside:.3g} outside (or where V is "
            f"inf); at most {MASS_TOLERANCE:g} is accepted. Widen lower= and upper=, or leave both out for an "
            "automatic domain.",
            outside=outside,
        )


def open_faces(potential: Any, temperature: float, axes: Sequence[Row], values: Numbers) -> dict[tuple[int, int], Any]:
    """For each face (axis, end) the lines through it along which V does not rise outwards, so that mass wants out.

    values : V at the centres. Half a cell beyond a face V is asked again: where it is inf, or cannot be evaluated,
    there is a wall. No face is open without a potential: how far heat goes is told beforehand.
    """
    if potential is None:
        return {}
    centers, faces = [(axis[1:] + axis[:-1]) / 2 for axis in axes], {}
    for k, axis in enumerate(axes):
        half = (axis[1] - axis[0]) / 2
        for end, ghost in ((0, axis[0] - half), (-1, axis[-1] + half)):
            try:
                beyond = grid_values(potential, [*centers[:k], np.array([ghost]), *centers[k + 1 :]]).take(0, axis=k)
            except BadInput:  # no number beyond: a wall
                continue
            first = values.take(end, axis=k)
            with np.errstate(invalid="ignore"):  # inf - inf beside a wall
                rises = beyond - first > LEAST_FALL * temperature
            lines = np.isfinite(first) & np.isfinite(beyond) & ~rises
            if lines.any():
                faces[k, end] = lines
    return faces


def refuse_piled_up_faces(faces: dict[tuple[int, int], Any], mass: Numbers, axes: Sequence[Row], when: str) -> None:
    """`BadInput` where more than `MASS_TOLERANCE` of the mass lies at the `open_faces`."""
    for (k, end), lines in faces.items():
        n = mass.shape[k]
        rim = max(1, n // RIM_SHARE)
        layers = np.moveaxis(mass, k, 0)[:rim] if end == 0 else np.moveaxis(mass, k, 0)[-rim:]
        share = float(layers.sum(axis=0)[lines].sum())
        if share > MASS_TOLERANCE:
            x, name = float(axes[k][end]), "lower" if end == 0 else "upper"
            raise BadInput(
                f"Mass {share:.3g} lies in the outermost {'cell' if rim == 1 else f'{rim} cells'} at the {name} face "
                f"of axis {k}, x = {x:.6g}, {when}, where V does not rise outwards: it would leave, and the no-flux "
                f"face piles it up; at most {MASS_TOLERANCE:g} is accepted. Widen {name}= so that the flow stays "
                "inside up to the horizon, or take a potential that confines. If a wall is meant there, let V be inf "
                "beyond it.",
                axis=k, end=name, mass=share, x=x,
            )  # fmt: skip
