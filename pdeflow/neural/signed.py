"""Negative weights in a convex network: how many its quadratic provably outweighs.

A softplus neuron h(y) = log(1 + exp(β(aᵀy + b)))/β has 0 <= ∇²h <= (β/4) a aᵀ. So with S = Σ_{w<0} |w| (β/4) a aᵀ

    LLᵀ >= S   implies   ∇²φ >= LLᵀ + εI - S >= εI,

a condition on the parameters alone. Where mass crosses between two modes that overlap, the JKO potential lies below |x|²/2 and is less curved at the crossing than
on either side of it: a dip that non-negative weights make only as what is left between bumps everywhere else. Measured on the line (modes at ±2.3, dt = 0.1,
weights 0.735 to 0.708 by t = 2): 16 neurons of 8 pieces arrive at 0.714 to 0.717, 32 signed ones at 0.711, at a quarter of the time.
"""

import numpy as np

from ..errors import BadInput, Diverged

MARGIN = 1e-3  # share of LLᵀ that the projection leaves free: round-off of single precision is far below


def concave_part(move):
    """S, (d, d), of a ConvexMap with one layer of softplus neurons."""
    (layer,) = move.layers
    size = (-move.weight).clip(min=0) / 4
    if layer.sharpness is not None:
        size = size * layer.sharpness
    return layer.linear.T @ (size[:, None] * layer.linear)


def project(move):
    """Shrinks the negative weights of a map of torch tensors, in place, until (1 - MARGIN) LLᵀ >= S."""
    import torch  # the tensors are here, so torch is loaded already

    concave, quadratic = concave_part(move), (1 - MARGIN) * (move.root @ move.root.T)
    if not torch.linalg.cholesky_ex(quadratic - concave)[1].item():
        return
    root, info = torch.linalg.cholesky_ex(quadratic)
    if info.item():
        raise Diverged(
            "The quadratic part of the network is singular, so that it outweighs no negative weight. It must be positive definite. "
            "Use a smaller learning_rate or dtype='float64'."
        )
    half = torch.linalg.solve_triangular(root, concave, upper=False)
    most = torch.linalg.eigvalsh(torch.linalg.solve_triangular(root, half.T, upper=False)).max()
    move.weight.copy_(torch.where(move.weight < 0, move.weight / most.clip(min=1), move.weight))


def require_convex(move):
    """`BadInput` unless the weights of a numpy map are non-negative, or those that are not are outweighed by the quadratic."""
    plain = (
        len(move.layers) == 1 and len(move.layers[0].linear) == len(move.weight) and not len(move.layers[0].quadratic)
    )
    for name, array in move.trained().items():
        if ((name == "weight" and not plain) or name.endswith("mixing")) and not np.all(array >= 0):
            raise BadInput(
                f"{name} has an entry of {np.min(array):.3g}, so the network is not convex. These weights must be >= 0. Project them."
            )
    if plain and not np.all(move.weight >= 0):
        quadratic = move.root @ move.root.T
        lowest = np.linalg.eigvalsh(quadratic - concave_part(move))[0]
        if not lowest >= -16 * np.finfo(move.weight.dtype).eps * np.abs(quadratic).max():
            raise BadInput(
                f"weight has an entry of {np.min(move.weight):.3g}, and the quadratic does not outweigh the negative ones: the smallest eigenvalue of LLᵀ - S is {lowest:.3g}. "
                "It must not be negative, else the network need not be convex. Project the weights."
            )
