"""One step of CvxoptJKO: calls of CVXOPT and the judgement of its answers. The only module that imports cvxopt."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.errors import NotAvailable, NotConverged
from ..._core.shapes import Numbers, Values
from .kkt import Operators, square_root
from .levels import band_around, halved, spread_to, widened_band
from .pairs import Columns, OnPairs
from .program import Certificate, Program

ALLOWED_GAP, ALLOWED_RESIDUAL = 1e-7, 1e-6  # what the independent check accepts, relative to Program.scale
ALLOWED_MARGINAL_ERROR = 1e-7  # largest error of CVXOPT's column sums that is corrected
LEAST_REDUCED_COST = -1e-9  # of a pair outside the band, relative to Program.scale; below, the band is widened
MOST_NEWTON_STEPS = 40
MOST_BANDS = 12  # bands of one step
FEW_CELLS = 96  # grids of so many cells have no band: all pairs are variables


@dataclass(frozen=True)
class Aim:
    """Where Newton's method stops, relative to Program.scale, and to what a single program is solved."""

    gap: float
    residual: float
    program: float

    def reached(self, judged: Certificate, scale: float) -> bool:
        """Whether a coupling is that good."""
        return judged.gap <= self.gap * scale and judged.residual <= self.residual * scale


FULL = Aim(1e-9, 1e-7, 1e-12)
ROUGH = Aim(1e-8, 1e-5, 1e-11)  # of coarser grids, which only say where the mass goes


