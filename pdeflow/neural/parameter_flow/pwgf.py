"""PWGF: the gradient flow projected on the parameters of one map."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from ..._core.errors import Diverged, NotAvailable, NotConverged, Unsupported
from ..._core.validate import count, instance_of, one_of, positive
from ...laws import Gaussian
from ...laws.push_forward import PushForward
from ...method import Method
from ..maps.parametric import FAMILIES, Family, ParametricMap, Shape, build
from ..runtime import isolated
from .integrators import INTEGRATORS, Slopes, integrate
from .projection import project
from .samples import Samples, draw_samples

FAR = 1e12  # times the spread of the initial law; further off potentials overflow
RISE = 3.0  # standard errors by which the energy may rise above the lowest so far


@dataclass(frozen=True)
class State:
    """family : of maps. theta : (p,). samples : of the base law. slopes : θ' at theta. last : the report. trial : adaptive step to try next."""

    family: Family
    theta: np.ndarray
    samples: Samples
    slopes: Slopes
    last: dict
    trial: float
    lowest: float
    steps: int = 0


class ParametricFlow(Method):
    """What the flows of parameters share: a run is the ordinary differential equation of θ on points drawn once.

    A subclass is a dataclass with the fields map, samples, shape, damping, integrator and tolerance of `PWGF`, and has `project`.
    """

    def __post_init__(self):
        one_of(self.map, "map", tuple(FAMILIES))
        one_of(self.integrator, "integrator", INTEGRATORS)
        count(self.samples, "samples", 2)
        positive(self.tolerance, "tolerance")
        if self.damping != 0:
            positive(self.damping, "damping")
        instance_of(self.shape, "shape", Shape)

    def project(self, tangent, force, damping):
        """(θ', its velocity (n, d), facts for the report) from the `Tangent` and the force ∇δF at the points, (n, d); damping (p,)."""
        raise NotImplementedError

    def init(self, problem, rng):
        require_gradients(problem, type(self).__name__)
        samples = draw_samples(problem.initial, self.samples, rng, problem.energy.internal)
        family = build(self.map, samples.center, samples.root, self.shape)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        with isolated():
            theta = family.start(generator).numpy()
            slopes = self.slopes(problem, family, samples, theta)
        return State(
            family,
            theta,
            samples,
            slopes,
            {**slopes.found, "inner_steps": 0, "evaluations": 1},
            np.inf,
            slopes.found["energy"],
        )

    def step(self, problem, state, dt, rng):
        try:
            with isolated():
                theta, slopes, trial, inner, asked = integrate(
                    self.integrator, lambda theta: self.slopes(problem, state.family, state.samples, theta), state.theta, state.slopes, dt,
                    self.tolerance, state.trial,
                )  # fmt: skip
                family, theta = self._refined(state, theta)
                if family is not state.family:
                    slopes = self.slopes(problem, family, state.samples, theta)
            found = slopes.found
            if found["energy"] > state.lowest + RISE * found["energy_stderr"]:
                raise Diverged(
                    f"the energy rose to {found['energy']:.6g}, above its lowest {state.lowest:.6g} by more than {RISE:g} standard errors ({found['energy_stderr']:.2g}). "
                    f"A gradient flow must lower it. Use a smaller dt than {dt:g}, integrator='adaptive', more samples than {self.samples} or a larger damping than {self.damping:g}."
                )
        except (Diverged, NotConverged) as fault:
            facts = {**fault.facts, "step": state.steps + 1, "law": self.law(state)}
            raise type(fault)(f"Step {state.steps + 1}: {fault}", **facts) from fault
        before = {f"{name}_before": state.slopes.found[name] for name in ("delta0", "shortfall")}
        report = {**found, **before, "inner_steps": inner, "evaluations": asked}
        lowest = min(state.lowest, found["energy"])
        changed = {"family": family, "theta": theta, "slopes": slopes, "last": report, "trial": trial, "lowest": lowest}
        return replace(state, **changed, steps=state.steps + 1)

    def _refined(self, state, theta):
        family, finer = state.family.refined(torch.from_numpy(theta), state.samples.points)
        return family, (theta if family is state.family else finer.numpy())

    def slopes(self, problem, family, samples, theta):
        """The `Slopes` at θ (p,), numpy: θ' and the report. `Diverged` where the map folds or leaves the finite numbers."""
        tangent = family.tangent(torch.from_numpy(np.ascontiguousarray(theta)), samples.points)
        require_sound(tangent)
        force, energy, stderr = samples.force(problem.energy, tangent)
        eta, moved, facts = self.project(tangent, force, self.damping * samples.variance * family.damped)
        spread = float(tangent.value.std(0, correction=0).norm())
        dissipation = -float((force * moved).sum(1).mean())
        report = {
            **facts, "energy": energy, "energy_stderr": stderr, "dissipation": dissipation,
            "delta0": float(((moved + force) ** 2).sum(1).mean()), "shortfall": float((force**2).sum(1).mean()) - dissipation,
        }  # fmt: skip

        def size(change):
            return float((tangent.apply(torch.from_numpy(change)) ** 2).sum(1).mean().sqrt()) / spread

        return Slopes(eta.numpy(), size, report)

    def law(self, state):
        return pushed_law(state.samples.law, state.family, state.theta)

    def report(self, state):
        return dict(state.last)


