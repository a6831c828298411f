"""The forward step of the forward-backward scheme as a map."""

from dataclasses import dataclass

import numpy as np

from ...errors import NotAvailable
from ...interactions import QuadraticAttraction
from ...mean_field import mean_force
from ...potentials import Quadratic
from .maps import LinearMap

SOURCES = 8192  # particles of the law that the force W*ρ is taken from


@dataclass(frozen=True, eq=False)
class ForwardMap:
    """T(x) = x - dt (∇V(x) + (1/N) Σ_j ∇W(x - x_j)) [salim2020]. sources : x_j, (N, d), or None without interaction."""

    potential: object
    kernel: object
    sources: np.ndarray | None
    dt: float

    no_density = "A forward step of this potential or kernel has no Hessian or no inverse here. Use scheme='backward'."
    no_inverse = no_density

    def __call__(self, x):
        x = np.asarray(x)
        wide = x.astype(float)
        force = 0.0
        if self.potential is not None:
            force = force + gradient_of(self.potential, wide)
        if self.kernel is not None:
            force = force + mean_force(self.kernel, self.sources, wide)
        return (wide - self.dt * force).astype(x.dtype)


def gradient_of(potential, x):
    """∇V at the points (n, d), or `NotAvailable` for a potential without a gradient."""
    if not hasattr(potential, "grad"):
        raise NotAvailable(
            f"{potential!r} has no grad, which the forward step needs. Give one, or use scheme='backward'."
        )
    return potential.grad(x)


def forward_map(energy, pool, dt):
    """The forward step from the particles (n, d): a LinearMap where V and W are quadratic, else a ForwardMap."""
    potential, kernel = energy.potential, energy.interaction
    linear = (potential is None or isinstance(potential, Quadratic)) and (
        kernel is None or isinstance(kernel, QuadraticAttraction)
    )
    if linear:
        dim = pool.shape[1]
        matrix, shift = np.eye(dim), np.zeros(dim)
        if potential is not None:
            matrix, shift = matrix - dt * potential.matrix, shift + dt * potential.matrix @ potential.center
        if kernel is not None:
            mean = pool.mean(axis=0, dtype=float)
            matrix, shift = matrix - dt * kernel.strength * np.eye(dim), shift + dt * kernel.strength * mean
        return LinearMap(matrix, shift)
    sources = None if kernel is None else pool[:SOURCES].astype(float)
    return ForwardMap(potential, kernel, sources, dt)
