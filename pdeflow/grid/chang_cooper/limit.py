"""What the Chang-Cooper matrix itself says, free of time steps: its exponential, its spectrum, its stationary law."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from ..._core.errors import BadInput, Diverged, NotConverged, Unsupported
from ..._core.shapes import Values
from ..._core.validate import count, saved_times
from ..._core.validate import count as whole
from ...laws import GridLaw
from ...problems import Problem
from ...problems.structure import Structure
from ...trajectory import Trajectory
from ..box_domain import refuse_piled_up_faces
from ..box_resolution import refuse_unresolved as refuse_unresolved_box
from ..domain import refuse_piled_up
from ..resolution import refuse_unresolved
from . import elimination
from .box import BoxGrid, BoxState
from .rates import Grid
from .scheme import ChangCooper
from .uniformisation import exponential_of_box

CONTOUR_TOLERANCE = 1e-10  # of the masses, summed over the cells; round-off is 1e-12
CONTOURS = (32, 48, 64)  # their points; more have more round-off, e^(0.13 N) 1e-16
MOST_SPLITTINGS = 5
FAINT = 1e-8  # emptier cells are taken from a sum of positive terms: contours know no cell better than to 1e-10
MOST_WORK = 2e8  # cells times terms of that sum, about half a second


def _contour(nodes):
    """Upper half of the parabola z(θ) = N (0.1309 - 0.1194 θ² + 0.25 iθ) and its weights [weideman2007].

    The weights are 2 e^z z'/(iN).
    """
    theta = np.pi * (2 * np.arange(nodes // 2 + 1, nodes + 1) - 1 - nodes) / nodes
    z = nodes * (0.1309 - 0.1194 * theta**2 + 0.25j * theta)
    slope = nodes * (-0.2388 * theta + 0.25j)
    return z, 2 * np.exp(z) * slope / (1j * nodes)


def exponential(
    problem: Problem, method: ChangCooper, times: ArrayLike | None = None, *, nodes: int = 32
) -> Trajectory:
    """The flow of the scheme without time error: exp(tL) applied to the initial masses [weideman2007; docs/math.md 7].

    Parameters
    ----------
    problem : Problem
        What `method` can treat.
    method : ChangCooper
        Its grid and matrix L count; its time_order plays no part.
    times : sequence of float, optional
        Increasing, >= 0, in units of time; by default the horizon alone.
    nodes : int, default 32
        N of the contour that is tried first, even.

    Returns
    -------
    Trajectory
        Laws at `times`. Their `stats["error"]` is the largest Σ|m - exp(tL) m_0| over the times, as two contours tell
        it: at most 1e-10. In two and three dimensions it is a bound. Of a problem made of parts (`problems.rotated`,
        `separable`, `radial`) the laws are those of the parts together, and the error is at most the sum of theirs.
        What is left is O(h²) in space, see `richardson`.

    Raises
    ------
    BadInput
        For times or nodes that make no sense, mass piled up at an end and laws that the cells do not resolve, as in
        `ChangCooper`; and what `method.init` raises.
    NotConverged
        Where no contour and no splitting of the time reaches 1e-10.
    Diverged
        Where a cell is below -1e-12.

    Notes
    -----
    exp(tL) m = Σ_k (e^{z_k} z'_k / (iN)) (z_k - tL)⁻¹ m over a parabolic contour with N points: one complex tridiagonal
    solve for each conjugate pair. The contour encloses the spectrum of tL, which is real, and with it the sum converges
    like 2.85^-N. Where drift outweighs diffusion, L is far from normal and resolvents are large off the spectrum: the
    sum of 32 points was off by 4e-2 for a double well at t = 0.01. So each sum is held against that of N + 8 points,
    and the mass against one; where they differ by more than 1e-10 the others of 32, 48 and 64 points are tried, and
    then exp(tL) as a product over 4, 16, ... parts of the time, on which L is closer to normal.

    That error is absolute, and relative entropies look at the logarithm of the emptiest cells. So cells below 1e-8 are
    those of exp(tL) = Σ_k e^(-q) q^k/k! P^k with P = I + tL/q, q = 1.01 t max|L_jj|, a sum of positive terms whose
    relative error is below 1e-9 in each cell (uniformisation [jensen1953]). Where that takes more than 2e8 operations,
    about half a second, they are those of the contour and may come out empty or slightly negative.

    In two and three dimensions exp(tL) m = Σ_k e^{-Λt} (Λt)^k/k! (I + L/Λ)^k m with Λ the largest rate out of a cell
    (uniformisation too): every term is a probability vector, so cells are never negative and the error is
    bounded beforehand, by 2e-14 for the terms left out and 4e-16 for the round-off of each power. It takes some Λt
    powers, each about as long as a sub-step: Λ grows like T/h² and like |∇V|/h, so small boxes are cheap and wide ones
    with steep walls are not (`NotConverged` above 2e12 updates of cells).
    """
    count(nodes, "nodes", 2)
    if nodes % 2:
        raise BadInput(
            f"nodes is {nodes}. The contour takes conjugate pairs. Choose an even number; 32 reaches round-off."
        )
    saved = saved_times((problem.horizon,) if times is None else times)
    if problem.structure is not None:
        return replace(_by_parts(problem.structure, method, saved, nodes), problem=problem)
    state = _started(problem, method)
    if isinstance(state, BoxState):
        return replace(_in_the_box(method, state, saved, nodes), problem=problem)
    grid, half = state.grid, state.grid.half
    laws, largest = [], 0.0
    for t in saved:
        mass, half_mass = state.mass, state.half_mass
        if t > 0:
            mass, error = _flow(grid, float(t), state.mass, nodes)
            mass = _with_faint_cells(grid, float(t), state.mass, mass)
            half_mass = None if half is None else _flow(half, float(t), half_mass, nodes)[0]
            largest = max(largest, error)
        if not mass.min() >= -1e-12:
            raise Diverged(
                f"The contour exponential gives a cell of mass {mass.min():.3g} at t = {t:g}. Cells must be >= -1e-12. "
                "Start from a smoother law, or step with ChangCooper(time_order=1)."
            )
        if t > 0:
            refuse_piled_up(grid.open_ends, mass, grid.edges, f"at t = {t:g}")
            refuse_unresolved(mass, half_mass, grid.edges, f"at t = {t:g}")
        laws.append(GridLaw((grid.edges,), mass))
    return Trajectory(saved, laws, {"steps": 0, "error": largest}, [method.report(state)], problem=problem)


def _in_the_box(method: ChangCooper, state: BoxState, times: Values, nodes: int) -> Trajectory:
    """The flow in two and three dimensions, by uniformisation from each time to the next."""
    if nodes != CONTOURS[0]:
        raise BadInput(f"nodes is {nodes}. A contour is used on the line alone. Leave nodes= out in more dimensions.")
    laws, error, grid, now = [], 0.0, state.grid, 0.0
    for t in times:
        mass, half_mass = state.mass, state.half_mass
        if t > now:
            mass, more = exponential_of_box(grid, float(t) - now, mass)
            if grid.half is not None and half_mass is not None:
                half_mass, _ = exponential_of_box(grid.half, float(t) - now, half_mass)
            error, now = error + more, float(t)
            refuse_piled_up_faces(grid.faces, mass, grid.axes, f"at t = {t:g}")
            refuse_unresolved_box(mass, half_mass, grid.axes, f"at t = {t:g}")
        state = replace(state, mass=mass, half_mass=half_mass)
        laws.append(GridLaw(grid.axes, mass))
    return Trajectory(times, tuple(laws), {"steps": 0, "error": error}, [method.report(state)])


def _flow(grid: Grid, time: float, mass: Any, nodes: int) -> tuple[Any, float]:
    """exp(time L) mass and its error Σ|.| by two contours and the sum, or `NotConverged`."""
    least = np.inf
    for parts in 4 ** np.arange(MOST_SPLITTINGS + 1):
        for points in dict.fromkeys([nodes, *CONTOURS]):
            result, error = mass, 0.0
            for _ in range(parts):
                values = [
                    elimination.resolvent_sum(grid.up, grid.down, time / parts, *_contour(n), result)
                    for n in (points, points + 8)
                ]
                error += float(np.abs(values[1] - values[0]).sum() + abs(values[0].sum() - result.sum()))
                result = values[0]
                if not error <= CONTOUR_TOLERANCE:
                    break
            else:
                return result, error
            least = min(least, error)
    raise NotConverged(
        f"exp(tL) at t = {time:g} is known to {least:.3g} only, summed over the cells; {CONTOUR_TOLERANCE:g} is "
        "wanted. The drift outweighs diffusion by far somewhere in the domain. Take a smaller domain by lower= and "
        "upper=, or step with ChangCooper.",
        error=least,
    )


def _with_faint_cells(grid: Grid, time: float, start: Any, mass: Any) -> Any:
    """exp(time L) start, `mass` but for its cells below `FAINT`, which are those of a sum of positive terms."""
    faint = mass < FAINT
    out = time * (np.append(grid.up, 0.0) + np.append(0.0, grid.down))
    mean = 1.01 * out.max()  # of the number of jumps; 1.01 leaves something of each cell where it is
    terms = mean + 40 * np.sqrt(mean) + 300  # the weights beyond are below 1e-315
    if not faint.any() or terms * len(mass) > MOST_WORK or mean == 0:
        return mass
    k = np.arange(int(terms))
    with np.errstate(under="ignore"):
        weights = np.exp(k * np.log(mean) - mean - gammaln(k + 1.0))
    full = elimination.uniformised(1 - out / mean, time * grid.up / mean, time * grid.down / mean, weights, start)
    return np.where(faint, full, mass)


def spectrum(problem: Problem, method: ChangCooper, count: int = 2) -> Values:
    """The smallest eigenvalues of -L.

    Parameters
    ----------
    problem, method : Problem and ChangCooper
        Which define L.
    count : int, default 2
        How many.

    Returns
    -------
    (count,)
        Ascending, in 1/time. The first is 0 up to the round-off of |L|, the second is the spectral gap.

    Notes
    -----
    L is similar to the symmetric tridiagonal matrix with the same diagonal and √(up·down) beside it. Errors are O(h²)
    (`richardson` removes them), and round-off is about 1e-16 · 4T/h².
    """
    from scipy.linalg import eigh_tridiagonal

    grid = _started(problem, method).grid
    if isinstance(grid, BoxGrid):
        raise Unsupported(
            f"spectrum works on the line, the problem has dim {problem.dim}. Of a separable problem the eigenvalues "
            "are the sums of those of its parts. Ask for the spectra of these."
        )
    count = whole(count, "count")
    (cells,) = method.cells_of(1)
    if count > cells:
        raise BadInput(f"count is {count}. The matrix has {cells} eigenvalues. Ask for 1 to {cells}.")
    diagonal = np.append(grid.up, 0.0) + np.append(0.0, grid.down)
    beside = -np.sqrt(grid.up) * np.sqrt(grid.down)
    return np.asarray(eigh_tridiagonal(diagonal, beside, eigvals_only=True, select="i", select_range=(0, count - 1)))


def gibbs(problem: Problem, method: ChangCooper) -> GridLaw:
    """The stationary law of the scheme: cell masses exp(-V_j/T) / Σ exp(-V_i/T) at the centres of its cells.

    Parameters
    ----------
    problem, method : Problem and ChangCooper
        Which define V, T and the cells.

    Returns
    -------
    GridLaw
        The fixed point of `method`.

    Raises
    ------
    BadInput
        Where the law is piled up at an end that is not a wall: then V has no such law. Where the cells do not resolve
        it. And what `method.init` raises.
    """
    grid = _started(problem, method).grid
    mass = _gibbs_masses(grid)
    if isinstance(grid, BoxGrid):
        refuse_piled_up_faces(grid.faces, mass, grid.axes, "in the stationary law")
        half_mass = None if grid.half is None else _gibbs_masses(grid.half)
        refuse_unresolved_box(mass, half_mass, grid.axes, "in the stationary state")
        return GridLaw(grid.axes, mass)
    refuse_piled_up(grid.open_ends, mass, grid.edges, "in the stationary law")
    half_mass = None if grid.half is None else _gibbs_masses(grid.half)
    refuse_unresolved(mass, half_mass, grid.edges, "in the stationary state")
    return GridLaw((grid.edges,), mass)


def _gibbs_masses(grid: Grid | BoxGrid) -> Any:
    """exp(-V/T) at the centres of the cells, of sum one."""
    weight = np.exp(-(grid.values - grid.values.min()) / grid.temperature)
    return weight / weight.sum()


def richardson(
    quantity: Callable[[Problem, ChangCooper], Any], problem: Problem, method: ChangCooper, levels: int = 3
) -> tuple[Any, Any]:
    """The limit h -> 0 of a quantity, by Richardson's extrapolation from grids of cells, 2 cells, 4 cells, ...

    Parameters
    ----------
    quantity : callable
        (problem, method) -> a number or an array with an expansion in even powers of h.
    problem : Problem
        Handed to `quantity`.
    method : ChangCooper
        The coarsest grid. Its lower and upper must be set: automatic domains differ by round-off between grids.
    levels : int, default 3
        Number of grids, at least 2.

    Returns
    -------
    limit, correction : array
        The extrapolated quantity, and the size of the last correction, which estimates its error.
    """
    count(levels, "levels", 2)
    if method.lower is None or method.upper is None:
        raise BadInput(f"{method!r} has an automatic domain. The grids must share their ends. Set lower= and upper=.")
    cells = method.cells_of(problem.dim)
    row = [
        np.asarray(quantity(problem, replace(method, cells=tuple(n * 2**k for n in cells))), dtype=float)
        for k in range(levels)
    ]
    for k in range(1, levels):
        last = row[-1]
        row = [fine + (fine - coarse) / (4**k - 1) for coarse, fine in pairwise(row)]
    return row[0], np.abs(row[0] - last)


def _by_parts(structure: Structure, method: ChangCooper, saved: Values, nodes: int) -> Trajectory:
    """The flows of the parts together; errors in l1 of a product are at most the sum of those of its blocks."""
    parts = [exponential(part, method, saved, nodes=nodes) for part in structure.parts]
    laws = [structure.join(each) for each in zip(*[part.laws for part in parts], strict=True)]
    largest = max(float(part.stats["error"]) for part in parts)
    return Trajectory(saved, laws, {**parts[0].stats, "error": structure.blocks * largest})


def _started(problem: Problem, method: ChangCooper) -> Any:
    """The state at the start, whose rates hold at all times, or `Unsupported`."""
    if problem.energy.time_dependent:
        raise Unsupported(
            f"V = {problem.energy.potential!r} depends on time, so there is no one matrix L of the scheme. Its "
            "exponential, spectrum and stationary law are those of a V at rest. Step with pf.solve."
        )
    return method.init(problem, None)
