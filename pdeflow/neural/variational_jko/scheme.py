"""Variational JKO: each JKO step is a minimum over maps of a maximum over test functions, from samples alone."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..._core.errors import Diverged, NotConverged, Unsupported
from ..._core.validate import count, instance_of, one_of, positive
from ...energies.energy import Energy
from ...energies.internal import Entropy, Power
from ...laws import Barenblatt, Gaussian, Law
from ...laws.push_forward import PushForward
from ...method import Method
from ...trajectory import exact_jko
from ..particles import Pool, draw_evenly, held_out, matched, moments
from ..requirements import require_density
from ..runtime import isolated, out_of_memory, require_device
from ..settings import Network, Training
from .ascent import Dual
from .descent import Convex, Residual
from .dual_function import balls_around
from .forces import force_of, require_values
from .forward import exact_forward_backward, forward_map, gradient_of, moved_forward, require_tame
from .measure import gain, measure
from .saddle import fit, train
from .settings import Saddle

MORE = 100  # iterations of the further fit of h that ends a step
HELD = 16  # blocks that are never trained on


@dataclass(frozen=True)
class State:
    """law : so far. pool : (n, d) particles. held : ((k, d) particles never trained on, their log density or None). start : what the next step begins with."""

    law: Law
    pool: np.ndarray
    held: tuple
    start: tuple = (None, None)
    test: Any = None
    last: dict = field(default_factory=dict)
    steps: int = 0


@dataclass(frozen=True)
class VariationalJKO(Method):
    """ρ_{k+1} = T#ρ_k with T from min_T max_h ½E|x - T(x)|²/dt + E V(T(x)) + ½E W(T(x) - T(x')) + (the bound of ∫U(T#ρ) by h) [fan2022].

    map : "icnn" (the gradient of a convex network: invertible, so the law has a density), "linear" (affine: Gaussian and Barenblatt flows exactly) or
    "residual" (as in fan2022iclr: no density, `NotAvailable` with the reason).
    scheme : "backward" (the JKO step of the whole energy) or "forward-backward" (x - dt ∇(V + W*ρ), then the JKO step of the internal energy alone
    [salim2020]; without internal energy the backward step is the identity).
    outer : descent steps of T a JKO step, each after `inner` ascent steps of h. batch : particles a step. learning_rate : of T.
    networks : Saddle(...). training : Training(pool, dtype, device); its tolerance is not used.

    The internal energy enters through the variational formulas (`propositions`), with a test function whose quadratic part is optimal in closed form at
    every iteration (`TestFunction`); the reference is the Gaussian, for Power the ball, of the current law. Where the law stays Gaussian or Barenblatt (linear maps) no network is
    needed for h, and none is trained.
    `report`: bound (a lower bound of the energy from held-out particles), bound_stderr; energy, gap and gap_stderr where the maps have densities; gain: what a
    further fit of h added to the bound (an h that has converged gains nothing, but one that gains little may still be far below: gap tells); gradient_norm and test_gradient_norm, of the mean gradients; test: "quadratic", "network" or
    "none"; iterations; loss: bound + E|x - T(x)|²/(2 dt).
    `test_function(state)` is the trained h, of a state in a loop of one's own: state = method.init(problem, rng), then method.step(problem, state, dt, rng).
    A law whose last word was a forward step of a potential or kernel that is not quadratic has no density either.

    `Unsupported` for internal energies other than Entropy and Power(m > 1), for potentials and kernels that do not take tensors,
    and for forward steps of kernels as singular as log|z| in the plane. `Diverged` where
    particles leave the finite numbers or the ball of the reference; `NotConverged` for a device out of memory. These carry step, iteration and law.
    """

    map: str = "icnn"
    scheme: str = "backward"
    outer: int = 300
    inner: int = 3
    batch: int = 1024
    learning_rate: float = 0.05
    networks: Saddle = field(default_factory=Saddle)
    training: Training = field(default_factory=Training)

    def __post_init__(self):
        one_of(self.map, "map", ("icnn", "linear", "residual"))
        one_of(self.scheme, "scheme", ("backward", "forward-backward"))
        for name, least in (("outer", 1), ("inner", 1), ("batch", 2)):
            count(getattr(self, name), name, least)
        positive(self.learning_rate, "learning_rate")
        instance_of(self.networks, "networks", Saddle)
        instance_of(self.training, "training", Training)
        self.training.require_batch(self.batch)

    def init(self, problem, rng):
        internal = problem.energy.internal
        known = internal is None or isinstance(internal, Entropy) or (isinstance(internal, Power) and internal.m > 1)
        if not known:
            raise Unsupported(
                f"VariationalJKO needs Entropy, Power(m) with m > 1 or no internal energy, got {internal!r}. Use one of these."
            )
        require_device(self.training.device)
        require_density(problem.initial, internal)
        require_values(problem.energy, problem.dim)
        if self.scheme == "backward":
            force_of(problem.energy, problem.dim)
        else:
            if problem.energy.potential is not None:
                gradient_of(problem.energy.potential, np.zeros((1, problem.dim)))
            if problem.energy.interaction is not None:
                require_tame(problem.energy.interaction, problem.dim)
        pool = draw_evenly(problem.initial, self.training.pool, self.batch, rng)
        held = held_out(problem.initial, HELD * self.batch, self.batch, rng)
        return State(PushForward(problem.initial), pool.astype(self.training.dtype), held)

    def step(self, problem, state, dt, rng):
        seed = int(rng.integers(2**62))
        try:
            with isolated(), out_of_memory():
                return self._step(problem, state, dt, seed)
        except (Diverged, NotConverged) as fault:
            where = f"Step {state.steps + 1}, iteration {fault.facts.get('iteration', 0)}: {fault}"
            facts = {"iteration": 0, **fault.facts, "step": state.steps + 1, "law": self.law(state)}
            raise type(fault)(where, **facts) from fault

    def _step(self, problem, state, dt, seed):
        energy, law, pool, held = problem.energy, state.law, state.pool, state.held
        if self.scheme == "forward-backward" and (energy.potential is not None or energy.interaction is not None):
            move = forward_map(energy, pool, dt)
            pool = moved_forward(move, pool, dt)
            law, held = PushForward(law.base, (*law.maps, move)), _carried(move, held)
            energy = Energy(internal=energy.internal) if energy.internal is not None else None
        test, start, report = None, state.start, {}
        if energy is not None:
            move, test, start, pool, report = self._backward(energy, law, pool, state, dt, seed)
            law, held = PushForward(law.base, (*law.maps, move)), _carried(move, held)
        report = (
            {"test": "none"}
            | report
            | measure(problem.energy, test, *held, self.batch, np.random.default_rng([seed, 1]))
        )
        report["loss"] = report["bound"] + float(((pool - state.pool) ** 2).sum(-1).mean()) / (2 * dt)
        before = report.pop("before", None)
        if before is not None:
            report["gain"] = gain(before, test, held[0], np.random.default_rng([seed, 1]))
        return State(law, pool, held, start, test, report, state.steps + 1)

    def _backward(self, energy, law, pool, state, dt, seed):
        generator = torch.Generator().manual_seed(seed)
        kind, device = getattr(torch, self.training.dtype), self.training.device
        center, cov = moments(pool)
        if not np.linalg.eigvalsh(cov)[0] > 0:
            raise Unsupported(
                "The law has no spread in some direction. VariationalJKO scales lengths by it. Start from a law with a density."
            )
        blocks = Pool(matched(pool, self.batch).reshape(pool.shape), self.batch, generator, kind, device)
        move = self._move(center, cov, state.start[0], generator, kind, device)
        dual = self._dual(energy, law, pool, cov, center, state.start[1], generator, kind, device)
        if (
            dual is not None
            and dual.network
            and state.start[1] is None
            and not _best_is_quadratic(law.base, energy.internal)
        ):
            # h must know the first law before T receives any signal
            fit(dual, lambda x: x, blocks, 2 * self.outer, self.networks.test_rate)
        report = train(force_of(energy, pool.shape[1]), move, dual, blocks, dt, self)
        finished = move.finished()
        moved = _push(finished, pool)
        test = None
        if dual is not None:
            report |= {"test": "network" if dual.network else "quadratic", "test_gradient_norm": dual.norm()}
            test = self._converge(dual, moved, generator, report)
        layers = test.layers if test is not None else None
        return finished, test, (move.raw(), layers), moved, report

    def _move(self, center, cov, previous, generator, kind, device):
        shape = self.networks
        if self.map == "icnn":
            return Convex(
                center, cov, shape.map_width, Network(shape.map_depth, shape.rank), previous, generator, kind, device
            )
        sizes = (shape.map_width,) * shape.map_depth if self.map == "residual" else ()
        return Residual(center, cov, sizes, previous, generator, kind, device)

    def _dual(self, energy, law, pool, cov, center, layers, generator, kind, device):
        internal, shape = energy.internal, self.networks
        if internal is None:
            return None
        balls = balls_around(pool, center, cov, internal, shape.margin) if isinstance(internal, Power) else None
        sizes = () if self._stays_quadratic(law, internal) else (shape.test_width,) * shape.test_depth
        return Dual(internal, law.dim, self.batch, sizes, layers, balls, generator, kind, device)

    def _stays_quadratic(self, law, internal):
        """Whether every law of this step is Gaussian, or a Barenblatt profile of the same m: then the best h is quadratic."""
        affine = self.map == "linear" and all(move.affine for move in law.maps)
        return affine and _best_is_quadratic(law.base, internal)

    def _converge(self, dual, moved, generator, report):
        """The test function after a further fit on the particles as they now are; what that gained, and its noise, go into the report."""
        kind, device = getattr(torch, self.training.dtype), self.training.device
        whole = torch.as_tensor(moved, dtype=kind, device=device)
        dual.follow(whole)
        if not dual.network:
            return dual.finished()
        before = dual.finished()
        blocks = Pool(matched(moved, self.batch).reshape(moved.shape), self.batch, generator, kind, device)
        fit(dual, lambda x: x, blocks, MORE, self.networks.test_rate)
        dual.follow(whole)
        report["before"] = before
        return dual.finished()

    def law(self, state):
        """PushForward; a Gaussian where all maps are affine and the first law is one."""
        gaussian = state.law.as_gaussian() if state.law.maps else None
        return state.law.composed() if gaussian is None else gaussian

    def test_function(self, state):
        """The TestFunction of the last step; None before the first and without internal energy."""
        return state.test

    def report(self, state):
        return dict(state.last)

    def exact_sequence(self, problem, *, dt, times):
        whole = problem.energy.potential is None and problem.energy.interaction is None
        if self.scheme == "backward" or whole:
            return exact_jko(problem, dt=dt, times=times)
        return exact_forward_backward(problem, dt, times)


def _best_is_quadratic(law, internal):
    """Whether the best test function of the law is quadratic: a Gaussian, or a Barenblatt profile of the same m."""
    if isinstance(internal, Entropy):
        return isinstance(law, Gaussian)
    return isinstance(law, Barenblatt) and law.m == internal.m


def _carried(move, held):
    """Held-out points and their log density, moved; by rows, as a Hessian a point is large."""
    x, log_density = held
    if log_density is None or move.lacks("with_log_det") is not None:
        return _push(move, x), None
    parts = [move.with_log_det(part) for part in _rows(x, 1024)]
    return np.concatenate([moved for moved, _ in parts]), log_density - np.concatenate([volume for _, volume in parts])


def _push(move, x):
    """T(x) by rows, in the dtype of x."""
    move = move.astype(x.dtype)
    return np.concatenate([move(part) for part in _rows(x, 8192)]).astype(x.dtype)


def _rows(x, most):
    return np.array_split(x, max(1, len(x) // most))
