"""ChangCooper: exponentially fitted finite volumes for Fokker-Planck equations on the line."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.shapes import Values
from ...laws import GridLaw
from ...method import Method
from ...problems import Problem
from ..domain import (
    cell_masses,
    check_axes,
    choose_box,
    free_tail,
    of_axes,
    own_axes,
    refuse_outside,
    refuse_piled_up,
    require_fine_floats,
    same_edges,
    temperature_of,
)
from ..resolution import LEAST_CELLS, HalfMasses, grid_change, halved, quarter_in_cells, refuse_unresolved
from . import box, elimination, time_dependent
from .elimination import DAMPED, STAGE_SHARE
from .rates import Grid, prepared


@dataclass(frozen=True)
class GridState:
    """What a run of ChangCooper carries from step to step.

    Attributes
    ----------
    grid : Grid
        Prepared by `init`.
    mass : (n,)
        Probability of each cell.
    least : float
        The smallest cell met since the start (positive ones are looked at when a call of `advance` ends).
    steps : int
        Taken so far.
    half_mass : (n // 2,) or None
        The same run on half as many cells.
    """

    grid: Grid
    mass: Values
    least: float
    steps: int = 0
    half_mass: HalfMasses | None = None


@dataclass(frozen=True)
class ChangCooper(Method):
    """Exponentially fitted finite volumes for ∂tρ = ∇·(ρ∇V) + TΔρ in one to three dimensions.

    The unknowns are the masses m_j of equal cells, with no-flux ends [changcooper1970; docs/math.md 7]:

        dm_j/dt = F_{j+½} - F_{j-½},   F_{j+½} = (T/h²)[B(-w) m_{j+1} - B(w) m_j],   w = (V_{j+1} - V_j)/T,

    with B(w) = w/(e^w - 1) and V at cell centres. In two and three dimensions these fluxes run along each axis.

    Parameters
    ----------
    cells : int, tuple of int or None, default None
        Number of cells, at least 3: of each axis, or one number for all. None is 800 on the line, 256 an axis in the
        plane and 96 in space.
    lower, upper : float, tuple or None, default None
        Ends of the domain, in units of x, one for all axes or one for each; None is automatic. On the line the initial
        law and exp(-V/T) each leave 1e-13 outside at each end, and all that lies downhill is in (found by scanning V
        outwards; a narrow well far away may be missed), but nothing beyond an end that is given or beyond a wall, where
        V is inf. Without potential it is the initial law widened by 7.4 √(2 T horizon). A GridLaw of `cells` equal
        cells under a potential keeps its own domain.
        In more dimensions the box holds the initial law, what it passes on the way of steepest descent, and all where V
        is less than 34 T above the end of that way and above its least value, found by scanning V outwards.
    time_order : {1, 2}, default 1
        1: implicit Euler, first order, non-negative for every dt (the solve subtracts nothing).
        2: the L-stable function R(z) = (1+(1-2γ)z)/(1-γz)², γ = 1-1/√2, which SDIRK2 and TR-BDF2 share on linear
        equations, as two conservative solves. The first step of a run is four of implicit Euler of a quarter of dt.
        In two and three dimensions a step is made of steps along the axes, see *Splitting*.

    Raises
    ------
    Unsupported
        For dim > 3, an internal energy that is not an entropy, and an interaction.
    BadInput
        For ends that make no sense, NaN in V, more than 1e-3 of the initial or stationary law outside (or of the heat
        flow at the horizon, unless the start is a GridLaw on the same edges), or piled up at an end that is not a wall;
        and where a law is asked for that the cells do not resolve.
    Diverged
        Where masses are not finite, or a law with a cell below -1e-12 is asked for.

    Notes
    -----
    *Radii.* On the radius of a radial problem exp(-V_j/T) is the mean of r^(d-1) exp(-v/T) over the cell, and the flux
    has the weight at the edge, (T/h²)[m_{j+1} K/π_{j+1} - m_j K/π_j], so that the origin takes no part in the error.

    *Properties.* exp(-V_j/T) is a fixed point, mass is conserved (flux form), and cell masses are of order 2 in h. A
    step costs O(cells); memory O(cells).

    *Positivity.* With time_order=1 cells are non-negative for every dt. No linear scheme above first order is
    [bolley1978]: with time_order=2 a cell that loses more than 41 % in γ dt may become negative, at worst right after a
    sharp start. Four quarter steps of implicit Euler in place of the first step (its error is O(dt²), so order 2 stays)
    smooth the start [rannacher1984 uses four half steps]: under V = x²/2, T = 1, from points, boxes and Gaussians
    narrower than a cell no cell was negative for dt = 1/256 ... 1/2, and errors are a quarter of those without. That
    is measured, not promised: under V = (x - 1/2)², T = 0.3, dt = 1/4 a cell of -7e-7 was met. So the
    smallest cell met is reported as `least`, and a law with a cell below -1e-12 is not handed out (`Diverged`): use a
    smaller dt or time_order=1.

    *Splitting.* In two and three dimensions each sub-step solves for all lines of cells along one axis and leaves
    exp(-V_j/T) fixed, for any V, so that their product does. time_order=1 takes one implicit Euler sub-step along each
    axis, in the opposite order every other step: cells stay non-negative and the error of splitting is of second order.
    time_order=2 is Strang's splitting: half steps along the first axes, a whole one along the last, half steps back,
    each by R(z); of positivity it promises no more than on the line, and less under steep V [strang1968]. Lines are
    shared among threads; the bits do not depend on how many there are. A step costs O(cells of the grid), memory is 4
    numbers for each cell, axis and length of step.

    *Walls.* On the line a wall is an end of the domain. In more dimensions a cell at whose centre V is inf is closed on
    all sides, so that a domain may have any shape; along a wall that is not a plane across an axis the order in space
    is one.

    *Start.* Initial masses are differences of the law's cdf; a GridLaw on the same edges passes through unchanged.
    Nothing is renormalised: the initial mass outside goes into the end cells and is reported as `tail_mass`, the
    stationary mass outside as `stationary_tail` (NaN: exp(-V/T) has no finite mass).

    *V(t, x).* time_order=1 takes the rates at the end of each step, 2 those in its middle, and at the ends of the
    quarter steps in the first; in more dimensions all sub-steps of a step take those of the same time, which keeps
    order 2. The automatic domain holds the ends for V at 33 times up to the horizon.

    *Ends.* Where V falls outwards at an end, mass that arrives there would leave but for the no-flux end: above 1e-3 in
    the outermost cell (or hundredth of the cells) the run is refused, unless the end is a wall of the problem: V is inf
    or nan beyond it.

    *Resolution.* The same run is taken on half as many cells beside it. A law after the start is handed out where a
    quarter of its mass takes at least half a cell, and where half as many cells change its mean by at most 0.05
    standard deviations, its variance (less h²/12 of a cell) by 10 % and its distribution function by 0.03; else
    `BadInput` says about how many cells are needed. A start much wider than the end, e.g. with heavy tails, needs a
    fine grid on a wide domain: a step costs O(cells), so 10⁵ of them are no obstacle. In more dimensions no quarter of
    the mass may lie on lines of which one cell holds more than half, and mean and covariance are compared in every
    direction.

    *Report.* `tail_mass`, `stationary_tail`, `mass_error` (Σm - 1), `least`, `edge_mass` (the two end cells),
    `quarter_in_cells` (the shortest interval with a quarter of the mass, in cells), `grid_change` (the largest change
    by half as many cells, over what is accepted; NaN below 6 cells). In more dimensions `edge_mass` has the faces, axis
    by axis, and in place of `quarter_in_cells` stands `fullest_share` (the share that one cell holds of its line,
    exceeded on lines with a quarter of the mass).
    """

    treats_parts: ClassVar[bool] = True

    cells: int | tuple[int, ...] | None = None
    lower: float | tuple[float | None, ...] | None = None
    upper: float | tuple[float | None, ...] | None = None
    time_order: int = 1

    def __post_init__(self):
        check_axes(self.cells, self.lower, self.upper)
        if isinstance(self.time_order, bool) or self.time_order not in (1, 2):
            raise BadInput(
                f"time_order is {self.time_order!r}. It is 1 (implicit Euler) or 2 (L-stable). Pass one of these."
            )

    def cells_of(self, dim: int) -> tuple[int, ...]:
        """The number of cells of each axis of a problem of dimension dim."""
        return tuple(box.CELLS[dim] if n is None else int(n) for n in of_axes(self.cells, dim, "cells"))

    def init(self, problem: Problem, rng: np.random.Generator | None) -> GridState | box.BoxState:
        """The initial law in cell masses, and the rates between cells; rng is not used."""
        temperature = self._temperature(problem)
        if problem.energy.time_dependent:
            return time_dependent.started(self, problem, temperature)
        if problem.dim > 1:
            return box.started(self, problem, temperature)
        (lower,), (upper,) = of_axes(self.lower, 1, "lower"), of_axes(self.upper, 1, "upper")
        return self.on_the_line(problem, temperature, lower, upper)

    def on_the_line(self, problem: Problem, temperature: float, lower: float | None, upper: float | None) -> GridState:
        """The state at the start on the line, between these ends; None is automatic."""
        initial, potential = problem.initial, problem.energy.potential
        (cells,) = self.cells_of(1)
        axes = own_axes(initial, (cells,))
        own = None if axes is None else axes[0]
        if lower is None and upper is None and potential is not None and own is not None:
            lower, upper = own[0], own[-1]
        ends = choose_box(problem, temperature, cells, lower, upper)
        edges = np.linspace(ends.lower, ends.upper, cells + 1)
        require_fine_floats(edges)
        known = initial.cell_masses((own,)) if own is not None and same_edges(own, edges) else None
        if own is not None and known is not None:
            edges, mass, tails = own, known.mass, (0.0, 0.0)
        else:
            mass, tails = cell_masses(initial, edges)
            refuse_outside("initial law", *tails, ends.lower, ends.upper)
            if potential is None:
                spread = np.sqrt(2 * temperature * problem.horizon)
                left = free_tail(mass, (edges[1:] + edges[:-1]) / 2, spread, ends.lower, ends.upper)
                refuse_outside(f"heat flow at the horizon {problem.horizon:g}", *left, ends.lower, ends.upper)
        grid = prepared(potential, temperature, edges)
        half, half_mass = None, None
        if cells >= LEAST_CELLS:
            wider = np.linspace(edges[0], edges[-1], cells // 2 + 1)
            half, half_mass = prepared(potential, temperature, wider, grid), halved(mass, on_cells=known is not None)
        grid = replace(grid, tail_mass=float(sum(tails)), stationary_tail=ends.stationary_tail, half=half)
        return GridState(grid, mass, float(mass.min()), 0, half_mass)

    def step(
        self, problem: Problem, state: Any, dt: float, rng: np.random.Generator | None, *, time: float | None = None
    ) -> Any:
        """The state one step later; rng is not used, `time` where V depends on it."""
        return self.advance(problem, state, dt, 1, rng, time=time)

    def advance(
        self,
        problem: Problem,
        state: Any,
        dt: float,
        steps: int,
        rng: np.random.Generator | None,
        *,
        time: float | None = None,
    ) -> Any:
        """The state `steps` steps later, in one compiled call; rng is not used, `time` where V depends on it."""
        if problem.energy.time_dependent:
            return time_dependent.advanced(self, problem, state, float(dt), int(steps), time)
        if problem.dim > 1:
            return box.advanced(state, self.time_order, float(dt), int(steps))
        mass, least = self._advanced(state.grid, state.mass, state.steps, float(dt), int(steps))
        half_mass = state.half_mass
        if state.grid.half is not None and half_mass is not None:
            half_mass, _ = self._advanced(state.grid.half, half_mass, state.steps, float(dt), int(steps))
        return self.accepted(state, mass, half_mass, float(least), state.steps + steps, dt)

    def accepted(
        self, state: GridState, mass: Any, half_mass: HalfMasses | None, least: float, steps: int, dt: float
    ) -> GridState:
        """The state with these masses after so many steps; the errors are those of the class."""
        if not np.isfinite(mass).all():
            cell = int(np.argmin(np.isfinite(mass)))
            x = state.grid.edges[cell : cell + 2].mean()
            raise Diverged(
                f"The mass is {mass[cell]} in cell {cell} (x = {x:.6g}) after step {steps}. It must stay finite. "
                f"Check the size of V there (V = {state.grid.values[cell]:.6g}) and dt = {dt:g}.",
                step=steps,
                cell=cell,
            )
        refuse_piled_up(state.grid.open_ends, mass, state.grid.edges, f"after step {steps}")
        return replace(state, mass=mass, least=min(state.least, least), steps=steps, half_mass=half_mass)

    def _advanced(self, grid: Grid, mass: Any, done: int, dt: float, steps: int) -> tuple[Any, float]:
        """The masses (n,) `steps` steps after the first `done`, and the smallest cell met, see `GridState`."""
        if self.time_order == 1:
            return elimination.implicit_euler(mass, grid.factor(dt), steps)
        least = np.inf
        if done == 0:
            mass, least = elimination.implicit_euler(mass, grid.factor(dt / DAMPED), DAMPED)
            steps -= 1
        if steps > 0:
            mass, lowest = elimination.second_order(mass, grid.factor(STAGE_SHARE * dt), steps)
            least = min(least, lowest)
        return mass, float(least)

    def law(self, state: GridState | box.BoxState) -> GridLaw:
        """The law with the state's cell masses; `Diverged` where one is below -1e-12."""
        if isinstance(state, box.BoxState):
            return box.law(state)
        least = float(state.mass.min())
        if least < -1e-12:
            cell = int(np.argmin(state.mass))
            x = state.grid.edges[cell : cell + 2].mean()
            raise Diverged(
                f"Cell {cell} (x = {x:.6g}) has mass {least:.3g} after step {state.steps}. time_order=2 keeps cells "
                "non-negative for small dt only. Use a smaller dt, or time_order=1.",
                step=state.steps,
                cell=cell,
            )
        if state.steps > 0:
            refuse_unresolved(state.mass, state.half_mass, state.grid.edges, f"after step {state.steps}")
        return GridLaw((state.grid.edges,), state.mass)

    def report(self, state: GridState | box.BoxState) -> dict[str, Any]:
        """What the class docstring lists."""
        if isinstance(state, box.BoxState):
            return box.report(state)
        grid, mass = state.grid, state.mass
        return {
            "tail_mass": grid.tail_mass,
            "stationary_tail": grid.stationary_tail,
            "mass_error": float(mass.sum() - 1),
            "least": state.least,
            "edge_mass": (float(mass[0]), float(mass[-1])),
            "quarter_in_cells": quarter_in_cells(mass),
            "grid_change": grid_change(mass, state.half_mass),
        }

    def _temperature(self, problem: Problem) -> float:
        """T of the problem's entropy, or `Unsupported`."""
        energy = problem.energy
        if problem.dim > 3:
            raise Unsupported(
                f"ChangCooper works in one to three dimensions, the problem has dim {problem.dim}. Build what "
                "separates or is radial by pf.problems.rotated, separable or radial; else use EulerMaruyama."
            )
        temperature = temperature_of(energy.internal)
        if temperature is None:
            raise Unsupported(
                "ChangCooper discretises linear diffusion: the internal energy must be Entropy, got "
                f"{energy.internal!r}. For others use FiniteVolume or QuantileJKO, without one InteractingParticles."
            )
        if energy.interaction is not None:
            raise Unsupported(
                f"ChangCooper is linear in ρ, got the interaction {energy.interaction!r}. Use FiniteVolume, "
                "QuantileJKO or EulerMaruyama."
            )
        return float(temperature)
