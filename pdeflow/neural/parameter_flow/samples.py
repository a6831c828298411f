"""The points of the base law on which a parametric flow is projected, and the force on them."""

from dataclasses import dataclass

import numpy as np
import torch

from ..._core.errors import Unsupported
from ..._core.validate import require_gradient
from ...energies.mean_field import mean_energy, mean_force
from ...laws import Gaussian, Law
from ..particles import draw
from .score import draw_with_score, exponent, with_score

PARTNERS = 64  # of every point, for the standard error of an interaction energy


@dataclass(frozen=True)
class Samples:
    """law : the base law. points : z_i, (n, d). log_density : log λ, (n,). score : λ^q ∇log λ, (n, d), weight : λ^q, (n,), with the q of the
    internal energy (`score.exponent`); None without one. center (d,), root (d, d) lower triangular: mean and Cholesky factor of the covariance.
    Torch tensors, but for center and root.
    """

    law: Law
    points: torch.Tensor
    log_density: torch.Tensor | None
    score: torch.Tensor | None
    weight: torch.Tensor | None
    center: np.ndarray
    root: np.ndarray

    @property
    def variance(self):
        """Mean variance of a coordinate of the base law."""
        return float((self.root**2).sum() / len(self.root))

    def force(self, energy, tangent):
        """(∇δF/δρ at the points T(z_i), (n, d); F; its standard error) for the law of T, from the tangent at these points.

        Entropy: D ∇log ρ. Power(m): c m ρ^(m-1) ∇log ρ, finite at the edge of a support. Interaction: ∇W*ρ of the points themselves [docs/math.md 3].
        """
        x, n = tangent.value.numpy(), len(tangent.value)
        total, values = torch.zeros_like(tangent.value), np.zeros(n)
        if energy.internal is not None:
            log_density = self.log_density - tangent.log_det
            score, q = tangent.score(self.score, self.weight), exponent(energy.internal)
            if q:
                score = (
                    energy.internal.coefficient * energy.internal.m * torch.exp(-q * tangent.log_det)[:, None] * score
                )
            else:
                score = energy.internal.temperature * score
            total = total + score
            values += energy.internal.per_mass_of_log(log_density.numpy())
        if energy.potential is not None:
            gradient = np.asarray(energy.potential.grad(x))
            require_gradient(gradient, x, "potential.grad(x)")
            total = total + torch.from_numpy(np.ascontiguousarray(gradient, dtype=float))
            values += energy.potential.value(x)
        influence, pairs = values, 0.0
        if energy.interaction is not None:
            total = total + torch.from_numpy(mean_force(energy.interaction, x))
            pairs = mean_energy(energy.interaction, x)
            shifts = 1 + np.arange(min(PARTNERS, n - 1))
            influence = values + np.mean(
                [energy.interaction.value(x - np.roll(x, int(shift), axis=0)) for shift in shifts], axis=0
            )
        return total, float(values.mean() + pairs), float(influence.std() / np.sqrt(n))


def draw_samples(law, n, rng, internal):
    """`Samples` of `law`; from a Gaussian with exactly its mean and covariance. `Unsupported` where `internal` needs a score that is not there."""
    log_density = score = weight = None
    if internal is None:
        x = draw(law, n, n, rng)
    else:
        q = exponent(internal)
        x, *rest = (
            with_score(law, draw(law, n, n, rng), q) if isinstance(law, Gaussian) else draw_with_score(law, n, rng, q)
        )
        log_density, score, weight = (torch.from_numpy(np.ascontiguousarray(part)) for part in rest)
    closed = "mean" in law.answers() and "cov" in law.answers() and not hasattr(law, "maps")
    center, cov = (law.mean(), law.cov()) if closed else (x.mean(axis=0), np.atleast_2d(np.cov(x.T, bias=True)))
    values = np.linalg.eigvalsh(cov)
    if not values[0] > 1e-12 * values[-1]:
        raise Unsupported(
            f"The initial law lies in a subspace: its covariance has eigenvalues from {values[0]:.3g} to {values[-1]:.3g}. The map's coordinates are scaled "
            "by it. Start from a law that fills the space, with more samples than dimensions."
        )
    return Samples(law, torch.from_numpy(x), log_density, score, weight, np.array(center), np.linalg.cholesky(cov))
