"""ChangCooper: exponentially fitted finite volumes for Fokker-Planck equations on the line."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.validate import count
from ...energies.internal import Entropy
from ...laws import GridLaw
from ...method import Method
from ..domain import cell_masses, choose_box, free_tail, open_ends, potential_values, refuse_outside, refuse_piled_up
from . import elimination as tridiagonal

GAMMA = 1 - 1 / np.sqrt(2)


def bernoulli(w) -> np.ndarray:
    """B(w) = w / (e^w - 1), B(0) = 1, to round-off for every finite w (B(w) - B(-w) = -w)."""
    w = np.asarray(w, dtype=float)
    size = np.abs(w)
    near = size < 1e-4
    middle = np.where(near, 1.0, np.minimum(size, 700.0))  # expm1 overflows above 709
    with np.errstate(under="ignore"):
        falling = np.where(size > 700.0, size * np.exp(-size), middle / np.expm1(middle))
        rising = np.where(near, 1.0, size) / -np.expm1(-np.where(near, 1.0, size))
        series = 1 - w / 2 + w * w / 12  # next term w⁴/720 < 1e-18
    return np.where(near, series, np.where(w > 0, falling, rising))


@dataclass(frozen=True)
class Grid:
    """Cell edges (n+1,), potential V at the centres (n,), jump rates up: j -> j+1 and down: j+1 -> j (n-1,), masses left outside, the ends that mass
    may want to leave by (`domain.open_ends`)."""

    edges: np.ndarray
    values: np.ndarray
    up: np.ndarray
    down: np.ndarray
    tail_mass: float
    stationary_tail: float
    open_ends: tuple = ()
    factors: dict = field(
        default_factory=dict, repr=False, compare=False
    )  # dt -> elimination; saves work, changes nothing

    def factor(self, dt):
        if dt not in self.factors:
            self.factors[dt] = tridiagonal.factor(self.up, self.down, dt)
        return self.factors[dt]


@dataclass(frozen=True)
class GridState:
    """mass : probability of each cell (n,). least : the smallest cell met since the start (positive ones are looked at when a call of `advance` ends). steps : taken so far."""

    grid: Grid
    mass: np.ndarray
    least: float
    steps: int = 0


@dataclass(frozen=True)
class ChangCooper(Method):
    """∂tρ = ∇·(ρ∇V) + TΔρ on the line, in cell masses m_j of `cells` equal cells with no-flux ends [changcooper1970; docs/math.md 7].

        dm_j/dt = F_{j+½} - F_{j-½},   F_{j+½} = (T/h²)[B(-w) m_{j+1} - B(w) m_j],   w = (V_{j+1} - V_j)/T,   B(w) = w/(e^w - 1),

    V at cell centres: exp(-V_j/T) is a fixed point, mass is conserved (flux form), order 2 in h in the cell masses.

    time_order 1: implicit Euler, first order, non-negative for every dt (the solve subtracts nothing).
    time_order 2: the L-stable function R(z) = (1+(1-2γ)z)/(1-γz)², γ = 1-1/√2, which SDIRK2 and TR-BDF2 share on linear
        equations, as two conservative solves. No linear scheme above first order is positive for every dt [bolley1978]:
        a cell that loses more than 41 % in γ dt may become negative. The smallest cell met is reported as `least`;
        a law with a cell below -1e-12 is not handed out (`Diverged`): use a smaller dt or time_order=1.

    lower, upper : ends of the domain; None is automatic: the initial law and exp(-V/T) each leave 1e-13 outside at each end
        and all that lies downhill is in (found by scanning V outwards; a narrow well far away may be missed), without potential the initial law widened by 7.4 √(2 T horizon).
        A GridLaw of `cells` equal cells under a potential keeps its own domain. Nothing is renormalised: the initial mass outside goes into
        the end cells and is reported as `tail_mass`, the stationary mass outside as `stationary_tail` (NaN: exp(-V/T) has no finite mass).

    Where V falls outwards at an end, mass that arrives there would leave but for the no-flux end: above 1e-3 in the outermost
    cell (or hundredth of the cells) the run is refused, unless the end is a wall of the problem: V is inf or nan beyond it.

    Initial masses are differences of the law's cdf; a GridLaw on the same edges passes through unchanged.
    report : tail_mass, stationary_tail, mass_error (Σm - 1), least, edge_mass (the two end cells).
    A step costs O(cells); memory O(cells).

    Raises `Unsupported` (dim > 1, no Entropy, an interaction), `BadInput` (ends, NaN in V, more than 1e-3 of the initial or stationary
    law outside, or of the heat flow at the horizon unless the start is a GridLaw on the same edges, or piled up at an end that
    is no wall), `Diverged`.
    """

    cells: int = 800
    lower: float | None = None
    upper: float | None = None
    time_order: int = 1

    def __post_init__(self):
        count(self.cells, "cells", 3)
        for name in ("lower", "upper"):
            end = getattr(self, name)
            if end is not None and not (isinstance(end, int | float | np.number) and np.isfinite(end)):
                raise BadInput(f"{name} is {end!r}. It must be a finite number, or None for automatic. Choose one.")
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise BadInput(
                f"lower is {self.lower}, upper {self.upper}. lower must be below upper. Exchange or mend them."
            )
        if isinstance(self.time_order, bool) or self.time_order not in (1, 2):
            raise BadInput(f"time_order is {self.time_order!r}. It is 1 (implicit Euler) or 2 (L-stable). Choose one.")

    def init(self, problem, rng=None) -> GridState:
        temperature = self._temperature(problem)
        initial, potential = problem.initial, problem.energy.potential
        lower, upper = self.lower, self.upper
        if lower is None and upper is None and potential is not None and _is_uniform(initial, self.cells):
            lower, upper = initial.axes[0][0], initial.axes[0][-1]
        box = choose_box(problem, temperature, self.cells, lower, upper)
        edges = np.linspace(box.lower, box.upper, self.cells + 1)
        if isinstance(initial, GridLaw) and _is_uniform(initial, self.cells) and _same(initial.axes[0], edges):
            edges, mass, tails = initial.axes[0], initial.mass, (0.0, 0.0)
        else:
            mass, tails = cell_masses(initial, edges)
            refuse_outside("initial law", *tails, box.lower, box.upper)
            if potential is None:
                spread = np.sqrt(2 * temperature * problem.horizon)
                left = free_tail(mass, (edges[1:] + edges[:-1]) / 2, spread, box.lower, box.upper)
                refuse_outside(f"heat flow at the horizon {problem.horizon:g}", *left, box.lower, box.upper)
        centers = (edges[1:] + edges[:-1]) / 2
        values = potential_values(potential, centers)
        h = (edges[-1] - edges[0]) / self.cells
        w = np.diff(values) / temperature
        rate = temperature / h**2
        rates = rate * bernoulli(w), rate * bernoulli(-w)
        grid = Grid(
            edges,
            values,
            *rates,
            float(sum(tails)),
            box.stationary_tail,
            open_ends(potential, temperature, edges, values),
        )
        return GridState(grid, mass, float(mass.min()))

    def step(self, problem, state, dt, rng=None):
        return self.advance(problem, state, dt, 1, rng)

    def advance(self, problem, state, dt, steps, rng=None):
        run = tridiagonal.implicit_euler if self.time_order == 1 else tridiagonal.second_order
        mass, least = run(state.mass, state.grid.factor(float(dt if self.time_order == 1 else GAMMA * dt)), int(steps))
        if not np.isfinite(mass).all():
            cell = int(np.argmin(np.isfinite(mass)))
            x = state.grid.edges[cell : cell + 2].mean()
            raise Diverged(
                f"The mass is {mass[cell]} in cell {cell} (x = {x:.6g}) after step {state.steps + steps}. It must stay finite. "
                f"Check the size of V there (V = {state.grid.values[cell]:.6g}) and dt = {dt:g}.",
                step=state.steps + steps, cell=cell,
            )  # fmt: skip
        refuse_piled_up(state.grid.open_ends, mass, state.grid.edges, f"after step {state.steps + steps}")
        return replace(state, mass=mass, least=min(state.least, float(least)), steps=state.steps + steps)

    def law(self, state) -> GridLaw:
        least = float(state.mass.min())
        if least < -1e-12:
            cell = int(np.argmin(state.mass))
            raise Diverged(
                f"Cell {cell} (x = {state.grid.edges[cell : cell + 2].mean():.6g}) has mass {least:.3g} after step {state.steps}. "
                f"time_order=2 keeps cells non-negative for small dt only. Use a smaller dt, or time_order=1.",
                step=state.steps, cell=cell,
            )  # fmt: skip
        return GridLaw((state.grid.edges,), state.mass)

    def report(self, state) -> dict:
        grid, mass = state.grid, state.mass
        return {
            "tail_mass": grid.tail_mass, "stationary_tail": grid.stationary_tail, "mass_error": float(mass.sum() - 1),
            "least": state.least, "edge_mass": (float(mass[0]), float(mass[-1])),
        }  # fmt: skip

    def _temperature(self, problem):
        energy = problem.energy
        if problem.dim != 1:
            raise Unsupported(
                f"ChangCooper works on the line, the problem has dim {problem.dim}. For separable problems solve the 1-D one and pf.lift it; "
                "else use EulerMaruyama."
            )
        if not isinstance(energy.internal, Entropy):
            raise Unsupported(
                f"ChangCooper discretises linear diffusion: the internal energy must be Entropy, got {energy.internal!r}. "
                "For Power(m) use QuantileJKO or CvxoptJKO."
            )
        if energy.interaction is not None:
            raise Unsupported(
                f"ChangCooper is linear in ρ, got the interaction {energy.interaction!r}. Use QuantileJKO, CvxoptJKO or EulerMaruyama."
            )
        return float(energy.internal.temperature)


def _is_uniform(law, cells):
    if not isinstance(law, GridLaw) or law.dim != 1 or law.mass.size != cells:
        return False
    edges = law.axes[0]
    return _same(edges, np.linspace(edges[0], edges[-1], cells + 1))


def _same(edges, others):
    """Whether two sets of edges agree to round-off: 1e-9 of a cell, far below any discretisation error."""
    return edges.shape == others.shape and np.abs(edges - others).max() <= 1e-9 * (edges[1] - edges[0])
