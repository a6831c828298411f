"""QuantileJKO: the JKO step on the line in inverse-CDF coordinates."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import BadInput, Diverged, NotConverged, Unsupported, unknown_field
from ..._core.validate import count
from ...energies.interactions import require_even
from ...energies.internal import InternalEnergy
from ...laws import Gaussian, Quantiles
from ...method import Method, refuse_other_steps
from ...problems import Problem
from ...trajectory import Trajectory, exact_jko
from ..domain import COARSEST_FLOATS
from .energy import DiscreteEnergy, discretise, spread_of_a_point
from .mesh import GRADINGS, Nodes, quantile_levels, quantile_nodes
from .newton import Objective, minimise
from .proximal import kinks_in_reach, proximal_step
from .second_order import STEP_SHARE, exact_second_order, extrapolated

FAR_AWAY = 1e3  # in widths of a law: beyond, coordinates less their median have more digits


@dataclass(frozen=True, eq=False)
class QuantileState:
    """What a run of QuantileJKO carries from step to step.

    Attributes
    ----------
    x : (n + 1,)
        Quantiles.
    levels : (n + 1,)
        Their levels, from 0 to 1.
    energy : DiscreteEnergy
        The energy on these levels, prepared by `init`.
    facts : Mapping
        What the last step reports.
    before : (n + 1,) or None
        The quantiles a step ago, for time_order=2; None before the first step.
    dt : float
        The length of that step.
    """

    x: Nodes
    levels: Nodes
    energy: DiscreteEnergy
    facts: Mapping[str, float] = field(default_factory=dict)
    before: Nodes | None = None
    dt: float = 0.0


@dataclass(frozen=True)
class QuantileJKO(Method):
    """The JKO step ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) on the line [jko1998, eq. (14)], for quantile functions.

    With time_order=2 it is BDF2, which looks back one step more.

    The minimum is taken over the laws whose quantile function is linear between fixed levels. W2 is squared in the
    objective; the report has W2 itself.

    Parameters
    ----------
    points : int, default 1000
        Number of quantile levels, ends included, at least 3. There are points - 1 cells, so an error of order p falls
        like (points - 1)^-p.
    grading : {"graded", "uniform"}, default "graded"
        "graded": levels I_ξ(5, 5), see `mesh.quantile_levels`. W2 errors are second order in 1/points where the
        quantile function is smooth inside (0, 1) and grows no faster than s^-0.1 at its ends. "uniform": cells of equal
        mass. First order on the Barenblatt law of m = 2, and about order one half on a Gaussian, whose tails it cuts.
    time_order : {1, 2}, default 1
        1: the JKO step. 2: BDF2 in quantile coordinates [matthes2019], second order where the flow is smooth in time;
        see Notes.

    Raises
    ------
    BadInput
        Where a field makes no sense, the potential is not finite where the law has mass (there are no walls), or steps
        of time_order=2 differ in length.
    Unsupported
        For dim != 1, fast diffusion with m <= 1/3, a potential without gradient, and kernels that are singular and
        unknown or not integrable.
    NotConverged
        Where a step does not reach the accuracy that Notes state.
    Diverged
        Where nodes cross, which happens only without internal energy.

    Notes
    -----
    *Discretisation.* With e = x - y, cell masses w and cell widths Δ, both W2² = Σ w_i (e_i² + e_i e_{i+1} +
    e_{i+1}²)/3 and the internal energy are exact: Σ T w_i log(w_i/Δ_i) for the entropy and Σ c w_i^m
    Δ_i^(1-m)/(m-1) for a power, convex for every m > 0 on the line [docs/math.md 6.2].

    *Energies.* Entropy, Power(m) with m > 1/3, and their sums are compiled. A user's internal energy is asked for its
    value and pressure, and for its second derivative if it has one. Any potential with a gradient is accepted, and any
    kernel that is finite at 0; QuadraticAttraction (rank one) and x²/2 - |x| (linear in ordered nodes) keep the Newton
    matrix tridiagonal.

    *Second order.* Between quantile functions X, W2 is the distance |.| of L²(0, 1). With time_order=2 the first step
    is a JKO step, whose error of dt² enters once; the others are those of [matthes2019], which minimise
    |X - X_k|²/dt - |X - X_{k-1}|²/(4 dt) + F(X) over the quantile functions, up to a constant

        F(X) + 3/(4 dt) |X - Y|²,   Y = (4 X_k - X_{k-1})/3.

    Y itself need not be a quantile function: where the energy keeps cells open (entropies, powers, kernels that repel
    at contact) the minimiser is one all the same, and elsewhere nodes that cross are `Diverged`. With d_k = X_k -
    X_{k-1}, F(X_k) + |d_k|²/(4 dt) never rises, for every F and dt. F itself rises by at most |d_k|²/(12 dt), and where
    F is convex along quantiles not at all at a step with |d_{k+1}| >= |d_k|/3, which holds where dt is small against
    the times in which the flow changes. The midpoint scheme of [legendre2017] is of second order too; it extrapolates
    the law at the end of each step, to what need not be a law, and is not here.

    *Radii.* On the radius of a radial problem -T (d - 1) E log r, the rest of the entropy in R^d, is exact too, and
    nodes stay above 0, where its force is infinite.

    *Kinks.* A potential whose gradient jumps is integrated exactly about the jump where cells stay open. A potential
    alone, with a kink in reach of a step, is minimised node by node: Q_new(s) minimises (x - Q(s))²/(2 dt) + V(x), to
    neighbouring floats, and nodes may rest on the kink. With an interaction and no internal energy such cells would
    have to close, which Newton's method does not do (`NotConverged`).

    *Cost.* O(points) per Newton step. Other interactions are dense: O(points²) memory and time for the pairs and
    O(points³) for the factorisation (1,000 points: about 0.1 s per Newton step).

    *Which minimum.* The step is the global minimiser where F is convex along quantiles (V convex; W convex, or
    repulsive like -log|x| and -|x|^b/b with b <= 1), and for dt < 1/max(-V''). Elsewhere it is a stationary point
    reached by descent from ρ_k, with a Levenberg shift where the Hessian is indefinite. Each step ends with |∇| <=
    1e-10 of the balancing forces plus their round-off, checked at the law returned. The objective does not rise, so
    the energy does not (time_order=2: see above).

    *Gaps in the support.* The levels do not know where the quantile function jumps, and one cell then spreads its
    mass w over a gap of length J. That costs J √(w/12) in W2, order 1/2, already in the initial law: 0.45 J/√points
    at the median. For 0.5 N(-6, 0.01) + 0.5 N(6, 0.01) it is 0.52 at 100 points, 0.26 at 400 and 0.090 at 3,200.
    Clouds of particles are such laws.

    *Starts.* Laws whose quantile function is infinite at 0 or 1 start with the end nodes at levels ε and 1 - ε, ε =
    e^-2 s_1 (see `mesh.quantile_nodes`); the law keeps the levels 0 and 1, so the mass of a tail lies inside the end
    cell. That is part of the representation floor. A start with atoms (a cloud of particles, a point mass) is
    legitimate: its cost stays exact, and Newton starts from a spread-out guess.

    *Report.* `iterations` of Newton, `gradient` (relative stationarity residual), `roundoff` (its attainable size),
    `energy` (F of the law, with V and W by Gauss points where no closed form is named above), `distance` (W2 moved, not
    squared), `shift` (largest Levenberg shift in units of 1/dt; 0 for a convex step).
    """

    treats_parts: ClassVar[bool] = True

    points: int = 1000
    grading: str = "graded"
    time_order: int = field(default=1, metadata={"later": True})

    def __post_init__(self):
        count(self.points, "points", 3)
        if self.time_order not in (1, 2) or isinstance(self.time_order, bool):
            raise BadInput(f"time_order is {self.time_order!r}. QuantileJKO has order 1 (JKO) and 2 (BDF2). Pass one.")
        if self.grading not in GRADINGS:
            raise unknown_field("QuantileJKO.grading", str(self.grading), GRADINGS)

    def init(self, problem: Problem, rng: np.random.Generator | None) -> QuantileState:
        """The initial law on the mesh, and the energy prepared for it; rng is not used."""
        if problem.dim != 1:
            raise Unsupported(
                f"{problem.name!r} has dim {problem.dim}. QuantileJKO treats dim 1: quantile functions exist on the "
                "line only. Use a particle or neural method."
            )
        levels = quantile_levels(self.points, self.grading)
        x = quantile_nodes(problem.initial, levels)
        require_even(problem.energy.interaction, 1, float(x[-1] - x[0]) or 1.0)
        with _no_walls():
            energy = discretise(problem.energy, levels, x)
            _, _, value, _ = Objective(energy, x, 1.0).value(x)
        return QuantileState(x, levels, energy, {"energy": value})

    def step(self, problem: Problem, state: QuantileState, dt: float, rng: np.random.Generator | None) -> QuantileState:
        """The minimiser of one JKO step of length dt; rng is not used."""
        if state.energy.barrier:
            _require_fine_floats(state.x)
        start, length = self._proximal_problem(state, float(dt))
        objective = Objective(state.energy, start, length)
        if (term := state.energy.only_potential) is not None:
            with _no_walls():
                kinks = kinks_in_reach(term, start, length)
                if kinks:  # a cell that a kink holds is closed, which Newton's method cannot do
                    x, halvings = proximal_step(term.potential, start, length, kinks)
                    return self._moved(state, _ordered(x), dt, _proximal_facts(objective, x, halvings))
        with _no_walls():
            try:
                x, facts = _newton(problem, state, objective)
            except NotConverged:  # a kink may lie ahead
                moved = start - _force(problem, start) * length
                energy = _looked_for_kinks(problem, state, np.concatenate([start, moved]))
                if energy.kinks <= state.energy.kinks:
                    raise
                return self.step(problem, replace(state, energy=energy), dt, rng)
            energy = _looked_for_kinks(problem, state, x)
        if energy.kinks > state.energy.kinks:
            return self.step(problem, replace(state, energy=energy), dt, rng)
        return self._moved(replace(state, energy=energy), x, dt, facts)

    def _proximal_problem(self, state: QuantileState, dt: float) -> tuple[Nodes, float]:
        """From which nodes, and how long, the JKO step is that takes the state dt further."""
        if self.time_order == 1 or state.before is None:
            return state.x, dt
        if not abs(dt - state.dt) <= 1e-9 * state.dt:
            raise BadInput(
                f"A step of dt = {dt:.6g} follows one of {state.dt:.6g}. QuantileJKO(time_order=2) looks back one step "
                "and needs equal ones. Keep dt, or start again from the law by init.",
                dt=dt,
                before=state.dt,
            )
        return extrapolated(state.x, state.before), STEP_SHARE * dt

    def _moved(self, state: QuantileState, x: Nodes, dt: float, facts: dict[str, Any]) -> QuantileState:
        """The state after a step to the nodes x."""
        if self.time_order == 1:
            return replace(state, x=x, facts=facts)
        a, b = (x - state.x)[:-1], (x - state.x)[1:]
        facts["distance"] = float(np.sqrt(state.energy.cell_mass @ (a * a + a * b + b * b) / 3))
        return replace(state, x=x, facts=facts, before=state.x, dt=float(dt))

    def law(self, state: QuantileState) -> Quantiles:
        """The law with the state's quantile function."""
        return Quantiles(state.x, state.levels)

    def report(self, state: QuantileState) -> dict[str, float]:
        """What the class docstring lists, of the last step."""
        return dict(state.facts)

    def takes_jko_steps(self, problem: Problem) -> bool:
        return self.time_order == 1

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike) -> Trajectory:
        """The exact iterates of the time discretisation: those of JKO, or those of its second-order form.

        Raises
        ------
        NotAvailable
            Where they have no closed form; of second order, beyond Gaussians, Barenblatt profiles and semicircles.
        """
        refuse_other_steps(self)
        return (
            exact_jko(problem, dt=dt, times=times)
            if self.time_order == 1
            else exact_second_order(problem, dt, (problem.horizon,) if times is None else times)
        )


