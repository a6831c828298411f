"""A-posteriori bounds of parametric flows: what the projection onto the tangent space of the maps costs."""

from __future__ import annotations

import functools

import numpy as np
import torch

from ..._core.errors import BadInput, NotAvailable
from ..._core.estimate import Estimate
from ..._core.shapes import Values
from ..._core.validate import count, positive, real_array
from ...energies.energy import Energy
from ...laws import Law
from ...trajectory import Trajectory
from ..maps.parametric import ParametricMap
from ..runtime import isolated
from .base_points import draw_base_points
from .projection import project


def log_sobolev_rate(convexity: float, oscillation: float = 0.0, temperature: float = 1.0) -> float:
    """The rate ζ = 2K exp(-osc/D): F(ρ_t) - F* falls at least like e^(-ζt) for F = ∫V dρ + D∫ρ log ρ with V = U + φ.

    Parameters
    ----------
    convexity : float
        K > 0, a lower bound of the eigenvalues of ∇²U.
    oscillation : float
        osc = sup φ - inf φ >= 0, in the units of V.
    temperature : float
        D > 0.

    Returns
    -------
    float
        ζ, per unit of time.

    Raises
    ------
    BadInput
        For values outside these ranges.

    Notes
    -----
    For V = Σ_i V_i(x_i) use the numbers of one coordinate: the constant does not depend on the dimension. [jin2025 eq.
    (3.7)] prints the rate D K/osc, which is false in general (V = x²/4 + 6 exp(-x²), D = 1: printed 0.083, true 0.022)
    [docs/math.md 8.1].
    """
    if not (np.isfinite(oscillation) and oscillation >= 0):
        raise BadInput(f"oscillation is {oscillation}. It must be finite and >= 0: sup φ - inf φ. Choose V = U + φ so.")
    return 2 * positive(convexity, "convexity") * float(np.exp(-oscillation / positive(temperature, "temperature")))


def w2_bound(trajectory: Trajectory, *, convexity: float, start: float = 0.0) -> tuple[Values, Values]:
    """A bound of W2(ρ_θ(t), ρ_t), not squared, after every step of a run, from what it reported.

    Parameters
    ----------
    trajectory : Trajectory
        Of a run of `PWGF` or `PFPE`, with its history.
    convexity : float
        λ, of the energy along geodesics (for ∫V dρ + entropy the smallest eigenvalue of ∇²V); may be 0 or negative.
    start : float
        W2 at time 0.

    Returns
    -------
    times, bound : (k + 1,) arrays
        Time 0 and that after each step, and the bound there.

    Raises
    ------
    NotAvailable
        For a trajectory that reports no projection errors.

    Notes
    -----
    A parametric flow moves its law by v = ∂_θT θ' ∘ T⁻¹ in place of -∇δF. Its projection error is δ(t) = ∫|v + ∇δF|²
    dρ_t, already squared (δ0 of [jin2025 eq. (3.27)] is its supremum), and

        W2(t) ≤ e^(-λt) W2(0) + ∫_0^t e^(-λ(t-s)) √δ(s) ds.

    For a constant δ0 this is e^(-λt) W2(0) + √δ0 (1 - e^(-λt))/λ, the contractive version of Theorem 3.7 of [jin2025]
    [docs/math.md 8.2]. δ is measured on the samples of the run. What the bound leaves out: the error of the time steps
    (that of the integrator), and the sampling error of δ, which is too small by about the factor 1 -
    parameters/(samples · dim), since the same samples chose the direction; `projection_error` measures it on others.
    """
    rate = _finite(convexity, "convexity")
    times, delta = _record(trajectory, "delta0")
    return times, _propagate(times, np.sqrt(delta), rate, _at_least_zero(start, "start"))


def energy_bound(trajectory: Trajectory, *, rate: float, gap: float) -> tuple[Values, Values]:
    """A bound of F(ρ_θ(t)) - F*, F* the least energy, after every step of a run, from what it reported.

    Parameters
    ----------
    trajectory : Trajectory
        Of a run of `PWGF` or `PFPE`, with its history.
    rate : float
        ζ > 0 with ∫|∇δF|² dρ ≥ ζ (F(ρ) - F*), for instance `log_sobolev_rate(...)`.
    gap : float
        F(ρ_θ(0)) - F*.

    Returns
    -------
    times, bound : (k + 1,) arrays
        Time 0 and that after each step, and the bound there.

    Raises
    ------
    NotAvailable
        For a trajectory that reports no shortfall.

    Notes
    -----
        F(ρ_θ(t)) - F* ≤ (F(ρ_θ(0)) - F*) e^(-ζt) + ∫_0^t e^(-ζ(t-s)) σ(s) ds,    σ = ∫|∇δF|² dρ - dissipation

    σ is `shortfall` of the report. Where v is the projection of -∇δF, as in `PWGF` without damping, σ = δ, and for a
    constant δ0 this is (δ0/ζ)(1 - e^(-ζt)) + gap e^(-ζt): Theorem 3.8 of [jin2025], whose last term lacks - F*
    [docs/math.md 8.2]. Damping ε adds ε|θ'|² to σ, which can be many times δ: with δ in its place the bound would be
    false. See `w2_bound` for what is left out.
    """
    times, shortfall = _record(trajectory, "shortfall")
    return times, _propagate(times, shortfall, positive(rate, "rate"), _at_least_zero(gap, "gap"))


