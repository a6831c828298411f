"""The JKO step on a grid as a convex program over couplings, and its dual certificate."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..._core.shapes import Numbers, Row, Values
from ...energies.internal import InternalEnergy
from .pairs import AllPairs, Band, Columns, OnPairs, Pairs, Places, highest_reach

RESTING_MASS = 1e-14  # old cells of at most this mass are not moved: as variables they would only spoil the scaling
TRUSTED_MASSES = (0.0, 1e-13, 1e-11, 1e-9, 1e-7)  # columns lighter than this carry multipliers of no accuracy
COUNTED_MASS = 1e-10  # a new cell that has and should have less needs no pair: what it lacks is part of the gap
NO_PAIRS = np.zeros(0, dtype=int), np.zeros(0, dtype=int)


class CellEnergy:
    """δ U(q/δ) of a cell as a function of its mass q (n,) >= 0; δ is the cell width.

    U is convex, its slope bounded below or logarithmic at 0.
    """

    def __init__(self, internal: InternalEnergy, width: float):
        self.internal, self.width = internal, width
        with np.errstate(all="ignore"):  # where the slope overflows, none is too steep
            self._steepest = np.nan_to_num(internal.derivative(1e250), nan=np.inf, posinf=np.inf)

    @property
    def quadratic(self) -> bool:
        """Whether U is a multiple of r²."""
        return self.internal.exponent == 2

    def value(self, q: Values) -> Values:
        """δ U(q/δ)."""
        return self.width * np.asarray(self.internal.value(q / self.width))

    def slope(self, q: Values) -> Values:
        """U'(q/δ)."""
        return np.asarray(self.internal.derivative(np.maximum(q / self.width, 1e-300)))

    def curvature(self, q: Values) -> Values:
        """U''(q/δ)/δ, for q of at least `RESTING_MASS`: emptier cells have no say and would make it infinite."""
        return np.asarray(self.internal.second_derivative(np.maximum(q, RESTING_MASS) / self.width)) / self.width

    def secant(self, q: Values, goal: Values) -> Values:
        """Mean of the curvature between q and goal: the model then has its minimum at `goal` where the dual is right.

        The tangent would let a nearly empty cell grow by a factor log(goal/q) only, and one that should be emptied fall
        to 0.
        """
        q, goal = np.maximum(q, RESTING_MASS), np.maximum(goal, RESTING_MASS)
        apart = np.abs(goal - q) > 1e-5 * q
        step = np.where(apart, goal - q, 1.0)
        return np.where(apart, (self.slope(goal) - self.slope(q)) / step, self.curvature(q))

    def conjugate(self, f: Values) -> tuple[Values, Values]:
        """δ U*(f) and its derivative, the cell mass that answers f."""
        f = np.minimum(f, self._steepest)  # beyond lies a useless candidate, which must lose and not overflow
        density = np.asarray(self.internal.conjugate_derivative(f))
        return self.width * np.asarray(self.internal.conjugate(f)), self.width * density


@dataclass(frozen=True)
class Certificate:
    """How far a coupling is from the optimum, all in units of F.

    Attributes
    ----------
    gap : float
        Objective minus a feasible dual value, summed from terms that are all >= 0: a bound on the suboptimality.
    fenchel : float
        Its part from the energy; the rest is complementary slackness.
    residual : float
        Σ π_ij slack_ij + Σ max(q_i, m_i) |U'(q_i/δ) - U'(m_i/δ)|: what stationarity lacks, weighted with mass. Linear
        in the error, where the gap is quadratic.
    mass : (n,) or None
        m, the masses that the dual asks for; None without internal energy.
    reach : (n,)
        f, so that ψ_j = min_i(C_ij + f_i).
    left_out : float
        The least reduced cost p_j (C_ij + f_i - ψ_j), f = ∇G, of a pair that is no variable, ψ_j the minimum over those
        that are. New cells of at most 1e-10 do not count. 0 where none is negative, -inf where a new cell has no pair
        at all and should hold more.
    wanted : three (w,) arrays, or None
        Row and column of the best pair outside the band of each column where that is negative, and its reduced cost.
    """

    gap: float
    fenchel: float
    residual: float
    mass: Values | None
    reach: Values
    left_out: float = 0.0
    wanted: tuple[Places, Places, Row] | None = None


