"""Grid of a JKO program on the line: ends, cell masses and pair-averaged interaction kernels."""

from typing import Any

import numpy as np
from scipy.special import gammaln

from ..._core.errors import BadInput, Unsupported
from ..._core.quadrature import graded_rule
from ..._core.rising import require_sorted
from ..._core.shapes import Numbers, Values
from ...problems import Problem
from ..domain import TAIL_MASS, between_walls, choose_box, downhill, temperature_of
from ..line_potential import WithEnds, wall_towards

MARGIN_SHARE = 0.05  # of the width, added at each end where the support is known


def choose_ends(problem: Problem, cells: int, lower: float | None, upper: float | None) -> tuple[float, float]:
    """(lower, upper) of the grid; see `CvxoptJKO` for the rule.

    `BadInput` where there is no automatic end or the ends are crossed.
    """
    energy = problem.energy
    temperature = temperature_of(energy.internal)
    if lower is None or upper is None or temperature is not None:
        if energy.interaction is not None and (lower is None or upper is None):
            raise BadInput(
                f"lower = {lower}, upper = {upper} with the interaction {energy.interaction!r}. How far it carries "
                "mass is not known beforehand. Pass both ends."
            )
        if temperature is not None and energy.interaction is None:
            return _box(problem, temperature, cells, lower, upper)
    if lower is None or upper is None:
        low, high = _support(problem, lower, upper)
        lower, upper = low if lower is None else lower, high if upper is None else upper
    if not lower < upper:
        raise BadInput(f"The domain is [{lower:.6g}, {upper:.6g}]. lower must lie below upper. Pass both ends.")
    return float(lower), float(upper)


def _box(
    problem: Problem, temperature: float, cells: int, lower: float | None, upper: float | None
) -> tuple[float, float]:
    """The ends that Chang-Cooper takes; one that is not given moves out to a wall within the margin."""
    box = choose_box(problem, temperature, cells, lower, upper)
    low, high = float(box.lower), float(box.upper)
    potential = problem.energy.potential
    if potential is not None:
        margin = MARGIN_SHARE * (high - low)
        low = low if lower is not None else wall_towards(potential, low, low - margin)
        high = high if upper is not None else wall_towards(potential, high, high + margin)
    return low, high


def _support(problem: Problem, lower: float | None, upper: float | None) -> tuple[float, float]:
    """The initial law's support, or what holds all but 1e-13 at each end, widened to the horizon and by the margin.

    It does not pass walls, nor an end that is given.
    """
    initial, internal = problem.initial, problem.energy.internal
    ends = initial.quantile(np.array([0.0, 1.0]))
    inner = np.array([TAIL_MASS, 1 - TAIL_MASS])
    deep = np.asarray(initial.quantile(inner), dtype=float)
    require_sorted(deep, inner, initial)
    low, high = (float(end if np.isfinite(end) else nearer) for end, nearer in zip(ends, deep))
    potential = None if problem.energy.potential is None else WithEnds(problem.energy.potential, lower, upper)
    middle = float(initial.quantile(np.array([0.5]))[0])
    if potential is not None:
        low, high = downhill(potential, *between_walls(potential, low, middle, high))
    if internal is not None:
        m, c = internal.exponent, internal.coefficient
        if m is None or c is None or not m > 1:
            raise BadInput(
                f"How far {internal!r} spreads the support has no known bound. An automatic domain exists for "
                "Entropy and for Power(m) with m > 1. Pass both ends."
            )
        growth = _source_radius(m, c * problem.horizon)
        low, high = low - growth, high + growth
    margin = MARGIN_SHARE * (high - low) if high > low else 1.0
    low, high = low - margin, high + margin
    return (low, high) if potential is None else between_walls(potential, low, middle, high)


def _source_radius(m: float, time: float) -> float:
    """Radius of the Barenblatt profile of that time on the line.

    Fronts move no further than that: of all laws on (-inf, a], the point mass at a goes farthest.
    """
    beta = 1 / (m + 1)
    k, gamma = (m - 1) * beta / (2 * m), 0.5 + 1 / (m - 1)
    log_c = (0.5 * np.log(k / np.pi) + gammaln(gamma + 1) - gammaln(m / (m - 1))) / gamma
    return float(np.exp(0.5 * (log_c - np.log(k))) * time**beta)


def kernel_matrix(interaction: Any, cells: int, width: float) -> tuple[Numbers, Values, float]:
    """The interaction on cell masses: ½ qᵀWq = ½ qᵀ matrix q + linear·q + constant for all q with Σq = 1.

    W_ij is the mean of W(x - y) over x in cell i and y in cell j, so that ½ qᵀWq is the energy of the GridLaw, and a
    log or |z|^b, b > -1, singularity integrates. Only sum-zero changes matter, so W is centred. Returns (matrix (n,
    n), positive semi-definite, linear (n,), constant); `Unsupported` where the form is not convex.
    """
    u, weight = graded_rule()
    near = weight * (1 - u)  # density of the difference of two uniform points is the tent 1 - |z|/δ
    short, share = graded_rule(panels=30)
    step = np.arange(cells)
    with np.errstate(all="ignore"):  # a fault shows as a non-finite mean, refused below
        coarse = 2 * _values(interaction, width * short) @ (share * (1 - short))
        means = np.array([
            _values(interaction, width * (k + u)) @ near + _values(interaction, width * (k - u)) @ near for k in step
        ])  # fmt: skip
    if not (np.isfinite(means).all() and abs(means[0] - coarse) <= 1e-5 * np.abs(means).max()):
        raise Unsupported(
            f"The mean of {interaction!r} over a pair of cells does not exist or not to 1e-5 ({means[0]:.6g}, "
            f"{coarse:.6g} by a coarser rule). The grid needs an integrable kernel (|z|^b with b > -0.5, or log). "
            "Use a particle method."
        )
    full = means[np.abs(step[:, None] - step)]
    rows = full.mean(0)
    centred = full - rows[:, None] - rows + rows.mean()
    values = np.linalg.eigvalsh((centred + centred.T) / 2)
    if values[0] < -1e-12 * np.abs(values).max() * cells:
        raise Unsupported(
            f"{interaction!r} is not convex in the masses on this grid: smallest eigenvalue {values[0]:.6g} on "
            f"changes of sum zero (largest {values[-1]:.6g}). The program needs >= 0: repulsive kernels such as "
            "-|x| or -log|x|. Attraction is convex along quantiles: use QuantileJKO.",
            eigenvalue=float(values[0]),
        )  # fmt: skip
    return (centred + centred.T) / 2, rows - rows.mean(), 0.5 * rows.mean()


def _values(interaction: Any, z: Values) -> Values:
    return np.asarray(interaction.value(z[:, None]), dtype=float)
