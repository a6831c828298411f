"""BackAndForthJKO: the JKO step on grids of the line and the plane through its dual, with a certified gap."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._core.compiled import crew
from ..._core.errors import BadInput, NotAvailable, Unsupported
from ..._core.shapes import Numbers, Row
from ..._core.validate import count, positive
from ...energies.interactions import require_even
from ...energies.internal import InternalEnergy
from ...laws import GridLaw
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...trajectory import Trajectory, exact_jko
from ..convolution import Convolution
from ..domain import check_axes
from ..jko_grid import (
    CellValues,
    chosen_edges,
    edge_masses,
    law_after,
    refuse_arrivals,
    start,
)
from .ascent import Ascent, Solved, StepProblem

CELLS = {1: 1000, 2: 256}  # of each axis, unless given


@dataclass(frozen=True, eq=False)
class HeightState:
    """What a run of BackAndForthJKO carries from step to step.

    Attributes
    ----------
    edges : tuple of (n_i + 1,)
        Cell edges of each axis.
    potential : CellValues
        V at the centres, inf at obstacles.
    mass : (n_1, ...)
        Probability of each cell.
    tail_mass : float
        Initial mass outside the grid.
    steps : int
        Taken so far.
    facts : Mapping
        What the last step reports.
    heights : (n_1, n_2) or None
        φ of the last step, a start of the ascent of the next.
    convolution : Convolution or None
        With the kernel W.
    """

    edges: tuple[Row, ...]
    potential: CellValues
    mass: Numbers
    tail_mass: float
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    heights: Numbers | None = None
    convolution: Convolution | None = None


@dataclass(frozen=True)
class BackAndForthJKO(Method):
    """The JKO step ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) on a grid of the line or the plane, through its dual.

    The dual is that of the back-and-forth method [jacobs2021]: with the c-transform φ^c(x) = min_y φ(y) +
    |x - y|²/(2 dt) and the conjugate U* of the internal energy,

        max over φ of  J(φ) = ∫ φ^c dρ_k - ∫ U*(φ - V) dy.

    Parameters
    ----------
    cells : int or tuple of int, optional
        Number of cells of each axis, at least 3; one number for all axes. By default 1000 on the line and 256 an axis
        in the plane.
    lower, upper : float or tuple of float, optional
        Ends of each axis, in units of x; one number for all axes. None is automatic on the line, by the rule of
        `CvxoptJKO`; in the plane for the entropy with a potential, as for `ChangCooper`, and without potential for
        entropy and powers above 1 (free heat flow, and the radius of a Barenblatt profile); and for a GridLaw of these
        cells, which keeps its own domain. With an interaction they must be given.
    tolerance : float, default 1e-6
        The certified duality gap that a step may end with, relative to the size of its objective (the sum of its parts
        in absolute value, V less its minimum).
    iterations : int, default 200
        Of the ascent in a step, at most.

    Raises
    ------
    Unsupported
        Above two dimensions, without internal energy, for fast diffusion, an internal energy without second
        derivative, and an initial law without density or distribution function.
    BadInput
        For ends that make no sense or must be given, a V that is no number, initial mass outside or in
        obstacles, more than 1e-4 in the outermost cells at an end that is no wall, and laws narrower than a cell.
    NotConverged
        Where the gap does not come below the tolerance.

    Notes
    -----
    *Discretisation.* The new law lives at the centres y_j of the cells, with the masses m_j, in the transport, and has
    the density m_j/|cell| in the energy. The old law is linear in each cell (limited slopes) and is transported from
    everywhere, not only from grid points. So J is smooth, ∂J/∂φ_j is the old mass in the Laguerre cell of y_j less
    U*'(φ_j - V_j) |cell|, and mass does not lock on the grid where a step moves it by less than a cell. Laguerre cells
    of a grid are rectangles less triangles at their corners (see `laguerre`), which gives each mass exactly. This is
    semi-discrete transport [kitagawa2019] with the roles of the laws exchanged. Errors
    are of order 2 in the cell width h at fixed dt; states with U'(ρ_j) + V_j constant, such as exp(-V_j/T), stay.

    *What differs from jacobs2021.* There both laws live at grid points and the step goes along (Θ1 - Θ2 Δ)⁻¹ of the
    gradient, for φ and for its c-transform in turn, until the L1 norm of the gradient is below a tolerance. Here the
    metric has the weights of the second derivative of J, (U*''(φ - V) - ∇·(w∇))⁻¹ with w the old mass along the edges
    of Laguerre cells; it is solved by conjugate gradients, directly on the line. So the ascent is that of Newton
    [kitagawa2019], with a line search on J. Where fronts move into the void w is at least a share of its maximum, which
    falls as steps succeed. Two c-transforms, by lower envelopes in linear time [felzenszwalb2012], continue φ beyond
    the front of the first guess, and one checks the end.

    *Long and short steps.* The ascent starts near the law after heat flow. A step that moves a jump of the density far,
    or stretches the law several times over, may end without convergence (`NotConverged`); shorter steps are easier. On
    the line, where jumps have a start of their own, this is rare. In the plane rectangles overlap where heights on the
    way are far from those of the end, most of all in the tail. Then mass at fault is below zero in some cells, though
    none is lost. An ascent first allows 1e-9 of it on the way, and where that leads to no end a tenth of the relative
    gap; a law that is handed out has at most 1e-12 below zero in a cell. A front that moves by less than a cell
    may stop the ascent at a relative gap near 1e-6: give a larger tolerance there, or more cells.

    *Certificate.* The law returned is what arrives in the Laguerre cells: its mass is that of the old law to round-off,
    and with the heights it gives both objectives. `gap` is their difference: the sum over cells of U(r) + U*(φ - V) -
    (φ - V) r, the inequality of Fenchel and Young, plus what the transport costs above the c-transform at the centres
    of the cells. It bounds how far the objective of the law is from the minimum of the problem on this grid. Where F is
    convex along generalised geodesics, the objective is 1/dt-convex in W2, so that a law with this gap has W2² <= 2 dt
    gap to the minimiser. It says nothing about the error of the grid: compare two numbers of cells.

    *Obstacles.* Cells where V is inf hold no mass. Transport is that of the plane: a step does not go round an obstacle
    but through it, as in the JKO scheme itself. On the line mass goes to the other side where that pays within a step.
    In the plane Laguerre cells end at obstacles, and where going through one pays the gap shows it (`NotConverged`):
    shorter steps do not go through. With an entropy on the line V may be inf beyond walls at the ends alone: where the
    ends are chosen V is asked in all cells, and one that is inf inside the domain is refused (`BadInput`).

    *Interaction.* With a kernel the dual is not a sum over points. So a step is that of the energy whose interaction is
    linear at the law before it: V + W*ρ_k stands for the potential, by the convolution of `FiniteVolume`. It is of
    first order in dt, as JKO steps are, but not one of them: where W attracts (½∬W dρ dρ is concave, as for
    -exp(-|z|²)) the energy falls in each step, else only for short ones. It has no exact sequence of JKO steps.

    *Cost.* O(cells) memory, O(cells) per iteration but for conjugate gradients, whose iterations grow with the length
    √(2 dt p'(ρ)) that a step mixes, in cells. All compiled, on as many threads as numba has; the same bits on any
    number.

    *Report.* `iterations`, `gap` (absolute, certified), `relative_gap`, `residual` (Σ |arrived - wanted|), `energy`
    (F of the law), `distance` (W2 moved, not squared, less the variance of a cell), `mass_error` (Σm - 1), `edge_mass`
    (the largest mass of the outermost cells at an end), `tail_mass`.
    """

    cells: int | tuple[int, ...] | None = None
    lower: float | tuple[float, ...] | None = None
    upper: float | tuple[float, ...] | None = None
    tolerance: float = 1e-6
    iterations: int = 200

    def __post_init__(self):
        check_axes(self.cells, self.lower, self.upper)
        positive(self.tolerance, "tolerance")
        count(self.iterations, "iterations")

    def init(self, problem: Problem, rng: np.random.Generator | None) -> HeightState:
        """The initial law in cell masses, and V at the centres; rng is not used."""
        _check_energy(problem)
        kernel = problem.energy.interaction
        if kernel is not None and (self.lower is None or self.upper is None):
            raise BadInput(
                f"lower = {self.lower}, upper = {self.upper} with the interaction {kernel!r}. How far it carries mass "
                "is not known beforehand. Pass both, so that the flow stays inside up to the horizon."
            )
        edges = chosen_edges(problem, CELLS, self.cells, self.lower, self.upper)
        potential, mass, tail = start(problem, edges)
        convolution = None
        if kernel is not None:
            widths = np.array([(axis[-1] - axis[0]) / (len(axis) - 1) for axis in edges])
            require_even(kernel, problem.dim, float(np.max(widths * mass.shape)) / 10)
            convolution = Convolution(kernel, mass.shape, widths)
        return HeightState(edges, potential, mass, tail, convolution=convolution)

    def step(self, problem: Problem, state: HeightState, dt: float, rng: np.random.Generator | None) -> HeightState:
        """The certified minimiser of one JKO step of length dt; rng is not used."""
        plane, field = (*state.mass.shape, 1)[:2], 0.0
        widths = [float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in state.edges]
        if state.convolution is not None:
            field = state.convolution(state.mass)
        values = (state.potential.array + field).reshape(plane)
        free = np.isfinite(values)
        prepared = StepProblem(
            np.ascontiguousarray(state.mass.reshape(plane)), np.where(free, values, 0.0), free,
            problem.energy.internal, (widths[0], widths[1] if len(widths) > 1 else 1.0), float(dt),
        )  # fmt: skip
        with crew() as run:
            solved = Ascent(prepared, run).solve(self.tolerance, self.iterations, state.heights)
        mass = solved.at.mass.reshape(state.mass.shape)
        when = f"after step {state.steps + 1}"
        refuse_arrivals(problem.energy.potential, mass, state.mass, state.edges, when)
        facts = _facts(solved, mass, sum(prepared.squares), state.tail_mass)
        if state.convolution is not None:  # the energy of the step has W*ρ_k in place of half of W*ρ
            facts["energy"] += float(np.sum(mass * (state.convolution(mass) / 2 - field)))
        return replace(state, mass=mass, steps=state.steps + 1, facts=facts, heights=solved.at.phi)

    def law(self, state: HeightState) -> GridLaw:
        """The law with the state's cell masses; `BadInput` where it is narrower than a cell."""
        return law_after(state.steps, state.edges, state.mass)

    def takes_jko_steps(self, problem: Problem) -> bool:
        return problem.energy.interaction is None

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike) -> Trajectory:
        """The exact JKO iterates; `NotAvailable` where they have no closed form."""
        refuse_other_steps(self)
        if not self.takes_jko_steps(problem):
            raise NotAvailable(
                f"{problem.name!r} has an interaction, which BackAndForthJKO takes at the law before a step. The exact "
                "JKO iterates are another sequence. Compare with the flow itself."
            )
        return exact_jko(problem, dt=dt, times=times)

    def report(self, state: HeightState) -> dict[str, Any]:
        """What the class docstring lists, of the last step."""
        return dict(state.facts)


