"""Convex maps with random weights, for the tests of this folder."""

import numpy as np

from pdeflow.neural.convex_map import ConvexMap, Layer


def random_map(dim, width=7, depth=1, rank=0, seed=0, strength=1.0, skew=0.1, pieces=1, sharpness=1.0):
    """A map far from the identity and from affine, in numpy; `strength` scales its hidden part, `skew` the rest."""
    rng, rows = np.random.default_rng(seed), width * pieces
    layers = tuple(
        Layer(
            rng.standard_normal((rows, dim)), rng.standard_normal(rows), 0.5 * rng.standard_normal((rank, rows, dim)),
            rng.random((rows, width)) / width if i else None, None if sharpness == 1 else np.geomspace(1, sharpness, width),
        )
        for i in range(depth)
    )  # fmt: skip
    basis, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    return ConvexMap(
        root=np.eye(dim) + skew * rng.standard_normal((dim, dim)), shift=rng.standard_normal(dim), layers=layers,
        weight=strength * rng.random(width), center=rng.standard_normal(dim), basis=basis, scale=1.7,
    )  # fmt: skip
