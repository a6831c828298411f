"""What PWGF and PFPE share: a run is the ordinary differential equation of θ on points that are drawn once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..._core.errors import Diverged, NotAvailable, NotConverged, Unsupported
from ..._core.shapes import Values
from ..._core.validate import count, positive
from ...energies.energy import Energy
from ...laws import Gaussian, Law
from ...laws.draws import drawn
from ...method import Method
from ...problems.problem import Problem
from ..local_coordinates import require_resolved_law
from ..map_kinds import require_kind
from ..maps.parametric import PARAMETRIC_KINDS, MapFamily, ParametricMap, Tangent, build
from ..maps.parametric.map_family import MapKind, Parameters, PointTensor
from ..requirements import require_function
from ..runtime import isolated
from .base_points import BasePoints, draw_base_points
from .integrators import INTEGRATORS, Integrator, Slopes

FARTHEST = 1e12  # times the spread of the initial law that a point may reach; further off potentials overflow
ENERGY_RISE = 3.0  # standard errors by which the energy may rise above the lowest so far


@dataclass(frozen=True)
class State:
    """Where a run of a parametric flow is.

    Parameters
    ----------
    energy : Energy
        Of the problem.
    points : BasePoints
        Of the initial law.
    family : MapFamily
        Of the maps.
    theta : (p,) array
        θ.
    slopes : Slopes
        θ' at θ; `found` is the report there.
    last : dict
        The report of the last step.
    trial : float
        The step that an adaptive integrator tries next.
    lowest : float
        The lowest energy so far.
    steps : int
        Steps taken.
    """

    energy: Energy
    points: BasePoints
    family: MapFamily
    theta: Values
    slopes: Slopes
    last: dict[str, Any]
    trial: float
    lowest: float
    steps: int = 0


class ParametricFlow(Method):
    """The steps that `PWGF` and `PFPE` have in common.

    A subclass is a dataclass with the fields map, samples, damping and integrator of `PWGF`, and has `project`.
    """

    map: MapKind
    samples: int
    damping: float
    integrator: Integrator

    def __post_init__(self):
        require_kind(self.map, "map", PARAMETRIC_KINDS)
        require_kind(self.integrator, "integrator", INTEGRATORS)
        count(self.samples, "samples", 2)
        if self.damping != 0:
            positive(self.damping, "damping")

    @abstractmethod
    def project(
        self, tangent: Tangent, force: PointTensor, damping: Parameters
    ) -> tuple[Parameters, PointTensor, dict[str, Any]]:
        """θ', its velocity at the points, and facts for the report.

        Parameters
        ----------
        tangent : Tangent
            At θ and the n points.
        force : torch.Tensor, (n, d)
            ∇δF at the moved points.
        damping : torch.Tensor, (p,)
            What is added to the diagonal of the metric.
        """

    def init(self, problem: Problem, rng: np.random.Generator) -> State:
        with isolated():
            require_resolved_law(problem.initial)
            require_gradients(problem, type(self).__name__)
            points = draw_base_points(problem.initial, self.samples, rng, problem.energy.internal)
            family = build(self.map, points.center, points.root)
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            theta = family.start(generator).numpy()
            slopes = self._slopes(problem.energy, points, family, theta)
        last = {**slopes.found, "inner_steps": 0, "evaluations": 1}
        return State(problem.energy, points, family, theta, slopes, last, np.inf, slopes.found["energy"])

    def step(self, problem: Problem, state: State, dt: float, rng: np.random.Generator) -> State:
        try:
            return self._step(state, dt)
        except (Diverged, NotConverged) as fault:
            facts = {**fault.facts, "step": state.steps + 1, "law": self.law(state)}
            raise type(fault)(f"Step {state.steps + 1}: {fault}", **facts) from fault

    def _step(self, state: State, dt: float) -> State:
        def slope(theta):
            return self._slopes(state.energy, state.points, state.family, theta)

        with isolated():
            moved = self.integrator.advance(slope, state.theta, state.slopes, dt, state.trial)
            family, finer = state.family.refined(torch.from_numpy(moved.theta), state.points.points)
            theta, slopes = moved.theta, moved.slopes
            if family is not state.family:
                theta = finer.numpy()
                slopes = self._slopes(state.energy, state.points, family, theta)
        found = slopes.found
        if found["energy"] > state.lowest + ENERGY_RISE * found["energy_stderr"]:
            raise Diverged(
                f"the energy rose to {found['energy']:.6g}, above its lowest {state.lowest:.6g} by more than "
                f"{ENERGY_RISE:g} "
                f"standard errors ({found['energy_stderr']:.2g}). A gradient flow must lower it. Use a "
                f"smaller dt than {dt:g}, "
                f"integrator=Adaptive(), more samples than {self.samples} or a larger damping than {self.damping:g}."
            )
        before = {f"{name}_before": state.slopes.found[name] for name in ("delta0", "shortfall")}
        return replace(
            state,
            family=family,
            theta=theta,
            slopes=slopes,
            last={**found, **before, "inner_steps": moved.steps, "evaluations": moved.evaluations},
            trial=moved.trial,
            lowest=min(state.lowest, found["energy"]),
            steps=state.steps + 1,
        )

    def _slopes(self, energy: Energy, points: BasePoints, family: MapFamily, theta: Values) -> Slopes:
        """θ' and the report at θ. Raises `Diverged` where the map folds or leaves the finite numbers."""
        tangent = family.tangent(torch.from_numpy(np.ascontiguousarray(theta)), points.points)
        require_sound(tangent)
        force, value, stderr = points.force(energy, tangent)
        eta, moved, facts = self.project(tangent, force, self.damping * points.variance * family.damped)
        spread = float(tangent.value.std(0, correction=0).norm())
        dissipation = -float((force * moved).sum(1).mean())
        report = {
            **facts,
            "energy": value,
            "energy_stderr": stderr,
            "dissipation": dissipation,
            "delta0": float(((moved + force) ** 2).sum(1).mean()),
            "shortfall": float((force**2).sum(1).mean()) - dissipation,
        }

        def size(change):
            return float((tangent.apply(torch.from_numpy(change)) ** 2).sum(1).mean().sqrt()) / spread

        return Slopes(eta.numpy(), size, report)

    @isolated()
    def law(self, state: State) -> Law:
        return pushed_law(state.points.law, state.family, state.theta)

    def report(self, state: State) -> Mapping[str, Any]:
        return dict(state.last)