def _facts(solved: Solved, mass: Numbers, squares: float, tail: float) -> dict[str, Any]:
    """What a step reports; squares : Σ h_i²."""
    at = solved.at
    return {
        "iterations": solved.iterations,
        "gap": solved.gap,
        "relative_gap": solved.gap / at.size,
        "residual": float(np.abs(at.mass - at.wanted).sum()),
        "energy": at.energy,
        "distance": float(np.sqrt(max(at.transport - squares / 12, 0.0))),
        "mass_error": float(mass.sum() - 1),
        "edge_mass": float(edge_masses(mass).max()),
        "tail_mass": tail,
    }


def _check_energy(problem: Problem) -> None:
    """`Unsupported` for what the dual does not have."""
    energy, name = problem.energy, problem.name
    if problem.dim > 2:
        raise Unsupported(
            f"{name!r} has dim {problem.dim}. BackAndForthJKO works on grids of the line and the plane. For problems "
            "of pf.problems.rotated, separable and radial use QuantileJKO; else a particle or neural method."
        )
    internal: InternalEnergy | None = energy.internal
    if internal is None:
        raise Unsupported(
            f"{name!r} has no internal energy. Then laws may shrink to points, which a grid does not hold. Use "
            "QuantileJKO on the line, or particles."
        )
    if any(m < 1 for _, m in internal.terms() or ()):
        raise Unsupported(
            f"{internal!r} has a part of fast diffusion: r^m/(m-1) with infinite slope at 0. BackAndForthJKO needs m "
            "> 1 or the entropy. Use QuantileJKO."
        )
    try:
        internal.second_derivative(np.ones(1))
    except NotAvailable as error:
        raise Unsupported(f"BackAndForthJKO ascends in the metric of U''. {error} Or use QuantileJKO.") from None
