"""InteractingParticles: the deterministic particle method for potentials and interactions without diffusion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import factorial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._core.compiled import crew
from .._core.errors import BadInput, Diverged, NotAvailable, Unsupported
from .._core.shapes import Matrix, Points, Vector
from .._core.short_text import shown
from .._core.validate import count, one_of, positive
from ..energies.energy import Energy
from ..energies.interactions import require_even
from ..energies.mean_field import mean_force
from ..laws import Gaussian, Law, Particles
from ..laws.draws import drawn
from ..method import Method, refuse_other_steps
from ..problems.exact_jko import quadratic_terms
from ..problems.problem import Problem
from ..trajectory import Trajectory, of_iterates
from .clouds import potential_pull, refuse_lost, refuse_passing, require_potential_gradient

# stages of the explicit Runge-Kutta schemes by order: (share of dt at which a stage begins, its weight in the sum)
STAGES = {
    1: ((0.0, 1.0),),
    2: ((0.0, 1 / 2), (1.0, 1 / 2)),
    4: ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6)),
}


STABLE = {1: 2.0, 2: 2.0, 4: 2.785293563405282}  # dt times the largest rate, up to which |R(-dt rate)| <= 1
GROWTH = 16.0  # of the mean squared speed, over steps in a row that go uphill and end faster than they began


@dataclass(frozen=True)
class MovedCloud:
    """What a run of `InteractingParticles` carries from step to step.

    Attributes
    ----------
    x : (n, d)
        Positions, each of weight 1/n.
    velocity : (n, d)
        Of the particles where they are.
    steps : int
        Steps taken.
    slowest : float
        Σ|x_i'|² before the first of the last steps in a row that went uphill and ended faster than they began; inf
        where the last step did not.
    """

    x: Points
    velocity: Points
    steps: int
    slowest: Any = np.inf


@dataclass(frozen=True)
class InteractingParticles(Method):
    """Particles that follow ẋ_i = -∇V(x_i) - (1/n) Σ_j ∇W(x_i - x_j) by an explicit Runge-Kutta scheme.

    Parameters
    ----------
    particles : int, default 10 000
        Their number n.
    time_order : {4, 2, 1}
        Classical Runge-Kutta, Heun or Euler.
    start : {"random", "quantiles"}
        Draws of the initial law, or on the line its quantiles at the levels (i - 1/2)/n. A start that is itself a cloud
        of n equal points is taken as it is.

    Raises
    ------
    BadInput
        For fields that make no sense, for quantiles in higher dimensions, a kernel that is not even, and a gradient
        that is not finite (the point is named).
    Unsupported
        For an internal energy: points have no density. With entropy take EulerMaruyama, for diffusion without noise a
        scheme on a grid. For a potential without gradient.
    Diverged
        At the first particle that is not finite or beyond 1e100, and on the line where a step takes a particle past
        another although W(0) is infinite: points that repel each other without bound never meet, and a step that is too
        long for the closest pair throws them apart by any distance. Where steps are too long for the forces, so that
        the cloud grows without bound: under linear forces of the largest rate λ for dt λ > 2 (Euler, Heun) or 2.785
        (Runge-Kutta), under others where the energy rises in steps in a row, over which the speed grows fourfold.

    Notes
    -----
    *What it solves.* The empirical law of n points solves ∂tρ = ∇·(ρ∇(V + W*ρ)) exactly, as a measure: the only errors
    are those of the start and of the steps. For convex V and W the distance W2 of two such flows does not grow, so that
    the first stays what it was at time 0: about n^(-1/2) by random draws on the line (n^(-1/d) in dimension d > 2),
    O(1/n) by quantiles of a law of bounded support. A point exerts no force on itself, also where W pushes points apart
    at any distance, as -|x| does [docs/math.md 2.2].

    *Order.* `time_order` in dt where the forces are smooth; where they jump (W = -|x| at collisions), one. Where W(0)
    is infinite dt must resolve the closest pair, which among random points on the line is about 1/n² apart: start at
    quantiles there. In more dimensions pairs that pass each other go unnoticed: halve dt and compare.

    *Cost.* QuadraticAttraction and PowerLaw(4, 2) cost O(n) a stage, PowerLaw(2, 1) on the line O(n log n), other
    kernels of the house O(n²) in compiled tiles that take no memory, your own O(n²) calls of their `grad` in blocks.

    *Report.* `max_abs`: the largest |x_i| over particles and coordinates.
    """

    particles: int = 10_000
    time_order: Literal[1, 2, 4] = 4
    start: Literal["random", "quantiles"] = "random"

    def __post_init__(self) -> None:
        count(self.particles, "particles")
        if isinstance(self.time_order, bool) or self.time_order not in STAGES:
            raise BadInput(
                f"time_order is {shown(self.time_order)}. It is 1 (Euler), 2 (Heun) or 4 (Runge-Kutta). Pass one of "
                "these."
            )
        one_of(self.start, "start", ("random", "quantiles"))

    def init(self, problem: Problem, rng: np.random.Generator) -> MovedCloud:
        """The cloud at time 0, once V and W have been found to be such as points can follow."""
        _check_energy(problem.energy)
        x = self._points(problem.initial, rng)
        require_even(problem.energy.interaction, problem.dim, float(np.max(np.ptp(x, axis=0))) or 1.0)
        with crew() as workers:
            return MovedCloud(x, velocity(problem.energy, x, workers), 0)

    def _points(self, law: Law, rng: np.random.Generator) -> Points:
        atoms = law.atoms()
        if atoms is not None and len(atoms[1]) == self.particles and np.ptp(atoms[1]) == 0:
            return np.array(atoms[0], dtype=float, order="C")
        if self.start == "random":
            return np.ascontiguousarray(drawn(law, self.particles, rng), dtype=float)
        if law.dim > 1:
            raise BadInput(
                f'start="quantiles" in dim {law.dim}. Quantiles exist on the line. Take start="random", or give a '
                "start of your own: problem with initial=Particles(points)."
            )
        return np.asarray(law.quantile((np.arange(self.particles) + 0.5) / self.particles), dtype=float)[:, None]

    def step(self, problem: Problem, state: MovedCloud, dt: float, rng: Any) -> MovedCloud:
        """The cloud one step later; rng is not used."""
        return self.advance(problem, state, dt, 1, rng)

    def advance(self, problem: Problem, state: MovedCloud, dt: float, steps: int, rng: Any) -> MovedCloud:
        """The cloud `steps` steps later; rng is not used."""
        energy, x, speed, slowest = problem.energy, state.x, state.velocity, state.slowest
        linear = self._refuse_fast(problem, x, dt, state.steps + 1)
        with crew() as workers:
            for done in range(1, steps + 1):
                before, old = x, speed
                x = _moved(energy, x, dt, STAGES[self.time_order], workers, old)
                refuse_lost(x, state.steps + done, dt)
                refuse_passing(energy.interaction, before, x, state.steps + done, dt)
                speed = velocity(energy, x, workers)
                if not linear:
                    slowest = _uphill(x - before, old, speed, slowest, state.steps + done, dt)
        return replace(state, x=x, velocity=speed, steps=state.steps + steps, slowest=slowest)

    def _refuse_fast(self, problem: Problem, x: Points, dt: float, step: int) -> bool:
        """Whether the forces are linear; `Diverged` where they are, and too fast for steps of length dt."""
        linear = quadratic_terms(problem.energy, x.shape[1])
        if linear is None:
            return False
        matrix, _, pull = linear
        rate = float(np.linalg.eigvalsh(matrix)[-1]) + (pull if len(x) > 1 else 0.0)
        if dt * rate > STABLE[self.time_order] * (1 + 1e-12):
            raise Diverged(
                f"dt = {dt:g} is too large for these linear forces: their largest rate is {rate:.6g}, so that every "
                f"step from step {step} on makes deviations grow, without bound. Use dt below "
                f"{STABLE[self.time_order] / rate:.6g}; accuracy asks for less.",
                step=step, dt=dt,
            )  # fmt: skip
        return True

    def law(self, state: MovedCloud) -> Particles:
        """The empirical law of the cloud."""
        return Particles(state.x)

    def report(self, state: MovedCloud) -> Mapping[str, float]:
        """max_abs : largest |x_i| over particles and coordinates."""
        return {"max_abs": float(np.max(np.abs(state.x)))}

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike | None = None) -> Trajectory:
        """The laws of infinitely many particles, where they stay Gaussian.

        With R(z) = Σ z^k/k! up to k = `time_order`, A the matrix of V and κ the strength of the attraction, a step is
        m - b <- R(-dt A)(m - b) and Σ <- R(-dt(A + κ)) Σ R(-dt(A + κ))ᵀ.

        Raises
        ------
        NotAvailable
            But for a Gaussian under a quadratic potential (or none) and QuadraticAttraction (or none).
        """
        refuse_other_steps(self)
        _check_energy(problem.energy)
        law, linear = problem.initial.as_gaussian(), quadratic_terms(problem.energy, problem.dim)
        if law is None or linear is None:
            raise NotAvailable(
                f"The laws of InteractingParticles on {problem.name!r} from {problem.initial!r} have no closed form. "
                "Closed are Gaussians under quadratic potentials with QuadraticAttraction or none. Compare with a "
                "finer run instead."
            )
        dt = positive(dt, "dt")
        matrix, center, pull = linear
        shift = _amplification(-dt * matrix, self.time_order)
        spread = _amplification(-dt * (matrix + pull * np.eye(law.dim)), self.time_order)

        def iterates(mean: Vector, root: Matrix) -> Iterator[Law]:
            while True:
                yield Gaussian.from_root(mean, root)
                mean, root = center + shift @ (mean - center), spread @ root

        times = (problem.horizon,) if times is None else times
        return of_iterates(iterates(law.mean(), law.root()), times, dt)


def velocity(energy: Energy, x: Points, workers: Any) -> Points:
    """-∇V(x_i) - (1/n) Σ_j ∇W(x_i - x_j), (n, d); `BadInput` for a gradient of another shape or not finite."""
    out = potential_pull(energy.potential, x)
    if energy.interaction is not None:
        out -= mean_force(energy.interaction, x, workers=workers)
    return out


def _moved(
    energy: Energy, x: Points, dt: float, stages: tuple[tuple[float, float], ...], workers: Any, speed: Points
) -> Points:
    """The points one step later; speed : (n, d), their velocity at x, which is the first stage."""
    slope = speed
    total = stages[0][1] * slope
    for share, weight in stages[1:]:
        slope = velocity(energy, x + share * dt * slope, workers)
        total = total + weight * slope
    return x + dt * total


def _uphill(moved: Points, old: Points, new: Points, slowest: float, step: int, dt: float) -> float:
    """`MovedCloud.slowest` after a step; `Diverged` where speeds have grown too much going uphill.

    n times the energy rises by -½ Σ (v_i + v_i')·(x_i' - x_i), exactly so under linear forces.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a cloud that far out is lost in the next step
        size, grown = float(np.vdot(old, old)), float(np.vdot(new, new))
        if not (grown > size > 0 and float(np.vdot(old + new, moved)) < 0):
            return np.inf
    slowest = min(slowest, size)
    if grown > GROWTH * slowest:
        raise Diverged(
            f"In step {step} (t = {step * dt:.6g}) the energy rises while the speeds of the particles grow, "
            f"{np.sqrt(grown / slowest):.3g} times since that began. A gradient flow goes downhill: dt = {dt:g} is "
            "too large for these forces. Use a smaller dt.",
            step=step, dt=dt,
        )  # fmt: skip
    return slowest


def _amplification(z: Matrix, order: int) -> Matrix:
    return sum((np.linalg.matrix_power(z, k) / factorial(k) for k in range(order + 1)), start=np.zeros_like(z))


def _check_energy(energy: Energy) -> None:
    """`Unsupported` for what points cannot follow."""
    if energy.internal is not None:
        raise Unsupported(
            f"InteractingParticles moves points, which have no density: internal must be None, got "
            f"{shown(energy.internal)}. For an entropy take EulerMaruyama, for other diffusion FiniteVolume or "
            "QuantileJKO."
        )
    require_potential_gradient(energy.potential, "InteractingParticles")
