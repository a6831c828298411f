"""The particles that a JKO step is trained on."""

import numpy as np
import torch

from ..laws import Gaussian
from .maps.convex import ConvexMap

ROWS = 8192  # points pushed at a time


def draw(law, n, batch, rng):
    """About n points of `law`, (k·batch, d) with k = max(1, n // batch).

    From a Gaussian each block of `batch` consecutive points is moved affinely so that its mean and covariance are exactly the law's. Affine maps
    keep that, so in a Gaussian flow no batch has any sampling error; elsewhere it removes the error of the first two moments
    at the start. A block of fewer than 8 d points stays as drawn: there the move would deform it.
    """
    x = law.sample(max(1, n // batch) * batch, rng)
    if not isinstance(law, Gaussian) or batch < 8 * law.dim:
        return x
    blocks = x.reshape(-1, batch, law.dim)
    blocks = blocks - blocks.mean(axis=1, keepdims=True)
    own = np.linalg.cholesky(blocks.swapaxes(1, 2) @ blocks / batch)
    white = np.linalg.solve(own, blocks.swapaxes(1, 2)).swapaxes(1, 2)
    return (law.mean() + white @ np.linalg.cholesky(law.cov()).T).reshape(x.shape)


def push(move: ConvexMap, x):
    """T(x), (n, d) -> (n, d), numpy in and out in the dtype of x, in torch on the threads set there (the caller's one)."""
    x = torch.as_tensor(x)
    move = move.mapped(lambda array: torch.as_tensor(array, dtype=x.dtype))
    with torch.no_grad():
        return torch.cat([move(part) for part in x.split(ROWS)]).numpy()


class Pool:
    """Batches are blocks of the pool of the present law, in a new random order each epoch: K steps cost K."""

    def __init__(self, x, batch, generator, kind, device):
        self.blocks = torch.as_tensor(x, dtype=kind, device=device).reshape(-1, batch, x.shape[1])
        self.generator, self.order = generator, []

    def __call__(self, iteration):
        if not self.order:
            self.order = torch.randperm(len(self.blocks), generator=self.generator).tolist()
        return self.blocks[self.order.pop()]


class Fresh:
    """Every batch is drawn from the first law and pushed through all maps so far, as in mokrov2021: K steps cost K²."""

    def __init__(self, law, batch, rng, kind, device):
        self.base, self.batch, self.rng, self.kind, self.device = law.base, batch, rng, kind, device
        self.maps = [move.mapped(lambda array: torch.as_tensor(array, dtype=kind, device=device)) for move in law.maps]

    def __call__(self, iteration):
        x = draw(self.base, self.batch, self.batch, self.rng)
        x = torch.as_tensor(x, dtype=self.kind, device=self.device)
        with torch.no_grad():
            for move in self.maps:
                x = move(x)
        return x
