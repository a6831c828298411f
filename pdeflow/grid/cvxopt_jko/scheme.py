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
from ..resolution import quarter_in_cells, refuse_narrow
from .domain import choose_ends, kernel_matrix
from .program import Program
from .solver import StepSolver, import_cvxopt

KKT_SOLVERS = ("banded", "structured", "default")
LEAST_START = (
    0.3  # cells that a quarter of the initial mass must take: less is a law in one cell, wherever it lies there
)
FEWEST_CELLS, MOST_CELLS, MOST_WITH_KERNEL = 128, 16384, 1024  # of an automatic grid; a kernel is a full matrix
CELLS_OF_A_CHECK = 1000  # by which the ends of an automatic grid are judged
LEAST_QUARTER = 0.5  # cells of an automatic grid that a quarter of the initial mass takes at least
# cells by which a step moves mass: at least, and by the number of steps up to the horizon
LEAST_MOVE, MOVE_POWER = 8.0, 0.8
STILL = 0.05  # of the standard deviation of a law: smaller ways up to the horizon are not resolved
SLOW = 1 / 8  # of the fastest step: what moves less is not resolved any better
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
    moved, farthest : float
        How far nine tenths of the mass stayed below, in the last step and in the one that moved it most, in units of x.
    """

    grid: PreparedGrid
    mass: Values
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    moved: float = np.inf
    farthest: float = 0.0


@dataclass(frozen=True)
class CvxoptJKO(Method):
    """The JKO step ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) on the line, over masses q of equal cells.

    The convex program is that of [fan2022iclr, eq. (18)], corrected in docs/math.md 6.1:

        min_{π >= 0} Σ_ij |x_i - x_j|² π_ij/(2 dt) + δ Σ_i U(q_i/δ) + V·q + ½ qᵀWq,   q = π1,   Σ_i π_ij = p_j,

    p the old masses, x the cell centres, δ their distance, W_ij the mean of W over a pair of cells. The paper prints
    the energy of the fixed marginal, which is constant.

    Parameters
    ----------
    cells : int or "auto", default "auto"
        Number n of cells, at least 3. "auto": as many as the first step of length dt needs to move nine tenths of its
        mass by up to max(8, (horizon/dt)^0.8) cells and a tenth by more; where a later step moves it by fewer, all
        cells are halved, which leaves the law as it is. From 128 up to 16,384 (1,024 with an interaction). Steps slower
        than an eighth of the fastest one, and ways up to the horizon below 5 % of the law's standard deviation, are not
        resolved.
    lower, upper : float or None, default None
        Ends of the grid, in units of x. None is automatic. For the entropy: as ChangCooper, and to where V reaches its
        maximum on the initial law, and 5 %. Otherwise the initial support (or what holds all but 1e-13 at each end),
        widened to where V reaches its maximum on it, by the Barenblatt radius R(c·horizon) for Power(m, c) (fronts move
        no further), and by 5 %. No automatic end lies beyond a wall, where V is inf. With an interaction, and for sums
        of internal energies, both ends must be given. The initial mass outside goes into the end cells (`tail_mass`;
        above 1e-3 it is refused).
    kkt : {"banded", "structured", "default"}, default "banded"
        Which couplings are variables, and how CVXOPT's linear systems are solved. "banded": those about the places to
        which the step on half as many cells moves the mass, see Notes; O(n) memory and time for a band of fixed width.
        "structured": all of them, over which the energy sees row sums only, so that Woodbury's identity leaves one n x
        n Cholesky factorisation per iteration: O(n²) memory, O(n³) time. "default": all of them by CVXOPT's own solver
        on n² variables, for comparison at n < 100.

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
    against the displacement of one step, mass sticks. With a fixed number of cells the scheme stands still as dt -> 0:
    it has no order in dt alone. `displacement_in_cells` of the report is W2 of the step over δ. It should be >= 4, and
    more for many steps: on Ornstein-Uhlenbeck from N(2, 1/4), 1,600 cells and dt = 1/16 (4.7 cells in the last step)
    exceed the error of the exact JKO sequence by 9 %, the automatic 2,828 (8.4 cells) by less than 1 %. Relative error
    of the root of the second moment against the exact JKO sequence, Barenblatt m = 2 from t = 0.002, dt = 0.001, 20
    steps, [-0.8, 0.8]: 100 cells -20.8 %, 200 -3.2 %, 300 -2.0 %, 400 -1.1 %, 800 -0.22 % (exact JKO against the PDE:
    -1.15 %).

    Notes
    -----
    *Programs.* A linear program (conelp) for a potential alone, a quadratic one (coneqp) for Power(m=2), an
    interaction, or both; for other internal energies Newton's method: a sequence of quadratic models by coneqp,
    each from exact gradient and curvature at positive masses, with a line search on F. (CVXOPT's solvers.cp stalls
    at gaps of 1e-4 to 1e-6 on the entropy, whose tails span 20 orders of magnitude.)

    *Band.* From 97 cells on, kkt="banded" first takes the step on half as many cells, and so on down, each to a gap of
    1e-8. Variables are the pairs of an old cell with the new ones, and one beyond, to which the dual of the wider cells
    moves it, up to the cost of moving by one wide cell; tails below 1e-8 are extrapolated. The reduced cost p_j (C_ij +
    ∂F/∂q_i - ψ_j) of all pairs left out is then computed: where one is below -1e-9 of the objective's size the band is
    widened there and the program solved again, `NotConverged` after 12 bands (`left_out` of the report is the least
    one, over new cells of more than 1e-10). With an interaction the factorisation stays one of a full matrix.

    *Internal energies.* Entropy, Power(m) with m > 1, their sums, and a user's own that has `second_derivative`.

    *Certificate.* Every column of CVXOPT's strictly positive π is scaled to its marginal; the largest relative change
    is `marginal_correction` (about 1e-15; above 1e-7 it is an error). Old cells of at most 1e-14 stay in place.
    Interior-point masses are positive: cells that should be empty hold 1e-10 and less. The result is then judged by
    the dual of docs/math.md 6.1, over all pairs: gap <= 1e-7 and KKT residual <= 1e-6 of the objective's size, or
    `NotConverged`.

    *Report.* `status`, `programs` (solved, on all grids), `iterations` (of CVXOPT), `cells`, `pairs` (variables),
    `left_out` (relative), `gap` (absolute, certified), `relative_gap`,
    `kkt_residual` (relative), `primal_objective`, `energy`, `distance` (W2 moved, not squared),
    `displacement_in_cells`, `marginal_correction`, `min_coupling`, `mass_error`, `edge_mass` (both end cells),
    `tail_mass`.
    """

    treats_parts: ClassVar[bool] = True

    cells: int | str = "auto"
    lower: float | None = None
    upper: float | None = None
    kkt: str = "banded"

    def __post_init__(self):
        if self.cells != "auto":
            count(self.cells, "cells", 3)
        check_ends(self.lower, self.upper)
        if self.kkt not in KKT_SOLVERS:
            raise unknown_field("CvxoptJKO.kkt", str(self.kkt), KKT_SOLVERS)

    def init(self, problem: Problem, rng: np.random.Generator | None, *, dt: float | None = None) -> CouplingState:
        """The initial law in cell masses, and the energy prepared on the grid; rng is not used.

        dt : the length of the steps, without which there is no automatic number of cells.
        """
        import_cvxopt()
        energy = problem.energy
        if problem.dim != 1:
            raise Unsupported(
                f"CvxoptJKO works on the line, {problem.name!r} has dim {problem.dim}. Build what separates or "
                "is radial by pf.problems.rotated, separable or radial; in the plane use BackAndForthJKO."
            )
        _check_internal(energy.internal)
        if self.cells != "auto":
            return self._start(problem, int(self.cells))
        if dt is None:
            raise BadInput(
                "CvxoptJKO(cells='auto').init was not told dt. How many cells a grid needs depends on how far a step "
                "moves mass. Call init(problem, rng, dt=dt), as solve does, or pass a number of cells."
            )
        cells = FEWEST_CELLS
        while True:
            state = self._start(problem, cells, automatic=True)
            enough = self._enough_cells(problem, state, float(dt))
            if enough <= cells:
                return state
            cells = min(enough, most_cells(problem))

    def _enough_cells(self, problem: Problem, state: CouplingState, dt: float) -> int:
        """How many cells the first step needs, as far as it can be told on these."""
        cells = len(state.mass)
        if cells >= most_cells(problem) or still(problem, state, dt):
            return cells
        if problem.energy.internal is not None and quarter_in_cells(state.mass) < LEAST_QUARTER:
            return 2 * cells
        moved, width = replace(self, cells=cells).step(problem, state, dt, None).moved, state.grid.width
        if moved < 2 * width:  # a grid that locks says little about how far mass wants to go
            return 2 * cells
        return int(np.ceil(cells * width * cells_a_step(problem, dt) / moved))

    def _start(self, problem: Problem, cells: int, automatic: bool = False) -> CouplingState:
        """The state at the start on so many cells."""
        energy = problem.energy
        lower, upper = choose_ends(
            problem, max(cells, CELLS_OF_A_CHECK) if automatic else cells, self.lower, self.upper
        )
        edges = np.linspace(lower, upper, cells + 1)
        require_fine_floats(edges)
        mass, tails = cell_masses(problem.initial, edges)
        refuse_outside("initial law", *tails, lower, upper)
        if energy.internal is not None and not (automatic and cells < most_cells(problem)):
            refuse_narrow(mass, edges, "The initial law", LEAST_START)
        return CouplingState(prepared(problem, edges, sum(tails)), mass)

    def step(self, problem: Problem, state: CouplingState, dt: float, rng: np.random.Generator | None) -> CouplingState:
        """The certified minimiser of one JKO step of length dt; rng is not used."""
        dt = float(dt)
        if self.cells == "auto" and _locks(problem, state, dt):
            state = halved_cells(problem, state)
        grid = state.grid
        program = Program(grid.centers, grid.width, dt, state.mass, grid.potential, grid.internal, grid.kernel)
        solver = StepSolver(program, self.kkt, state.steps + 1)
        # BLAS threads that wait for a busy core cost tenfold
        with one_thread():
            program, coupling, facts = solver.solve()
        mass, transport = program.masses(coupling), program.transport(coupling)
        energy = float(program.energy(mass) + grid.constant)
        distance = float(np.sqrt(2 * dt * transport))
        ends = (float(mass[0]), float(mass[-1]))
        facts |= {
            "primal_objective": transport + energy,
            "energy": energy,
            "distance": distance,
            "cells": len(mass),
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
        moved = program.usual_move(coupling)
        return replace(
            state, mass=mass, steps=state.steps + 1, facts=facts, moved=moved, farthest=max(moved, state.farthest)
        )

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


def prepared(problem: Problem, edges: Edges, tail_mass: float) -> PreparedGrid:
    """The energy of a problem on equal cells."""
    energy, width = problem.energy, float(edges[-1] - edges[0]) / (len(edges) - 1)
    potential, kernel, constant = potential_values(energy.potential, (edges[1:] + edges[:-1]) / 2), None, 0.0
    if energy.interaction is not None:
        require_even(energy.interaction, 1, float(edges[-1] - edges[0]))
        kernel, linear, constant = kernel_matrix(energy.interaction, len(edges) - 1, width)
        potential = potential + linear
    half = (edges[1] - edges[0]) / 2
    walls = is_wall(energy.potential, edges[0] - half), is_wall(energy.potential, edges[-1] + half)
    return PreparedGrid(edges, potential, energy.internal, kernel, constant, tail_mass, walls)


def cells_a_step(problem: Problem, dt: float) -> float:
    """By how many cells a step should move the mass of which a tenth moves further."""
    steps = max(problem.horizon / dt, 1.0)
    return max(LEAST_MOVE, steps**MOVE_POWER)


def most_cells(problem: Problem) -> int:
    """Of an automatic grid."""
    return MOST_CELLS if problem.energy.interaction is None else MOST_WITH_KERNEL


def _locks(problem: Problem, state: CouplingState, dt: float) -> bool:
    """Whether the last step moved mass by too few cells, and there may be more of them."""
    if 2 * len(state.mass) > most_cells(problem) or still(problem, state, dt):
        return False
    return max(state.moved, SLOW * state.farthest) < cells_a_step(problem, dt) * state.grid.width


def still(problem: Problem, state: CouplingState, dt: float) -> bool:
    """Whether cells are so small that mass which sticks to its own, up to the horizon, moves by little of the law."""
    x, mass = state.grid.centers, state.mass
    deviation = float(np.sqrt(mass @ (x - mass @ x) ** 2))
    return state.grid.width * max(problem.horizon / dt, 1.0) <= STILL * deviation


def halved_cells(problem: Problem, state: CouplingState) -> CouplingState:
    """The same law on cells of half the width."""
    edges = np.linspace(state.grid.edges[0], state.grid.edges[-1], 2 * len(state.mass) + 1)
    return replace(state, grid=prepared(problem, edges, state.grid.tail_mass), mass=np.repeat(state.mass / 2, 2))


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
