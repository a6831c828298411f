"""What a problem must offer a neural method, found out once, before the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .._core.arrays import is_tensor
from .._core.errors import NotAvailable, Unsupported
from ..laws import Law

# what numpy and torch raise on each other's arrays
FOREIGN = (RuntimeError, TypeError, AttributeError, ValueError, IndexError)
WRITE = (
    "Write value(x) in operations of x itself, such as (x**2).sum(-1), with exp and log of pdeflow._core.arrays, "
    "which take "
    "both kinds of arrays"
)


def answer(function: Callable, part: object, x: Any, cure: str) -> Any:
    """function(x), or `Unsupported` naming the part of the energy, what it raised on such an array, and the cure."""
    try:
        return function(x)
    except FOREIGN as error:
        kind = "torch tensor" if is_tensor(x) else "numpy array"
        raise Unsupported(f"{part!r} fails on a {kind}: {str(error).rstrip('.')}. {cure}") from error


def require_density(law: Law, internal: object) -> None:
    """`Unsupported` for a law on a curve where there is internal energy, infinite under every smooth map."""
    if internal is not None and law.dim > 1 and law.has_density() is False and law.atoms() is None:
        raise Unsupported(
            f"The internal energy {internal!r} of {law!r} is infinite, and of every image of it under a smooth map. "
            "Possible are laws with a density, and Particles that stand for one. Start from one of these."
        )


def require_values(part: Any, dim: int) -> None:
    """`Unsupported` unless part.value takes numpy arrays (n, d) and returns (n,)."""
    cure = f"{WRITE}; not torch.exp(x) or x.exp()."
    out = answer(part.value, part, np.full((2, dim), 0.5), cure)
    if np.shape(out) != (2,):
        raise Unsupported(
            f"{part!r} returns an array of shape {np.shape(out)} for 2 points. It must return (n,). {cure}"
        )


def require_differentiable(part: Any, dim: int) -> None:
    """`Unsupported` unless part.value takes and returns torch tensors that record gradients, which must be on."""
    cure = f"It is differentiated through torch. {WRITE}; not np.sum(x**2, axis=1)."
    out = answer(part.value, part, torch.ones(2, dim, requires_grad=True) * 0.5, cure)
    if not isinstance(out, torch.Tensor) or out.shape != (2,) or not out.requires_grad:
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor. It must return a differentiable tensor of "
            "shape "
            f"(n,). {cure}"
        )


def tensor_gradient(potential: Any, dim: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """∇V as a function of torch tensors (n, d) -> (n, d): its own `grad` where that takes tensors, else by `value`.

    `Unsupported` if the potential offers neither.
    """

    def by_value(y):
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            return torch.autograd.grad(potential.value(y).sum(), y)[0]

    cure = f"Its gradient is taken at torch tensors. {WRITE}; not np.sum(x**2, axis=1)."
    reason: Exception | None = None
    for function in (getattr(potential, "grad", by_value), by_value):
        try:
            out = answer(function, potential, torch.full((2, dim), 0.5), cure)
        except (NotAvailable, Unsupported) as error:
            reason = error
            continue
        if isinstance(out, torch.Tensor) and out.shape == (2, dim):
            return function
        reason = Unsupported(
            f"{potential!r} returns {type(out).__name__} for a torch tensor, not a tensor of shape (n, d). {cure}"
        )
    assert reason is not None
    raise reason