def projection_error(
    law: Law, energy: Energy, *, rng: np.random.Generator, n: int = 10_000, damping: float = 1e-4
) -> Estimate:
    """δ = min_η ∫|∂_θT η + ∇δF|² dρ, squared, at a law of `PWGF` or `PFPE`.

    Parameters
    ----------
    law : Law
        The push-forward of a law by maps of which the last is a `ParametricMap`.
    energy : Energy
        F.
    rng : numpy.random.Generator
        Randomness.
    n : int
        Number of draws: η comes from n of them and the mean of |·|² from n others.
    damping : float
        As in `PWGF`.

    Returns
    -------
    Estimate
        δ for that η, without bias, and its standard error.

    Raises
    ------
    NotAvailable
        For other laws.
    Unsupported
        As `PWGF`.

    Notes
    -----
    The value is above the least δ in the mean; `delta0` of a run is below it, for its η fits its own points. With the
    tangent space of Ĝ it is an upper bound of the δ0 of [jin2025], that of G.
    """
    base, maps = law.pushed_from() or (law, ())
    if not maps or not isinstance(maps[-1], ParametricMap):
        raise NotAvailable(
            f"{law!r} does not come from a parametric map. projection_error needs the tangent space of one. "
            "Pass a law of a PWGF or "
            "PFPE run (affine maps of a Gaussian give a Gaussian, whose projection error under quadratic "
            "energies is zero)."
        )
    n, family = count(n, "n", 2), maps[-1].family
    base = functools.reduce(lambda moved, move: moved.pushed(move), maps[:-1], base)
    with isolated():
        theta, parts, variance = torch.from_numpy(np.array(maps[-1].theta)), [], 0.0
        for _ in range(2):
            points = draw_base_points(base, n, rng, energy.internal)
            tangent, variance = family.tangent(theta, points.points), points.variance
            parts.append((tangent, points.force(energy, tangent)[0]))
        eta = project(*parts[0], damping=damping * variance * family.damped).eta
        tangent, force = parts[1]
        values = ((tangent.apply(eta) + force) ** 2).sum(1).numpy()
    stderr = float(values.std(ddof=1) / np.sqrt(n))
    return Estimate(float(values.mean()), stderr, f"direction from {n} draws, mean over {n} others", "projection_error")


def _propagate(times, source, rate, start):
    """y(t) of y' = -rate y + source(s), y(0) = start.

    source (k + 1,): of each step the larger of those at its two ends counts.
    """
    level = np.maximum(source[:-1], source[1:])
    bound = np.empty(len(times))
    bound[0] = start
    for k, length in enumerate(np.diff(times)):
        reach = -np.expm1(-rate * length) / rate if rate != 0 else length
        bound[k + 1] = np.exp(-rate * length) * bound[k] + reach * level[k]
    return bound


def _record(trajectory, name):
    """(times, δ or σ), both (k + 1,), with t = 0 first, from the history of a run."""
    steps = [step for step in getattr(trajectory, "history", ()) if name in step]
    if not steps:
        raise NotAvailable(
            f"{trajectory!r:.200} reports no {name}. Runs of PWGF and PFPE do, in their history. Pass the "
            "trajectory that solve gave."
        )
    times = [0.0, *(step["time"] for step in steps)]
    found = [steps[0][f"{name}_before"], *(step[name] for step in steps)]
    return real_array(times, "times", ndim=1), real_array(found, name, ndim=1)


def _finite(value, name):
    value = float(value)
    if not np.isfinite(value):
        raise BadInput(f"{name} is {value}. It must be finite. Pass a number.")
    return value


def _at_least_zero(value, name):
    value = _finite(value, name)
    if value < 0:
        raise BadInput(
            f"{name} is {value}. It must be >= 0: a distance, or an energy above the least one. Check its sign."
        )
    return value
