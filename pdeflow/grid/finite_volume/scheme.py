"""FiniteVolume: second-order finite volumes for every sum of a potential, an internal energy and an interaction."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.compiled import crew
from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.shapes import Numbers
from ..._core.validate import positive
from ...energies.interactions import require_even
from ...laws import GridLaw
from ...method import Method
from ...problems import Problem
from .. import box_resolution, resolution
from ..convolution import Convolution, stiffness
from ..domain import check_axes, of_axes, require_fine_floats
from ..jko_grid import edge_masses, initial_masses, refuse_arrivals
from .cells import Cells, Evaluation, potential_on_cells
from .ends import chosen_ends, own_edges
from .explicit import explicit_step
from .implicit import implicit_step

DEFAULT_CELLS = {1: 400, 2: 128, 3: 48}
NEGATIVE = -1e-14  # a density below is an error
LEAST_AT_START = 0.6  # cells that a quarter of the mass takes; two cells alike have 0.5, a deviation of a cell 0.66
MOST_AT_START = 0.45  # of a line that one cell holds; two cells alike have 0.5, a deviation of a cell 0.38


@dataclass(frozen=True)
class VolumeState:
    """What a run of FiniteVolume carries from step to step.

    Attributes
    ----------
    cells : Cells
        Prepared by `init`.
    mass : (n_1, ..., n_d)
        Probability of each cell.
    evaluation : Evaluation
        The discrete energy there.
    tail_mass : float
        Initial mass outside of the grid, which was put into the nearest cells.
    least : float
        The smallest density met since the start.
    steps : int
        Taken so far.
    substeps, refused, unextrapolated : int
        Of the last step: substeps, those taken again, shorter, and those of time_order=2 that kept their half steps.
    longest : float
        What the next implicit substep begins with.
    half : VolumeState or None
        The same run on half as many cells an axis; None with an interaction and below 6 cells.
    """

    cells: Cells
    mass: Numbers
    evaluation: Evaluation
    tail_mass: float
    least: float
    steps: int = 0
    substeps: int = 0
    refused: int = 0
    unextrapolated: int = 0
    longest: float = np.inf
    half: "VolumeState | None" = None


@dataclass(frozen=True)
class FiniteVolume(Method):
    """Finite volumes for ∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)) in one to three dimensions [carrillo2015; docs/math.md 13.7].

    With ξ_j = U'(ρ_j) + V_j + (W*ρ)_j at the centres of equal cells, the flux through the face between the cells j and
    j+1 of an axis is

        F = u ρ^upwind,   u = -(ξ_{j+1} - ξ_j)/h,   ρ^upwind = ρ_j + (h/2) s_j for u > 0,   ρ_{j+1} - (h/2) s_{j+1},

    with the central slopes s, or those of the minmod limiter where the reconstruction would be negative.

    Parameters
    ----------
    cells : int or tuple of int, optional
        Number of cells of each axis, at least 3; one number for all axes. By default 400, 128 or 48 an axis in
        dimension 1, 2 or 3.
    lower, upper : float or tuple of float, optional
        Ends of each axis, in units of x; one number for all axes. None is automatic: for a potential with
        entropy as for `ChangCooper`; for entropy and powers alone the initial law widened by how far these spread; with
        an interaction, alone or beside these, wider by the fastest repulsion times the horizon, where that is bounded,
        and without potential by two cells; and a GridLaw of these cells keeps its own domain.
    stepping : {"explicit", "implicit"}, default "explicit"
        Explicit steps are cut into substeps of about h²; implicit ones are as long as dt, for stiff and long runs.
    time_order : int, optional
        Of implicit steps: 1, implicit Euler along one axis after the other [bailo2020], or 2 (the default), its
        extrapolation from one and two steps. Explicit steps are of order 3.
    tolerance : float, optional
        Of implicit steps: the largest Σ|Δm| by which a step in one and the same in two halves may differ. Steps are cut
        into substeps that keep it; by default dt is taken as it is.

    Raises
    ------
    Unsupported
        Above three dimensions, for fast diffusion (a power below 1), and without ends where none are automatic.
    BadInput
        For ends that make no sense, a V or W that is not finite on the cells, more than 1e-3 of the initial law outside
        or 1e-4 arrived at an end of the domain that is no wall, and where a law is asked for that the cells do not
        resolve.
    Diverged
        Where no substep keeps the density non-negative and lets the energy fall.

    Notes
    -----
    *Properties.* Mass is conserved, cells stay non-negative, and the discrete energy Σ (U(ρ_j) + V_j ρ_j + ½ (W*ρ)_j
    ρ_j) |cell| falls in every substep but for round-off; each is checked, and nothing is clipped. States with constant
    ξ on their support, such as exp(-V_j/T), stay. Cell masses are of order 2 in h where ρ is smooth.

    *Explicit.* A step is cut into equal substeps of the strong-stability-preserving Runge-Kutta method of three stages,
    below 0.9 of both limits: h/(2 d max|u|), which keeps cells non-negative, and 1/(Σ_i 4 max p'(ρ)/h_i² + s max ρ),
    without which the scheme is unstable, with p' = ρ U'' and s the fastest rate at which W drives a unit density apart.
    The first alone is the condition of carrillo2015. Errors in time are of third order in the substep, so that dt
    matters only where it is shorter than these limits.

    *Implicit.* Along an axis, with ξ at the end of the step and W*ρ of its start (or, where the energy would rise by
    that, the mean of both), cell masses solve a system on each line, by Newton's method with tridiagonal M-matrices.
    The energy falls for every dt where W only attracts, else it is checked and dt halved. bailo2020 has ρ^upwind of
    first order, or of second order with a condition on dt; here it is the new density of the upwind cell times the
    ratio of the reconstruction to the cell at the start, which is of second order, and non-negative for every dt. Their
    axes are swept line by line with W*ρ brought up to date after each; here all lines of an axis at once.
    With time_order=2 the fluxes of two half steps are extrapolated with those of the whole step, where they would empty
    a cell by more than nine tenths reduced [zalesak1979], and left out where the energy would rise by them. At fronts
    of compact supports the order then falls to about 1.5.

    *Empty cells.* U'(0) is infinite for the entropy, and so would be the velocity into an empty cell. So in explicit
    steps |u| is at most (|Δ(V + W*ρ)| + 2 |Δp(ρ)|/max ρ)/h over the two cells, with the pressure p. The energy falls as
    before, and nothing changes between cells whose densities differ by less than a factor of 4.9. This is not in
    carrillo2015.

    *Interaction.* (W*ρ)_i = Σ_j W̄_{i-j} m_j with the mean W̄ of W over the cell of offsets, so that |z|, log|z| and
    other integrable singularities are of second order too; by fast Fourier transforms, O(n log n) for n cells.

    *Start.* Initial masses are those of the law, exact or by quadrature of its density. Nothing is renormalised: the
    initial mass outside goes into the outermost cells and is reported as `tail_mass`.

    *Ends.* Where more than 1e-4 of the mass has come to the outermost cells of an axis the run is refused, unless V is
    inf beyond that end, which makes it a wall.

    *Resolution.* Without interaction the same run is taken on half as many cells an axis beside it, and a law after the
    start is handed out where these change it by no more than `ChangCooper` accepts, and where it is no narrower than a
    cell: on the line a quarter of its mass takes at least half a cell, else no quarter lies on lines of cells of which
    one holds more than half. It costs from 6 % (explicit, in the plane) to a half (implicit, on the line) more. With an
    interaction, by which pulses merge or split at a time that is not the same on other cells, laws and the start must
    be no narrower than a cell, and half as many cells are no measure: compare two runs yourself. The same holds below 6
    cells.

    *Report.* `energy` (the discrete one), `least` (smallest density met), `mass_error` (Σm - 1), `tail_mass`,
    `edge_mass` (the largest mass of the outermost cells at an end), and of the last step `substeps`, `refused` (those
    taken again, shorter) and `unextrapolated` (those of time_order=2 that kept their half steps). `grid_change` is the
    largest change by half as many cells, over what is accepted; NaN where they are no measure.
    """

    cells: int | tuple[int, ...] | None = None
    lower: float | tuple[float, ...] | None = None
    upper: float | tuple[float, ...] | None = None
    stepping: str = "explicit"
    time_order: int | None = None
    tolerance: float | None = None

    def __post_init__(self):
        check_axes(self.cells, self.lower, self.upper)
        self._check_stepping()

    def _check_stepping(self) -> None:
        """`BadInput` for settings of the steps that are unknown or without effect."""
        if self.stepping not in ("explicit", "implicit"):
            raise BadInput(
                f"stepping is {self.stepping!r}. It is 'explicit' or 'implicit'. Pass one of these, implicit for stiff "
                "and long runs."
            )
        orders = (None, 3) if self.stepping == "explicit" else (None, 1, 2)
        if isinstance(self.time_order, bool) or self.time_order not in orders:
            raise BadInput(
                f"time_order is {self.time_order!r}. Explicit steps are of order 3, implicit ones of order 1 or 2. "
                "Pass one of these, or leave it out."
            )
        if self.tolerance is not None:
            positive(self.tolerance, "tolerance")
            if self.stepping == "explicit":
                raise BadInput(
                    f"tolerance is {self.tolerance!r}, and explicit substeps are as short as their limits say. It is "
                    "for implicit steps. Leave it out, or pass stepping='implicit'."
                )

    def init(self, problem: Problem, rng: np.random.Generator | None) -> VolumeState:
        """The initial law in cell masses, V at the centres and the kernel over cells; rng is not used."""
        energy = problem.energy
        terms = energy.internal.terms() if energy.internal is not None else None
        if terms is not None and min(m for _, m in terms) < 1:
            raise Unsupported(
                f"FiniteVolume got {energy.internal!r}, fast diffusion, which has no bound where a density is small: "
                "no substep is short enough. Powers above 1 and the entropy are possible. Use QuantileJKO on the line."
            )
        edges = self._edges(problem)
        mass, outside = initial_masses(problem.initial, edges)
        state = replace(_on_cells(problem, edges, mass), tail_mass=outside)
        if energy.interaction is not None:
            _refuse_narrow_start(state)
        elif min(mass.shape) >= resolution.LEAST_CELLS:
            state = replace(state, half=_on_half_as_many(problem, edges, mass))
        return state

    def step(self, problem: Problem, state: VolumeState, dt: float, rng: np.random.Generator | None) -> VolumeState:
        """The state one step later; rng is not used."""
        after = self._advanced(state, float(dt))
        refuse_arrivals(problem.energy.potential, after.mass, state.mass, state.cells.edges, f"in step {after.steps}")
        return after if state.half is None else replace(after, half=self._advanced(state.half, float(dt)))

    def _advanced(self, state: VolumeState, dt: float) -> VolumeState:
        """The state one step later, but for the run on half as many cells."""
        cells = state.cells
        density, longest = state.mass / cells.volume, state.longest
        with crew(1) as run:  # lines are shared out
            if self.stepping == "explicit":
                found = explicit_step(cells, density, state.evaluation, dt, run)
            else:
                at, settings = state.evaluation, (self.time_order or 2, self.tolerance)
                found, longest = implicit_step(cells, density, at, dt, *settings, longest, run)
        least = float(found.density.min())
        if not least >= NEGATIVE:
            where = np.unravel_index(np.argmin(found.density), found.density.shape)
            raise Diverged(
                f"The density of cell {[int(i) for i in where]} is {least:.3g} after step {state.steps + 1}. It must "
                "not fall below -1e-14. This is a fault of the scheme: please report it with the problem."
            )
        return replace(
            state,
            mass=found.density * cells.volume,
            evaluation=found.evaluation,
            least=min(state.least, least),
            steps=state.steps + 1,
            substeps=found.taken,
            refused=found.refused,
            unextrapolated=found.unextrapolated,
            longest=longest,
        )

    def law(self, state: VolumeState) -> GridLaw:
        """The law with the state's cell masses; after a step `BadInput` where its cells do not resolve it."""
        if state.steps > 0:
            _refuse_unresolved(state, f"after step {state.steps}")
        return GridLaw(state.cells.edges, state.mass)

    def report(self, state: VolumeState) -> dict[str, Any]:
        """What the class docstring lists."""
        module = resolution if state.mass.ndim == 1 else box_resolution
        return {
            "energy": state.evaluation.energy,
            "least": state.least,
            "mass_error": float(state.mass.sum() - 1),
            "tail_mass": state.tail_mass,
            "edge_mass": float(edge_masses(state.mass).max()),
            "substeps": state.substeps,
            "refused": state.refused,
            "unextrapolated": state.unextrapolated,
            "grid_change": module.grid_change(state.mass, None if state.half is None else state.half.mass),
        }

    def _edges(self, problem: Problem) -> tuple[np.ndarray, ...]:
        """The edges of every axis: those given, those of a GridLaw of these cells, or automatic."""
        dim = problem.dim
        if not 1 <= dim <= 3:
            raise Unsupported(
                f"FiniteVolume works in one to three dimensions, the problem has dim {dim}. For problems of "
                "pf.problems.rotated, separable and radial use ChangCooper; else EulerMaruyama or a neural method."
            )
        cells = [DEFAULT_CELLS[dim] if n is None else int(n) for n in of_axes(self.cells, dim, "cells")]
        lower, upper = of_axes(self.lower, dim, "lower"), of_axes(self.upper, dim, "upper")
        given = any(end is not None for end in (*lower, *upper))
        own = None if given else own_edges(problem.initial, cells)
        if own is not None:
            return own
        ends = chosen_ends(problem, cells, lower, upper)
        edges = tuple(np.linspace(low, high, n + 1) for (low, high), n in zip(ends, cells))
        for axis in edges:
            require_fine_floats(axis)
        return edges


def _on_cells(problem: Problem, edges: tuple[np.ndarray, ...], mass: Numbers) -> VolumeState:
    """The state at the start with these masses of cells."""
    energy, convolution, rate = problem.energy, None, 0.0
    widths = np.array([(axis[-1] - axis[0]) / (len(axis) - 1) for axis in edges])
    if energy.interaction is not None:
        require_even(energy.interaction, problem.dim, float(np.max(widths * mass.shape)) / 10)
        convolution = Convolution(energy.interaction, mass.shape, widths)
        rate = stiffness(convolution, widths)
    terms = energy.internal.terms() if energy.internal is not None else None
    capped = energy.internal is not None and (terms is None or any(m <= 1 for _, m in terms))
    values = potential_on_cells(energy.potential, edges)
    cells = Cells(edges, widths, values, energy.internal, convolution, rate, capped)
    density = mass / cells.volume
    return VolumeState(cells, mass, cells.evaluate(density), 0.0, float(density.min()))


def _on_half_as_many(problem: Problem, edges: tuple[np.ndarray, ...], mass: Numbers) -> VolumeState | None:
    """The same at the start on half as many cells an axis, None where V is not finite at one of their centres."""
    wider = tuple(np.linspace(axis[0], axis[-1], (len(axis) + 1) // 2) for axis in edges)
    own = problem.initial.grid_axes()
    on_cells = own is not None and all(map(np.array_equal, own, edges))
    halved = resolution.halved(mass, on_cells)
    if halved.min() < -1e-15:  # a law on few cells, whose mean only negative masses keep: no density for a flux
        halved = resolution.halved(mass, False)
    try:
        return _on_cells(problem, wider, halved)
    except BadInput:  # of V, which is finite at the centres of the cells themselves
        return None


def _refuse_narrow_start(state: VolumeState) -> None:
    """`BadInput` where the law is no wider than a cell: a point at an edge, which takes two cells, is refused too."""
    if state.mass.ndim == 1:
        resolution.refuse_narrow(state.mass, state.cells.edges[0], "The law at the start", LEAST_AT_START)
    else:
        box_resolution.refuse_narrow(state.mass, state.cells.edges, "The law at the start", MOST_AT_START)


def _refuse_unresolved(state: VolumeState, when: str) -> None:
    """`BadInput` where the cells do not resolve the law, see `resolution` and `box_resolution`."""
    edges, coarse = state.cells.edges, None if state.half is None else state.half.mass
    if len(edges) == 1:
        resolution.refuse_unresolved(state.mass, coarse, edges[0], when)
    else:
        box_resolution.refuse_unresolved(state.mass, coarse, edges, when)