@contextmanager
def _no_walls() -> Iterator[None]:
    """Adds to the `BadInput` of a potential that is inf where the law has mass what to do about walls."""
    try:
        yield
    except BadInput as error:
        if getattr(error, "value", None) != np.inf:
            raise
        raise BadInput(
            f"{error} If a wall is meant there: QuantileJKO has none. Use ChangCooper or CvxoptJKO, whose grids end at "
            "a wall, or a potential that rises to it steeply but is finite.",
            **error.facts,
        ) from error


def _start(objective: Objective, x: Nodes, levels: Nodes, internal: InternalEnergy | None) -> Nodes:
    """x itself; where cells must stay open and x has empty ones, x plus a Gaussian as wide as diffusion makes it."""
    energy = objective.energy
    if energy.origin is not None and x[0] <= energy.origin:  # where the force is infinite
        x = np.append(energy.origin + (x[1] - energy.origin) / 4, x[1:])
    if not energy.barrier or np.all(np.diff(x) > 0):
        return x
    return x + spread_of_a_point(energy.powers, internal, objective.dt) * quantile_nodes(Gaussian(0.0, 1.0), levels)


def _proximal_facts(objective: Objective, x: Nodes, halvings: int) -> dict[str, Any]:
    """What a step node by node reports: 0 lies in every subgradient, so the residual is 0."""
    _, _, energy, cost = objective.value(x)
    distance = float(np.sqrt(2 * objective.dt * cost))
    return dict(iterations=halvings, gradient=0.0, roundoff=0.0, energy=energy, distance=distance, shift=0.0)


