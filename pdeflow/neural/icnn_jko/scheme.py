"""ICNN-JKO: each JKO step is the gradient of an input-convex network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..._core.errors import BadInput, Diverged, NotConverged, Unsupported
from ..._core.shapes import Points
from ..._core.validate import count, instance_of, one_of, positive
from ...laws.push_forward import PushForward
from ...method import Method, refuse_other_steps
from ...problems.problem import Problem
from ...trajectory import Trajectory, exact_jko
from ..local_coordinates import Cloud, LocalCoordinates, require_resolved_law
from ..maps.convex import ConvexMap, first_map
from ..maps.training import ConvexTraining
from ..particles import Fresh, Pool, draw, moments, require_thickness
from ..requirements import require_density
from ..runtime import isolated, out_of_memory, require_device
from ..settings import Network, Training
from .curvature_frames import along_curvature
from .jko_functional import JKOFunctional
from .log_det import Exact, Stochastic, cheaper
from .minimisation import minimise
from .newton_steps import LinearPart, minimise_linear, require_newton_steps

PROBES = 4  # points of the law at which potentials and kernels are asked what they answer
ROWS = 8192  # points pushed at a time


@dataclass(frozen=True)
class State:
    """What a step begins with.

    Parameters
    ----------
    functional : JKOFunctional
        What `init` found out about the problem.
    law : PushForward
        The law so far.
    pool : Cloud
        Particles of the law.
    previous : ConvexMap or None
        The map of the last step.
    last : dict
        The report of the last step.
    steps : int
        How many were taken.
    lengths : tuple of float
        Root mean square lengths of the moves of the first and of the last step, () before the first.
    """

    functional: JKOFunctional
    law: PushForward
    pool: Cloud
    previous: ConvexMap | None = None
    last: dict = field(default_factory=dict)
    steps: int = 0
    lengths: tuple[float, ...] = ()


@dataclass(frozen=True)
class ICNNJKO(Method):
    """JKO steps by input-convex networks ψ_k [mokrov2021, eq. (12)].

    ψ_k minimises 1/(2 dt) E|x - ∇ψ(x)|² + E V(∇ψ(x)) - T E log det ∇²ψ(x) + ½ E W(∇ψ(x) - ∇ψ(x')) over batches of
    particles.

    Parameters
    ----------
    width : int
        Neurons of a hidden layer.
    iterations : int
        Most Adam steps per JKO step; the learning rate falls to zero as a cosine. Of fixed neurons, Newton steps.
    batch : int
        Particles per iteration.
    learning_rate : float
        Of Adam, in the units of the law (it is centred, scaled and turned to its axes).
    logdet : {"auto", "exact", "stochastic"}
        "exact": the Hessian in closed form, batched Cholesky. "stochastic": ∂ log det H = E vᵀH⁻¹ ∂H v by conjugate
        gradients, the cost of a few gradients whatever the dimension. "auto": the cheaper of the two.
    particles : {"pool", "fresh"}
        "pool" pushes a pool of particles once per step, so that K steps cost K; "fresh" draws every batch anew and
        pushes it through all maps, as in [mokrov2021], so that they cost K². The pool is a sample; what that costs is
        said at `Training`.
    network : Network
        Its default suits laws near Gaussian, Network(pieces=16) those that tear into modes, in the plane
        Network(sharpness=10, signed=True) with width 64, Network(directions="curvature") with six to thirty neurons a
        dimension laws far from Gaussian in ten and more dimensions, with signed=True and neurons="fixed" where the
        potential is a sum over coordinates, however rotated.
    training : Training
        pool, dtype, device, tolerance.

    Raises
    ------
    Unsupported
        By `init`: for internal energies other than Entropy, potentials and kernels that are not written in operations
        that torch shares.
    NotAvailable
        By `init`: without the device.
    Diverged, NotConverged
        By `step`: a loss that is not finite, a network that is not convex, a Hessian that is not positive definite;
        solves without their tolerance, a device out of memory. These carry `step`, `iteration` and `law`: the
        PushForward trained up to the last whole step.

    Notes
    -----
    The first step starts at the identity exactly, later ones at the map before, or at the identity too with
    Network(directions="curvature"). For one seed the pool and the order of
    its batches are the same at every step size. Training runs on one thread, so that a seed gives the same bits on any
    number of cores. `report`: loss_first, loss (dt F/s² on one batch, exact log det), iterations, stopped ("gradient"
    or "iterations"), gradient_norm, logdet, residual (of the solves) and solve_iterations; with fixed neurons held: the
    Newton steps that convexity held back.

    [mokrov2021] pre-trains networks to the identity and has no pool; here a full-rank quadratic in the network holds
    Gaussian flows exactly.
    """

    width: int = 32
    iterations: int = 200
    batch: int = 1024
    learning_rate: float = 0.05
    logdet: str = "auto"
    particles: str = "pool"
    network: Network = field(default_factory=Network)
    training: Training = field(default_factory=Training)

    def __post_init__(self):
        for name in ("width", "iterations", "batch"):
            count(getattr(self, name), name)
        positive(self.learning_rate, "learning_rate")
        one_of(self.logdet, "logdet", ("auto", "exact", "stochastic"))
        one_of(self.particles, "particles", ("pool", "fresh"))
        instance_of(self.network, "network", Network)
        instance_of(self.training, "training", Training)
        self.training.require_batch(self.batch)
        if self.network.neurons == "fixed" and (self.learning_rate != ICNNJKO.learning_rate or self.logdet != "auto"):
            raise BadInput(
                f"learning_rate = {self.learning_rate}, logdet = {self.logdet!r} with neurons = 'fixed'. Newton steps "
                "have no learning rate and ask for all determinants. Leave both out of ICNNJKO(...)."
            )

    def init(self, problem: Problem, rng: np.random.Generator) -> State:
        require_device(self.training.device)
        dtype, device = getattr(torch, self.training.dtype), self.training.device
        with isolated(gradients=True):
            require_density(problem.initial, problem.energy.internal)
            require_resolved_law(problem.initial)
            if self.network.neurons == "fixed":
                require_newton_steps(problem)
            at = Cloud.of(problem.initial.sample(PROBES, np.random.default_rng(0)), self.training.dtype)
            probes = torch.as_tensor(at.points, dtype=dtype, device=device)
            functional = JKOFunctional(problem.energy, probes, at.coordinates)
            if functional.kernel is not None and self.batch < 2:
                raise BadInput(
                    f"batch = {self.batch} with an interaction, whose energy is a mean over pairs of a batch. It must "
                    "be at least "
                    "2. Enlarge it."
                )
            x = draw(problem.initial, self.training.pool, self.batch, rng)
            return State(functional, PushForward(problem.initial), Cloud.of(x, self.training.dtype))

    def step(self, problem: Problem, state: State, dt: float, rng: np.random.Generator) -> State:
        seed = int(rng.integers(2**62))
        try:
            with isolated(gradients=True), out_of_memory():  # copying pool and maps to the device takes memory too
                return self._step(state, dt, seed)
        except (Diverged, NotConverged) as fault:
            where = f"Step {state.steps + 1}, iteration {fault.facts.get('iteration', 0)}: {fault}"
            facts = {"iteration": 0, **fault.facts, "step": state.steps + 1, "law": state.law}
            raise type(fault)(where, **facts) from fault

    def _step(self, state, dt, seed):
        generator, pool = torch.Generator().manual_seed(seed), state.pool
        start = self._start(state, generator)
        dtype, device = getattr(torch, self.training.dtype), self.training.device
        if self.particles == "pool":
            batches = Pool(pool.points, self.batch, generator, dtype, device)
        else:
            batches = Fresh(state.law, self.batch, np.random.default_rng(seed), pool.coordinates, dtype, device)
        way = cheaper(state.law.dim, self.width, self.network) if self.logdet == "auto" else self.logdet
        functional = state.functional.seen_in(pool.coordinates)
        if self.network.neurons == "fixed":
            training = LinearPart(start, dtype, device)
            report = minimise_linear(
                functional, training, batches, pool.points, dt, self.iterations, self.training.tolerance
            )
            log_det, way = Exact(), "exact"
        else:
            log_det = Exact() if way == "exact" else Stochastic(generator)
            training = ConvexTraining(start, self.network, dtype, device)
            report = minimise(
                functional, training, batches, log_det, dt, self.iterations, self._rate(state), self.training.tolerance
            )
        local = training.finished()
        move = local.placed(pool.coordinates.center, pool.coordinates.unit)
        law = PushForward(state.law.base, (*state.law.maps, move))
        report = {**report, "logdet": way, **log_det.report()}
        moved = _push(local, pool.points)
        length = pool.coordinates.unit * float(np.sqrt(np.mean((moved - pool.points) ** 2, dtype=float)))
        lengths = (state.lengths[0] if state.lengths else length, length)
        return State(state.functional, law, pool.moved(moved), move, report, state.steps + 1, lengths)

    def _rate(self, state):
        """The learning rate of the next step: where every step starts anew, as long as the last move was."""
        if self.network.directions == "random" or not state.lengths:
            return self.learning_rate
        first, last = state.lengths
        return self.learning_rate * (min(1.0, last / first) if first > 0 else 1.0)

    def _start(self, state, generator):
        """The previous map (a warm start) or the identity, in the centre, axes and scale of the present pool."""
        center, cov = moments(state.pool.points)
        values, basis = np.linalg.eigh(cov)
        scale = float(np.sqrt(values.mean()))
        if not scale > 0:
            raise Unsupported(
                f"The law has spread {scale}. ICNNJKO scales lengths by it, so it must be positive. Start from a law "
                "with a "
                "density."
            )
        if state.functional.temperature:
            require_thickness(cov, self.training.dtype)
        if state.previous is not None and self.network.directions == "random":
            here = LocalCoordinates(np.zeros(len(center))).within(state.pool.coordinates)
            return state.previous.placed(here.center, here.unit).seen_from(center, basis, scale)
        start = first_map(center, basis, scale, self.width, self.network, generator)
        if self.network.directions == "random":
            return start
        functional = state.functional.seen_in(state.pool.coordinates)
        return along_curvature(start, functional, state.pool.points, generator, self.network.neurons == "fixed")

    def law(self, state: State) -> PushForward:
        return state.law

    def report(self, state: State) -> dict:
        return dict(state.last)

    def takes_jko_steps(self, problem: Problem) -> bool:
        return True

    def exact_sequence(self, problem: Problem, *, dt: float, times) -> Trajectory:
        refuse_other_steps(self)
        return exact_jko(problem, dt=dt, times=times)


def _push(move: ConvexMap, x: Points) -> Points:
    """T(x), (n, d) -> (n, d), numpy in and out in the dtype of x, computed by torch."""
    points = torch.as_tensor(x)
    mapped: Any = move.mapped(lambda array: torch.as_tensor(array, dtype=points.dtype))
    with torch.no_grad():
        return torch.cat([mapped(part) for part in points.split(ROWS)]).numpy()
