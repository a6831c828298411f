"""DualJKO: entropic JKO steps by the dual problem in a linear family of functions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import BadInput
from ..._core.validate import count, positive
from ...laws import Law
from ...method import Method, refuse_other_steps
from ...problems.entropic_gaussian import entropic_iterates
from ...problems.problem import Problem
from ...trajectory import Trajectory, of_iterates
from ..runtime import isolated
from .ascent import Adam, Newton
from .line_step import LineStep
from .nodes import initial_nodes
from .sampled_step import SampledStep
from .step import State, entropy_temperature, potential_over


@dataclass(frozen=True)
class DualJKO(Method):
    """JKO steps with entropic transport by their dual problem over a linear family of functions [frogner2020].

    With couplings π of the old law μ and the new law ρ, ε = `regularisation` and γ = 2 ε,

        min over ρ and π of  ∫|x - y|² dπ/(2 dt) + (ε/dt) ∫π log π + F(ρ),

    the step of `pf.grid.EntropicJKO`, is over 2 dt the dual of

        max over g and h of  E_μ g - 2 dt F*(-h/(2 dt)) - γ ∬exp((g(x) + h(y) - |x - y|²)/γ) dx dy,

    with F*(z) = T ∫exp((z - V)/T) for F(ρ) = ∫V ρ + T ∫ρ (log ρ - 1), and ρ = exp(-V/T - h/(2 dt T)) [docs/math.md
    13.2]. h is a sum of linear, quadratic and bump functions, so the new law is a `DualLaw`: a density in closed form
    up to its constant, which on the line is found by quadrature, and in more dimensions by importance sampling where a
    user asks for it. No law carries the history of the run.

    **The law is warmer than the problem says**, by ε/(2 dt) in temperature: see `EntropicJKO`. The report gives T +
    ε/(2 dt) as `effective_temperature`. Here ε costs no iterations, so it may be far below 2 dt T.

    Parameters
    ----------
    samples : int
        In d > 1: points of the reference of the new law (a scrambled Sobol sequence: powers of 2 are best) and weighted
        draws of the initial law. No effect on the line.
    targets : int
        In d > 1: points y for each point x of the old law; even. No effect on the line.
    bumps : int, optional
        Gaussian bumps exp(-|u - c|²/(2 w²)) beside the linear and quadratic functions, in the axes and deviations u of
        the old law. By default 40 on the line, at equal distances within 5 deviations, and 100 elsewhere, at draws of
        the law. 0 leaves the quadratics, which hold Gaussians under a quadratic V exactly.
    width : float, optional
        w, in deviations. By default 1.25 distances of bumps on the line, √d elsewhere.
    regularisation : float
        ε > 0, in units of x². On the line a kernel narrower than some 1e-3 of the range of the law (ε below 1e-5 or so)
        takes nodes of its own for each point, for which laws with several modes may end in `NotConverged`.
    ridge : float
        The penalty ½ ridge Σc² of the heights of bumps (in nats), which keeps those at 0 that no mass sees.
    optimiser : Newton or Adam
        `Newton()` is exact; `Adam()` is the stochastic ascent of [frogner2020], slower and within its noise.

    Raises
    ------
    Unsupported
        By `init`: for internal energies other than the entropy, for interactions, and on the line for laws that are
        neither particles nor have a density.
    BadInput
        Where V is not finite.
    NotConverged
        By `step`: where Newton's method does not end, where the reference (a Gaussian) misses the new law so that the
        effective share of its draws is below 0.02, where the nodes do not hold an integral on the line.
    Diverged
        Where h grows as fast as |y|², so that the dual is minus infinity: dt is too large or there is too little data.

    Notes
    -----
    *What is solved.* For given h the best g is in closed form, g = γ log μ - γ log ∫exp((h(y) - |x - y|²)/γ) dy, and so
    is the constant of h. What is left, over 2 dt T and with f = h/(2 dt T) and κ = 2 dt T/γ, is concave in f,

        D(f) = -(1/κ) E_μ log ∫exp(κ f(y) - |x - y|²/γ) dy - log ∫exp(-V/T - f) dz,

    and free of γ's exponential of g, whose maximisation by samples of pairs (x, y) is ill-posed for small γ: what the
    public code of [mokrov2022] does, with 20,000 uniform pairs, cubic polynomials on a box and a quadratic penalty in
    place of the exponential one. Its published errors in d >= 2 are those of these pairs. Here y is drawn around the
    maximum of h(y) - |x - y|² for each x; the points are placed and the weights found in turn, until both settle. Where
    D is largest, the new law and the coupling have the same means of all functions, so that errors of sampling do not
    add up from step to step.

    *On the line* the integrals are Gauss-Legendre panels, with Gauss-Hermite nodes for y under a very narrow kernel.

    *Report.* iterations (of the last round), rounds, gradient_norm, effective_temperature, and marginal_error: how far
    the law is from the second marginal of the coupling, which is the same law for the exact step: the root mean square
    of the gaps of the means of waves of amplitude one, of wave numbers up to 4 per deviation of the law: 16 by
    quadrature on the line, elsewhere 64 random ones with the noise of the draws. **It does not see what is finer than
    these waves**: after one step from three atoms (ε = 0.05) the law is 0.013 in L1 from the exact step with 40 bumps,
    0.0016 with 80, 3e-5 with 160, and marginal_error is below 5e-9 each time. Compare two numbers of bumps there. On
    the line also inner_error, of the integrals over y, in nats; elsewhere effective_share, of the draws of the
    reference.
    """

    samples: int = 8192
    targets: int = 4
    bumps: int | None = None
    width: float | None = None
    regularisation: float = 1e-3
    ridge: float = 1e-9
    optimiser: Newton | Adam = field(default_factory=Newton)

    def __post_init__(self):
        count(self.samples, "samples", 16)
        if count(self.targets, "targets", 2) % 2:
            raise BadInput(f"targets is {self.targets}. They are pairs around a middle. Take an even number.")
        if self.bumps is not None:
            count(self.bumps, "bumps", 0)
        if self.width is not None:
            positive(self.width, "width")
        positive(self.regularisation, "regularisation")
        positive(self.ridge, "ridge")
        if not isinstance(self.optimiser, Newton | Adam):
            raise BadInput(f"optimiser is {self.optimiser!r}. It must be Newton(...) or Adam(...). Choose one.")

    def init(self, problem: Problem, rng: np.random.Generator) -> State:
        entropy_temperature(problem)
        x, weights = initial_nodes(problem.initial, self.samples, rng)
        potential_over(problem, x, 1.0)
        return State(problem.initial, x, weights)

    def step(self, problem: Problem, state: State, dt: float, rng: np.random.Generator) -> State:
        with isolated(gradients=True):
            kind = LineStep if state.x.shape[1] == 1 else SampledStep
            return kind(self, problem, state, float(dt), rng).take()

    def law(self, state: State) -> Law:
        return state.law

    def report(self, state: State) -> dict:
        return dict(state.facts)

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike | None) -> Trajectory:
        """The closed entropic steps of a Gaussian, those of `EntropicJKO`; `NotAvailable` elsewhere."""
        refuse_other_steps(self)
        iterates = entropic_iterates(problem, float(dt), self.regularisation)
        return of_iterates(iterates, (problem.horizon,) if times is None else times, dt)
