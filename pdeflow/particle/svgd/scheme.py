"""SVGD: particles that a kernel moves towards the Gibbs law."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ..._core.errors import BadInput, Diverged, Unsupported
from ..._core.shapes import Points
from ..._core.short_text import shown
from ..._core.validate import count, one_of, positive
from ...laws import Law, Particles
from ...laws.draws import drawn
from ...method import Method
from ...problems.problem import Problem
from ..clouds import potential_pull, refuse_lost, require_potential_gradient
from .kernel_sums import gaussian_direction, linear_direction, median_squared_distance

MOMENTUM, FUDGE = 0.9, 1e-6  # of AdaGrad in the code that [liu2016] published
GROWTH = 16.0  # of the mean square of the direction, over steps in a row that turn it round
ROUNDING = 1e-8  # of the coordinates, below which a step of coinciding particles is noise
LONG = 0.1  # of the cloud's radius, root mean square: shorter steps may tremble, as the median does


@dataclass(frozen=True)
class SteinCloud:
    """What a run of `SVGD` carries from step to step.

    Attributes
    ----------
    x : (n, d)
        Positions, each of weight 1/n.
    history : (n, d)
        Of AdaGrad, the mean of squared directions; zeros at the start and where steps are fixed.
    steps : int
        Steps taken.
    bandwidth : float
        ℓ of the last step, NaN before the first and for the linear kernel.
    direction : (n, d) or None
        φ of the last step where steps are fixed.
    weakest : float
        Σ|φ_i|² before the first of the last steps in a row that turned φ round; inf where the last one did not.
    """

    x: Points
    history: Points
    steps: int
    bandwidth: Any
    direction: Any = None
    weakest: Any = np.inf


@dataclass(frozen=True)
class SVGD(Method):
    """Stein variational gradient descent [liu2016]: x_i <- x_i + dt φ(x_i), towards the Gibbs law exp(-V/T).

    Parameters
    ----------
    particles : int, default 1000
        Their number n.
    kernel : {"gaussian", "linear"}
        k(x, y) = exp(-|x - y|²/ℓ), or xᵀy + 1.
    bandwidth : float or None, default None
        ℓ of the Gaussian kernel in units of x². None: median² / log(n + 1) at every step, with the median of the
        distances of all pairs.
    step_rule : {"fixed", "adagrad"}
        dt φ, or dt φ/(10⁻⁶ + √h) with h <- 0.9 h + 0.1 φ² for each coordinate (h = φ² at the first step), which is the
        rule of the authors' code.
    dtype : {"float64", "float32"}
        Of the sums over pairs; positions and the rest are in float64.

    Raises
    ------
    BadInput
        For fields that make no sense, a bandwidth beside the linear kernel, and a gradient that is not finite.
    Unsupported
        Unless the energy is a potential with a gradient and `Entropy`: an interaction, another internal energy or none.
    Diverged
        At the first particle that is not finite or beyond 1e100, and where fixed steps turn the direction round and
        make it four times as large, in one or more in a row: dt is too large.

    Notes
    -----
    With s_j = -∇V(x_j) and temperature T the direction is

        φ(x_i) = (1/n) Σ_j [k(x_j, x_i) s_j + T ∇_{x_j} k(x_j, x_i)],    ∇_{x_j} k = (2/ℓ)(x_i - x_j) k

    [docs/math.md 13.3]; for T = 1 it is that of [liu2016 eq. (8)] with the score s. It flows in another geometry than
    that of W2: only its limit is that of the problem's flow, and its time is not that of the problem. Compare it with
    the Gibbs law at large times, not with ρ_t.

    With the linear kernel and a quadratic V, mean and covariance of the limit are exact for n > d. With the Gaussian
    kernel a finite cloud is narrower than its target: variance 0.937 to 0.938 of 1 for 50 particles on the line, by
    where they start. The authors' code counts the distance 0 of each particle to itself in the median: 0.935 to 0.937.

    In several dimensions that is worse: the median rule gives a pair at the median distance the weight 1/(n + 1), so
    that a particle feels little but itself. The variance of N(0, I) by 512 particles after 200 steps of 1.5 is 0.97 in
    two dimensions, 0.65 in 9 and 0.46 in 20. With `bandwidth` = 2 d, the mean square distance of two draws, it is 1.00,
    0.97 and 0.96. Where the target is far from round, bring it there first, as
    `pdeflow.applications.logistic.whitened` does.

    *Cost.* O(n² d) by matrix products of tiles, O(n d) memory; the linear kernel O(n d²).

    *Report.* `bandwidth`: ℓ of the step. `max_abs`: the largest |x_i| over particles and coordinates.
    """

    follows_flow: ClassVar[bool] = False

    particles: int = 1000
    kernel: Literal["gaussian", "linear"] = "gaussian"
    bandwidth: float | None = None
    step_rule: Literal["fixed", "adagrad"] = "fixed"
    dtype: Literal["float64", "float32"] = "float64"

    def __post_init__(self) -> None:
        count(self.particles, "particles")
        one_of(self.kernel, "kernel", ("gaussian", "linear"))
        one_of(self.step_rule, "step_rule", ("fixed", "adagrad"))
        one_of(self.dtype, "dtype", ("float64", "float32"))
        if self.bandwidth is not None:
            positive(self.bandwidth, "bandwidth")
        if self.kernel == "linear" and (self.bandwidth is not None or self.dtype == "float32"):
            given = "bandwidth" if self.bandwidth is not None else "dtype"
            raise BadInput(
                f'{given} is given beside kernel="linear". It has an effect on the Gaussian kernel alone. Drop it.'
            )

    def init(self, problem: Problem, rng: np.random.Generator) -> SteinCloud:
        """The cloud that the run starts from, once V has been found to have a gradient there.

        Draws of the initial law; where that is a cloud of so many equal particles, as at the end of another run, these
        particles themselves, each once.
        """
        _check_energy(problem)
        x = _start(problem.initial, self.particles, rng)
        potential_pull(problem.energy.potential, x)
        return SteinCloud(x, np.zeros_like(x), 0, float("nan"))

    def step(self, problem: Problem, state: SteinCloud, dt: float, rng: Any) -> SteinCloud:
        """The cloud one step later; rng is not used."""
        direction, bandwidth = self._direction(problem, state.x)
        if self.step_rule == "fixed":
            state = replace(state, direction=direction, weakest=_turning(state, direction, dt))
        history = state.history
        if self.step_rule == "adagrad":
            history = direction**2 if state.steps == 0 else MOMENTUM * history + (1 - MOMENTUM) * direction**2
            direction = direction / (FUDGE + np.sqrt(history))
        x = state.x + dt * direction
        refuse_lost(x, state.steps + 1, dt)
        return replace(state, x=x, history=history, steps=state.steps + 1, bandwidth=bandwidth)

    def _direction(self, problem: Problem, x: Points) -> tuple[Points, float]:
        pull, temperature = potential_pull(problem.energy.potential, x), float(problem.energy.internal.coefficient)
        if self.kernel == "linear":
            return linear_direction(x, pull, temperature), float("nan")
        bandwidth = self.bandwidth
        if bandwidth is None:
            bandwidth = median_squared_distance(x, self.dtype) / np.log(len(x) + 1)
        return gaussian_direction(x, pull, temperature, bandwidth, self.dtype), float(bandwidth)

    def law(self, state: SteinCloud) -> Particles:
        """The empirical law of the cloud."""
        return Particles(state.x)

    def report(self, state: SteinCloud) -> Mapping[str, float]:
        """bandwidth : ℓ of the last step. max_abs : largest |x_i| over particles and coordinates."""
        return {"bandwidth": state.bandwidth, "max_abs": float(np.max(np.abs(state.x)))}


def _start(law: Law, n: int, rng: np.random.Generator) -> Points:
    """n particles: those of a cloud of n equal ones, else draws; draws of a cloud would coincide, and never part."""
    atoms = law.atoms()
    if atoms is not None and len(atoms[0]) == n and np.ptp(atoms[1]) == 0:
        return np.array(atoms[0], dtype=float)
    return np.array(drawn(law, n, rng), dtype=float)


def _turning(state: SteinCloud, new: Points, dt: float) -> float:
    """`SteinCloud.weakest` for the next direction; `Diverged` where it has turned round and grown too much."""
    if state.direction is None:
        return np.inf
    with np.errstate(over="ignore", invalid="ignore"):  # a cloud that far out is lost in this step
        size, grown = float(np.vdot(state.direction, state.direction)), float(np.vdot(new, new))
        if not (size > 0 and float(np.vdot(state.direction, new)) < -size):
            return np.inf
        weakest, offset = min(state.weakest, size), state.x - state.x.mean(axis=0)
        short = LONG**2 * float(np.vdot(offset, offset)) + ROUNDING**2 * float(np.vdot(state.x, state.x))
        if grown > GROWTH * weakest and dt**2 * grown > short:
            raise Diverged(
                f"Step {state.steps + 1} of SVGD goes back and farther than the ones before: the direction has turned "
                f"round and grown {np.sqrt(grown / weakest):.3g} times. dt = {dt:g} is too large for this potential. "
                'Use a smaller dt, or step_rule="adagrad".',
                step=state.steps + 1, dt=dt,
            )  # fmt: skip
    return weakest


def _check_energy(problem: Problem) -> None:
    """`Unsupported` for an energy without a Gibbs law that a potential gives."""
    energy = problem.energy
    entropy = energy.internal is not None and energy.internal.exponent == 1
    if energy.potential is None or energy.interaction is not None or not entropy:
        raise Unsupported(
            f"SVGD samples exp(-V/T): the energy must be a potential and an entropy alone, got {shown(energy)}. For "
            "interactions without diffusion take InteractingParticles, with entropy EulerMaruyama."
        )
    require_potential_gradient(energy.potential, "SVGD")
