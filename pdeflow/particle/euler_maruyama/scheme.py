"""Euler-Maruyama particles for ∂tρ = ∇·(ρ∇(V + W*ρ)) + T Δρ."""

from dataclasses import dataclass, replace

import numpy as np

from ..._core.compiled import crew
from ..._core.errors import BadInput, Diverged, NotAvailable, Unsupported
from ..._core.validate import count, positive
from ...energies.interactions import QuadraticAttraction
from ...energies.internal import Entropy
from ...energies.mean_field import mean_force
from ...energies.potentials import Quadratic
from ...laws import Gaussian, GaussianMixture, Particles
from ...method import Method
from ...trajectory import Trajectory, time_grid
from .drift import FAR_OUT, compiled_field, potential_gradient
from .walk import walk

LOST = 1e100  # a coordinate beyond this is a blow-up that overflow has not met yet (a linear drift takes thousands of steps to it)


@dataclass(frozen=True)
class Cloud:
    """State: positions x (n, d), key of the noise (2,), steps and Brownian increments spent, largest |x_i| at the start."""

    x: np.ndarray
    key: np.ndarray
    steps: int
    increments: int
    reach: float


@dataclass(frozen=True)
class EulerMaruyama(Method):
    """x <- x - dt (∇V + ∇W*ρ)(x) + √(2 T dt) ξ for `particles` particles, ρ their empirical law [talay1990; docs/math.md 4.3].

    Weak and strong order 1 (the noise is additive). internal must be Entropy(T), or None for deterministic particles.
    The noise is a function of (key, particle, step, coordinate), the key a draw of init: the result is the same bits for any number
    of threads (`numba.set_num_threads`) and however the steps are split into calls.

    particles : their number. brownian_step : h, or None. With h, a step dt = k h uses the sum of the k increments of the
    stream of step h: runs with different dt and one seed then follow one Brownian path from one initial cloud, at the cost of k draws a step.

    Compiled: all of pdeflow.potentials but FromFunction, and all of pdeflow.interactions. QuadraticAttraction and PowerLaw(4, 2)
    cost O(particles) a step, PowerLaw(2, 1) on the line O(particles log particles), other kernels O(particles²); a particle exerts no force on itself, weights are 1/particles.
    A user's potential or kernel is called with numpy arrays once a step.

    Raises `Unsupported` for other internal energies and potentials without gradient, `BadInput` for fields, a dt that is no
    multiple of brownian_step and a gradient that is not finite (point named), `Diverged` at the first particle that is not finite
    or beyond 1e100, and for a quadratic potential with QuadraticAttraction or none (the drift is linear, of largest rate λ) at the
    second step already where dt λ >= 2: from there the cloud grows without bound, however long it stays finite.
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

    def init(self, problem, rng):
        _check_energy(problem.energy)
        key = rng.integers(0, 2**32, 2, dtype=np.uint64)
        x = np.ascontiguousarray(problem.initial.sample(self.particles, rng), dtype=float)
        state = Cloud(x, key, 0, 0, float(np.max(np.abs(x))))
        if problem.energy.potential is not None and compiled_field(problem.energy.potential, problem.dim) is None:
            potential_gradient(problem.energy.potential, state, 0.0)
        return state

    def step(self, problem, state, dt, rng):
        return self.advance(problem, state, dt, 1, rng)

    def advance(self, problem, state, dt, steps, rng):
        energy = problem.energy
        increments = self._increments(dt)
        if state.steps + steps > 1:
            _check_stable(energy, state, dt)
        temperature = 0.0 if energy.internal is None else energy.internal.temperature
        noise = dt, increments, float(np.sqrt(2 * temperature * dt / increments))
        field = compiled_field(energy.potential, problem.dim)
        with crew() as workers:
            if field is not None and energy.interaction is None:
                return _fused(state, steps, field, noise, workers)
            for _ in range(steps):
                outside = np.zeros_like(state.x)
                if field is None:
                    outside += potential_gradient(energy.potential, state, dt)
                if energy.interaction is not None:
                    outside += mean_force(energy.interaction, state.x, workers=workers)
                new = _walked(state, 1, field or compiled_field(None, problem.dim), noise, workers, outside)
                state = _kept(new, dt)
        return state

    def _increments(self, dt):
        if self.brownian_step is None:
            return 1
        ratio = dt / self.brownian_step
        if round(ratio) < 1 or abs(ratio - round(ratio)) > 1e-9 * ratio:
            raise BadInput(
                f"dt = {dt:.12g} with brownian_step = {self.brownian_step:.12g}: dt/brownian_step = {ratio:.12g}. It must be a whole number "
                f">= 1 (to 1e-9). Use dt = {max(1, round(ratio)) * self.brownian_step:.12g}, or a brownian_step that divides all steps."
            )
        return round(ratio)

    def law(self, state):
        return Particles(state.x)

    def report(self, state):
        """max_abs : largest |x_i| over particles and coordinates."""
        return {"max_abs": float(np.max(np.abs(state.x)))}

    def exact_sequence(self, problem, *, dt, times):
        """The laws of the recursion for infinitely many particles, where they stay Gaussian [docs/math.md 4.3].

        m <- m - h A(m - b), Σ <- (I - hK) Σ (I - hK) + 2 h T I, K = A + attraction I, for a quadratic (or no) potential,
        QuadraticAttraction (or none) and a Gaussian start; mixtures component by component where nothing attracts.
        Gaussian and GaussianMixture laws at `times`; else `NotAvailable`.
        """
        _check_energy(problem.energy)
        potential, kernel, start = problem.energy.potential, problem.energy.interaction, problem.initial
        mixture = isinstance(start, GaussianMixture) and kernel is None
        if (
            not (potential is None or isinstance(potential, Quadratic))
            or not (kernel is None or isinstance(kernel, QuadraticAttraction))
            or not (isinstance(start, Gaussian) or mixture)
        ):
            raise NotAvailable(
                f"The laws of Euler-Maruyama on {problem.name!r} from {start!r} have no closed form. Closed are quadratic potentials with "
                "QuadraticAttraction or none from a Gaussian (or, without attraction, a mixture). Compare with a finer run instead."
            )
        dt = positive(dt, "dt")
        times, marks = time_grid(times, dt)
        d = problem.dim
        drift = np.zeros((d, d)) if potential is None else dt * potential.matrix
        center = np.zeros(d) if potential is None else potential.center
        shrink = np.eye(d) - drift - (0.0 if kernel is None else dt * kernel.strength) * np.eye(d)
        noise = 0.0 if problem.energy.internal is None else 2 * dt * problem.energy.internal.temperature
        parts = [(law.mean(), law.cov()) for law in (start.components if mixture else (start,))]
        laws, done = [], 0
        for mark in marks:
            while done < mark:
                parts = [
                    (mean - drift @ (mean - center), shrink @ cov @ shrink + noise * np.eye(d)) for mean, cov in parts
                ]
                done += 1
            means, covs = zip(*[(mean, (cov + cov.T) / 2) for mean, cov in parts])
            laws.append(GaussianMixture(start.weights, means, covs) if mixture else Gaussian(means[0], covs[0]))
        return Trajectory(times, laws, {"steps": done})


def _check_energy(energy):
    if not (energy.internal is None or isinstance(energy.internal, Entropy)):
        raise Unsupported(
            f"EulerMaruyama moves independent Brownian particles: internal must be Entropy(temperature) or None, got {energy.internal!r}. "
            "For Power(m) use QuantileJKO (dimension 1)."
        )
    potential = energy.potential
    if potential is not None and (
        not callable(getattr(potential, "grad", None)) or getattr(potential, "grad_function", 0) is None
    ):
        raise Unsupported(
            f"EulerMaruyama moves along -∇V: potential must have grad(x) (n, d) -> (n, d), got {potential!r} without one. "
            "Give it, e.g. potentials.FromFunction(value, grad=..., dim=...)."
        )


def _walked(state, steps, field, noise, workers, force=None):
    dt, increments, deviation = noise
    x = state.x.copy()
    force = np.empty((0, x.shape[1])) if force is None else force
    first, (k0, k1) = state.increments, state.key
    workers(len(x), walk, x, force, field, steps, dt, first, increments, deviation, k0, k1)
    return replace(state, x=x, steps=state.steps + steps, increments=first + steps * increments)


def _fused(state, steps, field, noise, workers):
    """All steps in one go; a lost particle stays lost, so a look at the end is enough and bisection finds the step."""
    new = _walked(state, steps, field, noise, workers)
    if not _lost(new).any():
        return new
    while steps > 1:
        middle = _walked(state, steps // 2, field, noise, workers)
        good = not _lost(middle).any()
        state, steps = (middle, steps - steps // 2) if good else (state, steps // 2)
    return _kept(_walked(state, 1, field, noise, workers), noise[0])


def _lost(state):
    """Which particles (n,) are not finite or beyond `LOST` (and far beyond the start, should that lie out there)."""
    limit = max(LOST, FAR_OUT * state.reach)
    return ~(np.abs(state.x) <= limit).all(axis=1)  # NaN compares false


def _kept(state, dt):
    """The state, or `Diverged` that names step and particle."""
    bad = _lost(state)
    if bad.any():
        particle = int(np.argmax(bad))
        raise Diverged(
            f"Particle {particle} is {state.x[particle].tolist()} after step {state.steps} (t = {state.steps * dt:.6g}). Particles must stay "
            f"finite and below {LOST:g}; the step is too large for the drift out there. Use a smaller dt than {dt:g}.",
            step=state.steps, particle=particle, dt=dt,
        )  # fmt: skip
    return state


def _check_stable(energy, state, dt):
    """`Diverged` where the drift is linear and dt times its largest rate is 2 or more: every step then multiplies by -1 or worse."""
    potential, kernel = energy.potential, energy.interaction
    if type(potential) not in (type(None), Quadratic) or type(kernel) not in (type(None), QuadraticAttraction):
        return
    rate = 0.0 if potential is None else float(np.linalg.eigvalsh(potential.matrix)[-1])
    rate += kernel.strength if kernel is not None and len(state.x) > 1 else 0.0  # one particle feels no attraction
    if dt * rate >= 2:
        particle = int(np.argmax(np.max(np.abs(state.x), axis=1)))
        raise Diverged(
            f"dt = {dt:g} is too large for this linear drift: its largest rate is {rate:.6g}, so each step from step {state.steps + 1} on multiplies "
            f"deviations along its stiffest axis by {1 - dt * rate:.4g} and the cloud grows without bound, finite for long or not. "
            f"Use dt below 2/{rate:.6g} = {2 / rate:.6g}; accuracy asks for much less.",
            step=state.steps + 1, particle=particle, dt=dt, bound=2 / rate,
        )  # fmt: skip
