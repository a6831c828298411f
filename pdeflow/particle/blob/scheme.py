"""Blob: deterministic particles that diffuse by the energy of their smoothed density."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.compiled import crew
from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.shapes import Points, Values
from ..._core.short_text import shown
from ..._core.validate import count, flag, positive
from ...energies.energy import Energy
from ...energies.interactions import require_even
from ...energies.mean_field import mean_force
from ...laws import KernelDensity, Law, Particles
from ...laws.cell_integrals import cell_masses
from ...laws.reach import reach_along_axes
from ...method import Method
from ...problems.problem import Problem
from ..clouds import potential_pull, refuse_lost, require_potential_gradient
from .neighbour_sums import in_columns, near_sums

TAIL_MASS = 1e-13  # of the initial law, left out at each end of the box
LIGHT_CELLS = 1e-13  # the most mass that cells without a particle hold together
CUTOFF = 10.0  # in units of ε: beyond it a mollifier is below exp(-25) = 1.4e-11 of its top
MOST_CELLS = 4_000_000
# Bogacki and Shampine: an error estimate from the difference of orders 3 and 2, with the last stage the next first
STAGES = ((1 / 2,), (0.0, 3 / 4), (2 / 9, 1 / 3, 4 / 9))
ERROR = (-5 / 72, 1 / 12, 1 / 9, -1 / 8)
SAFETY, LEAST_FACTOR, MOST_FACTOR = 0.9, 0.2, 3.0
MOST_SMOOTHING = 0.5  # variance of a mollifier, of the cloud's least: the density is then 22 % wider than the cloud
LEAST_SHARE = 1e-10  # of dt: a shorter substep means that the tolerance cannot be kept


@dataclass(frozen=True)
class BlobCloud:
    """What a run of `Blob` carries from step to step.

    Attributes
    ----------
    x : (n, d)
        Positions.
    weights : (n,)
        Their masses.
    width : float
        ε.
    spacing : float
        h.
    velocity : (n, d)
        Of the particles where they are.
    substep : float
        The length that the next substep should have.
    substeps, evaluations, steps : int
        Taken so far: substeps, velocities computed, steps.
    """

    x: Points
    weights: Values
    width: float
    spacing: float
    velocity: Points
    substep: float
    substeps: int
    evaluations: int
    steps: int


@dataclass(frozen=True)
class Blob(Method):
    """The blob method for diffusion [carrillo2019]: particles of unequal mass that follow a smoothed energy.

    Parameters
    ----------
    cells : int, default 100
        Along the longest side of the box of the initial law. Their width is h, and each holds one particle.
    exponent : float, default 0.95
        ε = h^exponent, the width of the mollifier. Below 1, so that mollifiers overlap the more the smaller h is. It
        is a power of the number h: the same cells in other units of x have another ε/h, which units in which the law is
        some ten wide make moderate.
    tolerance : float, default 1e-4
        The largest local error of a particle's position in a substep, in units of h. Substeps are halved and doubled
        within dt to keep it, so that the time error is far below that of the smoothing.
    smoothed : bool, default True
        Whether the law of a state is φ_ε*μ, the density that the method computes with, or the cloud μ of weighted
        particles.

    Raises
    ------
    BadInput
        For fields that make no sense, a law whose reach is not known or that is one point, forces that are not finite,
        and where mollifiers are so wide that their variance is more than half of the cloud's along an axis: before a
        step where there is an internal energy, and for every smoothed law.
    Unsupported
        In more than three dimensions, where a grid of particles has too many, and for potentials without gradient.
    Diverged
        At the first particle that is not finite or beyond 1e100, and where the tolerance cannot be kept.

    Notes
    -----
    *What it solves.* With the masses m_i, the mollifier φ_ε(z) = (4πε²)^(-d/2) exp(-|z|²/4ε²), ρ_i = Σ_k m_k φ_ε(x_i -
    x_k) and F(s) = U(s)/s, the particles follow [carrillo2019 eq. (6); docs/math.md 13.5]

        x_i' = -∇V(x_i) - Σ_j m_j ∇W(x_i - x_j) - Σ_j m_j ∇φ_ε(x_i - x_j) [F'(ρ_i) + F'(ρ_j)],

    the exact gradient flow in W2 of ∫V dμ + ∫F(φ_ε*μ) dμ + ½∬W dμ dμ on clouds. F'(s) = p(s)/s² with the pressure p of
    the internal energy, any that is given. Without potential the mean stays where it is, to round-off.

    *Start.* One particle in the centre of each cell of a regular grid, with the exact mass of the initial law there.
    The box leaves out at most 1e-13 of the mass at each end, and cells that hold less than 1e-13 together have no
    particle; nothing is renormalised. An initial law that is itself a cloud is taken as it is, with h the longest side
    of its box divided by `cells`.

    *What is left out of the sums.* Mollifiers beyond the distance 10 ε, each at most 1.4e-11 φ_ε(0): so ρ_i errs by at
    most that, for a total mass of one.

    *Order.* The law φ_ε*μ is about ε² away from the solution where that is smooth, so nearly h² with ε = h^0.95. The
    cloud itself is within about h/√12 per coordinate of any density, so that it can be of order one at best; take it
    for sums over particles (`smoothed=False`).

    *Cost.* O(n (ε/h)^d) a velocity and O(n) memory, by compiled sums over columns of cells. A substep takes three
    velocities; explicit substeps are of the order ε²/(diffusivity), so that a run costs O(h^(-d-2)).

    *Report.* `width`: ε. `substeps` and `evaluations` of velocities since the start. `max_abs`: the largest |x_i| over
    particles and coordinates.
    """

    cells: int = 100
    exponent: float = 0.95
    tolerance: float = 1e-4
    smoothed: bool = True

    def __post_init__(self) -> None:
        count(self.cells, "cells")
        positive(self.exponent, "exponent")
        positive(self.tolerance, "tolerance")
        flag(self.smoothed, "smoothed")
        if self.exponent > 1:
            raise BadInput(
                f"exponent is {self.exponent}: mollifiers of width h^{self.exponent} do not reach the next particle as "
                "h falls. It must be at most 1. Take 0.95."
            )

    def init(self, problem: Problem, rng: np.random.Generator) -> BlobCloud:
        """One particle in each cell of a grid, with the mass of the initial law there."""
        if problem.dim > 3:
            raise Unsupported(
                f"Blob in dim {problem.dim}: particles start on a regular grid, which has too many beyond three "
                "dimensions. For an entropy take EulerMaruyama, else a neural method."
            )
        require_potential_gradient(problem.energy.potential, "Blob")
        x, weights, spacing = self._start(problem.initial)
        require_even(problem.energy.interaction, problem.dim, float(np.max(np.ptp(x, axis=0))) or 1.0)
        width = spacing**self.exponent
        with crew(1) as workers:
            speed = velocity(problem.energy, x, weights, width, workers)
        return BlobCloud(x, weights, width, spacing, speed, np.inf, 0, 1, 0)

    def _start(self, law: Law) -> tuple[Points, Values, float]:
        """Positions, masses and h."""
        known = reach_along_axes(law, TAIL_MASS)
        if known is None:
            raise BadInput(
                f"How far the initial law {shown(law)} reaches is not known: it has no support, quantiles, Gaussian "
                "components or factors that tell. Blob needs it for its grid. Start from a GridLaw, or from "
                "Particles on a grid of your own."
            )
        spacing = float(np.max(known[:, 1] - known[:, 0])) / self.cells
        if not spacing > 0:
            raise BadInput(
                f"The initial law {shown(law)} is one point. Its box must have a side, which tells how wide the "
                "mollifiers are. Start from a law that spreads, or from two points at least."
            )
        atoms = law.atoms()
        if atoms is not None:
            full = atoms[1] > 0
            return np.array(atoms[0][full], order="C"), np.array(atoms[1][full]), spacing
        shape = np.ceil((known[:, 1] - known[:, 0]) / spacing - 1e-9).astype(int)
        if np.prod(shape.astype(float)) > MOST_CELLS:
            raise BadInput(
                f"{' x '.join(str(n) for n in shape)} cells are more than {MOST_CELLS}. Each is a particle. Take fewer "
                "cells."
            )
        middle = known.mean(axis=1)
        edges = [m + spacing * (np.arange(n + 1) - n / 2) for m, n in zip(middle, shape)]
        mass = np.asarray(cell_masses(law, edges).mass, dtype=float).ravel()
        centers = [(axis[1:] + axis[:-1]) / 2 for axis in edges]
        x = np.stack(np.meshgrid(*centers, indexing="ij"), axis=-1).reshape(-1, law.dim)
        light = np.sort(mass)
        least = light[np.searchsorted(np.cumsum(light), LIGHT_CELLS, side="right")]
        return np.ascontiguousarray(x[mass >= least]), mass[mass >= least], spacing

    def step(self, problem: Problem, state: BlobCloud, dt: float, rng: Any) -> BlobCloud:
        """The cloud one step later; rng is not used."""
        if problem.energy.internal is not None:
            _require_resolved(state, "")
        x, speed, substep = state.x, state.velocity, min(state.substep, dt)
        bound, left, substeps, evaluations = self.tolerance * state.spacing, dt, state.substeps, state.evaluations
        with crew(1) as workers:

            def at(place: Points) -> Points:
                refuse_lost(place, state.steps + 1, dt)
                return velocity(problem.energy, place, state.weights, state.width, workers)

            while left > 0:
                length = left if substep >= left * (1 - 1e-12) else substep
                moved, slopes = _substep(at, x, speed, length)
                error = length * np.max(np.abs(sum(c * slope for c, slope in zip(ERROR, slopes))))
                evaluations += 3
                factor = SAFETY * (bound / max(error, 1e-300)) ** (1 / 3)
                following = length * min(MOST_FACTOR, max(LEAST_FACTOR, factor))
                if error <= bound:
                    x, speed, left, substeps = moved, slopes[3], left - length, substeps + 1
                    substep = max(following, substep) if length < substep else following
                else:
                    substep = following
                if left > 0 and substep < LEAST_SHARE * dt:
                    raise Diverged(
                        f"Blob took a substep of {substep:.3g} in step {state.steps + 1} (t = "
                        f"{(state.steps + 1) * dt:.6g}) and still misses its tolerance of {self.tolerance:g} h. Forces "
                        "must be smooth on the scale of the particles. Take fewer cells, or a larger tolerance.",
                        step=state.steps + 1, dt=dt,
                    )  # fmt: skip
        refuse_lost(x, state.steps + 1, dt)
        return replace(
            state, x=x, velocity=speed, substep=substep, substeps=substeps, evaluations=evaluations,
            steps=state.steps + 1,
        )  # fmt: skip

    def law(self, state: BlobCloud) -> KernelDensity | Particles:
        """φ_ε*μ, or the cloud μ (see `smoothed`)."""
        if not self.smoothed:
            return Particles(state.x, state.weights)
        _require_resolved(state, ", or smoothed=False where nothing diffuses")
        root = np.sqrt(2) * state.width * np.eye(state.x.shape[1])
        return KernelDensity.of_kernel(state.x, state.weights, root)

    def report(self, state: BlobCloud) -> Mapping[str, float]:
        """width : ε. substeps, evaluations : since the start. max_abs : largest |x_i|."""
        return {
            "width": state.width,
            "substeps": float(state.substeps),
            "evaluations": float(state.evaluations),
            "max_abs": float(np.max(np.abs(state.x))),
        }


def _require_resolved(state: BlobCloud, other: str) -> None:
    """`BadInput` where mollifiers are not narrower than the cloud, along the axis in which that is narrowest."""
    total = state.weights.sum()
    offset = state.x - state.weights @ state.x / total
    least = float(np.linalg.eigvalsh((offset * state.weights[:, None]).T @ offset / total)[0])
    if not 2 * state.width**2 <= MOST_SMOOTHING * least:
        raise BadInput(
            f"After step {state.steps} mollifiers have the variance 2 ε² = {2 * state.width**2:.3g}, the cloud along "
            f"its narrowest axis {max(least, 0.0):.3g}. At most {MOST_SMOOTHING:g} of that is accepted, or the "
            f"smoothed density is another law. Take more cells{other}."
        )


def velocity(energy: Energy, x: Points, weights: Values, width: float, workers: Any) -> Points:
    """The velocities (n, d) of particles x (n, d) of masses `weights` (n,), with ε = width."""
    out = potential_pull(energy.potential, x)
    if energy.interaction is not None:
        out -= mean_force(energy.interaction, x, weights=weights)
    if energy.internal is None:
        return out
    n, dim = x.shape
    columns = in_columns(x, CUTOFF * width)
    mass, rate, top = weights[columns.order], 1 / (4 * width**2), (4 * np.pi * width**2) ** (-dim / 2)
    place = (columns.groups, columns.x, columns.starts, columns.shape, columns.low, columns.width, CUTOFF * width)
    density, force = np.empty((n, 1)), np.empty((n, dim))
    workers(len(columns.groups), near_sums, *place, rate, mass, mass, False, density)
    rho = top * density[:, 0]
    slope = np.asarray(energy.internal.pressure(rho), dtype=float) / rho**2
    if not np.isfinite(slope).all():
        bad = int(np.argmax(~np.isfinite(slope)))
        raise BadInput(
            f"The internal energy gives p(ρ)/ρ² = {slope[bad]} at the density ρ = {rho[bad]:.6g}. It must be finite "
            "where there are particles. Correct its pressure."
        )
    workers(len(columns.groups), near_sums, *place, rate, mass, slope, True, force)
    out[columns.order] += (top / (2 * width**2)) * force  # -∇φ = z φ/2ε²
    return out


def _substep(at: Any, x: Points, speed: Points, length: float) -> tuple[Points, list[Points]]:
    """The places after one substep, and the slopes of its four stages, the last one at these places."""
    slopes, moved = [speed], x
    for weights in STAGES:
        moved = x + length * sum(w * slope for w, slope in zip(weights, slopes) if w)
        slopes.append(at(moved))
    return moved, slopes
