"""Negative weights in a convex network: how many its quadratic provably outweighs.

A softplus neuron h(y) = log(1 + exp(β(aᵀy + b)))/β has 0 <= ∇²h <= (β/4) a aᵀ. So with S = Σ_{w<0} |w| (β/4) a aᵀ

    LLᵀ >= S   implies   ∇²φ >= LLᵀ + εI - S >= εI,

a condition on the parameters alone. Where mass crosses between two modes that overlap, the JKO potential lies below
|x|²/2 and is less curved at the crossing than on either side of it: a dip that non-negative weights make only as what
is left between bumps everywhere else. Measured on the line (modes at ±2.3, dt = 0.1, weights 0.735 to 0.708 by t =
2): 16 neurons of 8 pieces arrive at 0.714 to 0.717, 32 signed ones at 0.711, at a quarter of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._core.arrays import is_tensor
from ..._core.errors import BadInput
from .jet import STRENGTH, Array

if TYPE_CHECKING:
    from .convex import ConvexMap, Layer

MARGIN = 1e-3  # share of LLᵀ that training leaves free, far above the round-off of weights in single precision


def concave_part(layer: Layer, weight: Array) -> Array:
    """S, (d, d), of a layer of softplus neurons and their weights (width,), in double precision; numpy or torch."""
    linear, weight, sharpness = (wide(array) for array in (layer.linear, weight, layer.sharpness))
    size = (-weight).clip(min=0) / 4 * (1.0 if sharpness is None else sharpness)
    return linear.T @ (size[:, None] * linear)


def wide(array: Any) -> Any:
    """The array in double precision; None stays None."""
    if array is None:
        return None
    return array.double() if is_tensor(array) else np.asarray(array, dtype=float)


def shrink(move: ConvexMap) -> None:
    """Shrink the negative weights of a map of torch tensors by one factor, in place, until (1 - MARGIN) LLᵀ >= S.

    Where LLᵀ is singular they become 0. The map stays in the convex set, but this is not the projection onto it:
    where the condition binds, training need not end at the constrained minimum. Computed in double precision, as is
    the check of the finished map.
    """
    import torch  # the tensors are here, so torch is loaded already

    if not (move.weight < 0).any():
        return
    concave = concave_part(move.layers[0], move.weight)
    quadratic = (1 - MARGIN) * (wide(move.root) @ wide(move.root).T)
    if not torch.linalg.cholesky_ex(quadratic - concave)[1].item():
        return
    root, info = torch.linalg.cholesky_ex(quadratic)
    if info.item():
        move.weight.clamp_(min=0)
        return
    half = torch.linalg.solve_triangular(root, concave, upper=False)
    most = torch.linalg.eigvalsh(torch.linalg.solve_triangular(root, half.T, upper=False)).max()
    move.weight.copy_(torch.where(move.weight < 0, move.weight / most.clip(min=1), move.weight))


def require_convex(move: ConvexMap) -> None:
    """`BadInput` unless the weights of a numpy map are non-negative, or outweighed by the quadratic, up to ε/2."""
    plain = (
        len(move.layers) == 1 and len(move.layers[0].linear) == len(move.weight) and not len(move.layers[0].quadratic)
    )
    for i, layer in enumerate(move.layers):
        if layer.sharpness is not None and not np.all(layer.sharpness > 0):
            raise BadInput(
                f"layer{i}.sharpness has an entry of {np.min(layer.sharpness):.3g}. It must be positive. Choose 1 or "
                "more."
            )
    for name, array in move.parameter_groups().nonnegative.items():
        if not (plain and name == "weight") and not np.all(array >= 0):
            raise BadInput(
                f"{name} has an entry of {np.min(array):.3g}, so the network is not convex. These weights must be >= "
                "0. Project them."
            )
    if plain and not np.all(move.weight >= 0):
        if not np.isfinite(move.weight).all():
            raise BadInput("weight has an entry that is not finite. It must be a number. The data are damaged.")
        root = wide(move.root)
        lowest = np.linalg.eigvalsh(root @ root.T - concave_part(move.layers[0], move.weight))[0]
        if not lowest >= -STRENGTH / 2:
            raise BadInput(
                f"weight has an entry of {np.min(move.weight):.3g}, and the quadratic does not outweigh the negative "
                f"ones: the smallest eigenvalue of LLᵀ - S is {lowest:.3g}. "
                f"It must be at least {-STRENGTH / 2:g}, else the network need not be convex. Shrink the weights."
            )
