"""What a problem must offer a neural method, found out once, before the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .._core.arrays import is_tensor
from .._core.errors import NotAvailable, Unsupported
from .._core.shapes import Points
from ..laws import Law

# what numpy and torch raise on each other's arrays
FOREIGN = (RuntimeError, TypeError, AttributeError, ValueError, IndexError)
WRITE = (
    "Write value(x) in operations that arrays and tensors share, such as (x**2).sum(-1), and exp and log as "
    "`x.exp() if hasattr(x, 'exp') else np.exp(x)`; constants of your own as `W.to(x)` where x is a tensor"
)


def answer(function: Callable, part: object, x: Any, cure: str) -> Any:
    """function(x), or `Unsupported` naming the part of the energy, what it raised on such an array, and the cure."""
    try:
        return function(x)
    except FOREIGN as error:
        kind = "torch tensor" if is_tensor(x) else "numpy array"
        if is_tensor(x) and x.dtype != torch.float64 and "dtype" in str(error):
            cure = (
                f"The points are {x.dtype} tensors. Bring what the function holds to their dtype, W.to(x.dtype), or "
                "train with Training(dtype='float64')."
            )
        raise Unsupported(f"{part!r} fails on a {kind}: {str(error).rstrip('.')}. {cure}") from error


def require_density(law: Law, internal: object) -> None:
    """`Unsupported` for a law on a curve where there is internal energy, infinite under every smooth map."""
    if internal is not None and law.dim > 1 and law.has_density() is False and law.atoms() is None:
        raise Unsupported(
            f"The internal energy {internal!r} of {law!r} is infinite, and of every image of it under a smooth map. "
            "Possible are laws with a density, and Particles that stand for one. Start from one of these."
        )


def require_values(part: Any, x: Points) -> None:
    """`Unsupported` unless part.value takes numpy arrays (n, d) and returns (n,), one number for each point."""
    cure = f"{WRITE}; not torch.exp(x) or x.exp()."
    out = answer(part.value, part, x, cure)
    if np.shape(out) != (len(x),):
        raise Unsupported(
            f"{part!r} returns an array of shape {np.shape(out)} for {len(x)} points. It must return (n,). {cure}"
        )
    require_function(part.value, part, x, cure)


def require_differentiable(part: Any, x: torch.Tensor) -> None:
    """`Unsupported` unless part.value takes and returns tensors that record gradients, which must be on.

    x (n, d) has the dtype and the device of training.
    """
    cure = f"It is differentiated through torch. {WRITE}; not np.sum(x**2, axis=1)."
    x = x.detach().clone().requires_grad_()
    out = answer(part.value, part, 1.0 * x, cure)
    if not isinstance(out, torch.Tensor) or out.shape != (len(x),) or not out.requires_grad:
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor. It must return a differentiable tensor of "
            f"shape (n,). {cure}"
        )
    if out.device != x.device:
        raise Unsupported(
            f"{part!r} returns a tensor on {out.device} for points on {x.device}. It must answer where it is asked. "
            "Move its own tensors there, or train on its device with Training(device=...)."
        )
    require_function(part.value, part, x.detach(), cure)


def require_function(function: Callable, part: object, x: Any, cure: str) -> None:
    """`Unsupported` for what draws random numbers, or answers for a point by the other points of the array."""
    before = torch.get_rng_state()
    first, again, alone = (_numbers(answer(function, part, points, cure)) for points in (x, x, x[:1]))
    drawn = not torch.equal(before, torch.get_rng_state())
    torch.set_rng_state(before)
    # 1e-4: what the order of sums of a network in single precision may change, and more
    size = 1e-4 * np.abs(first, where=np.isfinite(first), out=np.zeros_like(first)).max()
    what = None
    if drawn or not np.isclose(again, first, rtol=0, atol=size, equal_nan=True).all():
        what = "is not the same when asked twice at the same points, or draws random numbers"
    elif not np.isclose(alone[0], first[0], rtol=0, atol=size, equal_nan=True).all():
        what = "at a point depends on the other points that are asked with it"
    if what is not None:
        raise Unsupported(
            f"{part!r} {what}. An energy is a function of a point. Put a torch module into evaluation mode "
            "(module.eval()), or draw once, before the run."
        )


def _numbers(values: Any) -> np.ndarray:
    return values.detach().cpu().double().numpy() if isinstance(values, torch.Tensor) else np.asarray(values, float)


def tensor_gradient(potential: Any, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """∇V as a function of torch tensors (n, d) -> (n, d): its own `grad` where that takes tensors, else by `value`.

    `Unsupported` if the potential offers neither at the points x (n, d), of the dtype and device of training.
    """

    def by_value(y):
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            return torch.autograd.grad(potential.value(y).sum(), y)[0]

    cure = f"Its gradient is taken at torch tensors. {WRITE}; not np.sum(x**2, axis=1)."
    reason: Exception | None = None
    for function in (getattr(potential, "grad", by_value), by_value):
        try:
            out = answer(function, potential, x, cure)
        except (NotAvailable, Unsupported) as error:
            reason = error
            continue
        if isinstance(out, torch.Tensor) and out.shape == x.shape and out.device == x.device:
            require_function(function, potential, x, cure)
            return function
        where = f" on {out.device}" if isinstance(out, torch.Tensor) else ""
        reason = Unsupported(
            f"{potential!r} returns {type(out).__name__}{where} for a torch tensor on {x.device}, not a tensor of "
            f"shape (n, d) there. {cure}"
        )
    assert reason is not None
    raise reason
