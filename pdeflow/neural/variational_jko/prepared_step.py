"""A step of VariationalJKO, prepared once: what the problem offers has been asked, and is asked no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..._core.errors import Unsupported
from ..._core.shapes import Matrix, Points, Values, Vector
from ...laws.draws import drawn
from ...laws.maps import Map
from ...laws.push_forward import PushForward
from ...problems.problem import Problem
from ..local_coordinates import Cloud, LocalCoordinates
from ..map_kinds import Affine
from ..particles import Pool, matched, moments, require_thickness
from .dual_ascent import DualAscent
from .dual_function import TestFamily, TestFunction
from .forward_step import forward_map, moved_forward
from .lower_bound import gain, lower_bound
from .map_descent import ConvexDescent, ResidualDescent, descent_of
from .particle_energy import ParticleEnergy
from .saddle import find_saddle, fit

PROBES = 4  # points of the law at which potentials and kernels are asked what they answer
MORE = 100  # iterations of the further fit of h that ends a step


@dataclass(frozen=True)
class State:
    """What a step begins with.

    Parameters
    ----------
    prepared : PreparedStep
        What `init` found out about the problem.
    law : PushForward
        The law so far.
    pool : Cloud
        Particles of the law.
    held : (array, array or None)
        Particles (k, d) that nothing is trained on, and their log density.
    start : (object, object)
        The map and the layers of the test function that the next step starts from, or None.
    test : TestFunction or None
        That of the last step.
    last : dict
        The report of the last step.
    steps : int
        How many were taken.
    """

    prepared: PreparedStep
    law: PushForward
    pool: Cloud
    held: tuple[Points, Values | None]
    start: tuple[Any, Any] = (None, None)
    test: TestFunction | None = None
    last: dict = field(default_factory=dict)
    steps: int = 0


class PreparedStep:
    """A forward step by the forces of all particles, then a backward one by the saddle; neither changes it.

    Parameters
    ----------
    problem : Problem
        Is asked for all that the steps need.
    method : VariationalJKO
        Its fields are the settings of the steps.
    """

    def __init__(self, problem: Problem, method: Any):
        energy = problem.energy
        self.method, self.internal = method, energy.internal
        self.dtype, self.device = getattr(torch, method.training.dtype), method.training.device
        self.family = None if energy.internal is None else TestFamily(energy.internal, problem.dim)
        explicit = method.scheme == "forward-backward"
        at = Cloud.of(drawn(problem.initial, PROBES, np.random.default_rng(0)), method.training.dtype)
        points = torch.as_tensor(at.points, dtype=self.dtype, device=self.device)
        self.outer = ParticleEnergy(energy, points, at.coordinates, explicit)
        self.implicit = not explicit and not self.outer.absent
        self.forward = explicit and not self.outer.absent
        self.backward = energy.internal is not None or self.implicit
        self.quadratic_suffices = self.family is not None and self.family.quadratic_suffices(problem.initial)

    def take(self, state: State, dt: float, seed: int) -> State:
        """The state one step later; `seed` decides all that is drawn."""
        law, pool, held, test, start, report = state.law, state.pool, state.held, None, state.start, {}
        if self.forward:
            move = forward_map(self.outer.potential, self.outer.kernel, pool.x, dt)
            moved = moved_forward(move, pool.x, dt)
            pool = Cloud.of(moved, moved.dtype)
            law, held = PushForward(law.base, (*law.maps, move)), _carried(move, held)
        if self.backward:
            move, test, start, pool, report = self._backward(law, pool, state.start, dt, seed)
            law, held = PushForward(law.base, (*law.maps, move)), _carried(move, held)
        before = report.pop("before", None)
        bound = lower_bound(
            self.outer, test, *held, self.method.batch, np.random.default_rng([seed, 1]), pool.coordinates.center
        )
        report = {"test": "none"} | report | bound
        report["loss"] = bound["bound"] + float(((pool.x - state.pool.x) ** 2).sum(-1).mean()) / (2 * dt)
        if before is not None and test is not None:
            report["gain"] = gain(before, test, held[0], np.random.default_rng([seed, 1]))
        return State(self, law, pool, held, start, test, report, state.steps + 1)

    def _backward(self, law, pool, start, dt, seed):
        """(map, test function, what the next step starts from, moved particles, report) of the JKO step."""
        method, generator = self.method, torch.Generator().manual_seed(seed)
        cloud, coordinates, pool = pool, pool.coordinates, pool.points
        center, cov = moments(pool)
        if not np.linalg.eigvalsh(cov)[0] > 0:
            raise Unsupported(
                "The law has no spread in some direction. VariationalJKO scales lengths by it. Start from a law with a "
                "density."
            )
        require_thickness(cov, method.training.dtype)
        blocks = self.blocks(pool, generator)
        move = self.map_in_training(center, cov, _inward(start[0], coordinates), generator)
        dual = self.dual_in_training(law, pool, center, cov, coordinates, start[1], generator)
        if dual is not None and dual.network and start[1] is None and not self.quadratic_suffices:
            # h must know the first law before T receives any signal
            fit(dual, blocks, 2 * method.outer, method.dual.rate)
        rates = method.learning_rate, method.dual.rate
        force = self.force_in(coordinates)
        # forces are by x, displacements in units of the coordinates
        report = find_saddle(force, move, dual, blocks, dt / coordinates.unit, method.outer, method.inner, rates)
        moved = _push(move.finished(), pool)
        test = None
        if dual is not None:
            report |= {"test": "network" if dual.network else "quadratic", "test_gradient_norm": dual.norm()}
            test = self._converge(dual, moved, generator, report)
        layers = test.layers if test is not None else None
        raw = move.raw().placed(coordinates.center, coordinates.unit)
        return move.finished(coordinates), test, (raw, layers), cloud.moved(moved), report

    def force_in(self, coordinates: LocalCoordinates) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """∇V + ∇W*ρ by x at points in these coordinates; None where the map is not trained on them."""
        return (lambda y: self.outer.force(y, coordinates)) if self.implicit else None

    def blocks(self, pool: Points, generator: torch.Generator) -> Pool:
        """The particles in batches that have the moments of the whole."""
        batch = self.method.batch
        return Pool(matched(pool, batch).reshape(pool.shape), batch, generator, self.dtype, self.device)

    def map_in_training(
        self, center: Vector, cov: Matrix, previous: Any, generator: torch.Generator
    ) -> ConvexDescent | ResidualDescent:
        """The map in training for a law of this mean and covariance; previous : what it starts from, or None."""
        return descent_of(self.method.map, center, cov, previous, generator, self.dtype, self.device)

    def dual_in_training(
        self,
        law: PushForward,
        pool: Points,
        center: Vector,
        cov: Matrix,
        coordinates: LocalCoordinates,
        layers: Any,
        generator: torch.Generator,
    ) -> DualAscent | None:
        """The test function for the law; layers : what its network starts from, or None. None without internal energy.

        It has no network where every law of this step is Gaussian, or a Barenblatt profile of the same m: under affine
        maps.
        """
        if self.internal is None or self.family is None:
            return None
        dual = self.method.dual
        affine = isinstance(self.method.map, Affine) and all(move.affine for move in law.maps)
        sizes = () if affine and self.quadratic_suffices else (dual.width,) * dual.depth
        balls = self.family.balls_around(pool, center, cov, dual.margin)
        return DualAscent(
            self.internal, self.family, self.method.batch, sizes, layers, balls, coordinates, generator, self.dtype,
            self.device,
        )  # fmt: skip

    def _converge(self, dual, moved, generator, report):
        """The test function after a further fit on the moved particles; the one before it goes into the report."""
        whole = torch.as_tensor(moved, dtype=self.dtype, device=self.device)
        dual.follow(whole)
        if not dual.network:
            return dual.finished()
        report["before"] = dual.finished()
        fit(dual, self.blocks(moved, generator), MORE, self.method.dual.rate)
        dual.follow(whole)
        return dual.finished()


def _inward(raw, coordinates):
    """What the step before arrived at, seen in these coordinates; None stays None."""
    if raw is None:
        return None
    here = LocalCoordinates(np.zeros(raw.dim)).within(coordinates)
    return raw.placed(here.center, here.unit)


def _carried(move: Map, held):
    """Held-out points and their log density, moved; by rows, as a Hessian per point is large."""
    x, log_density = held
    if log_density is None or move.lacks("with_log_det") is not None:
        return _push(move, x), None
    parts = [move.with_log_det(part) for part in _rows(x, 1024)]
    return np.concatenate([moved for moved, _ in parts]), log_density - np.concatenate([volume for _, volume in parts])


def _push(move: Map, x):
    """T(x) by rows, in the dtype of x."""
    move = move.astype(x.dtype)
    return np.concatenate([move(part) for part in _rows(x, 8192)]).astype(x.dtype)


def _rows(x, most):
    return np.array_split(x, max(1, len(x) // most))
