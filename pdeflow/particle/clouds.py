"""What all schemes on particles ask of a potential, and the end of a cloud that left the finite numbers."""

from typing import Any

import numpy as np

from .._core.errors import BadInput, Diverged, Unsupported
from .._core.shapes import Points, Values
from .._core.short_text import shown
from .._core.validate import require_gradient
from ..energies.potentials import values_with_walls

LARGEST_COORDINATE = 1e100  # beyond it squares overflow: a blow-up that overflow has not met yet


def require_potential_gradient(potential: Any, method: str) -> None:
    """`Unsupported` for a potential without gradient; no potential at all is fine."""
    if potential is not None and (
        not callable(getattr(potential, "grad", None)) or getattr(potential, "grad_function", 0) is None
    ):
        raise Unsupported(
            f"{method} moves along -∇V: potential must have grad(x) (n, d) -> (n, d), got {shown(potential)} "
            "without one. Give it, e.g. potentials.FromFunction(value, grad=..., dim=...)."
        )


def potential_pull(potential: Any, x: Points) -> Points:
    """-∇V at the points x (n, d), zeros without a potential; `BadInput` for what has another shape or is not finite."""
    if potential is None:
        return np.zeros_like(x)
    gradient = np.asarray(potential.grad(x.copy()))
    require_gradient(gradient, x, "potential.grad(x)")
    return -gradient


def potential_at(potential: Any, x: Points) -> Values:
    """V at the points x (n, d), inf at obstacles, zeros without a potential; `BadInput` names the first bad point."""
    if potential is None:
        return np.zeros(len(x))
    values = np.asarray(values_with_walls(potential, x.copy()))
    if values.shape != (len(x),) or values.dtype.kind not in "fiu":
        raise BadInput(
            f"The potential returned an array of {values.dtype}, shape {values.shape}, for x of shape {x.shape}. It "
            f"must be a real array of shape {(len(x),)}. Sum over the last axis."
        )
    bad = np.isnan(values) | (values == -np.inf)
    if bad.any():
        point = int(np.argmax(bad))
        raise BadInput(
            f"The potential is {values[point]} at x = {x[point].tolist()}. It must be a number, or inf at obstacles. "
            "Correct it there."
        )
    return values.astype(float)


def lost(x: Points, limit: float = LARGEST_COORDINATE) -> np.ndarray:
    """Which particles (n,) are not finite or beyond the limit."""
    return ~np.all(np.abs(x) <= limit, axis=1)  # NaN compares false


def refuse_lost(x: Points, step: int, dt: float, limit: float = LARGEST_COORDINATE) -> None:
    """`Diverged` at the first particle that is not finite or beyond the limit."""
    bad = lost(x, limit)
    if bad.any():
        particle = int(np.argmax(bad))
        raise Diverged(
            f"Particle {particle} is {x[particle].tolist()} after step {step} (t = {step * dt:.6g}). Particles must "
            f"stay finite and below {LARGEST_COORDINATE:g}; the step is too large for the drift out there. Use a "
            f"smaller dt than {dt:g}.",
            step=step,
            particle=particle,
            dt=dt,
        )


def refuse_passing(kernel: Any, before: Points, after: Points, step: int, dt: float) -> None:
    """`Diverged` where points on the line that repel each other without bound changed their order."""
    if kernel is None or before.shape[1] > 1:
        return
    with np.errstate(divide="ignore", invalid="ignore"):  # of kernels of users at 0; what they say there is asked
        if not np.isposinf(np.ravel(kernel.value(np.zeros((1, 1)))))[0]:
            return
    order = np.argsort(before[:, 0])
    passed = np.flatnonzero(np.diff(after[order, 0]) < 0)
    if len(passed):
        gap = float(np.diff(before[order, 0])[passed[0]])
        raise Diverged(
            f"In step {step} (t = {step * dt:.6g}) {len(passed)} pairs of particles passed each other, the first from "
            f"{gap:.3g} apart. W(0) is infinite, so that particles never meet: dt = {dt:g} is too long for the closest "
            'pairs. Use a smaller dt, InteractingParticles(start="quantiles"), or QuantileJKO.',
            step=step, dt=dt,
        )  # fmt: skip