def _newton(problem: Problem, state: QuantileState, objective: Objective) -> tuple[Nodes, dict[str, Any]]:
    """The minimiser of a step by Newton's method, and the facts of the search; far from 0 in shifted coordinates."""
    shift = _shift(state.x)
    if shift != 0:
        objective = Objective(state.energy.shifted(shift), objective.y - shift, objective.dt)
    x, facts = minimise(objective, _start(objective, state.x - shift, state.levels, problem.energy.internal))
    return _ordered(x) + shift, facts


def _looked_for_kinks(problem: Problem, state: QuantileState, x: Nodes) -> DiscreteEnergy:
    """The energy of the state with kinks looked for about all the points x; the same where they were before."""
    if state.energy.scanned is None:
        return state.energy
    lower, upper = state.energy.scanned
    low, high = float(x.min()), float(x.max())
    if lower <= low and high <= upper:
        return state.energy
    span = float(state.x[-1] - state.x[0])  # looked for a span ahead, so that it is not done at every step
    ends = np.array([min(lower, low - span), max(upper, high + span)])
    found = discretise(problem.energy, state.levels, ends)
    return found if found.kinks > state.energy.kinks else replace(state.energy, scanned=found.scanned)


def _force(problem: Problem, x: Nodes) -> Nodes:
    """∇V at the points x (n,); 0 without a gradient."""
    grad = getattr(problem.energy.potential, "grad", None)
    return np.zeros(len(x)) if grad is None else np.asarray(grad(x[:, None]), dtype=float)[:, 0]


def _shift(x: Nodes) -> float:
    """What is taken off the nodes for a step: their median where the law lies far from 0, else 0."""
    middle = float(x[len(x) // 2])
    return middle if abs(middle) > FAR_AWAY * float(x[-1] - x[0]) else 0.0


def _require_fine_floats(x: Nodes) -> None:
    """`BadInput` where floats near the law are too coarse for its cells: then round-off alone would call a step done.

    Judged by the middle half of the nodes: a far tail is soft, and has the digits that it needs.
    """
    quarter = len(x) // 4
    middle = x[quarter : len(x) - quarter]
    cell = float(middle[-1] - middle[0]) / (len(middle) - 1)
    spacing = float(np.spacing(np.abs(middle).max()))
    if 0 < cell and spacing > COARSEST_FLOATS * cell:
        raise BadInput(
            f"The law lies near x = {middle[len(middle) // 2]:.6g}, where floats are {spacing:.3g} apart, and its "
            f"cells are {cell:.3g} wide; at most {COARSEST_FLOATS:g} of a cell is accepted. Shift the problem so that "
            "its laws lie near 0, or take fewer points.",
            spacing=spacing,
            width=cell,
        )


def _ordered(x: Nodes) -> Nodes:
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
