"""The forward step of the forward-backward scheme as a map, and the exact sequence of that scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._core.errors import Diverged, NotAvailable
from ..._core.shapes import Points
from ...energies.interactions import as_quadratic_attraction
from ...energies.mean_field import MomentField, mean_force, moment_field
from ...energies.potentials import as_quadratic
from ...laws import Gaussian
from ...laws.maps import AffineMap, Map
from ...problems.exact_jko import gaussian_jko_step
from ...trajectory import Trajectory, time_grid
from ..maps.affine_residual import affine_step
from .particle_energy import gradient_of

LOST = 1e12  # a coordinate beyond this is a blow-up: the squares that follow would leave the finite numbers
SOURCES = 8192  # particles that the force W*ρ is taken from, where moments do not give it


@dataclass(frozen=True, eq=False)
class ForwardMap(Map):
    """T(x) = x - dt (∇V(x) + (1/N) Σ_j ∇W(x - x_j)) [salim2020].

    Parameters
    ----------
    potential, kernel : object or None
        V and W.
    sources : (N, d) array, MomentField or None
        x_j, the moments of all particles where these decide, or None without interaction.
    dt : float
        Time step.
    dim : int
        d.
    """

    potential: Any
    kernel: Any
    sources: np.ndarray | MomentField | None = field(repr=False)
    dt: float
    dim: int

    def lacks(self, question: str) -> str | None:
        if question in ("with_log_det", "invert"):
            return (
                "A forward step of this potential or kernel has no Hessian or no inverse here. Use scheme='backward'."
            )
        return super().lacks(question)

    def __call__(self, x: Points) -> Points:
        x = np.asarray(x)
        wide = x.astype(float)
        force = 0.0
        if self.potential is not None:
            force = force + gradient_of(self.potential, wide)
        if isinstance(self.sources, MomentField):
            force = force + self.sources(wide)
        elif self.sources is not None:
            force = force + mean_force(self.kernel, self.sources, wide)
        return (wide - self.dt * force).astype(x.dtype)


def forward_map(potential, kernel, pool: Points, dt: float) -> AffineMap | ForwardMap:
    """The forward step from the particles (n, d): affine where V and W are quadratic or absent, else `ForwardMap`."""
    if _quadratic(potential, kernel):
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


def moved_forward(move: Map, pool: Points, dt: float) -> Points:
    """The particles after the forward step, or `Diverged` where the explicit step threw one out."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = move(pool)
    far = np.abs(moved).max(axis=1)
    if not np.all(far <= LOST):
        i = int(np.argmax(~(far <= LOST)))
        raise Diverged(
            f"The explicit forward step of dt = {dt:g} moves a particle from {pool[i].tolist()} to "
            f"{moved[i].tolist()}. It is "
            "stable for dt below 2/L only, L the largest curvature of V + W*ρ where the law has mass. Use a smaller "
            "dt or "
            "scheme='backward'.",
            particle=i,
        )
    return moved


def exact_forward_backward(problem, dt: float, times) -> Trajectory:
    """The forward-backward iterates themselves from a Gaussian under quadratic V and W and entropy [docs/math.md 4.3].

    A Gaussian is pushed by the affine forward step, then takes the exact JKO step of the entropy. Its fixed point under
    V is the exact one. Raises `NotAvailable` for other problems.
    """
    energy, law = problem.energy, problem.initial.as_gaussian()
    terms = () if energy.internal is None else energy.internal.terms()
    closed = terms is not None and all(m == 1 for _, m in terms)
    if law is None or terms is None or not closed or not _quadratic(energy.potential, energy.interaction):
        raise NotAvailable(
            f"The forward-backward sequence of {problem.name!r} from {problem.initial!r} has no closed form here. "
            "Closed are "
            "Gaussians under quadratic potentials, quadratic attraction and entropy. Its time error is not told apart."
        )
    times, marks = time_grid((problem.horizon,) if times is None else times, dt)
    nothing, heat = np.zeros(law.dim), float(sum(c for c, _ in terms))
    laws, done = [], 0
    for mark in marks:
        for _ in range(mark - done):
            push = forward_map(energy.potential, energy.interaction, law.mean()[None], dt)
            mean, cov = push(law.mean()[None])[0], push.matrix @ law.cov() @ push.matrix.T
            law = Gaussian(*gaussian_jko_step(mean, (cov + cov.T) / 2, np.diag(nothing), nothing, heat, dt))
        done = mark
        laws.append(law)
    return Trajectory(times, laws, {"steps": done})


def _quadratic(potential, kernel):
    """Whether the forward step is affine: V and W quadratic or absent."""
    return (potential is None or as_quadratic(potential) is not None) and (
        kernel is None or as_quadratic_attraction(kernel) is not None
    )
