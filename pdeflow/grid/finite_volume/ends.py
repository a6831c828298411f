"""Where the domain of FiniteVolume ends."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..._core.errors import Unsupported
from ..._core.shapes import Row, Vector
from ...laws import Barenblatt, Law
from ...problems import Problem
from ..box_domain import NOISE, Ends, choose_region, start_range
from ..domain import choose_box, temperature_of

MARGIN = 2.0  # cells beside a start that an interaction only draws together
MOST_WIDENINGS = 20
RAYS = {1: 2, 2: 17, 3: 7}  # nodes of an edge of the cube on which the rays end
NEAREST = 1e-6  # of the longest offset, where the slope of W is asked
SLOPE_STEP = 1e-4  # of an offset
UNBOUNDED = 1.2  # growth of the slope of W towards zero, over a factor 10 of the offset


def own_edges(law: Law, cells: Sequence[int]) -> tuple[Row, ...] | None:
    """The edges of a law that is constant on so many equal cells an axis, else None."""
    own = law.grid_axes()
    if own is None or [len(axis) - 1 for axis in own] != list(cells):
        return None
    equal = [np.linspace(axis[0], axis[-1], len(axis)) for axis in own]
    same = all(np.allclose(a, b, rtol=0.0, atol=1e-12 * (b[-1] - b[0])) for a, b in zip(own, equal))
    return own if same else None


def chosen_ends(problem: Problem, cells: Sequence[int], lower: Ends, upper: Ends) -> list[tuple[float, float]]:
    """(lower, upper) of each axis: those given, the others automatic; `Unsupported` where there is no automatic domain.

    With entropy and a potential it holds the stationary law too, see `domain` and `box_domain`. A density that only
    spreads, by entropy and powers, goes no farther than the free heat flow, and than one by powers from a point. An
    interaction carries it no farther than its fastest repulsion up to the horizon, and one that attracts not at all.
    """
    energy, dim = problem.energy, problem.dim
    given = [(float(low), float(high)) for low, high in zip(lower, upper) if low is not None and high is not None]
    if energy.interaction is not None:
        return given if len(given) == dim else _with_interaction(problem, cells, lower, upper)
    temperature = temperature_of(energy.internal)
    if temperature is not None and not (energy.potential is None and dim > 1):
        return _with_entropy(problem, temperature, cells, lower, upper)
    if len(given) == dim:
        return given
    terms = None if energy.internal is None else energy.internal.terms()
    if energy.potential is not None or terms is None:
        raise Unsupported(
            "FiniteVolume has no automatic domain for this problem: it has one for entropy and a potential, for "
            "entropy and powers alone, and for these with an interaction. Pass lower= and upper= such that the mass "
            "stays inside up to the horizon."
        )
    low, high = start_range(problem.initial)
    reach = _spread(terms, dim, problem.horizon)
    return list(zip(_filled(lower, low - reach), _filled(upper, high + reach)))


def _with_interaction(problem: Problem, cells: Sequence[int], lower: Ends, upper: Ends) -> list[tuple[float, float]]:
    """The ends without the interaction, wider by how far it pushes mass apart up to the horizon.

    Without potential two cells wider, too: what only draws together would begin at the ends.
    """
    if problem.energy.potential is None and problem.energy.internal is None:
        low, high = start_range(problem.initial)
    else:
        alone = replace(problem, energy=replace(problem.energy, interaction=None))
        none = (None,) * problem.dim
        low, high = np.array(chosen_ends(alone, cells, none, none)).T
    pushed = np.zeros(problem.dim)
    for _ in range(MOST_WIDENINGS):
        speed = fastest_repulsion(problem.energy.interaction, high - low + 2 * pushed)
        if np.all(speed * problem.horizon <= pushed):
            break
        pushed = np.maximum(1.01 * speed * problem.horizon, pushed)  # so that rounding does not widen it again
    else:
        raise Unsupported(
            f"FiniteVolume has no automatic domain for the interaction {problem.energy.interaction!r}, which pushes "
            "points apart the faster the farther they are apart. It has one where the repulsion is bounded. Pass "
            "lower= and upper= such that the mass stays inside up to the horizon."
        )
    margin = MARGIN if problem.energy.potential is None else 0.0  # beyond whose ends there may be walls
    reach = pushed + margin * (high - low + 2 * pushed) / np.array(cells)
    return list(zip(_filled(lower, low - reach), _filled(upper, high + reach)))


def fastest_repulsion(kernel: Any, widths: Vector) -> Vector:
    """The largest -∂_k W(z) with z_k > 0 over |z_i| <= widths_i, for each axis k, >= 0: an outward speed.

    By differences of W at points of a fan of rays. `Unsupported` where it grows without bound towards zero.
    """
    dim, longest = len(widths), float(np.linalg.norm(widths))
    sides = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, RAYS[dim])] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    sides = sides[np.abs(sides).max(axis=1) == 1.0]
    rays = sides / np.linalg.norm(sides, axis=1)[:, None]
    lengths = np.concatenate([np.geomspace(NEAREST, 1e-2, 41), np.linspace(1e-2, 1.0, 200)[1:]]) * longest
    fastest = np.zeros((len(lengths), dim))
    for i, length in enumerate(lengths):
        step = SLOPE_STEP * length
        for k in range(dim):
            z = rays[(rays[:, k] > 0) & np.all(length * np.abs(rays) <= widths * (1 + 1e-9), axis=1)] * length
            if len(z):
                aside = np.zeros(dim)
                aside[k] = step
                with np.errstate(all="ignore"):  # a kernel that is not finite is named by the convolution
                    slope = (np.asarray(kernel.value(z + aside)) - np.asarray(kernel.value(z - aside))) / (2 * step)
                fastest[i, k] = max(0.0, float(np.max(-slope)))
    near, next_to = fastest[:10].max(axis=0), fastest[10:20].max(axis=0)
    if np.any(near > UNBOUNDED * next_to + 1e-6 * fastest.max()):
        raise Unsupported(
            f"FiniteVolume has no automatic domain for the interaction {kernel!r}, which pushes points apart without "
            "bound where they are near. It has one where the slope of W is bounded. Pass lower= and upper= such that "
            "the mass stays inside up to the horizon."
        )
    return fastest.max(axis=0)


def _filled(given: Ends, automatic: Vector) -> list[float]:
    """What is given, and the automatic ends where that is None."""
    return [float(other if end is None else end) for end, other in zip(given, automatic)]


def _with_entropy(
    problem: Problem, temperature: float, cells: Sequence[int], lower: Ends, upper: Ends
) -> list[tuple[float, float]]:
    """The ends that ChangCooper has."""
    if problem.dim == 1:
        box = choose_box(problem, temperature, cells[0], lower[0], upper[0])
        return [(box.lower, box.upper)]
    region = choose_region(problem, temperature, lower, upper)
    return [(float(low), float(high)) for low, high in zip(region.lower, region.upper)]


def _spread(terms: tuple[tuple[float, float], ...], dim: int, horizon: float) -> float:
    """How far a density spreads by the entropies and powers of `InternalEnergy.terms` up to the horizon."""
    reaches = [NOISE * np.sqrt(2 * c * horizon) if m == 1 else Barenblatt(dim, m, c * horizon).radius for c, m in terms]
    return float(sum(reaches))
