"""from_refinement: a truth with an error bar, by Richardson's extrapolation of runs with halved steps and cells."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, NotConverged
from .._core.estimate import Estimate
from .._core.shapes import Numbers, Row
from .._core.short_text import shown
from .._core.validate import count, flag, known_arguments, positive, real_array
from ..laws import GridLaw, Law
from ..laws.cell_integrals import cell_masses
from ..method import require_problem_and_method, solve
from ..problems.problem import Problem
from ..trajectory import Trajectory, time_grid

LEVELS = 3  # the fewest runs that show an order and one difference of extrapolated values
ORDER_TOLERANCE = 0.25  # half the distance to the next order that a scheme can have, which is a half away
CUT = 1e-6  # of a cell: how far an edge may lie beside one of the run
ROUND_OFF = 1e-12  # of a sum of |differences| of masses of sum one, after some 1e4 eliminations


@known_arguments
def from_refinement(
    problem: Problem,
    method: Any,
    dt: float,
    cells: int | Sequence[int],
    *,
    times: ArrayLike | None = None,
    order: float = 2.0,
    extrapolate: bool = True,
    seed: int = 0,
    axes: Sequence[ArrayLike] | None = None,
    dt_factor: int = 2,
) -> Trajectory:
    """A truth with an error bar, from three runs of a scheme on grids: (dt, cells), (dt/2, 2 cells), (dt/4, 4 cells).

    Parameters
    ----------
    problem : Problem
        What is solved.
    method : Method
        A frozen dataclass with a field `cells`, whose laws are grids: ChangCooper, FiniteVolume, or one of your own.
        Its own `cells` is replaced.
    dt : float
        The largest step in units of time, > 0.
    cells : int or sequence of int
        The fewest cells, in the form that the field takes.
    times : array_like, optional
        Increasing multiples of dt, >= 0, shape (k,); the horizon by default.
    order : float
        The order p of the error where cells are doubled and the step is divided by `dt_factor`: by two, the lesser of
        the orders in time and space.
    extrapolate : bool
        True: masses of the limit, on the coarsest cells. False: the laws of the finest run as they are, for flows whose
        fronts an extrapolation would make negative.
    seed : int
        Seed of the runs.
    axes : sequence of (n_i + 1,), optional
        The edges of the cells in which laws are compared and returned, one array for each axis. By default those of the
        coarsest run. Edges of coarser cells make small files; a problem with a structure needs them, as its laws are
        not grids but know their masses in any cells.
    dt_factor : int
        What the step is divided by from run to run, at least 2; 4 for schemes of order 1 in time and 2 in space, whose
        error then falls with order 2.

    Returns
    -------
    Trajectory
        Its `stats` hold `error`, an `Estimate` in l1 (the largest over the times; not squared), `errors`, that of each
        time, and `observed_orders`, that of each time (NaN where the runs agree to round-off).

    Raises
    ------
    BadInput
        Before any run, for a method without a field `cells` and for times that are no multiples of dt; after the
        runs, for laws that are no grids where no `axes` are given, that have mass outside these cells, or whose own
        cells are cut by them.
    NotConverged
        Where the observed order is below `order` by more than 1/4, or above it where laws are extrapolated, and where
        an extrapolated mass is below -1e-12.

    Notes
    -----
    With the masses M0, M1, M2 of the three runs, summed into the cells of the first, D = Σ|difference|:

        observed order = log2(D(M1, M0) / D(M2, M1)),    E = M2 + (M2 - M1) / (2^p - 1),

    and the same from M1 and M0. The error bar is the distance of the two extrapolated values, which is that of the
    coarser one and so more than that of E (divided by 2^q - 1 where the observed order q is below 1, and the distance
    less than the error). Without extrapolation it is D(M2, M1) / (2^q - 1), q the least of p, the observed order and
    one: at fronts the order seen comes and goes with their place in a cell, and may promise too much. For smooth laws
    and p = 2 it is three times the error; for Barenblatt profiles of m = 3 on 512 cells 9.6e-5 where the error is
    7.3e-5.

    An observed order above p is no reason to refuse a run that is not extrapolated, but D(M2, M1) may be small because
    the errors e1 and e2 of the two finer runs are alike. Of order p, |e1| is at most D(M1, M0) / (2^p - 1); where e2
    has the sign of e1 it is e1 less the last difference. So the error bar is at least D(M1, M0) / (2^p - 1) -
    D(M2, M1), which for M0, M1, M2 of order p is no more than the above, and, where the observed order is above p by
    more than 1/4, at least D(M1, M0) / (2^p - 1): that M2 is no worse than M1 is all that is then supposed.

    What the error bar cannot see is a scheme that converges to another law: compare two schemes that have nothing in
    common [docs/math.md 14.2].

    Examples
    --------
    >>> import pdeflow as pf
    >>> problem = pf.problems.double_well()
    >>> truth = pf.from_refinement(problem, pf.grid.ChangCooper(time_order=2), 1 / 64, 400, times=[0.5, 1.0])
    >>> truth.stats["error"].value < 1e-6
    True
    """
    require_problem_and_method(problem, method)
    dt, order, seed = positive(dt, "dt"), positive(order, "order"), count(seed, "seed", 0)
    extrapolate, dt_factor = flag(extrapolate, "extrapolate"), count(dt_factor, "dt_factor", 2)
    given = None if axes is None else [real_array(edges, f"axes[{i}]", ndim=1) for i, edges in enumerate(axes)]
    _require_cells(problem, given)
    steps = [dt / dt_factor**level for level in range(LEVELS)]
    saved, _ = time_grid((problem.horizon,) if times is None else times, dt)
    methods = [_with_cells(method, cells, 2**level) for level in range(LEVELS)]
    runs = [solve(problem, finer, dt=step, times=saved, seed=seed) for finer, step in zip(methods, steps)]
    laws, errors, orders = [], [], []
    for time, *levels in zip(saved, *(run.laws for run in runs), strict=True):
        law, error, observed = _limit(levels, given, order, extrapolate, f"at t = {time:g}")
        laws.append(law)
        errors.append(error)
        orders.append(observed)
    how = (
        f"Richardson from dt = {', '.join(f'{step:g}' for step in steps)} and {shown(cells)} to "
        f"{shown(_times(cells, 4))} cells, order {order:g}"
    )
    stats = {
        "steps": runs[-1].stats["steps"],
        "error": Estimate(max(errors), 0.0, how, "l1"),
        "errors": errors,
        "observed_orders": orders,
    }
    return Trajectory(saved, laws, stats, runs[-1].history, problem=problem)


def _require_cells(problem: Problem, given: Sequence[Row] | None) -> None:
    """`BadInput` before any run where laws cannot be compared by the masses of cells."""
    structure, dim = problem.structure, problem.dim
    if structure is not None and dim > 2 and given is None:
        raise BadInput(
            f"Problem {problem.name!r} has dim {dim} and runs by its {len(structure.parts)} part(s), whose law is no "
            f"grid in dim {dim}. Refinement compares masses of cells. Refine a part, such as "
            "from_refinement(problem.structure.parts[0], ...), in radial problems the law of the radius |x|; take "
            "pf.finer(method, dt), the truth of a study in any dimension; or pass axes= for a product of few axes."
        )
    if given is not None and len(given) != dim:
        raise BadInput(f"axes= has {len(given)} axes. The problem has dim {dim}. Pass the edges of each axis.")


def _with_cells(method: Any, cells: int | Sequence[int], factor: int) -> Any:
    if not (is_dataclass(method) and any(field.name == "cells" for field in fields(method))):
        raise BadInput(
            f"method is {shown(method)}, which has no field `cells` to refine. A scheme on a grid has one, such as "
            "ChangCooper. For other schemes take pf.finer, which halves the step alone."
        )
    return replace(method, cells=_times(cells, factor))  # type: ignore[type-var]  # a dataclass, as was just seen


def _times(cells: int | Sequence[int], factor: int) -> int | tuple[int, ...]:
    if isinstance(cells, Sequence):
        return tuple(factor * count(each, "cells") for each in cells)
    return factor * count(cells, "cells")


def _limit(
    levels: Sequence[Law], given: Sequence[Row] | None, order: float, extrapolate: bool, where: str
) -> tuple[Law, float, float]:
    """(law, error in l1, observed order) at one time; given : the edges of cells, or None for those of the laws."""
    axes = levels[0].grid_axes() if given is None else given
    if axes is None:
        raise BadInput(
            f"The law {where} is {shown(levels[0])}, no grid. Refinement compares masses of cells. Pass axes=, the "
            "edges of cells, or take a scheme whose laws are GridLaws, or pf.finer."
        )
    masses = [_masses(law, axes, where) for law in levels]
    first, last = (float(np.abs(fine - coarse).sum()) for coarse, fine in pairwise(masses))
    if max(first, last) <= ROUND_OFF:  # nothing to extrapolate, and no order to see
        return _finest(levels, masses, axes, extrapolate or given is not None), ROUND_OFF, float("nan")
    observed = float(np.log2(first / last)) if min(first, last) > 0 else float("nan")
    low, high = order - ORDER_TOLERANCE, order + (ORDER_TOLERANCE if extrapolate else np.inf)
    if not low <= observed <= high:
        raise NotConverged(
            f"Refinement changes the masses by {first:.3g} and then by {last:.3g} {where}: an order of "
            f"{observed:.3g}, where {order:g} is expected. An error bar by extrapolation needs the order to be seen. "
            "Begin with a smaller dt and more cells, or pass the order= that the scheme has.",
            observed=observed,
        )
    if not extrapolate:
        law = _finest(levels, masses, axes, given is not None)
        return law, _of_the_finest(first, last, order, observed), observed
    coarser, finest = (fine + (fine - coarse) / (2**order - 1) for coarse, fine in pairwise(masses))
    if finest.min() < -1e-12:
        raise NotConverged(
            f"Extrapolation makes a cell of mass {finest.min():.3g} {where}. Masses must be >= -1e-12. Pass "
            "extrapolate=False, or begin with a smaller dt and more cells.",
            min_mass=float(finest.min()),
        )
    distance = float(np.abs(finest - coarser).sum()) / (2 ** min(observed, 1.0) - 1)
    return GridLaw(axes, finest), distance + ROUND_OFF, observed


def _of_the_finest(first: float, last: float, order: float, observed: float) -> float:
    """The error bar of the finest run; first, last : the differences of neighbouring runs in l1."""
    middle = first / (2**order - 1)  # at least the error of the run before it
    alike = 0.0 if observed > order + ORDER_TOLERANCE else last
    return max(last / (2 ** min(order, observed, 1.0) - 1), middle - alike)


def _finest(levels: Sequence[Law], masses: Sequence[Numbers], axes: Sequence[Row], summed: bool) -> Law:
    """The law of the finest run, as masses of the cells in which laws are compared where it is to be `summed`."""
    return GridLaw(axes, masses[-1]) if summed else levels[-1]


def _masses(law: Law, axes: Sequence[Row], where: str) -> Numbers:
    own = law.grid_axes()
    for mine, edges in zip(own or (), axes, strict=own is not None):
        off = np.abs(mine[np.clip(np.searchsorted(mine, edges), 1, len(mine) - 1)] - edges)
        off = np.minimum(off, np.abs(mine[np.clip(np.searchsorted(mine, edges), 1, len(mine) - 1) - 1] - edges))
        if off.max() > CUT * np.diff(mine).min():
            raise BadInput(
                f"The edge {edges[int(np.argmax(off))]:.6g} of the cells in which laws are compared lies inside a cell "
                f"of the run {where}, and where the mass lies in a cell is not known. Every such edge must be one of "
                "the run. Give the method lower= and upper=, and axes= that whole numbers of its cells make."
            )
    found = cell_masses(law, axes)
    if not abs(found.outside) <= 1e-9:
        raise BadInput(
            f"The run {where} has {found.outside:.3g} of its mass outside the cells in which laws are compared. They "
            "must hold all but 1e-9. Give the method lower= and upper=, or wider axes=."
        )
    return found.mass
