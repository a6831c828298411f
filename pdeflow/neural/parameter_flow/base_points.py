"""The points of the base law on which a parametric flow is projected, and the force on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..._core.errors import Unsupported
from ..._core.shapes import Matrix, Vector
from ..._core.validate import require_gradient
from ...energies.energy import Energy
from ...energies.internal import InternalEnergy
from ...energies.mean_field import mean_energy, mean_force
from ...laws import Law
from ..local_coordinates import require_resolved_law
from ..maps.parametric.map_family import PointTensor, Tangent, ValueTensor
from ..particles import draw
from .weighted_score import density_powers, draw_with_scores, require_finite_dissipation, with_scores

PAIRS_PER_POINT = 64  # for the standard error of an interaction energy


@dataclass(frozen=True)
class BasePoints:
    """Points z_i of the base law λ and what is known of it there.

    Parameters
    ----------
    law : Law
        λ.
    points : torch.Tensor, (n, d)
        z_i.
    log_density : torch.Tensor, (n,), or None
        log λ; None without internal energy.
    scores : tuple of (torch.Tensor (n, d), torch.Tensor (n,))
        λ^q ∇log λ and λ^q for each of `weighted_score.density_powers` of the internal energy.
    center : (d,) array
        Mean of λ.
    root : (d, d) array
        Lower triangular factor of the covariance of λ.
    """

    law: Law
    points: PointTensor
    log_density: ValueTensor | None
    scores: tuple[tuple[PointTensor, ValueTensor], ...]
    center: Vector
    root: Matrix

    @property
    def variance(self) -> float:
        """Mean variance of a coordinate of the base law."""
        return float((self.root**2).sum() / len(self.root))

    def force(self, energy: Energy, tangent: Tangent) -> tuple[PointTensor, float, float]:
        """The force on the moved points, the energy and its standard error.

        Parameters
        ----------
        energy : Energy
            F.
        tangent : Tangent
            Of the map T at these points.

        Returns
        -------
        force : torch.Tensor, (n, d)
            ∇δF/δρ at T(z_i) for the law ρ of T(z). A term c U_m of the internal energy gives c m ρ^(m-1) ∇log ρ, finite
            at the edge of a support; the interaction gives ∇W*ρ of the points themselves [docs/math.md 3].
        energy, stderr : float
            F and its Monte Carlo error on the points.
        """
        x, n = tangent.value.numpy(), len(tangent.value)
        total, values = torch.zeros_like(tangent.value), np.zeros(n)
        if energy.internal is not None and self.log_density is not None:
            log_density = self.log_density - tangent.log_det
            total = total + self._internal_force(energy.internal, tangent, log_density)
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
            shifts = 1 + np.arange(min(PAIRS_PER_POINT, n - 1))
            influence = values + np.mean(
                [energy.interaction.value(x - np.roll(x, int(shift), axis=0)) for shift in shifts], axis=0
            )
        return total, float(values.mean() + pairs), float(influence.std() / np.sqrt(n))

    def _internal_force(self, internal: InternalEnergy, tangent: Tangent, log_density: ValueTensor) -> PointTensor:
        """∇U'(ρ) at the moved points."""
        terms = internal.terms()
        if terms is None:  # ∇U'(ρ) = ρ U''(ρ) ∇log ρ
            density = np.exp(log_density.numpy())
            factor = torch.from_numpy(density * internal.second_derivative(density))
            return factor[:, None] * tangent.score(*self.scores[0])
        total = torch.zeros_like(tangent.value)
        for (coefficient, m), (score, weight) in zip(terms, self.scores, strict=True):
            part = tangent.score(score, weight)
            if m == 1:
                total = total + coefficient * part
            else:
                total = total + coefficient * m * torch.exp(-(m - 1) * tangent.log_det)[:, None] * part
        return total


def draw_base_points(law: Law, n: int, rng: np.random.Generator, internal: InternalEnergy | None) -> BasePoints:
    """n points of a law; from a Gaussian they have exactly its mean and covariance.

    Raises `Unsupported` where the internal energy needs a score that is not there, for a law that lies in a subspace,
    and for one so far from 0 that double precision does not hold it.
    """
    require_resolved_law(law)
    gaussian = law.as_gaussian()
    base = law if gaussian is None else gaussian
    log_density, scores = None, ()
    if internal is None:
        x = draw(base, n, n, rng)
    else:
        powers = density_powers(internal)
        require_finite_dissipation(base, powers)
        if gaussian is None:
            drawn = draw_with_scores(base, n, rng, powers)
        else:
            drawn = with_scores(base, draw(base, n, n, rng), powers)
        x, log_density = drawn.x, _tensor(drawn.log_density)
        scores = tuple((_tensor(each.score), _tensor(each.weight)) for each in drawn.scores)
    closed = base.pushed_from() is None and {"mean", "cov"} <= set(base.answers())
    center, cov = (base.mean(), base.cov()) if closed else (x.mean(axis=0), np.atleast_2d(np.cov(x.T, bias=True)))
    values = np.linalg.eigvalsh(cov)
    if not values[0] > 1e-12 * values[-1]:
        raise Unsupported(
            f"The initial law lies in a subspace: its covariance has eigenvalues from {values[0]:.3g} to "
            f"{values[-1]:.3g}. The "
            "map's coordinates are scaled by it. Start from a law that fills the space, with more samples "
            "than dimensions."
        )
    return BasePoints(law, torch.from_numpy(x), log_density, scores, np.array(center), np.linalg.cholesky(cov))


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
