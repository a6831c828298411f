"""∇(V + W*ρ) at a batch of points, as torch tensors."""

import numpy as np
import torch

from ..._core.errors import NotAvailable, Unsupported
from ...energies.mean_field import mean_force
from ..particles import has_moments
from ..requirements import answer


def force_of(energy, dim):
    """A function (n, d) -> (n, d) of torch tensors: ∇V(y_i) + 1/N Σ_{j≠i} ∇W(y_i - y_j), or None for neither.

    N is n for batches that have the moments of the law (`matched`), as the force of a quadratic W is then that of the law itself, and n - 1 for independent points.

    The gradient of a potential is its own `grad` where that takes tensors, else it is differentiated through `value`.
    `Unsupported` if it does neither.
    """
    parts = []
    if energy.potential is not None:
        parts.append(_gradient(energy.potential, dim))
    if energy.interaction is not None:
        parts.append(_attraction(energy.interaction))
    if not parts:
        return None
    return lambda y: sum(part(y) for part in parts)


def require_values(energy, dim):
    """`Unsupported` unless V and W take numpy arrays (n, d) and return (n,): the bound of a step is measured so, after all its training."""
    z = np.full((2, dim), 0.5)
    cure = "Write value(x) in operations of x itself, such as (x**2).sum(-1), with exp and log of pdeflow._core.arrays, which take both kinds; not torch.exp(x) or x.exp()."
    for part in (energy.potential, energy.interaction):
        if part is None:
            continue
        out = answer(part.value, part, z, cure)
        if np.shape(out) != (2,):
            raise Unsupported(
                f"{part!r} returns an array of shape {np.shape(out)} for 2 points. It must return (n,). {cure}"
            )


def _gradient(potential, dim):
    def by_value(y):
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            return torch.autograd.grad(potential.value(y).sum(), y)[0]

    for function in (getattr(potential, "grad", by_value), by_value):
        try:
            _require(function, potential, dim)
        except (NotAvailable, Unsupported) as error:
            reason = error
        else:
            return function
    raise reason


def _attraction(kernel):
    def force(y):
        n = len(y)
        scale = 1.0 if has_moments(n, y.shape[1]) else n / (n - 1)
        return torch.from_numpy(scale * mean_force(kernel, y.detach().cpu().numpy())).to(y)

    return force


def _require(function, part, dim):
    """`Unsupported` unless the function takes tensors (n, d) and returns such."""
    cure = "VariationalJKO moves torch tensors. Write value(x) in operations of x itself, such as (x**2).sum(-1), with exp and log of pdeflow._core.arrays; not np.sum(x**2, axis=1)."
    out = answer(function, part, torch.full((2, dim), 0.5), cure)
    if not isinstance(out, torch.Tensor) or out.shape != (2, dim):
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor, not a tensor of shape (n, d). {cure}"
        )
