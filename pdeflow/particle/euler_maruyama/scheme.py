"""Euler-Maruyama particles for ∂tρ = ∇·(ρ∇(V + W*ρ)) + T Δρ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._core.compiled import crew
from ..._core.errors import BadInput, NotAvailable, Unsupported
from ..._core.shapes import Matrix, Points, Values, Vector
from ..._core.validate import count, positive
from ...energies.energy import Energy
from ...energies.interactions import require_even
from ...laws import Gaussian, GaussianMixture, Law, Particles
from ...laws.draws import drawn
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...problems.exact_jko import quadratic_terms
from ...trajectory import Trajectory, of_iterates
from ..clouds import LARGEST_COORDINATE, lost, refuse_lost, refuse_passing, require_potential_gradient
from .drift import BLOW_UP_RATIO, Cloud, Drift, potential_gradient
from .stability import refuse_overshooting
from .walk import walk
from .walls import refuse_reachable_walls, refuse_walls

Noise = tuple[float, int, float]  # dt, Brownian increments per step, √(2 T dt / increments)

COARSEST_FLOATS = 1e-2  # of an increment of the noise: where floats lie farther apart, steps lose their digits


@dataclass(frozen=True)
class EulerMaruyama(Method):
    """Particles: x <- x - dt (∇V + ∇W*ρ)(x) + √(2 T dt) ξ, ρ their empirical law [talay1990; docs/math.md 4.3].

    Parameters
    ----------
    particles : int, default 10 000
        Their number, at most 2³².
    brownian_step : float or None, default None
        h, in units of time. With h, a step dt = k h uses the sum of the k increments of the stream of step h: runs with
        different dt and one seed then follow one Brownian path from one initial cloud, at the cost of k draws per step.

    Raises
    ------
    Unsupported
        For an internal energy that is not an entropy (none means deterministic particles), and a potential without
        gradient.
    BadInput
        For fields that make no sense, a dt that is not a multiple of brownian_step, and a gradient that is not finite
        (the point is named).
    Diverged
        At the first particle that is not finite or beyond 1e100. For a quadratic potential with QuadraticAttraction or
        none (the drift is linear, of largest rate λ) at the second step already where dt λ >= 2: from there the cloud
        grows without bound, however long it stays finite. For any other drift where steps without noise, from the
        cloud on, turn the force round and multiply it by four, in four or more in a row: dt V'' > 2 along the way.
        Without noise, where particles on the line that repel each other without bound pass each other.

    Notes
    -----
    *Order.* Weak and strong order 1 (the noise is additive), also under V(t, x).

    *Noise.* It is a function of (key, particle, step, coordinate), the key a draw of init: the result is the same bits
    for any number of threads (`numba.set_num_threads`) and however the steps are split into calls.

    *Cost.* Compiled are all of pdeflow.potentials but FromFunction, and all of pdeflow.interactions.
    QuadraticAttraction and PowerLaw(4, 2) cost O(particles) per step, PowerLaw(2, 1) on the line O(particles log
    particles), other kernels O(particles²). A particle exerts no force on itself; weights are 1/particles. A user's
    potential or kernel is called with numpy arrays once per step.

    *Report.* `max_abs`: the largest |x_i| over particles and coordinates.
    """

    particles: int = 10_000
    brownian_step: float | None = None

    def __post_init__(self):
        count(self.particles, "particles")
        if self.particles > 2**32:
            raise BadInput(
                f"particles is {self.particles}. The noise stream numbers up to 2³² = 4294967296. Take fewer."
            )
        if self.brownian_step is not None:
            positive(self.brownian_step, "brownian_step")

    def init(self, problem: Problem, rng: np.random.Generator) -> Cloud:
        """Draws of the initial law, the key of the noise, and the drift prepared."""
        _check_energy(problem.energy)
        key = rng.integers(0, 2**32, 2, dtype=np.uint64)
        x = np.ascontiguousarray(drawn(problem.initial, self.particles, rng), dtype=float)
        drift = Drift(problem.energy.at(0.0), problem.dim)
        require_even(problem.energy.interaction, problem.dim, float(np.max(x.max(axis=0) - x.min(axis=0))) or 1.0)
        if drift.field is None:
            reach = float(np.sqrt(2 * drift.temperature * problem.horizon))
            refuse_reachable_walls(drift.potential, x, reach, drift.temperature)
        state = Cloud(x, key, 0, 0, float(np.max(np.abs(x))), drift)
        if drift.field is None:
            potential_gradient(drift.potential, state, 0.0)
        return state

    def step(
        self, problem: Problem, state: Cloud, dt: float, rng: np.random.Generator | None, *, time: float | None = None
    ) -> Cloud:
        """The cloud one step later; the noise comes from the key in the state, rng is not used."""
        return self.advance(problem, state, dt, 1, rng, time=time)

    def advance(
        self,
        problem: Problem,
        state: Cloud,
        dt: float,
        steps: int,
        rng: np.random.Generator | None,
        *,
        time: float | None = None,
    ) -> Cloud:
        """The cloud `steps` steps later; the noise comes from the key in the state, rng is not used.

        Where V depends on time, each step takes the drift of the time at which it begins, of which `time` is the first.
        """
        if not problem.energy.time_dependent:
            return self._advanced(state, dt, steps)
        if time is None:
            raise Unsupported(
                f"V = {problem.energy.potential!r} depends on time, and the step was called without one. pf.solve "
                "passes it. In a loop of your own pass time=, that at which the call begins."
            )
        for k in range(steps):
            now = Drift(problem.energy.at(time + k * dt), problem.dim)
            state = self._advanced(replace(state, drift=now), dt, 1)
        return state

    def _advanced(self, state: Cloud, dt: float, steps: int) -> Cloud:
        """The cloud `steps` steps later, with the drift in the state."""
        drift, increments = state.drift, self._increments(dt)
        if state.steps + steps > 1:
            drift.refuse_unstable(state, dt)
        noise = dt, increments, float(np.sqrt(2 * drift.temperature * dt / increments))
        start = state
        with crew() as workers:
            if drift.fused:
                state = _fused(state, steps, noise, workers)
            else:
                for _ in range(steps):
                    before = state.x
                    state = _kept(_walked(state, 1, noise, workers, drift.outside(state, dt, workers)), dt)
                    if drift.temperature == 0:  # with noise they may meet
                        refuse_passing(drift.kernel, before, state.x, state.steps, dt)
        if drift.field is None:
            refuse_walls(drift.potential, state.x)
        if state.steps > 1:
            refuse_overshooting(state, dt, steps)
        return _with_fine_floats(start, state, noise[2])

    def _increments(self, dt: float) -> int:
        """The number of Brownian increments of a step, or `BadInput`."""
        if self.brownian_step is None:
            return 1
        ratio = dt / self.brownian_step
        if round(ratio) < 1 or abs(ratio - round(ratio)) > 1e-9 * ratio:
            raise BadInput(
                f"dt = {dt:.12g} with brownian_step = {self.brownian_step:.12g}: dt/brownian_step = {ratio:.12g}. "
                "It must be a whole number >= 1 (to 1e-9). Use dt = "
                f"{max(1, round(ratio)) * self.brownian_step:.12g}, or a brownian_step that divides all steps."
            )
        return round(ratio)

    def law(self, state: Cloud) -> Particles:
        """The empirical law of the cloud."""
        return Particles(state.x)

    def report(self, state: Cloud) -> dict[str, float]:
        """max_abs : largest |x_i| over particles and coordinates."""
        return {"max_abs": float(np.max(np.abs(state.x)))}

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike) -> Trajectory:
        """The laws of the recursion for infinitely many particles, where they stay Gaussian [docs/math.md 4.3].

        Parameters
        ----------
        problem : Problem
            With a quadratic (or no) potential, QuadraticAttraction (or none), and a Gaussian start; mixtures of
            Gaussians where nothing attracts.
        dt : float
            The step h.
        times : sequence of float
            Multiples of dt.

        Returns
        -------
        Trajectory
            Laws at `times`: m <- m - h A(m - b), Σ <- (I - hK) Σ (I - hK) + 2 h T I, K = A + attraction I, for every
            component.

        Raises
        ------
        NotAvailable
            Where the laws have no closed form.
        """
        refuse_other_steps(self)
        _check_energy(problem.energy)
        (weights, parts), linear = _gaussian_start(problem)
        dt = positive(dt, "dt")
        step = _exact_step(problem, linear, dt)

        def iterates(parts: tuple[Gaussian, ...]) -> Iterator[Law]:
            while True:
                yield parts[0] if len(parts) == 1 else GaussianMixture.of_components(weights, parts)
                parts = tuple(step(part) for part in parts)

        return of_iterates(iterates(parts), times, dt)


def _gaussian_start(problem: Problem) -> tuple[tuple[Values, tuple[Gaussian, ...]], tuple[Matrix, Vector, float]]:
    """(weights and components of the start, what `quadratic_terms` says of the energy) of a problem that keeps each of
    them Gaussian, or `NotAvailable`."""
    start = problem.initial.gaussian_components()
    linear = quadratic_terms(problem.energy, problem.dim)
    if start is None or linear is None or (problem.energy.interaction is not None and len(start[1]) > 1):
        raise NotAvailable(
            f"The laws of Euler-Maruyama on {problem.name!r} from {problem.initial!r} have no closed form. Closed "
            "are quadratic potentials with QuadraticAttraction or none from a Gaussian (or, without attraction, a "
            "mixture). Compare with a finer run instead."
        )
    return start, linear


def _exact_step(problem: Problem, linear: tuple[Matrix, Vector, float], dt: float) -> Callable[[Gaussian], Gaussian]:
    """One step of a Gaussian under a linear drift, by a factor of its covariance."""
    (matrix, center, attraction), d = linear, problem.dim
    drift = dt * matrix
    shrink = np.eye(d) - drift - dt * attraction * np.eye(d)
    noise = 0.0 if problem.energy.internal is None else 2 * dt * problem.energy.internal.coefficient

    def step(law: Gaussian) -> Gaussian:
        spread = shrink @ law.root()
        root = np.hstack([spread, np.sqrt(noise) * np.eye(d)]) if noise > 0 else spread
        return Gaussian.from_root(law.mean() - drift @ (law.mean() - center), root)

    return step


def _check_energy(energy: Energy) -> None:
    """`Unsupported` for what Brownian particles cannot follow."""
    if energy.internal is not None and energy.internal.exponent != 1:
        raise Unsupported(
            "EulerMaruyama moves independent Brownian particles: internal must be Entropy(temperature) or None, got "
            f"{energy.internal!r}. For other internal energies use QuantileJKO (dimension 1)."
        )
    require_potential_gradient(energy.potential, "EulerMaruyama")


def _walked(state: Cloud, steps: int, noise: Noise, workers: Any, force: Points | None = None) -> Cloud:
    """The cloud `steps` steps later, unchecked; force (n, d) is the part of the drift computed outside."""
    dt, increments, deviation = noise
    x, field = state.x.copy(), state.drift.field or state.drift.nothing
    force = np.empty((0, x.shape[1])) if force is None else force
    first, (k0, k1) = state.increments, state.key
    workers(len(x), walk, x, force, field, steps, dt, first, increments, deviation, k0, k1)
    return replace(state, x=x, steps=state.steps + steps, increments=first + steps * increments)


def _fused(state: Cloud, steps: int, noise: Noise, workers: Any) -> Cloud:
    """All steps in one go; a lost particle stays lost, so a look at the end is enough and bisection finds the step."""
    new = _walked(state, steps, noise, workers)
    if not lost(new.x, _limit(new)).any():
        return new
    while steps > 1:
        middle = _walked(state, steps // 2, noise, workers)
        good = not lost(middle.x, _limit(middle)).any()
        state, steps = (middle, steps - steps // 2) if good else (state, steps // 2)
    return _kept(_walked(state, 1, noise, workers), noise[0])


def _with_fine_floats(state: Cloud, new: Cloud, deviation: float) -> Cloud:
    """The new cloud, or `BadInput` where floats near it are too coarse for the noise and it did not run far either."""
    if deviation > 0 and np.spacing(state.reach) > COARSEST_FLOATS * deviation:
        spacing = float(np.spacing(np.median(np.max(np.abs(state.x), axis=1))))  # a far outlier is nobody's fault
        moved = float(np.max(np.abs(new.x - state.x)))
        if spacing > COARSEST_FLOATS * deviation and COARSEST_FLOATS * moved < spacing:
            raise BadInput(
                f"The particles lie near |x| = {state.reach:.6g}, where floats are {spacing:.3g} apart, and one "
                f"increment of the noise is {deviation:.3g}; at most {COARSEST_FLOATS:g} of it is accepted. Shift the "
                "problem so that its laws lie near 0, or take a larger dt.",
                spacing=spacing,
                increment=deviation,
            )
    return new


def _limit(state: Cloud) -> float:
    """Beyond which a particle is lost: far beyond the start too, should that lie out there."""
    return max(LARGEST_COORDINATE, BLOW_UP_RATIO * state.reach)


def _kept(state: Cloud, dt: float) -> Cloud:
    """The state, or `Diverged` that names step and particle."""
    refuse_lost(state.x, state.steps, dt, _limit(state))
    return state
