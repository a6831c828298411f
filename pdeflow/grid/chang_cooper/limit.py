"""What the Chang-Cooper matrix itself says, free of time steps: its exponential, its spectrum, its stationary law."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..._core.errors import BadInput, Diverged
from ..._core.validate import count, saved_times
from ...laws import GridLaw
from ...trajectory import Trajectory
from ..domain import refuse_piled_up
from . import elimination


def _contour(nodes):
    """Upper half of the parabola z(θ) = N (0.1309 - 0.1194 θ² + 0.25 iθ) and the weights 2 e^z z'/(iN) [weideman2007]."""
    theta = np.pi * (2 * np.arange(nodes // 2 + 1, nodes + 1) - 1 - nodes) / nodes
    z = nodes * (0.1309 - 0.1194 * theta**2 + 0.25j * theta)
    slope = nodes * (-0.2388 * theta + 0.25j)
    return z, 2 * np.exp(z) * slope / (1j * nodes)


def exponential(problem, method, times=None, *, nodes=32) -> Trajectory:
    """exp(tL) applied to the initial masses of `method` (a `ChangCooper`): the semi-discrete flow with no time error.

    exp(tL) m = Σ_k (e^{z_k} z'_k / (iN)) (z_k - tL)⁻¹ m over a parabolic contour with N = `nodes` points [weideman2007;
    docs/math.md 7]: one complex tridiagonal solve for each conjugate pair. N = 32 is exact to about 1e-13 in every cell, for every t and h;
    the absolute error means that cells emptier than that may come out slightly negative. What is left is O(h²) in space:
    see `richardson`. times : >= 0 and increasing, default (horizon,). dt plays no part, and neither does method.time_order.

    Raises what `method.init` raises, `BadInput` for times, nodes or mass piled up at an end as in `ChangCooper`, `Diverged` where a cell is below -1e-12.
    """
    count(nodes, "nodes", 2)
    if nodes % 2:
        raise BadInput(
            f"nodes is {nodes}. The contour takes conjugate pairs. Choose an even number; 32 reaches round-off."
        )
    times = saved_times((problem.horizon,) if times is None else times)
    state = method.init(problem, None)
    z, weights = _contour(nodes)
    laws = []
    for t in times:
        mass = state.mass
        if t > 0:
            mass = elimination.resolvent_sum(state.grid.up, state.grid.down, float(t), z, weights, state.mass)
        if not mass.min() >= -1e-12:
            raise Diverged(
                f"The contour exponential gives a cell of mass {mass.min():.3g} at t = {t:g}. Cells must be >= -1e-12. "
                "Start from a smoother law, or step with ChangCooper(time_order=1)."
            )
        if t > 0:
            refuse_piled_up(state.grid.open_ends, mass, state.grid.edges, f"at t = {t:g}")
        laws.append(GridLaw((state.grid.edges,), mass))
    return Trajectory(times, laws, {"steps": 0}, [method.report(state)])


def spectrum(problem, method, count=2) -> np.ndarray:
    """The `count` smallest eigenvalues of -L, ascending, (count,), in 1/time; the first is 0 up to round-off of |L|.

    L is similar to the symmetric tridiagonal matrix with the same diagonal and √(up·down) beside it. The second entry is the
    spectral gap; errors are O(h²) (`richardson` removes them), and round-off is about 1e-16 · 4T/h².
    """
    from scipy.linalg import eigh_tridiagonal

    grid = method.init(problem, None).grid
    if not 1 <= count <= method.cells:
        raise BadInput(f"count is {count!r}. The matrix has {method.cells} eigenvalues. Ask for 1 to {method.cells}.")
    diagonal = np.append(grid.up, 0.0) + np.append(0.0, grid.down)
    beside = -np.sqrt(grid.up) * np.sqrt(grid.down)
    return eigh_tridiagonal(diagonal, beside, eigvals_only=True, select="i", select_range=(0, count - 1))


def gibbs(problem, method) -> GridLaw:
    """The stationary law of the scheme: cell masses exp(-V_j/T) / Σ exp(-V_i/T) at the centres of its cells.

    Raises what `method.init` raises, and `BadInput` where it is piled up at an end that is no wall: then V has no such law.
    """
    grid = method.init(problem, None).grid
    weight = np.exp(-(grid.values - grid.values.min()) / problem.energy.internal.coefficient)
    mass = weight / weight.sum()
    refuse_piled_up(grid.open_ends, mass, grid.edges, "in the stationary law")
    return GridLaw((grid.edges,), mass)


def richardson(quantity, problem, method, levels=3):
    """Limit h -> 0 of quantity(problem, method) from grids of cells, 2 cells, 4 cells, ... on one domain, with its error estimate.

    quantity : returns a number or an array with an expansion in even powers of h. Returns (limit, last correction).
    The method must have its lower and upper set: automatic domains differ by round-off between grids.
    """
    count(levels, "levels", 2)
    if method.lower is None or method.upper is None:
        raise BadInput(f"{method!r} has an automatic domain. The grids must share their ends. Set lower= and upper=.")
    row = [
        np.asarray(quantity(problem, replace(method, cells=method.cells * 2**k)), dtype=float) for k in range(levels)
    ]
    for k in range(1, levels):
        last = row[-1]
        row = [fine + (fine - coarse) / (4**k - 1) for coarse, fine in pairwise(row)]
    return row[0], np.abs(row[0] - last)
