"""Checks that users may call on their own potentials, kernels, matrices, operators, runs and methods.

Each returns the number it measured, and raises a typed error that names the place where that number is out of bounds:
`BadInput` for what the caller wrote (a gradient, a matrix, an operator), `Diverged` for a run that broke a law it
must obey.
"""

from dataclasses import replace

import numpy as np

from ._core.errors import BadInput, Diverged, NotAvailable
from ._core.validate import real_array

# Central differences of sixth order: f'(x) = Σ w_k (f(x + k h) - f(x - k h)) / h + O(h^6).
_STENCIL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))


def gradient(function, x, *, tolerance: float = 1e-7, step: float = 1e-3) -> float:
    """Compare `.grad` with differences of `.value`, and `.hessian`, where there is one, with differences of `.grad`.

    function : a potential or an interaction kernel. x : (n, d) points, away from singularities (0 for kernels).
    step : relative to max(1, |x_i|). Returns the largest error |given - differences| / max(1, |given|_max), over all
    points, gradient
    and Hessian together; sixth-order central differences make it about 1e-11 for a smooth right answer.
    Raises `BadInput` that names the point and the component where it exceeds `tolerance`.
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


def _compare(lower, upper, x, name, tolerance, step):
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


def symmetry(matrix, *, tolerance: float = 1e-10) -> float:
    """max |A - Aᵀ| / max |A| of a square matrix; `BadInput` with the entry where it exceeds `tolerance`."""
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


def semidefinite(matrix, *, tolerance: float = 1e-10) -> float:
    """Smallest eigenvalue of a symmetric matrix; `BadInput` if it lies below -tolerance · max |A|."""
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


def _square(matrix):
    matrix = real_array(matrix, "matrix", ndim=2)
    if matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise BadInput(f"matrix has shape {matrix.shape}. It must be square and not empty. Pass a (d, d) array.")
    return matrix


def adjoint(forward, transpose, shape, rng, *, tolerance: float = 1e-10) -> float:
    """Dot test ⟨A u, v⟩ = ⟨u, Aᵀ v⟩ of a linear operator given by two callables.

    forward : (columns,) -> (rows,). transpose : (rows,) -> (columns,). shape : (rows, columns). Returns the difference
    relative to |A u| |v|; `BadInput` where it exceeds `tolerance`.
    """
    rows, columns = shape
    u, v = rng.standard_normal(columns), rng.standard_normal(rows)
    image, back = np.asarray(forward(u)), np.asarray(transpose(v))
    if image.shape != (rows,) or back.shape != (columns,):
        raise BadInput(
            f"forward gives shape {image.shape}, transpose {back.shape}. They must be ({rows},) and ({columns},). "
            "Match them."
        )
    size = max(np.linalg.norm(image) * np.linalg.norm(v), np.finfo(float).tiny)
    error = float(abs(image @ v - u @ back) / size)
    if not error <= tolerance:
        raise BadInput(
            f"⟨Au, v⟩ = {image @ v:.12g}, ⟨u, Aᵀv⟩ = {u @ back:.12g}. They must agree to {tolerance:g}. The "
            "transpose is not that of forward.",
            error=error,
        )
    return error


def mass(trajectory, *, tolerance: float = 1e-12) -> float:
    """Largest |mass - 1| over the laws of a trajectory; `Diverged` with the time where it exceeds `tolerance`.

    Grids report their `mass_error`, clouds the sum of their weights; laws in closed form and by quantiles have mass one
    by construction and count as 0.
    """
    drift = [abs(law.mass_error) for law in trajectory.laws]
    return _bounded(drift, trajectory.times, tolerance, "The mass is off one by", "Use a conservative scheme.")


def positivity(trajectory, *, tolerance: float = 0.0) -> float:
    """Smallest cell mass over the grids of a trajectory (other laws cannot be negative: 0); `Diverged` below
    -tolerance."""
    least = [law.min_mass for law in trajectory.laws]
    worst = int(np.argmin(least))
    if least[worst] < -tolerance:
        raise Diverged(
            f"A cell has mass {least[worst]:.3g} at t = {trajectory.times[worst]:.6g}. Masses must be >= 0 (to "
            f"{tolerance:g}). "
            "Use a positive scheme or a smaller step.",
            time=float(trajectory.times[worst]),
        )
    return float(least[worst])


def energy_decay(problem, trajectory, *, tolerance: float = 0.0, rng=None, n: int = 100_000) -> float:
    """Largest increase of the free energy between successive stored times (negative where it falls everywhere).

    tolerance : absolute, in the units of the energy. rng, n : for laws whose energy is by Monte Carlo; then an
    increase within
    four standard errors of the difference is not held against the run. Raises `Diverged` with the time of the
    increase, and
    `NotAvailable` where the laws have no such energy (a cloud has no entropy).
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


def equilibrium(problem, method, law, *, dt: float, steps: int = 1, seed: int = 0, tolerance: float = np.inf) -> float:
    """How far `steps` steps move a method that starts at `law`, a stationary law of the problem.

    The largest change of what the method's law is made of: the cell masses (GridLaw), the quantiles (Quantiles), the
    positions
    (Particles), else mean and covariance. It compares the method with its own start, so that the error of
    representing `law`
    does not count. `Diverged` where it exceeds `tolerance`. Stochastic clouds move even in equilibrium.
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
            f"to {tolerance:g}. "
            "Check that the law is stationary at this temperature, then the scheme's balance.",
            moved=moved,
        )
    return moved


def _bounded(errors, times, tolerance, what, cure):
    worst = int(np.argmax(errors))
    if not errors[worst] <= tolerance:
        raise Diverged(
            f"{what} {errors[worst]:.3g} at t = {times[worst]:.6g}. The bound is {tolerance:g}. {cure}",
            time=float(times[worst]),
        )
    return float(errors[worst])


__all__ = ["adjoint", "energy_decay", "equilibrium", "gradient", "mass", "positivity", "semidefinite", "symmetry"]
