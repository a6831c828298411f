"""QuantileJKO: the JKO step on the line in inverse-CDF coordinates."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..._core.errors import Diverged, Unsupported, unknown_field
from ..._core.validate import count, positive
from ...energies.internal import Entropy, Power
from ...energies.potentials import Quadratic
from ...laws import Gaussian, Quantiles
from ...method import Method
from ...trajectory import exact_jko
from .mesh import GRADINGS, place, quantile_levels
from .newton import Objective, minimise
from .terms import PotentialTerm, interaction_terms


@dataclass(frozen=True, eq=False)
class QuantileState:
    """x : (n + 1,) quantiles at levels (n + 1,), and the facts of the step that led there."""

    x: np.ndarray
    levels: np.ndarray
    facts: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class QuantileJKO(Method):
    """ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) [jko1998, eq. (14)], ρ with quantile function linear between fixed levels.

    points : number of quantile levels, ends included, >= 3: points - 1 cells, so an error of order p falls like
    (points - 1)^-p. grading : "graded" (levels I_ξ(5, 5), see `quantile_mesh.quantile_levels`: second order in 1/points in
    W2 where the quantile function is smooth inside (0, 1) and grows no faster than s^-0.1 at its ends) or "uniform" (equal
    masses: first order on the Barenblatt law of m = 2, about one half on a Gaussian, whose tails it cuts).

    Gaps in the support: the levels do not know where the quantile function jumps, and one cell then spreads its mass w over
    a gap of length J. That costs J √(w/12) in W2, order 1/2, already in the initial law: 0.45 J/√points at the median.
    For 0.5 N(-6, 0.01) + 0.5 N(6, 0.01) it is 0.52 at 100 points, 0.26 at 400 and 0.090 at 3,200. Clouds of particles
    are such laws.

    Within that family W2² = Σ w_i (e_i² + e_i e_{i+1} + e_{i+1}²)/3 (e = x - y) is exact, and so is ∫U(ρ) dx =
    Σ w_i T log(w_i/Δ_i) or Σ c w_i^m Δ_i^(1-m)/(m-1), convex for every m > 0 on the line [docs/math.md 6.2].
    Damped Newton with a tridiagonal Hessian, O(points) a Newton step, for Entropy, Power(m) with m > 1/3, any potential
    with a gradient, QuadraticAttraction (rank one) and the kernel x²/2 - |x| (linear in ordered nodes). Other
    interactions are dense: O(points²) memory and time a Newton step for the pairs, O(points³) for the factorisation
    (1,000 points: about 0.1 s a Newton step).

    The step is the global minimiser where F is convex along quantiles (V convex; W convex, or repulsive like -log|x| and
    -|x|^b/b with b <= 1), and for dt < 1/max(-V''). Elsewhere it is a stationary point reached by descent from ρ_k,
    with a Levenberg shift where the Hessian is indefinite. Each step ends with |∇| <= 1e-10 of the balancing forces plus
    their round-off, checked at the law returned, or raises `NotConverged`. The objective does not rise, so the energy
    does not.

    Laws whose quantile function is infinite at 0 or 1 start with the end nodes at levels ε and 1 - ε, ε = e^-2 s_1 (see
    `quantile_mesh.place`); the law keeps the levels 0 and 1, so the mass of a tail lies inside the end cell. That is
    part of the representation floor. A start with atoms (a cloud of particles, a point mass) is legitimate: its
    cost stays exact, and Newton starts from a spread-out guess.

    report : `iterations` of Newton, `gradient` (relative stationarity residual), `roundoff` (its attainable size),
    `energy`, `distance` (W2 moved, not squared), `shift` (largest Levenberg shift in units of 1/dt; 0 for a convex
    step). The energy is F of the law, with V and W by Gauss points where no closed form is named above.

    Raises `Unsupported` for dim != 1, other internal energies (Power(m) with m <= 1/3 too), a potential without gradient, kernels
    that are singular and unknown or not integrable; `BadInput` where the potential is not finite; `Diverged` where nodes cross, which
    happens only without internal energy.
    """

    points: int = 1000
    grading: str = "graded"

    def __post_init__(self):
        count(self.points, "points", 3)
        if self.grading not in GRADINGS:
            raise unknown_field("QuantileJKO.grading", str(self.grading), GRADINGS)

    def init(self, problem, rng=None):
        if problem.dim != 1:
            raise Unsupported(
                f"{problem.name!r} has dim {problem.dim}. QuantileJKO treats dim 1: quantile functions exist on the line only. "
                "Use a particle or neural method."
            )
        levels = quantile_levels(self.points, self.grading)
        x = place(problem.initial, levels)
        _, _, energy, _ = self._objective(problem, x, levels, 1.0).value(x)
        return QuantileState(x, levels, {"energy": energy})

    def step(self, problem, state, dt, rng=None):
        dt = positive(dt, "dt")
        objective = self._objective(problem, state.x, state.levels, dt)
        x, facts = minimise(objective, _start(objective, state.levels))
        return QuantileState(_ordered(x), state.levels, facts)

    def law(self, state):
        return Quantiles(state.x, state.levels)

    def report(self, state):
        return dict(state.facts)

    def exact_sequence(self, problem, *, dt, times):
        """The exact JKO iterates; `NotAvailable` where they have no closed form."""
        return exact_jko(problem, dt=dt, times=times)

    def _objective(self, problem, y, levels, dt):
        energy, w = problem.energy, np.diff(levels)
        internal, confinement = _internal(energy.internal), (0.0, 0.0)
        terms, attraction, repels = interaction_terms(energy.interaction, levels, w)
        if isinstance(energy.potential, Quadratic):
            confinement = float(energy.potential.matrix[0, 0]), float(energy.potential.center[0])
        elif energy.potential is not None:
            terms = [PotentialTerm(energy.potential, w), *terms]
        return Objective(y, w, dt, internal, confinement, terms, attraction, barrier=internal[0] > 0 or repels)


def _internal(internal):
    """(c, m) of the pressure c ρ^m; c = 0 for no internal energy, m = 1 for the entropy."""
    if internal is None:
        return 0.0, 1.0
    if isinstance(internal, Entropy):
        return float(internal.temperature), 1.0
    if isinstance(internal, Power):
        if internal.m <= 1 / 3:
            raise Unsupported(
                f"The internal energy is {internal!r}. Fast diffusion with m <= d/(d + 2), here 1/3, spreads laws so thin that they have no second "
                "moment: W2 between them is infinite and there is no JKO step. Use m > 1/3."
            )
        return float(internal.coefficient), float(internal.m)
    raise Unsupported(
        f"The internal energy is {internal!r}. QuantileJKO treats Entropy and Power(m), m > 1/3. Use one of these or None."
    )


def _start(objective, levels):
    """y itself; where cells must stay open and y has empty ones, y plus a Gaussian as wide as diffusion makes it in dt."""
    y = objective.y
    if not objective.barrier or np.all(np.diff(y) > 0):
        return y
    c, m = objective.internal if objective.internal[0] > 0 else (1.0, 1.0)
    # a point mass becomes, in one JKO step of c Δρ^m, a profile of scale (c dt / (m + 1))^(1/(m + 1)) [docs/math.md 1.1]
    width = (c * objective.dt / (m + 1)) ** (1 / (m + 1))
    return y + width * place(Gaussian(0.0, 1.0), levels)


def _ordered(x):
    """x if it does not decrease; crossings below 1e-12 of the span are round-off at contact and are closed."""
    gaps = np.diff(x)
    if np.all(gaps >= 0):
        return x
    i = int(np.argmin(gaps))
    if -gaps[i] > 1e-12 * max(np.max(np.abs(x)), x.max() - x.min()):
        raise Diverged(
            f"Nodes {i} and {i + 1} cross: x = {x[i]:.10g} and {x[i + 1]:.10g}. "
            "Without internal energy nothing keeps them apart. Use a smaller dt, or add Entropy or Power.",
            node=i, gap=float(gaps[i]),
        )  # fmt: skip
    return np.maximum.accumulate(x)