class StepSolver:
    """One step: calls CVXOPT as often as needed and judges what comes back."""

    def __init__(self, program: Program, kkt: str, step: int):
        self.program, self.kkt, self.step = program, kkt, step
        self.iterations = self.programs = 0
        self.correction = self.smallest = 0.0

    def solve(self) -> tuple[Program, OnPairs, dict[str, Any]]:
        """The program with the pairs that are variables, the coupling K on them with unit column sums, and facts."""
        program, coupling, best = self._certified(self.program, FULL)
        scale = program.scale
        gap, residual = float(best.gap / scale), float(best.residual / scale)
        facts = {
            "status": "optimal",
            "programs": self.programs,
            "iterations": self.iterations,
            "gap": best.gap,
            "relative_gap": gap,
            "kkt_residual": residual,
            "marginal_correction": self.correction,
            "min_coupling": float(self.smallest),
            "pairs": program.pairs.size,
            "left_out": float(best.left_out / scale),
        }
        marginal = float(np.abs(program.pairs.column_sums(coupling) - 1).max())
        if not (gap <= ALLOWED_GAP and residual <= ALLOWED_RESIDUAL and marginal <= 1e-12 and coupling.min() >= 0):
            raise self._failure(
                "optimal",
                f"but the independent check finds gap {gap:.3g} of the objective's size (allowed {ALLOWED_GAP:g}), "
                f"KKT residual {residual:.3g} of it ({ALLOWED_RESIDUAL:g}), marginal error {marginal:.3g} (1e-12), "
                f"smallest coupling {coupling.min():.3g}",
                best.gap,
                max(residual, marginal),
            )
        return program, coupling, facts

    def _certified(self, program: Program, aim: Aim) -> tuple[Program, OnPairs, Certificate]:
        """The program on all pairs, or on a band that is widened until no pair outside has a negative reduced cost.

        The band comes from the same step on half as many cells.
        """
        if self.kkt != "banded" or len(program.old) <= FEW_CELLS:
            return program, *self._optimum(program, None, aim)
        wide, coupling, judged = self._certified(halved(program), ROUGH)
        start = spread_to(program, wide.masses(coupling))
        program = replace(program, band=band_around(program, wide, judged))
        for _ in range(MOST_BANDS):
            coupling, judged = self._optimum(program, start, aim)
            least = LEAST_REDUCED_COST * program.scale
            certified = judged.left_out >= least
            if aim is ROUGH or (certified and judged.gap <= ALLOWED_GAP * program.scale):
                return program, coupling, judged
            start = program.masses(coupling)
            program = replace(program, band=widened_band(program, judged, 0.0 if certified else least))
        raise self._failure(
            "optimal",
            f"but after {MOST_BANDS} bands a pair outside has the reduced cost {judged.left_out / program.scale:.3g} "
            f"of the objective's size (allowed {LEAST_REDUCED_COST:g})",
            judged.gap,
            judged.residual,
        )

    def _optimum(self, program: Program, start: Values | None, aim: Aim) -> tuple[OnPairs, Certificate]:
        """The coupling of least objective on the pairs of the program, and its certificate."""
        if program.kind == "convex":
            return self._newton(program, start, aim)
        still = program.stay
        coupling, psi = self._model(
            program, program.gradient(still), program.hessian(still), still, aim.program * program.scale
        )
        return coupling, program.certificate(coupling, psi)

    def _newton(self, program: Program, start: Values | None, aim: Aim) -> tuple[OnPairs, Certificate]:
        """The best coupling of a sequence of quadratic models, the first about the masses `start`."""
        scale, finest = program.scale, aim.program * program.scale
        coupling, mass = None, start
        if mass is None:
            coupling = program.spread()
            mass = program.masses(coupling)
        best: tuple[OnPairs, Certificate] | None = None
        tried, goal, asked = 0, 1e-3 * scale, None
        for _ in range(MOST_NEWTON_STEPS):
            target, psi = self._model(program, program.gradient(mass), program.hessian(mass, asked), mass, goal)
            coupling = target if coupling is None else _descend(program, coupling, target, mass)
            mass = program.masses(coupling)
            judged = program.certificate(coupling, psi)
            tried = 0 if best is None or judged.residual < 0.5 * best[1].residual else tried + 1
            if best is None or judged.residual < best[1].residual:
                best = coupling, judged
            good = aim.reached(judged, scale)
            at_roundoff = tried >= 3 and (program.band is not None or best[1].gap <= ALLOWED_GAP * scale)
            if good or at_roundoff or judged.mass is None:
                break
            # a model need only be as good as the last objective was off
            goal = np.clip(1e-3 * judged.gap, 10 * finest, goal)
            asked = np.minimum(judged.mass, 1.0)
        assert best is not None  # at least one model was solved
        return best

    def _model(
        self, program: Program, gradient: Values, hessian: Numbers | None, around: Values, aim: float
    ) -> tuple[OnPairs, Columns]:
        """The coupling K and ψ (k,) of a quadratic model of the program around the masses `around`.

        It minimises Σ C_ij p_j K_ij + gradient·(q - around) + ½ (q - around)ᵀ hessian (q - around).
        """
        solvers, matrix, spmatrix = import_cvxopt()
        pairs = program.pairs
        n, k, size = pairs.n, pairs.k, pairs.size
        shift = around - program.stay
        if hessian is not None:
            gradient = gradient - (hessian * shift if hessian.ndim == 1 else hessian @ shift)
        # CVXOPT's tests and starts are absolute: it gets numbers of size one, in a unit that is a power of two
        unit = 2.0 ** np.round(np.log2(program.scale))
        lowest = gradient.min()
        gradient = gradient - lowest  # a constant is the same for all couplings of unit column sums
        hessian = None if hessian is None else hessian / unit
        linear = matrix((program.cost + pairs.per_row(gradient)) / unit * program.moved)
        zero, one, cone = matrix(0.0, (size, 1)), matrix(1.0, (k, 1)), {"l": size, "q": [], "s": []}
        options = {
            "show_progress": False,
            "maxiters": 100,
            "abstol": float(aim / unit),
            "reltol": 1e-14,
            "feastol": 1e-9,
            "refinement": 1,
        }
        try:
            if self.kkt != "default":
                operators = Operators(program.mass, pairs, square_root(hessian))
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
        coupling = np.array(found["s"]).ravel()
        sums = pairs.column_sums(coupling)
        correction = float(np.abs(sums - 1).max())
        if not (np.isfinite(coupling).all() and coupling.min() >= 0 and correction <= ALLOWED_MARGINAL_ERROR):
            raise self._failure(
                "optimal",
                f"but its coupling has column sums off by {correction:.3g} (allowed {ALLOWED_MARGINAL_ERROR:g}), "
                f"smallest entry {coupling.min():.3g}",
                found["gap"],
                correction,
            )
        self.correction, self.smallest = correction, coupling.min()
        return coupling / pairs.per_column(sums), -unit * np.array(found["y"]).ravel() / program.mass + lowest

    def _failure(self, status: str, why: str, gap: float | None, residual: float | None) -> NotConverged:
        """The error for whatever is not a certified optimum."""
        gap, residual = (np.nan if value is None else float(value) for value in (gap, residual))
        return NotConverged(
            f"Step {self.step}: CVXOPT ended `{status}`{' ' + why if why else ''} (program {self.programs + 1}, gap "
            f"{gap:.3g}, residual {residual:.3g}, {len(self.program.old)} cells, kkt={self.kkt!r}). Only a certified "
            "optimum is accepted. Try another number of cells, a larger dt, or QuantileJKO.",
            step=self.step,
            outcome=status,
            gap=gap,
            residual=residual,
            iterations=self.iterations,
        )


def _descend(program: Program, coupling: OnPairs, target: OnPairs, mass: Values) -> OnPairs:
    """The best of a few points on the segment from `coupling` to `target`: both are feasible, so all of it is."""
    move = program.pairs.row_sums(target - coupling, program.mass)
    cost = program.transport(target - coupling)
    lengths = [1.0, 1 - 1e-4, 0.99, 0.9, 0.7, 0.5, 0.25, 0.1, 0.03, 0.01]
    values = [program.energy(np.maximum(mass + a * move, 0.0)) + a * cost for a in lengths]
    return coupling + lengths[int(np.argmin(values))] * (target - coupling)


def import_cvxopt() -> tuple[Any, Any, Any]:
    """solvers, matrix and spmatrix of cvxopt, or `NotAvailable`."""
    try:
        from cvxopt import matrix, solvers, spmatrix
    except ImportError as error:
        raise NotAvailable(
            f"CvxoptJKO needs cvxopt, which does not import ({error}). QuantileJKO needs nothing more. pip install "
            "pdeflow[cvxopt]"
        ) from error
    return solvers, matrix, spmatrix
