"""The forward step of the forward-backward scheme as a map."""

from dataclasses import dataclass, field

import numpy as np

from ..._core.errors import Diverged, NotAvailable, Unsupported
from ...energies.interactions import QuadraticAttraction, power_terms
from ...energies.internal import Entropy
from ...energies.mean_field import MomentField, mean_force, moment_field
from ...energies.potentials import Quadratic
from ...laws import Gaussian
from ...laws.maps import AffineMap, Map
from ...problems.exact_jko import gaussian_jko_step
from ...trajectory import Trajectory, time_grid
from ..maps.affine_residual import affine_step

LOST = 1e12  # a coordinate beyond this is a blow-up: the squares that follow would leave the finite numbers
SOURCES = 8192  # particles that the force W*ρ is taken from, where moments do not give it


@dataclass(frozen=True, eq=False)
class ForwardMap(Map):
    """T(x) = x - dt (∇V(x) + (1/N) Σ_j ∇W(x - x_j)) [salim2020]. sources : x_j, (N, d), the moments of all particles where these decide, or None without interaction."""

    potential: object
    kernel: object
    sources: np.ndarray | MomentField | None = field(repr=False)
    dt: float
    dim: int

    def lacks(self, question: str) -> str | None:
        if question in ("with_log_det", "invert"):
            return (
                "A forward step of this potential or kernel has no Hessian or no inverse here. Use scheme='backward'."
            )
        return super().lacks(question)

    def __call__(self, x):
        x = np.asarray(x)
        wide = x.astype(float)
        force = 0.0
        if self.potential is not None:
            force = force + gradient_of(self.potential, wide)
        if isinstance(self.sources, MomentField):
            force = force + self.sources(wide)
        elif self.kernel is not None:
            force = force + mean_force(self.kernel, self.sources, wide)
        return (wide - self.dt * force).astype(x.dtype)


def gradient_of(potential, x):
    """∇V at the points (n, d), or `NotAvailable` for a potential without a gradient."""
    if not hasattr(potential, "grad"):
        raise NotAvailable(
            f"{potential!r} has no grad, which the forward step needs. Give one, or use scheme='backward'."
        )
    return potential.grad(x)


def require_tame(kernel, dim):
    """`Unsupported` for a kernel whose force near z = 0 has no second moment: |z|^(p-1) with p <= 1 - d/2, log|z| on the line and in the plane.

    The step is then thrown out by particles that happen to be close, and E|T(x)|² of the law is infinite whatever the number of particles.
    """
    terms = power_terms(kernel)
    wild = getattr(kernel, "singular", False) if terms is None else min(p for _, p in terms) <= 1 - dim / 2
    if wild:
        raise Unsupported(
            f"The forward step of {kernel!r} in dimension {dim} moves particles that are close by distances without a second moment. "
            "Possible are kernels whose force is square integrable at 0. Use scheme='backward'."
        )


def forward_map(energy, pool, dt) -> AffineMap | ForwardMap:
    """The forward step from the particles (n, d): an AffineMap where V and W are quadratic, else a ForwardMap."""
    potential, kernel = energy.potential, energy.interaction
    if _affine(energy):
        dim = pool.shape[1]
        matrix, shift = np.eye(dim), np.zeros(dim)
        if potential is not None:
            matrix, shift = matrix - dt * potential.matrix, shift + dt * potential.matrix @ potential.center
        if kernel is not None:
            mean = pool.mean(axis=0, dtype=float)
            matrix, shift = matrix - dt * kernel.strength * np.eye(dim), shift + dt * kernel.strength * mean
        return affine_step(matrix, shift)
    sources = None if kernel is None else moment_field(kernel, pool)
    if kernel is not None and sources is None:
        sources = pool[:SOURCES].astype(float)
    return ForwardMap(potential, kernel, sources, dt, pool.shape[1])


def moved_forward(move, pool, dt):
    """The particles after the forward step, or `Diverged` where the explicit step threw one out."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = move(pool)
    far = np.abs(moved).max(axis=1)
    if not np.all(far <= LOST):
        i = int(np.argmax(~(far <= LOST)))
        raise Diverged(
            f"The explicit forward step of dt = {dt:g} moves a particle from {pool[i].tolist()} to {moved[i].tolist()}. It is stable for dt below 2/L only, "
            "L the largest curvature of V + W*ρ where the law has mass. Use a smaller dt or scheme='backward'.",
            particle=i,
        )
    return moved


def exact_forward_backward(problem, dt, times):
    """The forward-backward iterates themselves from a Gaussian under quadratic V and W and entropy [docs/math.md 4.3]; else `NotAvailable`.

    A Gaussian is pushed by the affine forward step, then takes the exact JKO step of the entropy. Its fixed point under V is the exact one.
    """
    energy, law = problem.energy, problem.initial
    closed = isinstance(law, Gaussian) and (energy.internal is None or isinstance(energy.internal, Entropy))
    if not (closed and _affine(energy)):
        raise NotAvailable(
            f"The forward-backward sequence of {problem.name!r} from {law!r} has no closed form here. Closed are Gaussians under quadratic potentials, "
            "quadratic attraction and entropy. Its time error is not told apart."
        )
    times, marks = time_grid((problem.horizon,) if times is None else times, dt)
    nothing, heat = np.zeros(law.dim), 0.0 if energy.internal is None else energy.internal.temperature
    laws, done = [], 0
    for mark in marks:
        for _ in range(mark - done):
            push = forward_map(energy, law.mean()[None], dt)
            cov = push.matrix @ law.cov() @ push.matrix.T
            law = Gaussian(*gaussian_jko_step(push(law.mean()), (cov + cov.T) / 2, np.diag(nothing), nothing, heat, dt))
        done = mark
        laws.append(law)
    return Trajectory(times, laws, {"steps": done})


def _affine(energy):
    """Whether the forward step is affine: V and W quadratic or absent."""
    return isinstance(energy.potential, Quadratic | type(None)) and isinstance(
        energy.interaction, QuadraticAttraction | type(None)
    )
