"""Variational JKO: each JKO step is a minimum over maps of a maximum over test functions, from samples alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..._core.errors import Diverged, NotConverged
from ..._core.validate import count, instance_of, one_of, positive
from ...laws import Law, PushForward
from ...method import Method, refuse_other_steps
from ...problems.problem import Problem
from ...trajectory import Trajectory, exact_jko
from ..local_coordinates import Cloud, require_resolved_law
from ..map_kinds import Affine, Convex, DeepResidual, require_kind
from ..particles import draw_evenly, held_out
from ..requirements import require_density
from ..runtime import isolated, out_of_memory, require_device
from ..settings import DualNetwork, Training
from .dual_function import TestFunction
from .forward_step import exact_forward_backward
from .prepared_step import PreparedStep, State

HELD = 16  # blocks that are never trained on


@dataclass(frozen=True)
class VariationalJKO(Method):
    """JKO steps ρ_{k+1} = T#ρ_k by the variational formula of the internal energy [fan2022iclr].

    T is from min_T max_h ½E|x - T(x)|²/dt + E V(T(x)) + ½E W(T(x) - T(x')) + (the bound of ∫U(T#ρ) dx by h), x ~ ρ_k,
    each expectation a mean over particles.

    Parameters
    ----------
    map : Convex, Affine or DeepResidual
        The kind of T with its settings. Convex: the gradient of a convex network, invertible, so that the law has a
        density. Affine: Gaussian and Barenblatt flows exactly. DeepResidual: as in [fan2022iclr]; the law has samples
        and no density.
    scheme : {"backward", "forward-backward"}
        The JKO step of the whole energy; or x - dt ∇(V + W*ρ), then the JKO step of the internal energy alone
        [salim2020], which is the identity without internal energy.
    outer, inner : int
        Descent steps of T per JKO step, and ascent steps of h before each of them.
    batch : int
        Particles per descent step, at least 2.
    learning_rate : float
        Of T.
    dual : DualNetwork
        The network of h.
    training : Training
        pool, dtype and device. Its tolerance would have no effect and must be left alone.

    Raises
    ------
    Unsupported
        By `init`: for internal energies that are no sum of Entropy and Power(m > 1), or sums of several powers alone;
        for potentials and kernels that do not take tensors; for forward steps of kernels as singular as log|z| in the
        plane.
    Diverged, NotConverged
        By `step`: particles leave the finite numbers or the ball of the reference; the device has no memory left. These
        carry step, iteration and law.

    Notes
    -----
    h is a `TestFunction`: its quadratic part is optimal in closed form at every iteration, and its reference is the
    Gaussian, or the ball for one power, of the current law. Where the law stays Gaussian or Barenblatt (affine maps) no
    network is needed for h, and none is trained.

    `report`: bound (a lower bound of the energy from held-out particles), bound_stderr; energy, gap and gap_stderr
    where the maps have densities; gain: what a further fit of h added to the bound (an h that has converged gains
    nothing, but one that gains little may still be far below: gap tells); gradient_norm and test_gradient_norm, of the
    mean gradients; test: "quadratic", "network" or "none"; iterations; loss: bound + E|x - T(x)|²/(2 dt).

    A law whose last word was a forward step of a potential or kernel that is not quadratic has no density either.

    A network h that lags behind T is seen in gap. For an entropy and a power (V = x²/2, U = r log r / 2 + r², one step
    of 0.2 from N(0.5, 0.25), which moves the law by W2 = 0.175), `DualNetwork(32, 1)` with outer = 600 ends at W2 0.020
    to 0.030 from the exact step, with gap 0.005 to 0.017 ± 0.0015, for pools of 16,384 to 262,144 alike. It is 0.004 to
    0.012 with learning_rate = 0.01, 0.005 to 0.009 with the default h (gap below 0.0022 ± 0.001), and 0.0016 with that
    h, batch = 8192, outer = 1200 and learning_rate = 0.005.

    [fan2022iclr] trains h alone; here its quadratic part is in closed form, since a network must otherwise follow every
    motion of the law before T receives a signal.
    """

    map: Convex | Affine | DeepResidual = field(default_factory=Convex)
    scheme: str = "backward"
    outer: int = 300
    inner: int = 3
    batch: int = 1024
    learning_rate: float = 0.05
    dual: DualNetwork = field(default_factory=DualNetwork)
    training: Training = field(default_factory=Training)

    def __post_init__(self):
        require_kind(self.map, "map", (Convex, Affine, DeepResidual))
        one_of(self.scheme, "scheme", ("backward", "forward-backward"))
        for name, least in (("outer", 1), ("inner", 1), ("batch", 2)):
            count(getattr(self, name), name, least)
        positive(self.learning_rate, "learning_rate")
        instance_of(self.dual, "dual", DualNetwork)
        instance_of(self.training, "training", Training)
        self.training.require_batch(self.batch)
        self.training.require_no_tolerance("VariationalJKO")

    def init(self, problem: Problem, rng: np.random.Generator) -> State:
        require_device(self.training.device)
        with isolated():
            law = problem.initial
            require_resolved_law(law)
            prepared = PreparedStep(problem, self)
            require_density(law, prepared.internal)
            pool = Cloud.of(draw_evenly(law, self.training.pool, self.batch, rng), self.training.dtype)
            return State(prepared, PushForward(law), pool, held_out(law, HELD * self.batch, self.batch, rng))

    def step(self, problem: Problem, state: State, dt: float, rng: np.random.Generator) -> State:
        seed = int(rng.integers(2**62))
        try:
            with isolated(), out_of_memory():
                return state.prepared.take(state, dt, seed)
        except (Diverged, NotConverged) as fault:
            where = f"Step {state.steps + 1}, iteration {fault.facts.get('iteration', 0)}: {fault}"
            facts = {"iteration": 0, **fault.facts, "step": state.steps + 1, "law": self.law(state)}
            raise type(fault)(where, **facts) from fault

    def law(self, state: State) -> Law:
        """PushForward; a Gaussian where all maps are affine and the first law is one."""
        gaussian = state.law.as_gaussian() if state.law.maps else None
        return state.law.composed() if gaussian is None else gaussian

    def test_function(self, state: State) -> TestFunction | None:
        """The test function of the last step; None before the first and without internal energy.

        For a state in a loop of one's own: state = method.init(problem, rng), then method.step(problem, state, dt,
        rng).
        """
        return state.test

    def report(self, state: State) -> dict:
        return dict(state.last)

    def takes_jko_steps(self, problem: Problem) -> bool:
        whole = problem.energy.potential is None and problem.energy.interaction is None
        return self.scheme == "backward" or whole

    def exact_sequence(self, problem: Problem, *, dt: float, times) -> Trajectory:
        refuse_other_steps(self)
        if self.takes_jko_steps(problem):
            return exact_jko(problem, dt=dt, times=times)
        return exact_forward_backward(problem, dt, times)
