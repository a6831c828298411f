"""PWGF: the gradient flow projected on the parameters of one map."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._core.validate import one_of
from ..map_kinds import Planar
from ..maps.parametric.map_family import MapKind
from .integrators import Adaptive, Integrator
from .parametric_flow import ParametricFlow
from .projection import SOLVERS, project


@dataclass(frozen=True)
class PWGF(ParametricFlow):
    """The parametrised Wasserstein gradient flow: θ' = -Ĝ(θ)⁺ ∇F(θ) for the law of T_θ(z), z ~ the initial law.

    Parameters
    ----------
    map : Affine, Planar, Residual, NeuralODE or Coordinatewise
        The kind of T_θ with its settings, objects of `pdeflow.neural`.
    samples : int
        N, the number of points.
    solver : {"auto", "dense", "lsmr", "minres"}
        Of the least-squares problem for θ': by the eigenvalues of Ĝ, or by Krylov iterations. "auto" is "dense" up to
        1200 parameters or where Ĝ is block diagonal, else "lsmr".
    damping : float
        ε >= 0: Ĝ + ε s² P is inverted, with s² the mean variance of a coordinate of the initial law and P the
        projection on the parameters of the layers. [jin2025] has none; without it, directions to which T hardly
        responds, as those in w and b where u is small, are driven without bound. Where the tangent space holds the
        velocity it changes nothing.
    integrator : Euler, Heun, RK4 or Adaptive
        Of the equation for θ, objects of `pdeflow.neural`; [jin2025] has Euler.

    Raises
    ------
    BadInput
        For values outside these ranges.
    Unsupported
        By `init`: for a potential or kernel without gradient, an internal energy that is not a sum of entropies and
        powers m > 1, an initial law without a score under it, and one that lies in a subspace.
    Diverged
        By `step`: where the map folds, or the energy rises above its lowest by more than three standard errors.
    NotConverged
        By `step`: where a linear solve misses its residual. Both carry `step` and `law`, the law of the last whole
        step.

    Notes
    -----
    With g_i = (∇δF/δρ)(T(z_i)) at N points z_i of the initial law,

        Ĝ = (1/N) Σ ∂_θT(z_i)ᵀ ∂_θT(z_i),    ∇F = (1/N) Σ ∂_θT(z_i)ᵀ g_i

    [jin2025 eq. (3.17), (3.21) and (4.1)]: θ' is the least-squares solution of ∂_θT(z_i) θ' = -g_i, so that the
    equations are consistent and the sample errs only where the velocity leaves the tangent space. The points are drawn
    once for the whole run (from a Gaussian they are moved affinely to its exact mean and covariance), which makes the
    run an ordinary differential equation in θ. With affine maps on Gaussian data under a quadratic V the integrand is
    quadratic, so that the run has no sampling error: U' = -(AU - D U^-T), v' = -A(v - b).

    The law of a state is a Gaussian for affine maps of a Gaussian, else a `PushForward` of the initial law.

    The report has, at the law after the step and of the initial state too: residual (true, of the normal equations),
    iterations, smallest_kept (eigenvalue of Ĝ), rank; energy, energy_stderr (Monte Carlo on the points), dissipation
    (-dF/dt); delta0, which is ∫|v + ∇δF|² dρ for the velocity v: its squared distance from that of the true flow
    (infinite for kernels whose force is not square integrable, as log|x| on the line, where the sample's number means
    nothing); shortfall, which is ∫|∇δF|² dρ - dissipation: delta0 without damping, more with it; inner_steps and
    evaluations. It also has delta0_before and shortfall_before, of the law before the step.

    References
    ----------
    [jin2025].
    """

    map: MapKind = field(default_factory=Planar)
    samples: int = 12_000
    solver: str = "auto"
    damping: float = 1e-4
    integrator: Integrator = field(default_factory=Adaptive)

    def __post_init__(self):
        super().__post_init__()
        one_of(self.solver, "solver", SOLVERS)

    def project(self, tangent, force, damping):
        found = project(tangent, force, self.solver, damping)
        facts = {
            "residual": found.residual,
            "iterations": found.iterations,
            "smallest_kept": found.smallest,
            "rank": found.rank,
        }
        return found.eta, found.moved, facts