@dataclass(frozen=True)
class PWGF(ParametricFlow):
    """θ' = -Ĝ(θ)⁺ ∇F(θ) for the law of T_θ(z), z ~ the initial law [jin2025, eq. (3.17) and (4.1)].

    Ĝ = (1/N) Σ ∂_θT(z_i)ᵀ ∂_θT(z_i) and ∇F = (1/N) Σ ∂_θT(z_i)ᵀ g_i, g_i = (∇δF/δρ)(T(z_i)), on the same N points [eq. (3.21)]: θ' is the
    least-squares solution of ∂_θT(z_i) θ' = -g_i, so that the equations are consistent and the sample errs only where the velocity leaves the
    tangent space. The points are drawn once for the whole run (from a Gaussian they are moved affinely to its exact mean and covariance), which makes
    the run an ordinary differential equation in θ. With map="affine" on Gaussian data under a quadratic V the integrand is quadratic, so that
    the run has no sampling error: U' = -(AU - D U^-T), v' = -A(v - b).

    map : "affine", "planar" (layers x + u tanh(w·x + b), invertible by construction), "residual" (tanh layers of any
    width), "ode" (a neural ODE) or "coordinatewise" (an increasing spline of each coordinate). samples : N. shape : Shape(layers, width, affine) of the map.
    solver : "auto", "dense", "lsmr" or "minres", see `projection.project`. damping : Ĝ + damping·s² P is inverted, s² the mean variance
    of the initial law, P the projection on the parameters of the layers (jin2025 has none; without it, directions to which T hardly responds, as
    those in w and b where u is small, are driven without bound). Where the tangent space holds the velocity it changes nothing.
    integrator : "euler" (jin2025), "heun", "rk4", or "adaptive": steps of orders 3 and 2 inside dt with an error below `tolerance` of the law's spread.

    The law is the Gaussian itself for map="affine" from a Gaussian, else a `PushForward` of the initial law.
    `report`: residual (true, of the normal equations), iterations, smallest_kept (eigenvalue of Ĝ), rank, energy, energy_stderr (Monte Carlo on
    the points), dissipation (-dF/dt), delta0 (∫|v + ∇δF|² dρ for the velocity v: its squared distance from that of the true flow; infinite for kernels
    whose force is not square integrable, as log|x| on the line, where the sample's number means nothing), shortfall (∫|∇δF|² dρ - dissipation: delta0 without
    damping, more with it), inner_steps, evaluations: at the law after the step, of the initial state too; and delta0_before, shortfall_before: of the law before it.

    `Unsupported`: no V.grad, internal energies other than Entropy and Power(m > 1), initial laws without a score under them.
    `Diverged`: the map folds, or the energy rises above its lowest by more than three standard errors. `NotConverged`: a linear solve without
    its residual. These carry `step` and `law`, the law of the last whole step.
    """

    map: str = "planar"
    samples: int = 12_000
    shape: Shape = field(default_factory=Shape)
    solver: str = "auto"
    damping: float = 1e-4
    integrator: str = "adaptive"
    tolerance: float = 1e-4

    def __post_init__(self):
        super().__post_init__()
        one_of(self.solver, "solver", ("auto", "dense", "lsmr", "minres"))

    def project(self, tangent, force, damping):
        found = project(tangent, force, self.solver, damping)
        facts = {
            "residual": found.residual,
            "iterations": found.iterations,
            "smallest_kept": found.smallest,
            "rank": found.rank,
        }
        return found.eta, found.moved, facts


def pushed_law(base, family, theta):
    """The law of T_θ(z), z ~ base: a Gaussian where it is one for certain, else a `PushForward` of the law that base itself is moved from."""
    move = ParametricMap(family, theta)
    if family.kind == "affine" and isinstance(base, Gaussian):
        mean, root = family.affine_of(theta)
        return Gaussian(mean, root @ root.T)
    if isinstance(base, PushForward):
        return PushForward(base.base, (*base.maps, move))
    return PushForward(base, (move,))


def require_sound(tangent):
    """`Diverged` where the map folds or leaves the finite numbers at a sample."""
    reach = float((tangent.value - tangent.family.center).abs().max() / tangent.family.root.norm())
    if not reach < FAR:
        raise Diverged(
            f"the map throws a sample {reach:.3g} times the spread of the initial law away. It must stay within {FAR:g}. Use a smaller dt or integrator='adaptive'."
        )
    if tangent.folded:
        raise Diverged(
            "the map folds: det ∂T <= 0 at a sample, so that it has no inverse. Use a smaller dt, integrator='adaptive', or map='planar' with Shape(affine=False), which cannot fold."
        )


def require_gradients(problem, method):
    """`Unsupported` unless potential and interaction have gradients."""
    x = problem.initial.sample(2, np.random.default_rng(0))
    for part, name in ((problem.energy.potential, "potential"), (problem.energy.interaction, "interaction")):
        if part is None:
            continue
        try:
            _answer: Any = part.grad(x)
        except (NotAvailable, AttributeError) as error:
            raise Unsupported(
                f"The {name} {part!r} has no gradient. {method} moves points along it. Give one, e.g. FromFunction(value, grad=..., dim={problem.dim})."
            ) from error
