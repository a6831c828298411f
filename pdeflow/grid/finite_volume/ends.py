"""Where the domain of FiniteVolume ends."""

from collections.abc import Sequence

import numpy as np

from ..._core.errors import Unsupported
from ..._core.shapes import Row, Vector
from ...laws import Barenblatt, Law
from ...problems import Problem
from ..box_domain import NOISE, Ends, choose_region, start_range
from ..domain import choose_box, temperature_of


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
    spreads, by entropy and powers, goes no farther than the free heat flow, and than one by powers from a point.
    """
    energy, dim = problem.energy, problem.dim
    temperature = temperature_of(energy.internal)
    free = energy.potential is None and energy.interaction is None
    if energy.interaction is None and temperature is not None and not (free and dim > 1):
        return _with_entropy(problem, temperature, cells, lower, upper)
    given = [(float(low), float(high)) for low, high in zip(lower, upper) if low is not None and high is not None]
    if len(given) == dim:
        return given
    terms = None if energy.internal is None else energy.internal.terms()
    if not free or terms is None:
        raise Unsupported(
            "FiniteVolume has no automatic domain for this problem: it has one for entropy and a potential, and for "
            "entropy and powers alone. Pass lower= and upper= such that the mass stays inside up to the horizon."
        )
    low, high = start_range(problem.initial)
    reach = _spread(terms, dim, problem.horizon)
    return list(zip(_filled(lower, low - reach), _filled(upper, high + reach)))


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
