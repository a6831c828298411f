"""ICNN-JKO: each JKO step is the gradient of an input-convex network."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    import torch
except ImportError as error:
    from ..errors import NotAvailable

    raise NotAvailable(
        "Neural methods need torch, which is not installed. Install it: pip install pdeflow[neural]."
    ) from error

from ..arrays import count, positive
from ..energy import Entropy
from ..errors import BadInput, Diverged, Unsupported
from ..method import Method
from ..trajectory import exact_jko
from .convex_map import ConvexMap, log_determinant
from .push_forward import PushForward

TRAINED = ("root", "shift", "inner", "offset", "weight")


@dataclass(frozen=True)
class State:
    """law : PushForward so far. pool : (n, d) training particles at the present time. last : what the last step reported."""

    law: PushForward
    pool: np.ndarray
    previous: ConvexMap | None
    last: dict
    steps: int = 0


@dataclass(frozen=True)
class ICNNJKO(Method):
    """Trains ψ_k on 1/(2 dt) E|x - ∇ψ(x)|² + E V(∇ψ(x)) - T E log det ∇²ψ(x) + ½ E W(∇ψ(x) - ∇ψ(x')) [mokrov2021, eq. (12)].

    width : hidden neurons. iterations : Adam steps a JKO step, learning rate decaying to zero as a cosine.
    batch, pool : particles an iteration and in all; the pool is pushed once a step, so K steps cost K (mokrov2021 pushes each
    batch through all earlier maps, which costs K²; the price of the pool is its sampling error, about 1/√pool).
    dtype : "float32" or "float64" for training; the finished maps are evaluated in float64.
    One hidden block and a full-rank quadratic; the Hessian is in closed form, so log det needs no autograd Hessian.
    Training runs on one thread, so that a seed gives the same bits on any number of cores.

    Needs Entropy (or no) internal energy and potentials in operations that torch shares; else `Unsupported`.
    `Diverged` at a loss that is not finite, with step and iteration.
    """

    width: int = 32
    iterations: int = 200
    batch: int = 1024
    pool: int = 65536
    learning_rate: float = 0.05
    dtype: str = "float32"

    def __post_init__(self):
        for name in ("width", "iterations", "batch", "pool"):
            count(getattr(self, name), name)
        positive(self.learning_rate, "learning_rate")
        if self.dtype not in ("float32", "float64"):
            raise BadInput(f"dtype is {self.dtype!r}. It must be 'float32' or 'float64'. Choose one.")
        if self.batch > self.pool:
            raise BadInput(
                f"batch = {self.batch} is larger than pool = {self.pool}. A batch is drawn from the pool. Enlarge the pool."
            )

    def init(self, problem, rng):
        internal = problem.energy.internal
        if internal is not None and not isinstance(internal, Entropy):
            raise Unsupported(
                f"ICNNJKO needs Entropy as internal energy, got {internal!r}. For Power(m) use QuantileJKO (1-D)."
            )
        for part, name in ((problem.energy.potential, "potential"), (problem.energy.interaction, "interaction")):
            if part is not None:
                _probe(part, name, problem.dim)
        return State(PushForward(problem.initial), problem.initial.sample(self.pool, rng), None, {})

    def step(self, problem, state, dt, rng):
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        kind = getattr(torch, self.dtype)
        with _one_thread():
            pool = torch.as_tensor(state.pool, dtype=kind)
            start = self._start(state, generator, kind)
            trained, report = self._train(problem.energy, pool, start, dt, generator, state.steps + 1)
        move = ConvexMap(
            **{name: getattr(trained, name).detach().numpy().astype(float) for name in (*TRAINED, "center")},
            scale=trained.scale,
        )
        law = PushForward(state.law.base, (*state.law.maps, move))
        return State(law, move(state.pool), move, report, state.steps + 1)

    def _start(self, state, generator, kind):
        """The previous network (a warm start), or the identity, in units of the present pool."""
        center, scale = state.pool.mean(axis=0), float(np.sqrt(state.pool.var(axis=0).mean()))
        if not scale > 0:
            raise Unsupported(
                f"The law has spread {scale}. ICNNJKO scales lengths by it, so it must be positive. Start from a law with a density."
            )
        dim = state.pool.shape[1]
        if state.previous is not None:
            fields = {name: torch.tensor(getattr(state.previous, name), dtype=kind) for name in TRAINED}
        else:
            fields = {
                "root": torch.eye(dim, dtype=kind), "shift": torch.zeros(dim, dtype=kind),
                "inner": torch.randn(self.width, dim, generator=generator, dtype=kind),
                "offset": torch.randn(self.width, generator=generator, dtype=kind),
                "weight": torch.zeros(self.width, dtype=kind),
            }  # fmt: skip
        return ConvexMap(**fields, center=torch.tensor(center, dtype=kind), scale=scale)

    def _train(self, energy, pool, start, dt, generator, step):
        parameters = [getattr(start, name).requires_grad_() for name in TRAINED]
        optimiser = torch.optim.Adam(parameters, lr=self.learning_rate, betas=(0.9, 0.98))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.iterations)
        first = loss = None
        for iteration in range(self.iterations):
            chosen = torch.randint(len(pool), (self.batch,), generator=generator)
            optimiser.zero_grad(set_to_none=True)
            loss = self._loss(energy, start, pool[chosen], dt)
            if not torch.isfinite(loss):
                raise Diverged(
                    f"The loss is {loss.item()} at step {step}, iteration {iteration}. It must stay finite. Use a smaller learning_rate "
                    f"than {self.learning_rate:g} or dtype='float64'.", step=step, iteration=iteration,
                )  # fmt: skip
            loss.backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                start.weight.clamp_(min=0)  # the projection onto convex networks
            first = loss.item() if first is None else first
        norm = float(torch.sqrt(sum((p.grad**2).sum() for p in parameters)))
        return start, {"loss_first": first, "loss": loss.item(), "gradient_norm": norm, "iterations": self.iterations}

    def _loss(self, energy, move, x, dt):
        """dt times the JKO functional, in units of scale²: keeps gradients of order one for every dt."""
        moved, hessian = move.value_and_hessian(x)
        loss = ((x - moved) ** 2).sum(-1).mean() / 2
        if energy.potential is not None:
            loss = loss + dt * energy.potential.value(moved).mean()
        if energy.internal is not None:
            loss = loss - dt * energy.internal.temperature * log_determinant(hessian).mean()
        if energy.interaction is not None:
            loss = loss + dt * energy.interaction.value(moved - moved.roll(1, 0)).mean() / 2
        return loss / move.scale**2

    def law(self, state):
        return state.law

    def report(self, state):
        return dict(state.last)

    def exact_sequence(self, problem, *, dt, times):
        return exact_jko(problem, dt=dt, times=times)


def _probe(part: Any, name: str, dim: int):
    """Raise `Unsupported` unless part.value takes and returns torch tensors that can be differentiated."""
    x = torch.ones(2, dim, requires_grad=True) * 0.5
    cure = f"ICNNJKO differentiates the {name} through torch. Write value(x) in operations of x itself, such as (x**2).sum(-1), not np.sum(x**2, axis=1)."
    try:
        out = part.value(x)
    except (RuntimeError, TypeError, AttributeError) as error:  # what numpy and torch raise on each other's arrays
        raise Unsupported(f"{part!r} fails on a torch tensor: {error}. {cure}") from error
    if not isinstance(out, torch.Tensor) or out.shape != (2,) or not out.requires_grad:
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor. It must return a differentiable tensor of shape (n,). {cure}"
        )


@contextmanager
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
