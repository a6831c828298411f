"""CvxoptJKO: the JKO step as a convex program over couplings of grid cells."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import BadInput, NotAvailable, Unsupported, unknown_field
from ..._core.shapes import Numbers, Values
from ..._core.threads import one_thread
from ..._core.validate import count
from ...energies.interactions import require_even
from ...energies.internal import InternalEnergy
from ...laws import GridLaw
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...trajectory import Trajectory, exact_jko
from ..domain import Edges, cell_masses, check_ends, refuse_outside, require_fine_floats
from ..line_potential import is_wall, potential_values
from ..resolution import refuse_narrow
from .domain import choose_ends, kernel_matrix
from .program import Program
from .solver import StepSolver, import_cvxopt

KKT_SOLVERS = ("structured", "default")
LEAST_START = (
    0.3  # cells that a quarter of the initial mass must take: less is a law in one cell, wherever it lies there
)
ALLOWED_EDGE_MASS = 1e-4  # mass in the two end cells above which the domain is too small


@dataclass(frozen=True, eq=False)
class PreparedGrid:
    """What the steps of a run share: the grid and the energy on it.

    Attributes
    ----------
    edges : (n + 1,)
        Cell edges.
    potential : (n,)
        V at the centres, with the linear part of the interaction.
    internal : InternalEnergy or None
        U.
    kernel : (n, n) or None
        The interaction on changes of sum zero, positive semi-definite.
    constant : float
        The constant part of the energy of the interaction.
    tail_mass : float
        Initial mass outside the grid.
    walls : pair of bool
        Whether V cannot be evaluated half a cell beyond the lower and the upper end.
    """

    edges: Edges
    potential: Values
    internal: InternalEnergy | None
    kernel: Numbers | None
    constant: float
    tail_mass: float
    walls: tuple[bool, bool] = (False, False)

    @cached_property
    def centers(self) -> Values:
        """Cell centres, (n,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def width(self) -> float:
        """Of one cell."""
        return (self.edges[-1] - self.edges[0]) / len(self.potential)


@dataclass(frozen=True, eq=False)
class CouplingState:
    """What a run of CvxoptJKO carries from step to step.

    Attributes
    ----------
    grid : PreparedGrid
        Made by `init`.
    mass : (n,)
        Probability of each cell.
    steps : int
        Taken so far.
    facts : Mapping
        What the last step reports.
    """

    grid: PreparedGrid
    mass: Values
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CvxoptJKO(Method):
    """The JKO step ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) on the line, over masses q of equal cells.

    The convex program is that of [fan2022iclr, eq. (18)], corrected in docs/math.md 6.1:

        min_{π >= 0} Σ_ij |x_i - x_j|² π_ij/(2 dt) + δ Σ_i U(q_i/δ) + V·q + ½ qᵀWq,   q = π1,   Σ_i π_ij = p_j,

    p the old masses, x the cell centres, δ their distance, W_ij the mean of W over a pair of cells. The paper prints
    the energy of the fixed marginal, which is constant.

    Parameters
    ----------
    cells : int, default 300
        Number n of cells, at least 3.
    lower, upper : float or None, default None
        Ends of the grid, in units of x. None is automatic. For the entropy: as ChangCooper, and to where V reaches its
        maximum on the initial law, and 5 %. Otherwise the initial support (or what holds all but 1e-13 at each end),
        widened to where V reaches its maximum on it, by the Barenblatt radius R(c·horizon) for Power(m, c) (fronts move
        no further), and by 5 %. No automatic end lies beyond a wall, where V is inf. With an interaction, and for sums
        of internal energies, both ends must be given. The initial mass outside goes into the end cells (`tail_mass`;
        above 1e-3 it is refused).
    kkt : {"structured", "default"}, default "structured"
        "structured": couplings enter the energy by row sums only, so Woodbury's identity leaves one n x n Cholesky
        factorisation per iteration: O(n²) memory, O(n³) time. "default": CVXOPT's own solver on n² variables, for
        comparison at n < 100.

    Raises
    ------
    NotAvailable
        Without the package cvxopt.
    Unsupported
        For dim > 1, fast diffusion, an internal energy without second derivative, a kernel W that is not convex in the
        masses (the eigenvalue is named), an initial law without cdf.
    BadInput
        For ends that make no sense, NaN in V, mass outside, and more than 1e-4 in the end cells after a step, unless
        V has a wall there: inf beyond the end. Unless there is no internal energy (then laws may shrink to points):
        where a quarter of the initial law lies in less than 0.3 cells, or of a law that is asked for in less than 0.5.
    NotConverged
        With step, outcome, gap and residual, for every outcome of CVXOPT but `optimal`, its ArithmeticError and
        ValueError included, and where the check below fails.

    Warns
    -----
    Locking. On a grid, moving mass by u < δ costs about uδ/(2 dt) instead of u²/(2 dt): where δ is not small
    against the displacement of one step, mass sticks. Rule: δ <= 1/4 of the smallest relevant displacement of a
    step; `displacement_in_cells` of the report (W2 of the step over δ) should be >= 4. As dt -> 0 at fixed δ the
    scheme stands still; it has no order in dt alone. Relative error of the root of the second moment against the
    exact JKO sequence, Barenblatt m = 2 from t = 0.002, dt = 0.001, 20 steps, [-0.8, 0.8]: 100 cells -20.8 %, 200
    -3.2 %, 300 -2.0 %, 400 -1.1 %, 800 -0.22 % (exact JKO against the PDE: -1.15 %).

    Notes
    -----
    *Programs.* A linear program (conelp) for a potential alone, a quadratic one (coneqp) for Power(m=2), an
    interaction, or both; for other internal energies Newton's method: a sequence of quadratic models by coneqp,
    each from exact gradient and curvature at positive masses, with a line search on F. (CVXOPT's solvers.cp stalls
    at gaps of 1e-4 to 1e-6 on the entropy, whose tails span 20 orders of magnitude.) There is no band: all pairs
    count. One step of 300 cells takes below 1 s for Power(m=2), about 8 programs and 3 s for the others.

    *Internal energies.* Entropy, Power(m) with m > 1, their sums, and a user's own that has `second_derivative`.

    *Certificate.* Every column of CVXOPT's strictly positive π is scaled to its marginal; the largest relative change
    is `marginal_correction` (about 1e-15; above 1e-7 it is an error). Old cells of at most 1e-14 stay in place.
    Interior-point masses are positive: cells that should be empty hold 1e-10 and less. The result is then judged by
    the dual of docs/math.md 6.1, over all pairs: gap <= 1e-7 and KKT residual <= 1e-6 of the objective's size, or
    `NotConverged`.

    *Report.* `status`, `programs` (solved), `iterations` (of CVXOPT), `gap` (absolute, certified), `relative_gap`,
    `kkt_residual` (relative), `primal_objective`, `energy`, `distance` (W2 moved, not squared),
    `displacement_in_cells`, `marginal_correction`, `min_coupling`, `mass_error`, `edge_mass` (both end cells),
    `tail_mass`.
    """

    treats_parts: ClassVar[bool] = True

    cells: int = 300
    lower: float | None = None
    upper: float | None = None
    kkt: str = "structured"

    def __post_init__(self):
        count(self.cells, "cells", 3)
        check_ends(self.lower, self.upper)
        if self.kkt not in KKT_SOLVERS:
            raise unknown_field("CvxoptJKO.kkt", str(self.kkt), KKT_SOLVERS)

    def init(self, problem: Problem, rng: np.random.Generator | None) -> CouplingState:
        """The initial law in cell masses, and the energy prepared on the grid; rng is not used."""
        import_cvxopt()
        energy = problem.energy
        if problem.dim != 1:
            raise Unsupported(
                f"CvxoptJKO works on the line, {problem.name!r} has dim {problem.dim}. For separable problems solve "
                "the 1-D one and pf.lift it."
            )
        _check_internal(energy.internal)
        lower, upper = choose_ends(problem, self.cells, self.lower, self.upper)
        edges = np.linspace(lower, upper, self.cells + 1)
        require_fine_floats(edges)
        mass, tails = cell_masses(problem.initial, edges)
        refuse_outside("initial law", *tails, lower, upper)
        if energy.internal is not None:
            refuse_narrow(mass, edges, "The initial law", LEAST_START)
        potential, kernel, constant = potential_values(energy.potential, (edges[1:] + edges[:-1]) / 2), None, 0.0
        if energy.interaction is not None:
            require_even(energy.interaction, 1, upper - lower)
            kernel, linear, constant = kernel_matrix(energy.interaction, self.cells, (upper - lower) / self.cells)
            potential = potential + linear
        half = (edges[1] - edges[0]) / 2
        walls = is_wall(energy.potential, edges[0] - half), is_wall(energy.potential, edges[-1] + half)
        return CouplingState(PreparedGrid(edges, potential, energy.internal, kernel, constant, sum(tails), walls), mass)

    def step(self, problem: Problem, state: CouplingState, dt: float, rng: np.random.Generator | None) -> CouplingState:
        """The certified minimiser of one JKO step of length dt; rng is not used."""
        grid, dt = state.grid, float(dt)
        program = Program(grid.centers, grid.width, dt, state.mass, grid.potential, grid.internal, grid.kernel)
        solver = StepSolver(program, self.kkt, state.steps + 1)
        # BLAS threads that wait for a busy core cost tenfold
        with one_thread():
            coupling, facts = solver.solve()
        mass = coupling @ program.mass + program.stay
        transport = float(np.einsum("ij,ij,j->", program.cost, coupling, program.mass))
        energy = float(program.energy(mass) + grid.constant)
        distance = float(np.sqrt(2 * dt * transport))
        ends = (float(mass[0]), float(mass[-1]))
        facts |= {
            "primal_objective": transport + energy,
            "energy": energy,
            "distance": distance,
            "displacement_in_cells": float(distance / grid.width),
            "mass_error": float(mass.sum() - 1),
            "edge_mass": ends,
            "tail_mass": grid.tail_mass,
        }
        if sum(end for end, wall in zip(ends, grid.walls) if not wall) > ALLOWED_EDGE_MASS:
            raise BadInput(
                f"The domain [{grid.edges[0]:.6g}, {grid.edges[-1]:.6g}] is too small: after step {state.steps + 1} "
                f"its end cells hold {ends[0]:.3g} and {ends[1]:.3g}; at most {ALLOWED_EDGE_MASS:g} is accepted, "
                "for mass piles up there that should leave. Widen lower= and upper=. If a wall is meant there, let V "
                "be inf beyond it.",
                step=state.steps + 1,
                edge_mass=sum(ends),
            )
        return replace(state, mass=mass, steps=state.steps + 1, facts=facts)

    def law(self, state: CouplingState) -> GridLaw:
        """The law with the state's cell masses; `BadInput` where the internal energy holds it narrower than a cell."""
        if state.steps > 0 and state.grid.internal is not None:
            refuse_narrow(state.mass, state.grid.edges, f"The law after step {state.steps}")
        return GridLaw(state.grid.edges, state.mass)

    def takes_jko_steps(self, problem: Problem) -> bool:
        return True

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike) -> Trajectory:
        """The exact JKO iterates; `NotAvailable` where they have no closed form."""
        refuse_other_steps(self)
        return exact_jko(problem, dt=dt, times=times)

    def report(self, state: CouplingState) -> dict[str, Any]:
        """What the class docstring lists, of the last step."""
        return dict(state.facts)


def _check_internal(internal: InternalEnergy | None) -> None:
    """`Unsupported` for fast diffusion and for an internal energy that Newton's method cannot ask for U''."""
    if internal is None:
        return
    if any(m < 1 for _, m in internal.terms() or ()):
        raise Unsupported(
            f"{internal!r} has a part of fast diffusion: r^m/(m-1) with infinite slope at 0. CvxoptJKO needs m > 1. "
            "Use QuantileJKO."
        )
    try:
        internal.second_derivative(np.ones(1))
    except NotAvailable as error:
        raise Unsupported(f"CvxoptJKO takes Newton steps in the cell masses. {error} Or use QuantileJKO.") from None
