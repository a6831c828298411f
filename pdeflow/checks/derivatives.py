"""Whether gradients and Hessians are those of the values beside them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, NotAvailable
from .._core.shapes import Numbers, Points
from .._core.validate import real_array

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
        The difference step in coordinate i of a point is `step` times its distance from the median of the points in
        that coordinate, or the median of these distances if that is larger, rounded to a power of two. Where the points
        do not differ in a coordinate, the largest of these distances in any coordinate counts, else the largest
        abs(x), else one.

    Returns
    -------
    float
        The largest error, without unit: abs(given - differences), relative to the largest entry of the two at the
        point or, where these nearly vanish, to the change of the function over a step by the step; over all points,
        gradient and Hessian together. About 1e-11 for a smooth function whose derivatives are right, in any unit.

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
    slopes, size = np.empty(given.shape), np.abs(given).reshape(len(x), -1).max(axis=1)
    steps = _steps(x, step)
    for i in range(x.shape[1]):
        h = steps[:, i].reshape((-1,) + (1,) * (base.ndim - 1))
        total = np.zeros(base.shape)
        for k, weight in _STENCIL:
            shift = np.zeros_like(x)
            shift[:, i] = k * steps[:, i]
            after, before = np.asarray(lower(x + shift)), np.asarray(lower(x - shift))
            total = total + weight * (after - before)
            if k == 1:
                change = np.maximum(np.abs(after - base), np.abs(before - base)) / h
                size = np.maximum(size, change.reshape(len(x), -1).max(axis=1))
        slopes[..., i] = total / h
    size = np.maximum(size, np.abs(slopes).reshape(len(x), -1).max(axis=1))
    size = np.where(size == 0, 1.0, size)  # nothing changes and nothing is claimed to
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


def _steps(x: Points, step: float) -> Numbers:
    """The difference step of each coordinate of each point, (n, d): powers of two, so that x ± k h is not rounded."""
    distance = np.abs(x - np.median(x, axis=0))
    typical = np.median(distance, axis=0)
    widest = np.max(distance, initial=0.0) or np.max(np.abs(x), initial=0.0) or 1.0
    typical = np.where(typical > 0, typical, np.where(distance.max(axis=0) > 0, distance.max(axis=0), widest))
    return np.exp2(np.round(np.log2(step * np.maximum(distance, typical))))
