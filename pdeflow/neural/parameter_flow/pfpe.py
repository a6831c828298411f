"""PFPE: the parametric flow in the true metric, through the inner problem for gradient fields."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from ..._core.errors import BadInput
from ..._core.validate import count
from ..map_kinds import Planar
from ..maps.parametric.map_family import JACOBIAN_NUMBERS, MapKind
from .gradient_fields import GradientFields
from .integrators import Adaptive, Integrator
from .parametric_flow import ParametricFlow

ROUND_OFF_SHARE = 1e-12  # eigenvalues of the metric below this share of the largest are round-off


@dataclass(frozen=True)
class PFPE(ParametricFlow):
    """The parametric Fokker-Planck flow: θ' = -G(θ)⁺ ∇F(θ) in the true metric of the laws.

    Parameters
    ----------
    map, samples, damping, integrator
        As in `PWGF`.
    features : int
        Hidden neurons of the network whose gradients make the space of gradient fields.
    remainder : float
        What the part of a displacement that is not a gradient costs relative to the gradient part, in [0, 1]. 0 is G,
        which leaves rotations free (on a sample and with finitely many fields, not only these); 1 is Ĝ, the metric of
        `PWGF`.

    Raises
    ------
    BadInput, Unsupported, Diverged, NotConverged
        As `PWGF`; `Unsupported` also where the gradient fields would not fit into memory.

    Notes
    -----
    G_ij = ∫∇ψ_i·∇ψ_j dρ, with ∇ψ_i the gradient part of ∂_θi T∘T⁻¹ [liu2022; jin2025 eq. (3.14)]. Only the gradient
    part of a displacement moves mass, so G <= Ĝ, with equality on the line. One time step of liu2022 (Algorithm 4.1;
    docs/math.md 13.10) is the bilevel problem min_θ max_ψ ∫(2∇ψ·v_θ - |∇ψ|²) dρ + 2 dt F(θ), v_θ = (T_θ - T_θk)∘T_θk⁻¹.
    Where we differ:

    - The inner problem, min_ψ ∫|∇ψ - v|² dρ, is solved to round-off: ψ is a network of one hidden layer whose inner
      weights are drawn once, which leaves linear least squares (liu2022: 60 Adam steps for a ReLU network, from noise,
      for each of 30 steps of θ). Its fields contain ∇δF, so that ∇F is in the range of G, and on the points
      x_i = T_θ(z_i) of the sample no inverse is needed.
    - The outer problem is linearised, which leaves the differential equation of θ and its integrators (liu2022: 30 Adam
      steps). To minimise it with the sample mean of -log|det ∂T| as energy fits the accidents of the sample: tried by
      L-BFGS on the line, where both flows are one, it missed PWGF by 0.13 whatever dt (double well, 1000 points, 14
      parameters), while ∇F = E ∂_θTᵀ∇δF on the same points agrees with it.

    `benchmarks/pwgf.py` has the published loop beside this.

    The report is that of `PWGF` (delta0 is ∫|∇ψ + ∇δF|² dρ with ∇ψ the gradient part of the velocity) without the facts
    of its solver; it has fields (dimension of the space of gradient fields), rank (of the metric), and unseen (the
    share of |∂_θT θ'|² that is not a gradient).

    References
    ----------
    [liu2022], [jin2025].
    """

    map: MapKind = field(default_factory=Planar)
    samples: int = 12_000
    features: int = 100
    remainder: float = 0.01
    damping: float = 1e-4
    integrator: Integrator = field(default_factory=Adaptive)

    def __post_init__(self):
        super().__post_init__()
        count(self.features, "features", 0)
        if (
            isinstance(self.remainder, bool)
            or not isinstance(self.remainder, int | float)
            or not 0 <= self.remainder <= 1
        ):
            raise BadInput(
                f"remainder is {self.remainder!r}. It must lie in [0, 1]. 0 is the true metric, 1 that of PWGF."
            )

    def project(self, tangent, force, damping):
        n, dim = force.shape
        # one seed, whatever the run: the fields must depend smoothly on θ
        space = GradientFields(tangent.value.numpy(), force.numpy(), self.features, np.random.default_rng(0))
        basis = torch.from_numpy(space.basis)
        seen = torch.zeros(space.rank, tangent.size, dtype=torch.float64)
        gram = torch.zeros(tangent.size, tangent.size, dtype=torch.float64)
        rows = max(1, JACOBIAN_NUMBERS // (dim * tangent.size))
        for begin in range(0, n, rows):
            part = tangent.rows(slice(begin, begin + rows))
            seen += basis[begin * dim : (begin + rows) * dim].T @ part
            gram += part.T @ part
        metric = ((1 - self.remainder) * seen.T @ seen + self.remainder * gram) / n + torch.diag(damping)
        values, axes = torch.linalg.eigh(metric)
        kept = values > ROUND_OFF_SHARE * values[-1]
        right = -tangent.transpose(force) / n
        eta = axes[:, kept] @ ((axes[:, kept].T @ right) / values[kept])
        moved = tangent.apply(eta)
        gradient = torch.from_numpy(space.project(moved.numpy()))
        whole = float((moved**2).sum())
        unseen = float(((moved - gradient) ** 2).sum()) / whole if whole > 0 else 0.0
        return eta, gradient, {"fields": space.rank, "rank": int(kept.sum()), "unseen": unseen}
