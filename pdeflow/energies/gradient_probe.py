"""A look at whether the gradients of an energy are those of its values, before a method trusts both."""

from typing import Any

import numpy as np

from .._core.errors import BadInput, NotAvailable
from ..laws import Law
from .energy import Energy

POINTS = 16  # of the initial law
STEPS = (1e-3, 2.3e-4, 4.1e-5)  # of the differences, in spreads of the points
AGREEMENT = 1e-2  # relative: differences that differ by more tell nothing, a gradient off by more is another one's
LEAST_SHARE = 0.25  # of the points; fewer may lie at kinks


def refuse_foreign_gradients(energy: Energy, initial: Law) -> None:
    """`BadInput` where the gradient of V or W is not that of its values, in points of the initial law.

    16 draws (of a generator of their own) and, for W, their differences are looked at: along the gradient and along a
    fixed direction, by differences of fourth order with three steps. There is no verdict where the steps disagree,
    nor where value or grad is missing or refuses the points; a quarter of the points must disagree.
    """
    if energy.potential is None and energy.interaction is None:
        return
    if "sample" not in initial.answers():
        return
    x = np.asarray(initial.sample(POINTS, np.random.default_rng(0)), dtype=float)
    if x.ndim != 2 or not np.isfinite(x).all():
        return
    spread = float(np.median(np.abs(x - np.median(x, axis=0)))) or float(np.max(np.abs(x))) or 1.0
    _refuse(energy.potential, x, np.full(len(x), spread), "potential")
    z = x - np.roll(x, 1, axis=0)
    size = np.linalg.norm(z, axis=1)
    apart = size > 1e-3 * spread
    if energy.interaction is not None and apart.any():
        _refuse(energy.interaction, z[apart], np.minimum(size[apart], spread), "interaction")


def _refuse(function: Any, x: np.ndarray, spread: np.ndarray, what: str) -> None:
    """`BadInput` where `function.grad` is not the gradient of `function.value` at a quarter of the points x (n, d)."""
    if not callable(getattr(function, "value", None)) or not callable(getattr(function, "grad", None)):
        return
    if getattr(function, "grad_function", 0) is None:
        return
    try:
        with np.errstate(all="ignore"):
            found = _slopes(function, x, spread)
    except (BadInput, NotAvailable):  # walls, or what has no value: no verdict
        return
    if found is None:
        return
    given, differences = found
    wide = differences[0]
    size = np.maximum(np.abs(given), np.abs(wide))
    apart = np.max(np.abs(differences - wide), axis=0)
    known = np.isfinite(given) & (apart <= AGREEMENT * size) & (size > 1e-9 * np.nanmax(size))
    known &= np.any(differences != 0, axis=0)  # a change below the last digit of the values tells nothing
    wrong = known & (np.abs(given - wide) > AGREEMENT * size)
    points = wrong.any(axis=0)
    if points.sum() >= max(2, LEAST_SHARE * len(x)):
        i = int(np.argmax(points))
        k = int(np.argmax(wrong[:, i]))
        at = "x" if what == "potential" else "z"
        raise BadInput(
            f"The {what}'s grad is not the gradient of its value: at {at} = {x[i].tolist()} the slope along a "
            f"direction is {given[k, i]:.6g} by grad and {wide[k, i]:.6g} by differences of value, and it differs at "
            f"{int(points.sum())} of {len(x)} points. Methods follow the one or the other and must not solve two "
            "problems. Correct value or grad; pdeflow.checks.gradient names the component.",
            x=x[i].tolist(),
            by_grad=float(given[k, i]),
            by_value=float(wide[k, i]),
        )


def _slopes(function: Any, x: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Slopes along two directions, by grad (2, n), and by differences of value with the three steps (3, 2, n)."""
    gradient = np.asarray(function.grad(x.copy()), dtype=float)
    if gradient.shape != x.shape:
        return None
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    fixed = np.random.default_rng(1).normal(size=x.shape)
    along = np.where(length > 0, gradient / np.where(length > 0, length, 1.0), 1.0 / np.sqrt(x.shape[1]))
    directions = np.stack([along, fixed / np.linalg.norm(fixed, axis=1, keepdims=True)])
    given = np.sum(directions * gradient, axis=2)
    moves = np.array([-2.0, -1.0, 1.0, 2.0])
    steps = np.array(STEPS)[:, None] * spread  # (steps, n)
    # (steps, moves, directions, n, d)
    points = x + moves[None, :, None, None, None] * steps[:, None, None, :, None] * directions
    values = np.asarray(function.value(points.reshape(-1, x.shape[1])), dtype=float)
    if values.size != points.size // x.shape[1]:
        return None
    values = values.reshape(points.shape[:-1])
    weights = np.array([1.0, -8.0, 8.0, -1.0]) / 12
    return given, np.einsum("m,smkn->skn", weights, values) / steps[:, None, :]