def pushed_law(base: Law, family: MapFamily, theta: Values) -> Law:
    """The law of T_θ(z), z ~ base: a Gaussian where it is one for certain, else a push-forward."""
    image = family.image_of_standard(torch.from_numpy(np.array(theta)))
    if image is not None and base.as_gaussian() is not None:
        mean, root = image
        return Gaussian(mean, root @ root.T)
    return base.pushed(ParametricMap(family, theta))


def require_sound(tangent: Tangent) -> None:
    """Raise `Diverged` where the map folds or leaves the finite numbers at a sample."""
    reach = float((tangent.value - tangent.family.center).abs().max() / tangent.family.root.norm())
    if not reach < FARTHEST:
        raise Diverged(
            f"the map throws a sample {reach:.3g} times the spread of the initial law away. It must stay "
            f"within {FARTHEST:g}. "
            "Use a smaller dt or integrator=Adaptive()."
        )
    if tangent.folded:
        raise Diverged(
            "the map folds: det ∂T <= 0 at a sample, so that it has no inverse. It must keep det ∂T > 0. Use "
            "a smaller dt, "
            "integrator=Adaptive(), or map=Planar(affine=False), which cannot fold."
        )


def require_gradients(problem: Problem, method: str) -> None:
    """Raise `Unsupported` unless potential and interaction have gradients."""
    x = drawn(problem.initial, 2, np.random.default_rng(0))
    for part, name in ((problem.energy.potential, "potential"), (problem.energy.interaction, "interaction")):
        if part is None:
            continue
        try:
            require_function(part.grad, part, x, "Its gradient is taken there.")
        except (NotAvailable, AttributeError) as error:
            raise Unsupported(
                f"The {name} {part!r} has no gradient. {method} moves points along it. Give one, e.g. "
                f"FromFunction(value, grad=..., dim={problem.dim})."
            ) from error