@dataclass(frozen=True)
class Program:
    """min over K >= 0 with unit column sums of Σ C_ij p_j K_ij + G(q), where q = K p + stay.

    It is [fan2022iclr, eq. (18)], corrected in docs/math.md 6.1, with C_ij = (x_i - x_j)²/(2 dt) and G(q) = Σ
    δU(q_i/δ) + V·q + ½ qᵀWq + const. K_ij p_j is the mass that moves from cell j to cell i.

    Attributes
    ----------
    centers : (n,)
        x.
    width, dt : float
        δ and the time step.
    old : (n,)
        The masses before.
    potential : (n,)
        V with the linear part of the interaction.
    internal : InternalEnergy or None
        U.
    kernel : (n, n) or None
        W on changes of sum zero, positive semi-definite.
    band : Band or None
        The pairs of cells that are variables, for the old cells of `moving`; None for all pairs.
    """

    centers: Values
    width: float
    dt: float
    old: Values
    potential: Values
    internal: InternalEnergy | None = None
    kernel: Numbers | None = None
    band: Band | None = None

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs that are variables."""
        return AllPairs(len(self.old), len(self.moving)) if self.band is None else self.band

    @cached_property
    def cells(self) -> CellEnergy | None:
        """The internal energy in cell masses."""
        return None if self.internal is None else CellEnergy(self.internal, self.width)

    @cached_property
    def moving(self) -> np.ndarray:
        """Indices of the old cells whose mass is moved."""
        return np.flatnonzero(self.old > RESTING_MASS)

    @cached_property
    def mass(self) -> Columns:
        """What is moved, (k,)."""
        return self.old[self.moving]

    @cached_property
    def stay(self) -> Values:
        """What is not moved, (n,)."""
        stay = self.old.copy()
        stay[self.moving] = 0.0
        return stay

    @cached_property
    def cost(self) -> OnPairs:
        """C of each pair."""
        pairs = self.pairs
        return (pairs.per_row(self.centers) - pairs.per_column(self.centers[self.moving])) ** 2 / (2 * self.dt)

    @cached_property
    def moved(self) -> OnPairs:
        """The mass p_j that a coupling K_ij = 1 of each pair moves."""
        return self.pairs.per_column(self.mass)

    def masses(self, k: OnPairs) -> Values:
        """q of a coupling: the masses of the new cells."""
        return self.pairs.row_sums(k, self.mass) + self.stay

    def transport(self, k: OnPairs) -> float:
        """Σ C_ij p_j K_ij."""
        return float(np.sum(self.cost * k * self.moved))

    @property
    def kind(self) -> str:
        """Of the program: "linear", "quadratic" or "convex"."""
        if self.cells is None:
            return "linear" if self.kernel is None else "quadratic"
        return "quadratic" if self.cells.quadratic else "convex"

    def energy(self, q: Values) -> Any:
        """G(q)."""
        value = self.potential @ q
        if self.cells is not None:
            value += self.cells.value(q).sum()
        return value if self.kernel is None else value + 0.5 * q @ self.kernel @ q

    def smooth(self, q: Values) -> Values:
        """V + Wq: the gradient of G without the internal energy."""
        return self.potential if self.kernel is None else self.potential + self.kernel @ q

    def gradient(self, q: Values) -> Values:
        """∇G."""
        return self.smooth(q) if self.cells is None else self.smooth(q) + self.cells.slope(q)

    def hessian(self, q: Values, goal: Values | None = None) -> Numbers | None:
        """∇²G at q, or its mean between q and `goal`.

        The diagonal (n,), the matrix (n, n) where there is a kernel, None for a linear program.
        """
        diagonal = None
        if self.cells is not None:
            diagonal = self.cells.curvature(q) if goal is None else self.cells.secant(q, goal)
        if self.kernel is None or diagonal is None:
            return self.kernel if diagonal is None else diagonal
        return self.kernel + np.diag(diagonal)

    @cached_property
    def scale(self) -> Any:
        """A size of the objective > 0: the energy terms where no mass moves, and moving all of it by one cell."""
        size = self.old @ (self.potential - self.potential.min()) + self.width**2 / (2 * self.dt)
        if self.cells is not None:
            size += np.abs(self.cells.value(self.old)).sum()
        return size if self.kernel is None else size + 0.5 * self.old @ self.kernel @ self.old

    def usual_move(self, k: OnPairs) -> float:
        """The distance that nine tenths of the mass do not exceed, each old cell taken to the mean of its new ones."""
        pairs = self.pairs
        goal = pairs.column_sums(k * pairs.per_row(self.centers))
        distance = np.abs(goal - self.centers[self.moving])
        order = np.argsort(distance)
        place = int(np.searchsorted(np.cumsum(self.mass[order]), 0.9 * self.mass.sum()))
        return float(distance[order][min(place, len(order) - 1)])

    def spread(self) -> OnPairs:
        """A coupling with all entries positive, heavier near the diagonal: the start of Newton's method."""
        k = 1 / (1 + self.cost / (0.01 * np.median(self.cost)))
        return k / self.pairs.per_column(self.pairs.column_sums(k))

    def certificate(self, k: OnPairs, psi: Columns) -> Certificate:
        """Judge K by the dual with potentials psi (k,), over all pairs of cells and whatever the solver said.

        For f_i = max_j(ψ_j - C_ij), or f = V + Wq without internal energy, and ψ_j = min_i(C_ij + f_i) the pair is
        feasible, and with v = V + Wq

            objective - dual = Σ p_j K_ij (C_ij + f_i - ψ_j) + Σ [δU(q_i/δ) + δU*(f_i - v_i) - q_i (f_i - v_i)],

        both sums of terms >= 0; W is linearised at q, which only lowers the dual value. Multipliers of very light
        columns are inaccurate, so f is built from the columns above several thresholds (all are feasible) and the
        best gap counts. Maxima and minima run over all pairs, also where only those of a band are variables.
        """
        q = self.masses(k)
        smooth = self.smooth(q)
        if self.cells is None:
            judged = self._judge(k, q, smooth, smooth)
            return judged if self.band is None else self._with_left_out(judged, smooth, NO_PAIRS)
        columns = [self.mass > trust for trust in TRUSTED_MASSES]
        columns = [
            good for i, good in enumerate(columns) if good.any() and (i == 0 or good.sum() < columns[i - 1].sum())
        ]
        reaches = [self._reach(psi, good) for good in columns]
        all_judged = [self._judge(k, q, smooth, f) for f, _ in reaches]
        best = int(np.argmin([judged.gap for judged in all_judged]))
        judged = all_judged[best]
        if self.band is None or judged.mass is None:
            return judged
        unreached = np.flatnonzero((np.bincount(self.band.rows, minlength=len(q)) == 0) & (judged.mass > COUNTED_MASS))
        f = np.where(q > COUNTED_MASS, self.gradient(q), np.inf)
        f[unreached] = judged.reach[unreached]
        return self._with_left_out(judged, f, (unreached, reaches[best][1][unreached]))

    def _reach(self, psi: Columns, good: np.ndarray) -> tuple[Values, Places]:
        """f_i = max_j(ψ_j - C_ij) over the columns `good`, and the column of each maximum."""
        used = np.flatnonzero(good)
        f, where = highest_reach(self.centers, self.centers[self.moving[used]], psi[used], 2 * self.dt)
        return f, used[where]

    def lowest(self, f: Values) -> tuple[Values, Places]:
        """ψ_j = min_i(C_ij + f_i) of all n old cells over all new ones, and the new cell of each minimum."""
        low, where = highest_reach(self.centers, self.centers, -f, 2 * self.dt)
        return -low, where

    def _judge(self, k: OnPairs, q: Values, smooth: Values, f: Values) -> Certificate:
        low, _ = self.lowest(f)
        slack = self.cost + self.pairs.per_row(f) - self.pairs.per_column(low[self.moving])
        gap = float(np.sum(k * slack * self.moved))
        left = np.flatnonzero(self.stay)
        gap += float(self.stay[left] @ (f[left] - low[left]))
        if self.cells is None:
            return Certificate(gap, 0.0, gap, None, f)
        dual, mass = self.cells.conjugate(f - smooth)
        fenchel = float(np.sum(self.cells.value(q) + dual - q * (f - smooth)))
        stationarity = np.maximum(q, mass) * np.abs(self.cells.slope(q) - self.cells.slope(mass))
        return Certificate(gap + fenchel, fenchel, gap + float(stationarity.sum()), mass, f)

    def _with_left_out(self, judged: Certificate, f: Values, unreached: tuple[Places, Places]) -> Certificate:
        """The certificate with what is best outside the band, by one pass over all pairs.

        The reduced cost of the variable K_ij is p_j (C_ij + f_i - ψ_j), where f = ∇G and ψ_j is the minimum of C_ij +
        f_i over the pairs of the band. f_i = inf keeps a new cell out of it. unreached : row and column of pairs that
        are wanted in any case.
        """
        assert self.band is not None
        inside = np.minimum.reduceat(self.cost + self.pairs.per_row(f), self.band.offsets[:-1])
        low, where = self.lowest(f)
        reduced = self.mass * np.where(inside < np.inf, low[self.moving] - inside, 0.0)
        wanted = np.flatnonzero(reduced < 0)
        return replace(
            judged,
            left_out=-np.inf if len(unreached[0]) > 0 else float(reduced.min(initial=0.0)),
            wanted=(
                np.concatenate([unreached[0], where[self.moving][wanted]]),
                np.concatenate([unreached[1], wanted]),
                np.concatenate([np.full(len(unreached[0]), -np.inf), reduced[wanted]]),
            ),
        )
