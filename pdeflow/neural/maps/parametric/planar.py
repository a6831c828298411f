"""The vector û of a planar layer x + û tanh(w·x + b), bounded so that w·û > -1.

The layer is then invertible [rezende2015].

û = u + (√(1 + s²) - 1) w/|w|², s = w·u, gives w·û = s + √(1 + s²) - 1 > -1, and û = u + O(|u|² |w|) near u = 0.
rezende2015 has log(1 + eˢ) - 1 in that place, which is not the identity at u = 0. Any bounded parametrisation spans the
same tangent space. All functions take u and w of one layer (d,) or of all (L, d).
"""

import torch
from torch import Tensor


def _parts(u, w):
    s, q = (u * w).sum(-1, keepdim=True), (w * w).sum(-1, keepdim=True)
    root = torch.sqrt(1 + s * s)
    return s * s / (1 + root), s / root, q  # f(s) = √(1 + s²) - 1 without cancellation, f'(s), |w|²


def bounded(u: Tensor, w: Tensor) -> Tensor:
    """û."""
    f, _, q = _parts(u, w)
    return u + f * w / q


def bounded_apply(u: Tensor, w: Tensor, du: Tensor, dw: Tensor) -> Tensor:
    """The change of û along (du, dw)."""
    f, slope, q = _parts(u, w)
    ds = (du * w).sum(-1, keepdim=True) + (u * dw).sum(-1, keepdim=True)
    return du + (slope * ds * w + f * dw - 2 * f * (w * dw).sum(-1, keepdim=True) * w / q) / q


def bounded_transpose(u: Tensor, w: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    """(g ∂û/∂u, g ∂û/∂w)."""
    f, slope, q = _parts(u, w)
    along = (w * g).sum(-1, keepdim=True) / q
    return g + slope * along * w, slope * along * u + f * g / q - 2 * f * along * w / q


def bounded_jacobian(u: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """(∂û/∂u, ∂û/∂w) of one layer, (d, d) each."""
    f, slope, q = _parts(u, w)
    one = torch.eye(len(u), dtype=u.dtype)
    return one + slope * torch.outer(w, w) / q, (
        slope * torch.outer(w, u) + f * one - 2 * f * torch.outer(w, w) / q
    ) / q
