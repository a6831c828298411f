"""The JKO step on a grid as a convex program over couplings, and its dual certificate."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..._core.shapes import Numbers, Values
from ...energies.internal import InternalEnergy

RESTING_MASS = 1e-14  # old cells of at most this mass are not moved: as variables they would only spoil the scaling
TRUSTED_MASSES = (0.0, 1e-13, 1e-11, 1e-9, 1e-7)  # columns lighter than this carry multipliers of no accuracy


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
    """

    gap: float
    fenchel: float
    residual: float
    mass: Values | None = None


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
    """

    centers: Values
    width: float
    dt: float
    old: Values
    potential: Values
    internal: InternalEnergy | None = None
    kernel: Numbers | None = None

    @cached_property
    def cells(self) -> CellEnergy | None:
        """The internal energy in cell masses."""
        return None if self.internal is None else CellEnergy(self.internal, self.width)

    @cached_property
    def moving(self) -> np.ndarray:
        """Indices of the old cells whose mass is moved."""
        return np.flatnonzero(self.old > RESTING_MASS)

    @cached_property
    def mass(self) -> Numbers:
        """What is moved, (k,)."""
        return self.old[self.moving]

    @cached_property
    def stay(self) -> Values:
        """What is not moved, (n,)."""
        stay = self.old.copy()
        stay[self.moving] = 0.0
        return stay

    @cached_property
    def cost(self) -> Numbers:
        """C, (n, k)."""
        return (self.centers[:, None] - self.centers[self.moving]) ** 2 / (2 * self.dt)

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

    def spread(self) -> Numbers:
        """A coupling (n, k) with all entries positive, heavier near the diagonal: the start of Newton's method."""
        k = 1 / (1 + self.cost / (0.01 * np.median(self.cost)))
        return k / k.sum(0)

    def certificate(self, k: Numbers, psi: Numbers) -> Certificate:
        """Judge K by the dual with potentials psi (k,), over all pairs of cells and whatever the solver said.

        For f_i = max_j(ψ_j - C_ij), or f = V + Wq without internal energy, and ψ_j = min_i(C_ij + f_i) the pair is
        feasible, and with v = V + Wq

            objective - dual = Σ p_j K_ij (C_ij + f_i - ψ_j) + Σ [δU(q_i/δ) + δU*(f_i - v_i) - q_i (f_i - v_i)],

        both sums of terms >= 0; W is linearised at q, which only lowers the dual value. Multipliers of very light
        columns are inaccurate, so f is built from the columns above several thresholds (all are feasible) and the
        best gap counts.
        """
        q = k @ self.mass + self.stay
        smooth = self.smooth(q)
        if self.cells is None:
            return self._judge(k, q, smooth, smooth)
        columns = [self.mass > trust for trust in TRUSTED_MASSES]
        duals = [(psi[good] - self.cost[:, good]).max(1) for good in columns if good.any()]
        return min((self._judge(k, q, smooth, f) for f in duals), key=lambda judged: judged.gap)

    def _judge(self, k: Numbers, q: Values, smooth: Values, f: Values) -> Certificate:
        slack = self.cost + f[:, None]
        slack -= slack.min(0)
        gap = float(np.einsum("ij,ij,j->", k, slack, self.mass))
        left = np.flatnonzero(self.stay)
        far = (self.centers[:, None] - self.centers[left]) ** 2 / (2 * self.dt)
        gap += float(self.stay[left] @ (f[left] - (far + f[:, None]).min(0, initial=np.inf)))
        if self.cells is None:
            return Certificate(gap, 0.0, gap)
        dual, mass = self.cells.conjugate(f - smooth)
        fenchel = float(np.sum(self.cells.value(q) + dual - q * (f - smooth)))
        stationarity = np.maximum(q, mass) * np.abs(self.cells.slope(q) - self.cells.slope(mass))
        return Certificate(gap + fenchel, fenchel, gap + float(stationarity.sum()), mass)
