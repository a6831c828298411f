"""Whether a run obeys the laws of a gradient flow: its mass, its signs, its energy and its equilibria."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._core.errors import BadInput, Diverged
from .._core.shapes import Numbers
from ..laws import Law
from ..method import initial_state, takes_time


def mass(trajectory: Any, *, tolerance: float = 1e-12) -> float:
    """The largest abs(mass - 1) over the laws of a trajectory.

    Parameters
    ----------
    trajectory : Trajectory
        The laws and their times.
    tolerance : float
        The largest error of the mass that passes.

    Returns
    -------
    float
        The largest error: `mass_error` of grids, the sum of the weights less one for clouds, 0 for laws whose mass is
        one by construction.

    Raises
    ------
    Diverged
        Where it exceeds `tolerance`: it names the time.
    """
    drift = [abs(law.mass_error) for law in trajectory.laws]
    return _bounded(drift, trajectory.times, tolerance, "The mass differs from one by", "Use a conservative scheme.")


def positivity(trajectory: Any, *, tolerance: float = 0.0) -> float:
    """The smallest mass of a cell over the grids of a trajectory.

    Parameters
    ----------
    trajectory : Trajectory
        The laws and their times.
    tolerance : float
        How far below zero a mass may lie.

    Returns
    -------
    float
        The smallest mass. Laws that are no grids cannot be negative and count as 0.

    Raises
    ------
    Diverged
        Where a mass lies below -tolerance: it names the time.
    """
    least = [law.min_mass for law in trajectory.laws]
    worst = int(np.argmin(least))
    if least[worst] < -tolerance:
        raise Diverged(
            f"A cell has mass {least[worst]:.3g} at t = {trajectory.times[worst]:.6g}. Masses must be >= 0 (to "
            f"{tolerance:g}). Use a positive scheme or a smaller step.",
            time=float(trajectory.times[worst]),
        )
    return float(least[worst])


def energy_decay(
    problem: Any, trajectory: Any, *, tolerance: float = 0.0, rng: np.random.Generator | None = None, n: int = 100_000
) -> float:
    """The largest increase of the free energy between successive stored times.

    Parameters
    ----------
    problem : Problem
        Its `energy` is evaluated.
    trajectory : Trajectory
        At least two laws and their times.
    tolerance : float
        The largest increase that passes, absolute, in the unit of the energy.
    rng : numpy.random.Generator, optional
        Needed for laws whose energy is by Monte Carlo.
    n : int
        Number of draws of a Monte Carlo energy, at least 2.

    Returns
    -------
    float
        The largest increase, in the unit of the energy; negative where the energy falls everywhere. Four
        standard errors of a Monte Carlo difference are taken off each increase.

    Raises
    ------
    Diverged
        Where the increase exceeds `tolerance`: it names the two times.
    BadInput
        For a trajectory of one time.
    NotAvailable
        Where a law has no such energy (a cloud has no entropy), or where `rng` is needed and missing.
    """
    if len(trajectory.laws) < 2:
        raise BadInput(
            "The trajectory stores one time. A decay needs two. Save at more times: solve(..., times=[...])."
        )
    energies = [problem.energy.evaluate(law, rng=rng, n=n) for law in trajectory.laws]
    values = np.array([energy.value for energy in energies])
    errors = np.array([energy.stderr for energy in energies])
    rises = np.diff(values) - 4 * np.hypot(errors[:-1], errors[1:])
    worst = int(np.argmax(rises))
    if rises[worst] > tolerance:
        raise Diverged(
            f"The energy rises by {rises[worst]:.3g} between t = {trajectory.times[worst]:.6g} and "
            f"{trajectory.times[worst + 1]:.6g}. "
            f"A gradient flow never gains energy (to {tolerance:g}). Use a smaller dt or check the signs.",
            time=float(trajectory.times[worst + 1]), rise=float(rises[worst]),
        )  # fmt: skip
    return float(rises[worst])


def equilibrium(
    problem: Any, method: Any, law: Law, *, dt: float, steps: int = 1, seed: int = 0, tolerance: float = np.inf
) -> float:
    """How far `steps` steps move a method that starts at `law`, a stationary law of the problem.

    Parameters
    ----------
    problem : Problem
        The problem; its initial law is replaced by `law`.
    method : Method
        Any object with `init`, `step` and `law`.
    law : Law
        A stationary law of the problem.
    dt : float
        Length of a step in units of time, > 0.
    steps : int
        Number of steps.
    seed : int
        Seed of the run.
    tolerance : float
        The largest movement that passes. By default every finite one does.

    Returns
    -------
    float
        The largest change, in absolute value, of the coordinates of the method's law: the cell masses (GridLaw), the
        quantiles (Quantiles), the positions (Particles), else mean and covariance. Its own start is what it
        is compared with. Stochastic clouds move even in equilibrium.

    Raises
    ------
    Diverged
        Where the movement exceeds `tolerance`.
    """
    problem = replace(problem, initial=law)
    rng = np.random.default_rng(seed)
    start = initial_state(problem, method, rng, dt=dt)
    before, state, clocked = method.law(start), start, takes_time(method, "step")
    for k in range(steps):
        state = method.step(problem, state, dt, rng, **({"time": k * dt} if clocked else {}))
    moved = max(
        float(np.max(np.abs(a - b))) for a, b in zip(before.coordinates(), method.law(state).coordinates(), strict=True)
    )
    if not moved <= tolerance:
        raise Diverged(
            f"{steps} steps of dt = {dt:g} move {method!r} by {moved:.3g} from {law!r}. A stationary law must stay, "
            f"to {tolerance:g}. Check that the law is stationary at this temperature, then the scheme's balance.",
            moved=moved,
        )
    return moved


def _bounded(errors: Sequence[float], times: Numbers, tolerance: float, what: str, cure: str) -> float:
    worst = int(np.argmax(errors))
    if not errors[worst] <= tolerance:
        raise Diverged(
            f"{what} {errors[worst]:.3g} at t = {times[worst]:.6g}. The bound is {tolerance:g}. {cure}",
            time=float(times[worst]),
        )
    return float(errors[worst])
