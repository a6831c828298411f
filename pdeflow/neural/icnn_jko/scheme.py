"""ICNN-JKO: each JKO step is the gradient of an input-convex network."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..._core.errors import BadInput, Diverged, NotConverged, Unsupported
from ..._core.validate import count, instance_of, one_of, positive
from ...energies.internal import Entropy
from ...laws.push_forward import PushForward
from ...method import Method
from ...trajectory import exact_jko
from ..maps.convex import ConvexMap, first_map
from ..particles import Fresh, Pool, draw
from ..requirements import answer, require_density
from ..runtime import isolated, out_of_memory, require_device
from ..settings import Network, Training
from .log_det import Exact, Stochastic, cheaper
from .train import train

ROWS = 8192  # points pushed at a time


@dataclass(frozen=True)
class State:
    """law : PushForward so far. pool : (n, d) particles of the present law. last : what the last step reported."""

    law: PushForward
    pool: np.ndarray
    previous: ConvexMap | None
    last: dict
    steps: int = 0


@dataclass(frozen=True)
class ICNNJKO(Method):
    """Trains ψ_k on 1/(2 dt) E|x - ∇ψ(x)|² + E V(∇ψ(x)) - T E log det ∇²ψ(x) + ½ E W(∇ψ(x) - ∇ψ(x')) [mokrov2021, eq. (12)].

    width : neurons a hidden layer. iterations : most Adam steps a JKO step; the learning rate falls to zero as a cosine.
    batch : particles an iteration. learning_rate : of Adam, in the units of the law (it is centred, scaled and turned to its axes).
    logdet : "exact" (H by closed form, batched Cholesky), "stochastic" (∂ log det H = E vᵀH⁻¹ ∂H v by conjugate gradients: the cost of a few
    gradients whatever the dimension) or "auto", the cheaper of the two.
    particles : "pool" pushes a pool of particles once a step, so that K steps cost K; "fresh" draws every batch anew and pushes it
    through all maps, as in mokrov2021, so that they cost K². The pool is a sample; what that costs is said at Training.
    network : Network(depth, rank, pieces, sharpness, signed); its default suits laws near Gaussian, Network(pieces=16) those that tear into modes,
    in the plane Network(sharpness=10, signed=True) with width 64.
    training : Training(pool, dtype, device, tolerance).

    The first step starts at the identity exactly, later ones at the map before. For one seed the pool and the order of its batches are
    the same at every step size. Training runs on one thread, so that a seed gives the same bits on any number of cores.
    `report`: loss_first, loss (dt F/s² on one batch, exact log det), iterations, stopped ("gradient" or "iterations"), gradient_norm,
    logdet, residual (of the solves) and solve_iterations.

    Needs Entropy (or no) internal energy, and potentials and kernels in operations that torch shares; else `Unsupported`.
    `NotAvailable` without the device. A loss that is not finite, a network that is not convex or a Hessian that is not positive definite is
    `Diverged`; solves without their tolerance and a device out of memory are `NotConverged`. These carry `step`, `iteration` and `law`: the
    PushForward trained up to the last whole step.
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

    def init(self, problem, rng):
        internal = problem.energy.internal
        if internal is not None and not isinstance(internal, Entropy):
            raise Unsupported(
                f"ICNNJKO needs Entropy as internal energy, got {internal!r}. For Power(m) use VariationalJKO or PWGF, on the line also QuantileJKO."
            )
        require_device(self.training.device)
        require_density(problem.initial, internal)
        if problem.energy.interaction is not None and self.batch < 2:
            raise BadInput(
                f"batch = {self.batch} with an interaction, whose energy is a mean over pairs of a batch. It must be at least 2. Enlarge it."
            )
        for part, name in ((problem.energy.potential, "potential"), (problem.energy.interaction, "interaction")):
            if part is not None:
                with isolated(gradients=True):
                    _probe(part, name, problem.dim)
        pool = draw(problem.initial, self.training.pool, self.batch, rng).astype(self.training.dtype)
        return State(PushForward(problem.initial), pool, None, {})

    def step(self, problem, state, dt, rng):
        seed = int(rng.integers(2**62))
        try:
            with (
                isolated(gradients=True),
                out_of_memory(),
            ):  # also outside the training loop: copying pool and maps there
                return self._step(problem, state, dt, seed)
        except (Diverged, NotConverged) as fault:
            where = f"Step {state.steps + 1}, iteration {fault.facts.get('iteration', 0)}: {fault}"
            facts = {"iteration": 0, **fault.facts, "step": state.steps + 1, "law": state.law}
            raise type(fault)(where, **facts) from fault

    def _step(self, problem, state, dt, seed):
        generator = torch.Generator().manual_seed(seed)
        start = self._start(state, generator)
        kind, device = getattr(torch, self.training.dtype), self.training.device
        if self.particles == "pool":
            batches = Pool(state.pool, self.batch, generator, kind, device)
        else:
            batches = Fresh(state.law, self.batch, np.random.default_rng(seed), kind, device)
        way = cheaper(problem.dim, self.width, self.network) if self.logdet == "auto" else self.logdet
        log_det = Exact() if way == "exact" else Stochastic(generator)
        move = start.mapped(lambda array: torch.tensor(array, dtype=kind, device=device))
        report = train(problem.energy, move, batches, log_det, dt, self)
        move = move.mapped(lambda array: array.detach().cpu().numpy().astype(float))
        law = PushForward(state.law.base, (*state.law.maps, move))
        return State(law, push(move, state.pool), move, {**report, "logdet": way, **log_det.report()}, state.steps + 1)

    def _start(self, state, generator):
        """The previous map (a warm start), or the identity, in the centre, axes and scale of the present pool."""
        center = state.pool.mean(axis=0, dtype=float)
        values, basis = np.linalg.eigh(np.atleast_2d(np.cov(state.pool.T, bias=True, dtype=float)))
        scale = float(np.sqrt(values.mean()))
        if not scale > 0:
            raise Unsupported(
                f"The law has spread {scale}. ICNNJKO scales lengths by it, so it must be positive. Start from a law with a density."
            )
        if state.previous is not None:
            return state.previous.seen_from(center, basis, scale)
        return first_map(center, basis, scale, self.width, self.network, generator)

    def law(self, state):
        return state.law

    def report(self, state):
        return dict(state.last)

    def exact_sequence(self, problem, *, dt, times):
        return exact_jko(problem, dt=dt, times=times)


def _probe(part: Any, name: str, dim: int):
    """Raise `Unsupported` unless part.value takes and returns torch tensors that can be differentiated."""
    x = torch.ones(2, dim, requires_grad=True) * 0.5
    cure = f"ICNNJKO differentiates the {name} through torch. Write value(x) in operations of x itself, such as (x**2).sum(-1), with exp and log of pdeflow._core.arrays; not np.sum(x**2, axis=1)."
    out = answer(part.value, part, x, cure)
    if not isinstance(out, torch.Tensor) or out.shape != (2,) or not out.requires_grad:
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor. It must return a differentiable tensor of shape (n,). {cure}"
        )


def push(move: ConvexMap, x):
    """T(x), (n, d) -> (n, d), numpy in and out in the dtype of x, in torch on the threads set there (the caller's one)."""
    x = torch.as_tensor(x)
    move = move.mapped(lambda array: torch.as_tensor(array, dtype=x.dtype))
    with torch.no_grad():
        return torch.cat([move(part) for part in x.split(ROWS)]).numpy()
