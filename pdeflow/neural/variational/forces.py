"""∇(V + W*ρ) at a batch of points, as torch tensors."""

import torch

from ...errors import BadInput, NotAvailable, Unsupported
from ...mean_field import mean_force


def force_of(energy, dim):
    """A function (n, d) -> (n, d) of torch tensors: ∇V(y_i) + 1/(n-1) Σ_{j≠i} ∇W(y_i - y_j), or None for neither.

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
        scale = len(y) / (len(y) - 1)  # a point exerts no force on itself: the mean over the others has no bias
        return torch.from_numpy(scale * mean_force(kernel, y.detach().cpu().numpy())).to(y)

    return force


def _require(function, part, dim):
    """`Unsupported` unless the function takes tensors (n, d) and returns such."""
    cure = "VariationalJKO moves torch tensors. Write value(x) in operations of x itself, such as (x**2).sum(-1), not np.sum(x**2, axis=1)."
    try:
        out = function(torch.full((2, dim), 0.5))
    except (
        RuntimeError,
        TypeError,
        AttributeError,
        BadInput,
    ) as error:  # what numpy and torch raise on each other's arrays
        raise Unsupported(f"{part!r} fails on a torch tensor: {error}. {cure}") from error
    if not isinstance(out, torch.Tensor) or out.shape != (2, dim):
        raise Unsupported(
            f"{part!r} returns {type(out).__name__} for a torch tensor, not a tensor of shape (n, d). {cure}"
        )
