"""The dual of a JKO step on a grid, and its ascent: heights φ of the grid points, Laguerre cells, the duality gap."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from ..._core.compiled import BLOCK, Run, alone
from ..._core.errors import NotConverged
from ..._core.shapes import Numbers
from ...energies.internal import InternalEnergy
from .c_transform import convex_along_axes, lower_envelope
from .conjugate_gradients import solve_weighted
from .laguerre import laguerre_masses
from .start import first_heights, has_finite_slope_at_zero

Mask = Bool[np.ndarray, "..."]

FAULT = 1e-12  # mass lost, or below zero in a cell, that a step may end with
PASSING = 1e-9  # mass lost and below zero in all, on the way
PASSING_SHARE = 0.1  # of the relative gap, that is as good where no ascent comes to an end otherwise
STARTS = 4  # that are tried
WORSE = 0.01  # of a gap: heights with a smaller one are tried first
BAND = 0.1  # first share of the largest link that every link gets, where fronts move
LEAST_BAND, MOST_BAND = 1e-4, 1.0
SHORTEST = 2.0**-12  # of a step of the ascent
NOISE = 1e-16  # of the largest mass: what masses in the plane are off by
LEAST_SHARE = 1e-3  # of what a point wants that counts as arrived in the metric
SMOOTHED = 0.5  # least links, relative to those if all that is wanted had arrived
ENOUGH = 1e-4  # of the increase that the slope promises


@dataclass(frozen=True, eq=False)
class StepProblem:
    """One JKO step on a grid of two axes (the second of one cell on the line).

    Attributes
    ----------
    mass : (n_1, n_2)
        Of the cells at the start.
    potential : (n_1, n_2)
        V at the centres, 0 where they are not open.
    open_points : (n_1, n_2) bool
        False where V is inf.
    internal : InternalEnergy
        U.
    widths : (2,)
        Of the cells; the second is 1 on the line.
    dt : float
        The step.
    """

    mass: Numbers
    potential: Numbers
    open_points: Mask
    internal: InternalEnergy
    widths: tuple[float, float]
    dt: float

    @property
    def volume(self) -> float:
        """Of a cell."""
        return self.widths[0] * self.widths[1]

    @property
    def squares(self) -> tuple[float, float]:
        """h_i² where the axis has more than one cell, else 0."""
        first, second = self.widths
        return first**2, second**2 if self.mass.shape[1] > 1 else 0.0

    @property
    def rates(self) -> tuple[float, float]:
        """dt/h_i²."""
        return self.dt / self.widths[0] ** 2, self.dt / self.widths[1] ** 2


class Evaluation(NamedTuple):
    """What heights φ give.

    Attributes
    ----------
    phi : (n_1, n_2)
        The heights.
    mass : (n_1, n_2)
        In the Laguerre cells: what arrives at each point.
    wanted : (n_1, n_2)
        The masses that the internal energy has at these heights, U*'(φ - V) |cell|.
    links : pair of (n_1, n_2)
        See `laguerre_masses`.
    dual : float
        The dual objective.
    gap : float
        Primal objective of `mass` less the dual one, by the inequality of Fenchel and Young cell by cell.
    transport : float
        Σ mass |x - y|².
    energy : float
        F of `mass`.
    size : float
        The size of the objective: the parts of the energy, V less its minimum, and the cost, each in absolute value.
    lost : float
        Mass lost or won.
    fault : float
        That and all mass below zero, where Laguerre cells are not what `laguerre` says.
    """

    phi: Numbers
    mass: Numbers
    wanted: Numbers
    links: tuple[Numbers, Numbers]
    dual: float
    gap: float
    transport: float
    energy: float
    size: float
    lost: float
    fault: float

    @property
    def sound(self) -> bool:
        """Whether the masses are those of a law, to FAULT."""
        return self.lost <= FAULT and float(self.mass.min()) >= -FAULT


class Solved(NamedTuple):
    """The end of an ascent: the last evaluation, its certified gap, and iterations."""

    at: Evaluation
    gap: float
    iterations: int


def limited_slopes(mass: Numbers, axis: int) -> Numbers:
    """Slopes per cell along an axis: the harmonic mean of the two differences, 0 at extrema [vanleer1974].

    At most the mass itself, so that with both axes a density linear in a cell stays non-negative.
    """
    lines = np.moveaxis(mass, axis, 0)
    slopes = np.zeros_like(lines)
    change = np.diff(lines, axis=0)
    before, after = change[:-1], change[1:]
    with np.errstate(all="ignore"):  # 0/0 where the law is constant, which the condition leaves out
        slopes[1:-1] = np.where(before * after > 0, 2 * before * after / (before + after), 0.0)
    return np.ascontiguousarray(np.moveaxis(np.clip(slopes, -np.abs(lines), np.abs(lines)), 0, axis))


class Ascent:
    """The dual objective of a step and its ascent.

    Parameters
    ----------
    problem : StepProblem
        The step.
    run : callable
        Threads.
    """

    def __init__(self, problem: StepProblem, run: Run):
        self.problem, self.run = problem, run
        self.slopes = limited_slopes(problem.mass, 0), limited_slopes(problem.mass, 1)
        self.lowest = float(problem.potential[problem.open_points].min())
        # of the metric: in the plane masses are differences, and their round-off over a smaller weight makes no heights
        self.least_weight = max(NOISE * float(problem.mass.max()) if problem.mass.shape[1] > 1 else 0.0, 1e-306)

    def evaluate(self, phi: Numbers) -> Evaluation:
        """All that heights give."""
        step, shape = self.problem, self.problem.mass.shape
        mass, cost, links_x, links_y = (np.empty(shape) for _ in range(4))
        self._transport(phi, mass, cost, links_x, links_y, np.empty((0, 0)), self.run)
        excess = np.where(step.open_points, phi - step.potential, 0.0)
        with np.errstate(over="ignore"):  # heights that are far too high: the dual is -inf there
            conjugate = np.where(step.open_points, step.internal.conjugate(excess), 0.0)
            wanted = np.where(step.open_points, step.internal.conjugate_derivative(excess), 0.0) * step.volume
        density = np.maximum(mass, 0.0) / step.volume
        internal = np.where(density > 0, step.internal.value(density), 0.0)
        transport = float(cost.sum())
        with np.errstate(invalid="ignore"):
            gap = float(np.sum((internal + conjugate) * step.volume - excess * mass))
            dual = float(np.sum(phi * mass - conjugate * step.volume) + transport / (2 * step.dt))
        energy = float(np.sum(internal) * step.volume + np.sum(step.potential * mass))
        size = float(np.sum(np.abs(internal)) * step.volume + np.sum((step.potential - self.lowest) * mass))
        size += transport / (2 * step.dt)
        lost = abs(float(mass.sum() - step.mass.sum()))
        fault = lost - float(np.minimum(mass, 0.0).sum())
        links = links_x, links_y
        return Evaluation(phi, mass, wanted, links, dual, gap, transport, energy, size, lost, fault)

    def _transport(self, phi: Any, mass: Any, cost: Any, links_x: Any, links_y: Any, value: Any, run: Run) -> None:
        """`laguerre_masses` of all rows."""
        step = self.problem
        run(
            len(phi) * BLOCK, laguerre_masses, step.mass, *self.slopes, phi, step.open_points, *step.rates,
            *step.squares, step.dt, mass, cost, links_x, links_y, value,
        )  # fmt: skip

    def defect(self, at: Evaluation) -> float:
        """How much the transport into the cells of `laguerre` costs above the c-transform of the heights.

        It is Σ mass (φ_j + |x - y_j|²/(2 dt) - φ^c(x)) over the centres x of the grid's cells, with the c-transform
        φ^c over all open points; inf where mass lies at a centre that no cell holds. Zero where the cells are the
        Laguerre cells.
        """
        step = self.problem
        shape = step.mass.shape
        value, mass, cost, links_x, links_y = np.full(shape, np.inf), *(np.empty(shape) for _ in range(4))
        self._transport(at.phi, mass, cost, links_x, links_y, value, alone)
        heights = np.where(step.open_points, at.phi, np.inf)
        weights = [square / (2 * step.dt) if square > 0 else 1.0 for square in step.squares]
        lowest = lower_envelope(heights, weights, self.run)
        full = step.mass > 0
        return max(0.0, float(np.sum(step.mass[full] * (value[full] - lowest[full]))))

    def solve(self, tolerance: float, iterations: int, before: Numbers | None = None) -> Solved:
        """The heights whose gap is at most `tolerance` of the size of the objective; before : those of the last step.

        Each iteration goes along A⁻¹(arrived - wanted), A the weighted H1 metric with the weights U*''(φ - V) |cell|
        and the links between Laguerre cells: minus the second derivative of the dual, so that this is Newton's
        direction. Links are at least `band` of the largest where fronts move into the void, and whenever a step was too
        long. Where one start leads to no end the next is taken. Where none does in the plane, all are tried again with
        Laguerre cells on the way that need not be sound: far from the end they may overlap in the tail.
        """
        ends: list[Evaluation] = []
        shares = (0.0, PASSING_SHARE) if self.problem.mass.shape[1] > 1 else (0.0,)
        for start, share in ((at, share) for share in shares for at in self._starts(before)):
            at, taken = self._climbed(start, tolerance, iterations, share)
            if at.gap <= tolerance * at.size and at.sound:
                gap = at.gap + self.defect(at)
                if gap <= tolerance * at.size:
                    return Solved(at, gap, taken)
                raise _not_optimal(gap, at.size, tolerance)
            ends.append(at)
        if not ends:
            raise NotConverged(
                "No start of the dual ascent has a finite objective. The potential or the internal energy is beyond "
                "what floats hold on this grid. Use a smaller dt, or other units."
            )
        at = min(ends, key=lambda end: end.gap if end.sound else np.inf)
        fault = max(at.lost, -float(at.mass.min()))
        raise NotConverged(
            f"The duality gap of the step is {at.gap:.3g}, {at.gap / at.size:.3g} of the size {at.size:.3g} of the "
            f"objective, at the best end of {len(ends)} ascents of up to {iterations} iterations; at most "
            f"{tolerance:g} is accepted, and {FAULT:g} of mass lost or below zero in a cell (here {fault:.3g}). Use a "
            "smaller dt, a larger tolerance, or cells that resolve the law.",
            gap=at.gap,
            relative_gap=at.gap / at.size,
            residual=float(np.abs(at.mass - at.wanted).sum()),
        )

    def _starts(self, before: Numbers | None) -> Iterator[Evaluation]:
        """The evaluations of first heights, at most STARTS of them, whose Laguerre cells are sound.

        The heights of the last step (`before`) come second, or first where their gap is less than `WORSE` of the first
        guess's: masses in the tail are round-off after a step, and where their logarithms make no sound cells those of
        the last step are still smooth.
        """
        step = self.problem
        free, widths = step.open_points, step.widths
        guesses = first_heights(step.mass, step.potential, free, step.internal, widths, step.dt, self.run)
        first = [self.evaluate(phi) for phi in (*islice(guesses, 1), *([] if before is None else [before]))]
        if len(first) == 2 and not first[1].gap >= WORSE * first[0].gap:
            first.reverse()
        given = 0
        for at in chain(first, map(self.evaluate, guesses)):
            if given < STARTS and np.isfinite(at.dual) and np.isfinite(at.gap) and at.fault <= PASSING:
                given += 1
                yield at

    def _climbed(self, at: Evaluation, tolerance: float, iterations: int, share: float) -> tuple[Evaluation, int]:
        """(where the ascent from `at` ends, iterations taken); share : of the relative gap, that may be at fault."""
        moving, band = has_finite_slope_at_zero(self.problem.internal), BAND
        for iteration in range(iterations):
            if at.gap <= tolerance * at.size and at.sound:
                return at, iteration
            found, band = self._ascended(at, band, moving, max(PASSING, share * min(1.0, at.gap / at.size)))
            if found is None:
                return at, iteration
            at = found
        return at, iterations

    def _ascended(self, at: Evaluation, band: float, moving: bool, passing: float) -> tuple[Evaluation | None, float]:
        """The evaluation after one step of the ascent, None where none goes up, and the next band.

        passing : the fault that it may have.
        """
        step, length = self.problem, 1.0
        slope = at.mass - at.wanted
        curvature = self._curvature(at)
        largest = max(step.rates) * float(step.mass.max())
        while length >= SHORTEST:
            least = band * largest if moving else 0.0
            links = self._smoothing(at, least)
            weight = curvature + max(1e-6 * least, self.least_weight)
            weight[~step.open_points] = 1.0
            direction = self._solved(weight, links, slope)
            rise = float(np.sum(slope * direction))
            new = self.evaluate(self._convex(at.phi + length * direction))
            promised = ENOUGH * length * rise - 1e-13 * abs(at.dual)
            if new.dual >= at.dual + promised and new.fault <= max(at.fault, passing):
                kept = max(band / 8, LEAST_BAND)
                return new, kept if length == 1.0 else band
            band, length = min(MOST_BAND, max(4 * band, 1e-2)), length / 2
        return None, band

    def _convex(self, phi: Numbers) -> Numbers:
        """Heights with Laguerre cells that do not overlap along the axes, and the same c-transform."""
        step = self.problem
        weights = [square / (2 * step.dt) for square in step.squares]
        return convex_along_axes(phi, step.open_points, weights, self.run)

    def _smoothing(self, at: Evaluation, least: float) -> list[Numbers]:
        """The links, at least `least` and SMOOTHED of what they would be if all that is wanted had arrived."""
        smooth = []
        for axis, (link, rate) in enumerate(zip(at.links, self.problem.rates)):
            link, floor = np.moveaxis(link.copy(), axis, 0), np.moveaxis(SMOOTHED * rate * at.wanted, axis, 0)
            raised = np.maximum(np.maximum(link[:-1], least), np.maximum(floor[1:], floor[:-1]))
            beside = np.moveaxis(self.problem.open_points, axis, 0)[1:]  # over an obstacle nothing is smooth
            link[:-1] = np.where(beside, raised, link[:-1])
            smooth.append(np.moveaxis(link, 0, axis))
        return [np.ascontiguousarray(link) for link in smooth]

    def _curvature(self, at: Evaluation) -> Numbers:
        """(wanted - arrived)/((φ - V) - U'(arrived)) cell by cell: U*''|cell| where the two agree, and else its mean.

        So a point without links would get what arrives in one iteration; Newton's method would take one for each factor
        e of the entropy. Where nothing arrives a share of what is wanted stands for it.
        """
        step = self.problem
        arrived = np.maximum(at.mass, LEAST_SHARE * at.wanted) / step.volume
        full = (arrived > 0) & step.open_points
        arrived, wanted = arrived[full], at.wanted[full] / step.volume
        with np.errstate(over="ignore"):
            mean = 1 / np.asarray(step.internal.second_derivative(arrived))
            gap = (at.phi - step.potential)[full] - np.asarray(step.internal.derivative(arrived))
            apart = np.abs(wanted - arrived) > 1e-3 * arrived
            mean[apart] = (wanted - arrived)[apart] / gap[apart]
        curvature = np.zeros_like(at.mass)
        curvature[full] = mean * step.volume
        return curvature

    def _solved(self, weight: Numbers, links: list[Numbers], right: Numbers) -> Numbers:
        """`solve_weighted` between the open points, 0 at others; on the line links reach over obstacles."""
        free = self.problem.open_points
        if free.all():
            return solve_weighted(weight, links[0], links[1], right, self.run)[0]
        if free.shape[1] == 1:
            solution, full = np.zeros(free.shape), free[:, 0]
            solution[full], _ = solve_weighted(weight[full], links[0][full], links[1][full], right[full], self.run)
            return solution
        first, second = links[0] * free, links[1] * free
        first[:-1] *= free[1:]
        second[:, :-1] *= free[:, 1:]
        return solve_weighted(weight, first, second, right, self.run)[0]


def _not_optimal(gap: float, size: float, tolerance: float) -> NotConverged:
    return NotConverged(
        f"The certified gap of the step is {gap:.3g}, {gap / size:.3g} of the size of the objective; at most "
        f"{tolerance:g} is accepted. Mass that goes to the neighbours of a point would go elsewhere at less cost: "
        "across a thin obstacle, or because the step stretches the law too unevenly. Use a smaller dt.",
        gap=gap,
        relative_gap=gap / size,
    )
