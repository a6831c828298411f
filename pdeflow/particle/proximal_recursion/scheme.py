"""ProximalRecursion: density values at points, by entropic JKO steps from cloud to cloud."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..._core.compiled import crew
from ..._core.errors import BadInput, NotAvailable, NotConverged, Unsupported
from ..._core.shapes import Numbers, Points, Values
from ..._core.short_text import shown
from ..._core.validate import count, positive
from ...energies.entropic_scaling import Scaling, log_density, scale
from ...laws import DensityAtPoints
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...problems.entropic_gaussian import entropic_iterates
from ...trajectory import Trajectory, of_iterates
from ..clouds import potential_at, require_potential_gradient
from ..euler_maruyama import EulerMaruyama
from ..euler_maruyama.drift import Cloud
from .kernel import TILE, PairKernel
from .points import FixedPoints

SPARE = 0.1  # of the share of the tolerance that truncation may take: the next step starts with a radius that gives it
# Of the sum of the kernel over the volumes, the share of a fixed point's own: 0.4 for cells as wide as √ε on the line
MOST_ALONE = 0.4
WORST_COVER = 2.0  # by how much Σ ρ v may be off from one on fixed points, as a factor


class Logarithms:
    """-inf included; no plain array, as `solve` takes what is not finite there for a failure."""

    def __init__(self, array: Values):
        self.array = array


@dataclass(frozen=True, eq=False)
class ValuedCloud:
    """What a run of `ProximalRecursion` carries from step to step.

    Attributes
    ----------
    x : (n, d)
        The points.
    log_mass : Logarithms
        What the recursion transports: the masses of fixed points, the density values of moving ones.
    log_volume : (n,)
        Of fixed points; 0 for moving ones.
    cloud : Cloud or None
        Of Euler-Maruyama; None for fixed points.
    log_b : Logarithms
        The second scaling, with which the next step starts.
    depth : float or None
        With which the next step starts, see `PairKernel`; None before the first.
    steps : int
        Taken so far.
    facts : Mapping
        What the last step reports.
    """

    x: Points
    log_mass: Logarithms
    log_volume: Values
    cloud: Cloud | None
    log_b: Logarithms
    depth: float | None = None
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProximalRecursion(Method):
    """Density values at points by entropic JKO steps from cloud to cloud [caluya2020].

    With the values ρ_i at the old points x_i, the new points y_j, temperature T and ε = `regularisation`, a step solves

        min over ρ' and couplings M of ρ and ρ' of
        Σ ½ |x_i - y_j|² M_ij + ε Σ M_ij log M_ij + dt Σ_j [V(y_j) ρ'_j + T ρ'_j log(ρ'_j/v_j)],

    with all v_j = 1 for moving points, and the volumes of fixed ones.

    **The law is warmer than the problem says.** The smoothing acts as the temperature ε/(2 dt): on points that fill the
    space, the stationary law is close to that of the temperature T + ε/(2 dt), which the report gives as
    `effective_temperature`. Take ε far below 2 dt T. The published runs take ε = 0.05 and dt = 0.001, which adds
    25 to T = 1: there the values are for the most part a kernel density estimate of the cloud, see Notes.

    Parameters
    ----------
    particles : int or FixedPoints, default 1000
        A number: so many points, drawn from the initial law and moved by `EulerMaruyama` (the published scheme). Points
        with volumes: these stay, and carry the mass.
    regularisation : float, default 0.05
        ε > 0, in units of x².
    tolerance : float, default 1e-6
        Of the logarithm of each value, in a step. It is certified, see Notes.
    iterations : int, default 300
        Of the scaling in a step, at most.

    Raises
    ------
    Unsupported
        For an interaction, and an internal energy that is not the entropy; with moving points, for a potential without
        gradient and an initial law without density.
    BadInput
        For fields that make no sense, a V that is no number, fixed points that miss half of the initial law, and those
        that are so far apart, where the mass is, that the kernel does not reach from one to the next.
    NotConverged
        Where a step needs more iterations.
    Diverged
        At the first particle that is lost, as `EulerMaruyama`.

    Notes
    -----
    *Which law.* With fixed points the v_j are volumes, the masses m_j are those of a measure on R^d, and the law is
    Σ m_j δ(x_j) with the density m_j/v_j at the points. Masses start as ρ_0(x_j) v_j, divided by their sum, which the
    report gives as `cover`.

    With moving points the law is the cloud of Euler-Maruyama, equally weighted, with density values that lack a
    constant (`DensityAtPoints(relative=True)`). The recursion keeps Σ_j ρ_j, while that sum over draws of the true law
    estimates n ∫ρ_t², which changes. And it measures entropy relative to the cloud: for n -> ∞ and ε << dt T the
    measure ρ p, p the density of the points, flows down ∫V dq + T ∫log(q/p) dq. At rest this gives ρ ∝ exp(-V/T), which
    is right for values and would be wrong for weights; on the way it is not the Fokker-Planck equation.
    `law.normalised(density)` finds the constant, `law.reweighted(density)` turns values into weights, both by a density
    of the points that the user names.

    For ε >> dt T, the published case, b is nearly constant and a step is ρ' = Kᵀ(ρ/K1): it keeps ρ = K1, the kernel
    density estimate of the cloud with variance ε. In few dimensions the values come to that within (variance of the
    law)/ε steps or so; in many, where no point has a neighbour within √ε, they stay what they were at the start.

    *Scaling.* M = diag(a) K diag(b) with K_ij = exp(-|x_i - y_j|²/(2 ε)); in turn a = ρ/(K b) and
    b = (v exp(-V/T - 1)/Kᵀa)^(dt T/(ε + dt T)), as logarithms [docs/math.md 13.1]. What is returned is b Kᵀ(ρ/(K b)):
    positive, of the same sum to round-off. V is that of the new points; the published program takes V(x_j) for V(y_j).

    *Certificate.* K and Kᵀ do not increase sup |log|, so an iteration contracts it by dt T/(ε + dt T). Hence the last
    change c of log b bounds the error of log ρ' by 2 c dt T/ε. Leaving out entries of K which are at most the share δ
    of each row and column sum changes log ρ' by at most log(1 + δ), and δ is known from the sums. A step ends when both
    bounds are at most half of the tolerance, and is done again with a larger radius where the second is not. Errors of
    the start do not grow either: after k steps log ρ is exact to k tolerances.

    *Cost.* O(n² d) to find the pairs within the radius, √(2 ε log(n/tolerance)) or so; products cost as many operations
    as there are pairs. Above 8 million pairs none are kept, and each product computes them anew. Memory O(n d) and at
    most 0.4 GB beside.

    *Report.* `iterations`; `iteration_error` and `truncation_error`, the two bounds; `pairs`, the number of entries of
    K; `effective_temperature`, T + ε/(2 dt); with fixed points `cover`.
    """

    particles: int | FixedPoints = 1000
    regularisation: float = 0.05
    tolerance: float = 1e-6
    iterations: int = 300

    def __post_init__(self) -> None:
        if not isinstance(self.particles, FixedPoints):
            count(self.particles, "particles")
        positive(self.regularisation, "regularisation")
        positive(self.tolerance, "tolerance")
        count(self.iterations, "iterations")

    def init(self, problem: Problem, rng: np.random.Generator) -> ValuedCloud:
        """The points with the values of the initial law."""
        _check_energy(problem)
        if isinstance(self.particles, FixedPoints):
            return self._on_fixed_points(problem, self.particles)
        require_potential_gradient(problem.energy.potential, "ProximalRecursion")
        cloud = EulerMaruyama(self.particles).init(problem, rng)
        try:
            values = np.asarray(problem.initial.log_density(cloud.x), dtype=float)
        except NotAvailable as error:
            raise Unsupported(
                f"ProximalRecursion transports density values, and {problem.initial!r} has none. A law with "
                "log_density does. Start from one, or take EulerMaruyama, which needs none."
            ) from error
        nothing = np.zeros(len(cloud.x))
        return ValuedCloud(cloud.x, Logarithms(values), nothing, cloud, Logarithms(nothing))

    def _on_fixed_points(self, problem: Problem, points: FixedPoints) -> ValuedCloud:
        if points.x.shape[1] != problem.dim:
            raise BadInput(
                f"The points have dim {points.x.shape[1]}, {problem.name!r} has dim {problem.dim}. They must agree. "
                "Take points of that dimension."
            )
        log_volume = np.log(points.volumes)
        log_mass = np.asarray(problem.initial.log_density(points.x), dtype=float) + log_volume
        cover = float(np.exp(log_mass).sum())
        if not 1 / WORST_COVER <= cover <= WORST_COVER:
            raise BadInput(
                f"The initial law has the mass {cover:.4g} on the {len(points.x)} points. It must be near one, or the "
                "points do not cover the law. Take points with volumes where the law is.",
                cover=cover,
            )
        self._require_neighbours(log_mass, log_volume, problem.dim)
        start, log_mass = Logarithms(np.zeros(len(points.x))), Logarithms(log_mass - np.log(cover))
        return ValuedCloud(points.x, log_mass, log_volume, None, start, facts={"cover": cover})

    def _require_neighbours(self, log_mass: Values, log_volume: Values, dim: int) -> None:
        """`BadInput` where the kernel is narrower than the distance of the fixed points that have the mass."""
        alone = float(np.exp(_log_sum(log_mass + log_volume) - _log_sum(log_mass)))
        alone *= (2 * np.pi * self.regularisation) ** (-dim / 2)
        if not alone <= MOST_ALONE:
            raise BadInput(
                f"A fixed point has a volume of {alone:.3g} (2πε)^(d/2), in the mean over the mass; at most "
                f"{MOST_ALONE:g} is accepted. Points farther apart than √ε = {self.regularisation**0.5:.3g} exchange "
                "too little mass, and hold it where it is. Take more points, or a larger regularisation."
            )

    def step(self, problem: Problem, state: ValuedCloud, dt: float, rng: np.random.Generator | None) -> ValuedCloud:
        """The points and their values one step later; rng is not used."""
        dt, energy = float(dt), problem.energy
        if state.cloud is None:
            cloud, x = None, state.x
        else:
            cloud = EulerMaruyama(len(state.x)).step(problem, state.cloud, dt, None)
            x = cloud.x
        potential = potential_at(energy.potential, x)
        if not np.any(np.isfinite(potential)):
            raise BadInput(
                f"V is infinite at all {len(x)} points. It must be finite where there is to be mass. Take points "
                "beyond the walls."
            )
        step = _Step(
            state.x, x, state.log_mass.array, state.log_volume, potential,
            float(energy.internal.coefficient), dt, self.regularisation,
        )  # fmt: skip
        log_mass, log_b, depth, facts = step.solve(
            state.log_b.array, state.depth, self.tolerance, self.iterations, state.steps + 1
        )
        kept = {"cover": state.facts["cover"]} if cloud is None else {}
        if cloud is None:
            self._require_neighbours(log_mass, state.log_volume, problem.dim)
        return replace(
            state, x=x, cloud=cloud, log_mass=Logarithms(log_mass), log_b=Logarithms(log_b), depth=depth,
            steps=state.steps + 1, facts={**facts, **kept},
        )  # fmt: skip

    def law(self, state: ValuedCloud) -> DensityAtPoints:
        """The points with their values, see the class."""
        if state.cloud is not None:
            return DensityAtPoints(state.x, state.log_mass.array, relative=True)
        log_mass = state.log_mass.array
        return DensityAtPoints(state.x, log_mass - state.log_volume, np.exp(log_mass))

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike | None) -> Trajectory:
        """The closed entropic steps of a Gaussian, for fixed points that fill the space; `NotAvailable` elsewhere."""
        refuse_other_steps(self)
        if not isinstance(self.particles, FixedPoints):
            raise NotAvailable(
                "The values of moving points follow no closed sequence: their entropy is relative to the cloud. Fixed "
                "points have one. Pass FixedPoints."
            )
        iterates = entropic_iterates(problem, float(dt), self.regularisation)
        return of_iterates(iterates, (problem.horizon,) if times is None else times, dt)

    def report(self, state: ValuedCloud) -> dict[str, Any]:
        """What the class docstring lists, of the last step."""
        return dict(state.facts)


class _Step(NamedTuple):
    """One entropic JKO step between two clouds."""

    old: Points
    new: Points
    log_mass: Values
    log_volume: Values
    potential: Values
    temperature: float
    dt: float
    regularisation: float

    def solve(
        self, log_b: Values, depth: float | None, tolerance: float, iterations: int, number: int
    ) -> tuple[Values, Values, float, dict[str, Any]]:
        """(log masses, log b, depth for the next step, facts)."""
        least = 1.0 + float(np.sum((self.new - self.old) ** 2, axis=1).max()) / (2 * self.regularisation)
        if depth is None:
            depth = least + float(np.log(len(self.new) / tolerance))
        gain = 2 * self.dt * self.temperature / self.regularisation
        spent, radius = 0, max(depth, least)
        with crew(TILE) as run:
            while True:
                kernel = PairKernel(self.old, self.new, self.regularisation, radius, run)
                scaling, taken, error = self._scaled(kernel, log_b, gain, tolerance / 2, iterations)
                log_b, spent = scaling.log_b, spent + taken
                if not error <= tolerance / 2:
                    raise NotConverged(
                        f"The values of step {number} are certified to {error:.3g} after {iterations} iterations; at "
                        f"most {tolerance / 2:g} is accepted. An iteration shrinks the error by "
                        f"{gain / (2 + gain):.4g}. Use more iterations, a larger regularisation or a smaller dt.",
                        residual=error,
                    )
                log_a = self.log_mass - scaling.log_first
                log_q = kernel.transposed(log_a)
                log_share = self._left_out(kernel, scaling, log_a, log_q)
                if log_share > -np.inf:
                    radius += log_share - float(np.log(SPARE * tolerance / 2))
                if log_share <= np.log(tolerance / 2):
                    break
            log_new = scaling.log_b + log_q
        facts = {
            "iterations": spent,
            "iteration_error": error,
            "truncation_error": float(np.exp(log_share)),
            "pairs": kernel.pairs,
            "effective_temperature": self.temperature + self.regularisation / (2 * self.dt),
        }
        return log_new, scaling.log_b, radius, facts

    def _scaled(
        self, kernel: PairKernel, log_b: Values, gain: float, tolerance: float, iterations: int
    ) -> tuple[Scaling, int, float]:
        """The scaling on one kernel, see `scale`; the error is 2 dt T/ε times the last change of log b."""
        last = [log_b]

        def proximal(log_q: Numbers) -> Numbers:
            terms = ((self.temperature, 1.0),)
            values = log_density(log_q - self.log_volume, self.potential, terms, self.dt, self.regularisation)
            return values + self.log_volume

        def error(scaling: Scaling) -> float:
            before, last[0] = last[0], scaling.log_b
            full = np.isfinite(scaling.log_b)
            return gain * float(np.abs(scaling.log_b[full] - before[full]).max())

        products = kernel, kernel.transposed
        return scale(self.log_mass, log_b, products, proximal, error, tolerance, iterations)

    def _left_out(self, kernel: PairKernel, scaling: Scaling, log_a: Values, log_q: Values) -> float:
        """The logarithm of a bound of what was left out, as a share of a row or column sum; -inf for nothing."""
        if kernel.complete:
            return -np.inf
        rows, columns = np.isfinite(log_a), np.isfinite(scaling.log_b)
        row = _log_sum(scaling.log_b) - scaling.log_first[rows].min()
        column = _log_sum(log_a) - log_q[columns].min()
        return max(row, column) - kernel.depth


def _log_sum(logs: Values) -> float:
    """log Σ exp(logs)."""
    top = logs.max()
    return float(top + np.log(np.sum(np.exp(logs - top))))


def _check_energy(problem: Problem) -> None:
    """`Unsupported` for what the recursion does not have."""
    energy = problem.energy
    if energy.interaction is not None or energy.internal is None or energy.internal.exponent != 1:
        raise Unsupported(
            f"ProximalRecursion treats a potential and an entropy alone, got {shown(energy)}. For other internal "
            "energies take EntropicJKO, which works on grids; for interactions EulerMaruyama or FiniteVolume."
        )
