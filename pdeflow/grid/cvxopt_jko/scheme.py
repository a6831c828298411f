"""CvxoptJKO: the JKO step as a convex program over couplings of grid cells, solved by CVXOPT. The only module that imports cvxopt."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from ..._core.errors import BadInput, NotAvailable, NotConverged, Unsupported, unknown_field
from ..._core.validate import count, positive
from ...energies.internal import Entropy, Power
from ...laws import GridLaw
from ...method import Method
from ...trajectory import exact_jko
from ..domain import cell_masses, potential_values, refuse_outside
from .domain import choose_ends, kernel_matrix
from .kkt import Operators, square_root
from .program import Program

KKT = ("structured", "default")
GAP, RESIDUAL = 1e-7, 1e-6  # what the independent check accepts, relative to Program.scale
AIM_GAP, AIM_RESIDUAL = 1e-9, 1e-7  # where Newton's method stops, relative to Program.scale
EDGE = 1e-4  # mass in the two end cells above which the domain is too small
_NEWTON = 40
_MARGINAL = 1e-7  # largest error of CVXOPT's column sums that is corrected


@dataclass(frozen=True, eq=False)
class CouplingState:
    """edges (n + 1,), mass (n,), potential (n,) V and the linear part of W, kernel (n, n) or None, constant (its energy), tail_mass, steps, facts of the last step."""

    edges: np.ndarray
    mass: np.ndarray
    potential: np.ndarray
    kernel: np.ndarray | None
    constant: float
    tail_mass: float
    steps: int = 0
    facts: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class CvxoptJKO(Method):
    """ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) over masses q of `cells` equal cells [fan2022iclr, eq. (18); corrected in docs/math.md 6.1].

        min_{π >= 0} Σ_ij |x_i - x_j|² π_ij/(2 dt) + δ Σ_i U(q_i/δ) + V·q + ½ qᵀWq,   q = π1,   Σ_i π_ij = p_j (old masses),

    x the cell centres, δ their distance, W_ij the mean of W over a pair of cells. fan2022iclr prints the energy of the fixed marginal, which is constant.

    WARNING, locking. On a grid, moving mass by u < δ costs about uδ/(2 dt) instead of u²/(2 dt): where δ is not small against
    the displacement of one step, mass sticks. Rule: δ <= 1/4 of the smallest relevant displacement of a step; `displacement_in_cells` of the report
    (W2 of the step over δ) should be >= 4. As dt -> 0 at fixed δ the scheme stands still; it has no order in dt alone. Relative
    error of the root of the second moment against the exact JKO sequence, Barenblatt m = 2 from t = 0.002, dt = 0.001, 20 steps, [-0.8, 0.8]:
    100 cells -20.8 %, 200 -3.2 %, 300 -2.0 %, 400 -1.1 %, 800 -0.22 % (exact JKO against the PDE: -1.15 %).

    A linear program (conelp) for a potential alone, a quadratic one (coneqp) for Power(m=2), an interaction, or both; for Entropy and Power(m != 2)
    Newton's method: a sequence of quadratic models by coneqp, each from exact gradient and curvature at positive masses, with
    a line search on F (CVXOPT's solvers.cp stalls at gaps of 1e-4 to 1e-6 on the entropy, whose tails span 20 orders of magnitude). No band: all pairs count.
    One step of 300 cells: below 1 s for Power(m=2), about 8 programs and 3 s for the others.

    kkt "structured": couplings enter the energy by row sums only, so Woodbury's identity leaves one n x n Cholesky factorisation an iteration:
    O(n²) memory, O(n³) time. "default": CVXOPT's own solver on n² variables, for comparison at n < 100.

    lower, upper : ends, None automatic. Entropy: as ChangCooper, and to where V reaches its maximum on the initial law, and 5 %. Otherwise the initial support (or what holds all but 1e-13 at each end), widened to
    where V reaches its maximum on it, by the Barenblatt radius R(c·horizon) for Power(m), c (fronts move no further), and 5 %. With an interaction both ends must be given.
    The initial mass outside goes into the end cells (`tail_mass`; above 1e-3 refused).

    Every column of CVXOPT's strictly positive π is scaled to its marginal; the largest relative change is `marginal_correction` (about 1e-15; above 1e-7 an
    error). Old cells of at most 1e-14 stay in place. Interior-point masses are positive: cells that should be empty hold 1e-10 and less.
    The result is then judged by docs/math.md's dual, over all pairs: gap <= 1e-7 and KKT residual <= 1e-6 of the objective's size, or `NotConverged`.

    report : status, programs (solved), iterations (of CVXOPT), gap (absolute, certified), relative_gap, kkt_residual (relative), primal_objective, energy,
    distance (W2 moved, not squared), displacement_in_cells, marginal_correction, min_coupling, mass_error, edge_mass (both end cells), tail_mass.

    Raises `NotAvailable` without cvxopt; `Unsupported` (dim > 1, other internal energies, W not convex in the masses: the eigenvalue is named; no cdf);
    `BadInput` (ends, NaN in V, mass outside, more than 1e-4 in the end cells after a step); `NotConverged` with step, status, gap, residual
    for every outcome of CVXOPT but `optimal`, its ArithmeticError and ValueError included, and where the check above fails.
    """

    cells: int = 300
    lower: float | None = None
    upper: float | None = None
    kkt: str = "structured"

    def __post_init__(self):
        count(self.cells, "cells", 3)
        for name in ("lower", "upper"):
            end = getattr(self, name)
            number = isinstance(end, int | float | np.number) and not isinstance(end, bool)
            if end is not None and not (number and np.isfinite(end)):
                raise BadInput(f"{name} is {end!r}. It must be a finite number, or None for automatic. Choose one.")
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise BadInput(
                f"lower is {self.lower}, upper {self.upper}. lower must be below upper. Exchange or mend them."
            )
        if self.kkt not in KKT:
            raise unknown_field("CvxoptJKO.kkt", str(self.kkt), KKT)

    def init(self, problem, rng=None) -> CouplingState:
        _import_cvxopt()
        energy = problem.energy
        if problem.dim != 1:
            raise Unsupported(
                f"CvxoptJKO works on the line, {problem.name!r} has dim {problem.dim}. For separable problems solve the 1-D one and pf.lift it."
            )
        if energy.internal is not None and not isinstance(energy.internal, Entropy | Power):
            raise Unsupported(
                f"CvxoptJKO knows the internal energies Entropy and Power, got {energy.internal!r}. Use one of these."
            )
        if isinstance(energy.internal, Power) and energy.internal.m < 1:
            raise Unsupported(
                f"{energy.internal!r} is fast diffusion: r^m/(m-1) with infinite slope at 0. CvxoptJKO needs m > 1. Use QuantileJKO."
            )
        lower, upper = choose_ends(problem, self.cells, self.lower, self.upper)
        edges = np.linspace(lower, upper, self.cells + 1)
        mass, tails = cell_masses(problem.initial, edges)
        refuse_outside("initial law", *tails, lower, upper)
        potential, kernel, constant = potential_values(energy.potential, (edges[1:] + edges[:-1]) / 2), None, 0.0
        if energy.interaction is not None:
            kernel, linear, constant = kernel_matrix(energy.interaction, self.cells, (upper - lower) / self.cells)
            potential = potential + linear
        return CouplingState(edges, mass, potential, kernel, constant, sum(tails))

    def step(self, problem, state, dt, rng=None) -> CouplingState:
        dt = positive(dt, "dt")
        edges, width = state.edges, (state.edges[-1] - state.edges[0]) / self.cells
        program = Program(
            (edges[1:] + edges[:-1]) / 2, width, dt, state.mass, state.potential, problem.energy.internal, state.kernel
        )
        solver = _Solver(program, self.kkt, state.steps + 1)
        with _threads().limit(
            limits=1
        ):  # same bits on any number of cores; and BLAS threads that wait for a busy core cost tenfold
            coupling, facts = solver.solve()
        mass = coupling @ program.mass + program.stay
        transport = float(np.einsum("ij,ij,j->", program.cost, coupling, program.mass))
        energy = float(program.energy(mass) + state.constant)
        distance = float(np.sqrt(2 * dt * transport))
        ends = (float(mass[0]), float(mass[-1]))
        facts |= {
            "primal_objective": transport + energy, "energy": energy, "distance": distance, "displacement_in_cells": float(distance / width),
            "mass_error": float(mass.sum() - 1), "edge_mass": ends, "tail_mass": state.tail_mass,
        }  # fmt: skip
        if sum(ends) > EDGE:
            raise BadInput(
                f"The domain [{edges[0]:.6g}, {edges[-1]:.6g}] is too small: after step {state.steps + 1} its end cells hold {ends[0]:.3g} and {ends[1]:.3g}; "
                f"at most {EDGE:g} is accepted, for mass piles up there that should leave. Widen lower= and upper=.",
                step=state.steps + 1, edge_mass=sum(ends),
            )  # fmt: skip
        return replace(state, mass=mass, steps=state.steps + 1, facts=facts)

    def law(self, state) -> GridLaw:
        return GridLaw(state.edges, state.mass)

    def exact_sequence(self, problem, *, dt, times):
        return exact_jko(problem, dt=dt, times=times)

    def report(self, state) -> dict:
        return dict(state.facts)


class _Solver:
    """One step: calls CVXOPT as often as needed and judges what comes back."""

    def __init__(self, program, kkt, step):
        self.program, self.kkt, self.step = program, kkt, step
        self.n, self.k = len(program.old), len(program.mass)
        self.iterations = self.programs = 0
        self.correction = self.smallest = 0.0

    def solve(self):
        """Coupling K (n, k) with unit column sums, and the facts of the solution."""
        program = self.program
        aim = 1e-12 * program.scale
        if program.kind != "convex":
            still = program.stay
            coupling, psi = self._model(program.gradient(still), program.hessian(still), still, aim)
            best = program.certificate(coupling, psi)
        else:
            coupling, best = self._newton(aim)
        gap, residual = float(best.gap / program.scale), float(best.residual / program.scale)
        facts = {
            "status": "optimal", "programs": self.programs, "iterations": self.iterations, "gap": best.gap, "relative_gap": gap,
            "kkt_residual": residual, "marginal_correction": self.correction, "min_coupling": float(self.smallest),
        }  # fmt: skip
        marginal = float(np.abs(coupling.sum(0) - 1).max())
        if not (gap <= GAP and residual <= RESIDUAL and marginal <= 1e-12 and coupling.min() >= 0):
            raise self._failure(
                "optimal",
                f"but the independent check finds gap {gap:.3g} of the objective's size (allowed {GAP:g}), KKT residual {residual:.3g} of it ({RESIDUAL:g}), "
                f"marginal error {marginal:.3g} (1e-12), smallest coupling {coupling.min():.3g}",
                best.gap, max(residual, marginal),
            )  # fmt: skip
        return coupling, facts

    def _newton(self, aim):
        program = self.program
        coupling = program.spread()
        mass = coupling @ program.mass + program.stay
        best, tried, goal, asked = None, 0, 1e-3 * program.scale, None
        for _ in range(_NEWTON):
            target, psi = self._model(program.gradient(mass), program.hessian(mass, asked), mass, goal)
            coupling = self._descend(coupling, target, mass)
            mass = coupling @ program.mass + program.stay
            judged = program.certificate(coupling, psi)
            tried = 0 if best is None or judged.residual < 0.5 * best[1].residual else tried + 1
            if best is None or judged.residual < best[1].residual:
                best = coupling, judged
            good = judged.gap <= AIM_GAP * program.scale and judged.residual <= AIM_RESIDUAL * program.scale
            if good or (
                tried >= 3 and best[1].gap <= GAP * program.scale
            ):  # the latter is round-off: the check decides
                break
            goal = np.clip(
                1e-3 * judged.gap, 10 * aim, goal
            )  # a model need only be as good as the last objective was off
            asked = np.minimum(judged.mass, 1.0)
        return best

    def _descend(self, coupling, target, mass):
        """The best of a few points on the segment from `coupling` to `target`: both are feasible, so all of it is."""
        program = self.program
        move = (target - coupling) @ program.mass
        cost = float(np.einsum("ij,ij,j->", program.cost, target - coupling, program.mass))
        lengths = [1.0, 1 - 1e-4, 0.99, 0.9, 0.7, 0.5, 0.25, 0.1, 0.03, 0.01]
        values = [program.energy(np.maximum(mass + a * move, 0.0)) + a * cost for a in lengths]
        return coupling + lengths[int(np.argmin(values))] * (target - coupling)

    def _model(self, gradient, hessian, around, aim):
        """Minimise Σ C_ij p_j K_ij + gradient·(q - around) + ½ (q - around)ᵀ hessian (q - around); K (n, k) and ψ (k,)."""
        solvers, matrix, spmatrix = _import_cvxopt()
        program, n, k = self.program, self.n, self.k
        shift = around - program.stay
        if hessian is not None:
            gradient = gradient - (hessian * shift if hessian.ndim == 1 else hessian @ shift)
        linear = matrix(((program.cost + gradient[:, None]) * program.mass).ravel())
        zero, one, cone = matrix(0.0, (n * k, 1)), matrix(1.0, (k, 1)), {"l": n * k, "q": [], "s": []}
        options = {"show_progress": False, "maxiters": 100, "abstol": float(aim), "reltol": 1e-14, "feastol": 1e-9, "refinement": 1}  # fmt: skip
        try:
            if self.kkt == "structured":
                operators = Operators(program.mass, n, square_root(hessian))
                common = {"kktsolver": operators.kktsolver, "options": options}
                found = solvers.coneqp(
                    operators.hessian, linear, operators.bound, zero, cone, operators.sums, one, **common
                )
            else:
                bound = spmatrix(-1.0, range(n * k), range(n * k))
                sums = spmatrix(1.0, np.tile(np.arange(k), n).tolist(), range(n * k), (k, n * k))
                if hessian is None:
                    quadratic = spmatrix([], [], [], (n * k, n * k))
                else:
                    where = np.repeat(np.arange(n), k).tolist()
                    rows = spmatrix(np.tile(program.mass, n), where, range(n * k), (n, n * k))
                    middle = spmatrix(hessian, range(n), range(n)) if hessian.ndim == 1 else matrix(hessian)
                    quadratic = rows.T * middle * rows
                found = solvers.coneqp(quadratic, linear, bound, zero, cone, sums, one, options=options)
        except (ArithmeticError, ValueError) as error:
            raise self._failure(f"{type(error).__name__}: {error}", "", np.nan, np.nan) from error
        self.iterations += found["iterations"]
        self.programs += 1
        residuals = [found[name] for name in ("primal infeasibility", "dual infeasibility")]
        worst = max((residual for residual in residuals if residual is not None), default=np.nan)
        if found["status"] != "optimal":
            raise self._failure(found["status"], "", found["gap"], worst)
        coupling = np.array(found["s"]).reshape(n, k)
        sums = coupling.sum(0)
        correction = float(np.abs(sums - 1).max())
        if not (np.isfinite(coupling).all() and coupling.min() >= 0 and correction <= _MARGINAL):
            raise self._failure(
                "optimal", f"but its coupling has column sums off by {correction:.3g} (allowed {_MARGINAL:g}), smallest entry {coupling.min():.3g}",
                found["gap"], correction,
            )  # fmt: skip
        self.correction, self.smallest = correction, coupling.min()
        return coupling / sums, -np.array(found["y"]).ravel() / program.mass

    def _failure(self, status, why, gap, residual):
        gap, residual = (np.nan if value is None else float(value) for value in (gap, residual))
        return NotConverged(
            f"Step {self.step}: CVXOPT ended `{status}`{' ' + why if why else ''} (program {self.programs + 1}, gap {gap:.3g}, residual {residual:.3g}, "
            f"{self.n} cells, kkt={self.kkt!r}). Only a certified optimum is accepted. Try another number of cells, a larger dt, or QuantileJKO.",
            step=self.step, status=status, gap=gap, residual=residual, iterations=self.iterations,
        )  # fmt: skip


@cache
def _threads():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # after cvxopt and scipy are loaded: it finds what is there


def _import_cvxopt():
    try:
        import threadpoolctl  # noqa: F401  comes with the same extra
        from cvxopt import matrix, solvers, spmatrix
    except ImportError as error:
        raise NotAvailable(
            f"CvxoptJKO needs cvxopt, which does not import ({error}). QuantileJKO needs nothing more. pip install pdeflow[cvxopt]"
        ) from error
    return solvers, matrix, spmatrix
