"""EntropicJKO: JKO steps with entropic transport on grids of the line and the plane, by scaling in the log domain."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._core.compiled import crew
from ..._core.errors import BadInput, NotConverged, Unsupported
from ..._core.shapes import Numbers, Row
from ..._core.validate import count, positive
from ...energies.entropic_scaling import Scaling, log_density, scale
from ...laws import GridLaw
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...problems.entropic_gaussian import entropic_iterates
from ...trajectory import Trajectory, of_iterates
from ..domain import check_axes, temperature_of
from ..jko_grid import (
    CellValues,
    chosen_edges,
    edge_masses,
    law_after,
    refuse_arrivals,
    start,
)
from .kernel import LogKernel

CELLS = {1: 1000, 2: 128}  # of each axis, unless given
WIDEST = 1.0  # a cell, in √ε: the kernel is summed to exp(-2π²) = 3e-9


@dataclass(frozen=True, eq=False)
class ScalingState:
    """What a run of EntropicJKO carries from step to step.

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
    log_b : CellValues or None
        The logarithm of the second scaling, with which the next step starts.
    steps : int
        Taken so far.
    facts : Mapping
        What the last step reports.
    """

    edges: tuple[Row, ...]
    potential: CellValues
    mass: Numbers
    tail_mass: float
    log_b: CellValues | None = None
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EntropicJKO(Method):
    """JKO steps with entropic transport on a grid of the line or the plane [peyre2015; caluya2020].

    With couplings π of the old law and the new law ρ, and ε = `regularisation`,

        min over ρ and π of  Σ |x - y|² π/(2 dt) + (ε/dt) Σ π log π + F(ρ).

    **The law is warmer than the problem says.** The smoothing acts as the temperature ε/(2 dt): the stationary law of
    the entropy with temperature T is close to that of T + ε/(2 dt), which the report gives as
    `effective_temperature`. With ε = dt = 0.05 and T = 1 the variance is 50 % too large. Take ε far below 2 dt T; then
    a step takes about dt T/ε times as many iterations. ε of the same size at a smaller dt is worse, not better.

    Parameters
    ----------
    cells : int or tuple of int, optional
        Number of cells of each axis, at least 3; one number for all axes. By default 1000 on the line and 128 an axis
        in the plane. A cell must be at most √ε wide, else the kernel is not seen (`BadInput`).
    lower, upper : float or tuple of float, optional
        Ends of each axis, in units of x; one number for all axes. None is automatic on the line, by the rule of
        `CvxoptJKO`; in the plane for the entropy with a potential, as for `ChangCooper`, and without potential for
        entropy and powers above 1 (free heat flow, and the radius of a Barenblatt profile); and for a GridLaw of these
        cells, which keeps its own domain.
    regularisation : float, default 0.01
        ε > 0, in units of x².
    tolerance : float, default 1e-9
        How much the coupling's first marginal may differ from the old law at the end of a step, in l1.
    iterations : int, default 20000
        Of the scaling in a step, at most.

    Raises
    ------
    Unsupported
        Above two dimensions, for an interaction, for internal energies that are not sums of powers and entropies (at
        most one power below 1, and then no other), and an initial law without density or distribution function.
    BadInput
        For ends that make no sense or must be given, cells wider than √ε, a V that is no number, initial
        mass outside or in obstacles, more than 1e-4 in the outermost cells at an end that is no wall, and laws narrower
        than a cell.
    NotConverged
        Where the marginal does not come below the tolerance.

    Notes
    -----
    *Scaling.* π = diag(a) K diag(b) with K = exp(-|x - y|²/(2 ε)) between the centres of cells. In turn a = old/(K b),
    which makes the first marginal exact, and b = ρ/(Kᵀa) with ρ the proximal step of the energy in the
    Kullback-Leibler divergence, cell by cell: for the entropy b = (exp(-V/T - 1) |cell|/Kᵀa)^(dt T/(ε + dt T)), which
    is the iteration of caluya2020 [docs/math.md 13.1], for a power a Wright omega function. All scalings
    are kept as logarithms; K is applied axis by axis, O(n^(d+1)) for n cells an axis, by matrix products where nothing
    underflows and else in logarithms.

    *What is returned* is b Kᵀ(old/(K b)): its mass is that of the old law to round-off, and positive.

    *Closed form.* Gaussians under a quadratic potential and the entropy stay Gaussians: K S K - (2c + ε) K +
    c (c + ε) S⁻¹ = Σ for the covariances Σ -> S with K = I + dt A, c = dt T [docs/math.md 13.1]. `exact_sequence` gives
    these, so that a study tells the error of time and regularisation from that of the grid. The means are those of JKO.

    *Report.* `iterations`, `marginal_error` (l1), `effective_temperature` (T + ε/(2 dt) with the entropy's T, or
    ε/(2 dt) without), `mass_error` (Σm - 1), `edge_mass` (the largest mass of the outermost cells at an end),
    `tail_mass`.
    """

    cells: int | tuple[int, ...] | None = None
    lower: float | tuple[float, ...] | None = None
    upper: float | tuple[float, ...] | None = None
    regularisation: float = 0.01
    tolerance: float = 1e-9
    iterations: int = 20_000

    def __post_init__(self):
        check_axes(self.cells, self.lower, self.upper)
        positive(self.regularisation, "regularisation")
        positive(self.tolerance, "tolerance")
        count(self.iterations, "iterations")

    def init(self, problem: Problem, rng: np.random.Generator | None) -> ScalingState:
        """The initial law in cell masses, and V at the centres; rng is not used."""
        _check_energy(problem)
        edges = chosen_edges(problem, CELLS, self.cells, self.lower, self.upper)
        root = float(np.sqrt(self.regularisation))
        for axis in edges:
            width = float(axis[-1] - axis[0]) / (len(axis) - 1)
            if width > WIDEST * root:
                raise BadInput(
                    f"Cells are {width:.3g} wide, and the kernel has the deviation √ε = {root:.3g}. A sum over wider "
                    f"cells does not see it. Take at least {int(np.ceil((axis[-1] - axis[0]) / root))} cells, or a "
                    "larger regularisation.",
                    width=width,
                )
        return ScalingState(edges, *start(problem, edges))

    def step(self, problem: Problem, state: ScalingState, dt: float, rng: np.random.Generator | None) -> ScalingState:
        """The law one step of length dt later; rng is not used."""
        dt, internal = float(dt), problem.energy.internal
        widths = [float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in state.edges]
        terms = () if internal is None else internal.terms()
        weights, log_volume = [h**2 / (2 * self.regularisation) for h in widths], float(np.sum(np.log(widths)))
        if state.log_b is None:
            log_b = np.where(np.isfinite(state.potential.array), 0.0, -np.inf)
        else:
            log_b = state.log_b.array
        with np.errstate(divide="ignore"):  # empty cells
            log_mass = np.log(np.maximum(state.mass, 0.0))
        with crew() as run:
            kernel = LogKernel(state.mass.shape, weights, run)

            def proximal(log_q: Numbers) -> Numbers:
                s = log_density(log_q - log_volume, state.potential.array, terms, dt, self.regularisation)
                return s + log_volume

            def marginal_error(scaling: Scaling) -> float:
                return float(np.abs(np.exp(scaling.log_a + scaling.log_first) - np.exp(log_mass)).sum())

            scaling, iteration, error = scale(
                log_mass, log_b, (kernel, kernel), proximal, marginal_error, self.tolerance, self.iterations
            )
            if error > self.tolerance:
                raise NotConverged(
                    f"The marginal of step {state.steps + 1} is {error:.3g} off after {self.iterations} iterations; at "
                    f"most {self.tolerance:g} is accepted. Scaling takes about dt T/ε iterations a digit. Use more "
                    "iterations, a larger regularisation or a smaller dt.",
                    residual=error,
                )
            mass = np.exp(scaling.log_b + kernel(log_mass - scaling.log_first))
        when = f"after step {state.steps + 1}"
        refuse_arrivals(problem.energy.potential, mass, state.mass, state.edges, when)
        temperature = 0.0 if internal is None else (temperature_of(internal) or 0.0)
        facts = {
            "iterations": iteration,
            "marginal_error": error,
            "effective_temperature": temperature + self.regularisation / (2 * dt),
            "mass_error": float(mass.sum() - 1),
            "edge_mass": float(edge_masses(mass).max()),
            "tail_mass": state.tail_mass,
        }
        return replace(state, mass=mass, log_b=CellValues(scaling.log_b), steps=state.steps + 1, facts=facts)

    def law(self, state: ScalingState) -> GridLaw:
        """The law with the state's cell masses; `BadInput` where it is narrower than a cell."""
        return law_after(state.steps, state.edges, state.mass)

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike | None) -> Trajectory:
        """The closed entropic steps of a Gaussian; `NotAvailable` elsewhere."""
        refuse_other_steps(self)
        iterates = entropic_iterates(problem, float(dt), self.regularisation)
        return of_iterates(iterates, (problem.horizon,) if times is None else times, dt)

    def report(self, state: ScalingState) -> dict[str, Any]:
        """What the class docstring lists, of the last step."""
        return dict(state.facts)


def _check_energy(problem: Problem) -> None:
    """`Unsupported` for what the scaling does not have."""
    energy, name = problem.energy, problem.name
    if problem.dim > 2:
        raise Unsupported(
            f"{name!r} has dim {problem.dim}. EntropicJKO works on grids of the line and the plane. For problems of "
            "pf.problems.rotated, separable and radial use QuantileJKO; else a particle or neural method."
        )
    if energy.interaction is not None:
        raise Unsupported(
            f"{name!r} has an interaction. EntropicJKO treats potentials and internal energies: with a kernel the "
            "proximal step is not one of single cells. Use QuantileJKO on the line, FiniteVolume or particles."
        )
    if energy.internal is None:
        return
    terms = energy.internal.terms()
    if terms is None or (any(m < 1 for _, m in terms) and sum(m != 1 for _, m in terms) > 1):
        raise Unsupported(
            f"EntropicJKO has no proximal step for {energy.internal!r}. It has one for the entropy, powers and their "
            "sums, with one power below 1 at most and then no other. Use QuantileJKO or BackAndForthJKO."
        )
