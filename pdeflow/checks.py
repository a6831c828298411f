"""Checks that users may call on their own potentials, kernels, matrices, operators, runs and methods.

Each returns the number it measured, and raises a typed error that names where that number is out of bounds: `BadInput`
for what the caller wrote (a gradient, a law, a matrix), `Diverged` for a run that broke a law it must obey.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._core.errors import BadInput, Diverged, NotAvailable
from ._core.lazy import missing_name
from ._core.shapes import Numbers, Points
from ._core.validate import real_array
from .laws import Law
from .laws.consistency import law

# Central differences of sixth order: f'(x) = Σ w_k (f(x + k h) - f(x - k h)) / h + O(h^6).
_STENCIL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))


def gradient(function: Any, x: ArrayLike, *, tolerance: float = 1e-7, step: float = 1e-3) -> float:
    """Compare `.grad` with differences of `.value`, and `.hessian`, where there is one, with differences of `.grad`.

    Parameters
    ----------
    function : Potential or Interaction
        Any object with `value`, (n, d) to (n,), and `grad`, (n, d) to (n, d); `hessian`, (n, d) to (n, d, d), is
        optional.
    x : (n, d) array_like
        Points, away from singularities (0 for kernels).
    tolerance : float
        The largest relative error that passes.
    step : float
        The difference step h at coordinate x_i is step · max(1, abs(x_i)), in units of x.

    Returns
    -------
    float
        The largest error: abs(given - differences) / max(1, largest abs(given) at the point), over all points,
        gradient and Hessian together; about 1e-11 for a smooth function whose derivatives are right.

    Raises
    ------
    BadInput
        Where the error exceeds `tolerance`: it names the point and the component. Also for answers of a wrong shape.
    """
    x = real_array(x, "x", ndim=2)
    values = np.shape(function.value(x))
    if values != (len(x),):
        raise BadInput(
            f"value(x) has shape {values} for x of shape {x.shape}. It must be ({len(x)},). Sum over the last axis."
        )
    worst = _compare(function.value, function.grad, x, "grad", tolerance, step)
    if hasattr(function, "hessian"):
        try:
            function.hessian(x[:1])
        except NotAvailable:
            return worst
        worst = max(worst, _compare(function.grad, function.hessian, x, "hessian", tolerance, step))
    return worst


def _compare(
    lower: Callable[[Points], Any], upper: Callable[[Points], Any], x: Points, name: str, tolerance: float, step: float
) -> float:
    """The largest relative error of `upper`, held against differences of `lower`."""
    given = np.asarray(upper(x))
    base = np.asarray(lower(x))
    if given.shape != (*base.shape, x.shape[1]):
        raise BadInput(
            f"{name}(x) has shape {given.shape} for x of shape {x.shape}. It must be {(*base.shape, x.shape[1])}. "
            "Correct its shape."
        )
    slopes = np.empty(given.shape)
    for i in range(x.shape[1]):
        h = step * np.maximum(1.0, np.abs(x[:, i]))
        total = 0.0
        for k, weight in _STENCIL:
            shift = np.zeros_like(x)
            shift[:, i] = k * h
            total = total + weight * (np.asarray(lower(x + shift)) - np.asarray(lower(x - shift)))
        slopes[..., i] = total / h.reshape((-1,) + (1,) * (base.ndim - 1))
    size = np.maximum(1.0, np.abs(given).reshape(len(x), -1).max(axis=1))
    error = np.abs(given - slopes) / size.reshape((-1,) + (1,) * (given.ndim - 1))
    worst = np.unravel_index(np.argmax(np.where(np.isfinite(error), error, np.inf)), error.shape)
    if not error[worst] <= tolerance:
        raise BadInput(
            f"{name} at x = {x[worst[0]].tolist()}, component {[int(i) for i in worst[1:]]}, is {given[worst]:.10g}; "
            "differences give "
            f"{slopes[worst]:.10g}. They must agree to {tolerance:g}. Check the formula, signs and factors.",
            point=x[worst[0]], error=float(error[worst]),
        )  # fmt: skip
    return float(error[worst])


def symmetry(matrix: ArrayLike, *, tolerance: float = 1e-10) -> float:
    """The relative asymmetry max abs(A - Aᵀ) / max abs(A) of a square matrix.

    Parameters
    ----------
    matrix : (d, d) array_like
        The matrix A, in any unit.
    tolerance : float
        The largest relative asymmetry that passes.

    Returns
    -------
    float
        The asymmetry, without unit; 0 for a matrix of zeros.

    Raises
    ------
    BadInput
        Where it exceeds `tolerance`: it names the entry. Also for a matrix that is empty, not square or not finite.
    """
    matrix = _square(matrix)
    size = np.max(np.abs(matrix)) or 1.0
    skew = np.abs(matrix - matrix.T) / size
    i, j = (int(k) for k in np.unravel_index(np.argmax(skew), skew.shape))
    if skew[i, j] > tolerance:
        raise BadInput(
            f"A[{i}, {j}] = {matrix[i, j]:.10g} but A[{j}, {i}] = {matrix[j, i]:.10g}. The matrix must be symmetric to "
            f"{tolerance:g} relative. Pass (A + Aᵀ)/2 if that is meant.",
            entry=(i, j),
        )
    return float(skew[i, j])


def semidefinite(matrix: ArrayLike, *, tolerance: float = 1e-10) -> float:
    """The smallest eigenvalue of a symmetric matrix.

    Parameters
    ----------
    matrix : (d, d) array_like
        The matrix A, symmetric to 1e-10 relative.
    tolerance : float
        How far below zero the eigenvalue may lie, relative to max abs(A).

    Returns
    -------
    float
        The smallest eigenvalue of (A + Aᵀ)/2, in the unit of A.

    Raises
    ------
    BadInput
        If it lies below -tolerance · max abs(A), and for a matrix that `symmetry` refuses.
    """
    matrix = _square(matrix)
    symmetry(matrix)
    smallest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[0])
    if smallest < -tolerance * np.max(np.abs(matrix)):
        raise BadInput(
            f"The smallest eigenvalue is {smallest:.6g}. It must be >= 0 (to {tolerance:g} of the largest entry). "
            "Check the signs, or remove the direction.",
            smallest=smallest,
        )
    return smallest


def _square(matrix: ArrayLike) -> Numbers:
    matrix = real_array(matrix, "matrix", ndim=2)
    if matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise BadInput(f"matrix has shape {matrix.shape}. It must be square and not empty. Pass a (d, d) array.")
    return matrix


def adjoint(
    forward: Callable[[Numbers], ArrayLike],
    transpose: Callable[[Numbers], ArrayLike],
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    tolerance: float = 1e-10,
) -> float:
    """Test whether ⟨A u, v⟩ = ⟨u, Aᵀ v⟩ for a linear operator A that two callables give.

    Parameters
    ----------
    forward : callable
        u of shape (columns,) to A u of shape (rows,).
    transpose : callable
        v of shape (rows,) to Aᵀ v of shape (columns,).
    shape : (int, int)
        (rows, columns) of A.
    rng : numpy.random.Generator
        Draws u and v, with standard normal entries.
    tolerance : float
        The largest relative difference that passes.

    Returns
    -------
    float
        The difference of the two products, relative to the norm of A u times that of v.

    Raises
    ------
    BadInput
        Where the difference exceeds `tolerance`, and for answers of a wrong shape.
    """
    rows, columns = shape
    u, v = rng.standard_normal(columns), rng.standard_normal(rows)
    image, back = np.asarray(forward(u)), np.asarray(transpose(v))
    if image.shape != (rows,) or back.shape != (columns,):
        raise BadInput(
            f"forward gives shape {image.shape}, transpose {back.shape}. They must be ({rows},) and ({columns},). "
            "Return arrays of these shapes."
        )
    size = max(np.linalg.norm(image) * np.linalg.norm(v), np.finfo(float).tiny)
    error = float(abs(image @ v - u @ back) / size)
    if not error <= tolerance:
        raise BadInput(
            f"⟨Au, v⟩ = {image @ v:.12g}, ⟨u, Aᵀv⟩ = {u @ back:.12g}. They must agree to {tolerance:g}, but "
            "transpose is not that of forward. Correct one of the two.",
            error=error,
        )
    return error


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
    start = method.init(problem, rng)
    before, state = method.law(start), start
    for _ in range(steps):
        state = method.step(problem, state, dt, rng)
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


__all__ = [
    "adjoint", "energy_decay", "equilibrium", "gradient", "law", "mass", "positivity", "semidefinite", "symmetry",
]  # fmt: skip


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
