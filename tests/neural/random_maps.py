"""Convex maps with random weights, for tests."""

import numpy as np
import torch

from pdeflow.neural.maps.convex import ConvexMap, Layer
from pdeflow.neural.maps.signed import shrink


def random_map(dim, width=7, depth=1, rank=0, seed=0, strength=1.0, skew=0.1, pieces=1, sharpness=1.0, signed=False):
    """A map far from the identity and from affine, in numpy.

    `strength` scales its hidden part, `skew` the rest; signed: with negative weights that the quadratic just outweighs.
    """
    rng, rows = np.random.default_rng(seed), width * pieces
    layers = tuple(
        Layer(
            rng.standard_normal((rows, dim)),
            rng.standard_normal(rows),
            0.5 * rng.standard_normal((rank, rows, dim)),
            rng.random((rows, width)) / width if i else None,
            None if sharpness == 1 else np.geomspace(1, sharpness, width),
        )
        for i in range(depth)
    )
    basis, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    move = ConvexMap(
        root=np.eye(dim) + skew * rng.standard_normal((dim, dim)),
        shift=rng.standard_normal(dim),
        layers=layers,
        weight=strength * rng.random(width),
        center=rng.standard_normal(dim),
        basis=basis,
        scale=1.7,
    )
    if not signed:
        return move
    tensors = move.mapped(torch.as_tensor)
    tensors.weight[::2] *= -1e3
    shrink(tensors)
    return tensors.mapped(lambda array: array.numpy())
