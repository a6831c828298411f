"""The particles that a neural JKO step is trained on: blocks with exact moments, from a pool or drawn afresh."""

from typing import cast

import numpy as np
import torch

from .._core.errors import NotAvailable, Unsupported
from .._core.shapes import Matrix, Numbers, Points, Values, Vector
from ..laws import Law, PushForward
from ..laws.draws import drawn
from .local_coordinates import LocalCoordinates
from .maps.convex import ConvexMap

THIN = 16.0  # round-offs of the widest direction that the thinnest must exceed: it then adds 3e-4 to its variance


def draw(law: Law, n: int, batch: int, rng: np.random.Generator) -> Points:
    """About n points of `law`, (k·batch, d) with k = max(1, n // batch).

    From a Gaussian each block of `batch` consecutive points is moved affinely so that its mean and covariance are
    exactly the law's. Affine maps keep that, so in a Gaussian flow no batch has any sampling error; elsewhere it
    removes the error of the first two moments at the start. A block of fewer than 8 d points stays as drawn.
    """
    x = drawn(law, max(1, n // batch) * batch, rng)
    gaussian = law.as_gaussian()
    if gaussian is None or not has_moments(batch, law.dim):
        return x
    root = np.linalg.cholesky(gaussian.cov())
    return with_moments(x.reshape(-1, batch, law.dim), gaussian.mean(), root).reshape(x.shape)


def draw_evenly(law: Law, n: int, batch: int, rng: np.random.Generator) -> Points:
    """About n points of `law`, (k·batch, d) with k = max(1, n // batch), in blocks of `batch`.

    On the line each block has one point in each of `batch` equally likely intervals, in random order, where the law
    gives quantiles; blocks of a Gaussian have its exact mean and covariance (`draw`). Elsewhere the points are
    independent, moved affinely as a whole to the mean and covariance of the law where it gives them: that moves them by
    the sampling error of n points, and flows under affine maps keep none of it.
    """
    if law.as_gaussian() is not None:
        return draw(law, n, batch, rng)
    if law.dim == 1:
        try:
            law.quantile(np.array([0.5]))
        except NotAvailable:
            return draw(law, n, batch, rng)
        k = max(1, n // batch)
        strata = np.argsort(rng.random((k, batch)), axis=1)
        return law.quantile(((strata + rng.random((k, batch))) / batch).ravel())[:, None]
    x = draw(law, n, batch, rng)
    if not {"mean", "cov"} <= set(law.answers()):
        return x
    try:
        center, cov = law.mean(), law.cov()
    except NotAvailable:
        return x
    enough = has_moments(len(x), law.dim) and min(np.linalg.eigvalsh(part)[0] for part in (cov, moments(x)[1])) > 0
    return with_moments(x[None], center, np.linalg.cholesky(cov))[0] if enough else x


def matched(x: Points, batch: int) -> Numbers:
    """The points (k·batch, d) with every block moved affinely to the mean and covariance of all points, (k, batch, d).

    Maps are trained on these: affine flows then have no sampling error within a block. A block of fewer than 8 d points
    stays as it is.
    """
    blocks = x.reshape(-1, batch, x.shape[1])
    if not has_moments(batch, x.shape[1]):
        return blocks
    center, whole = moments(x)
    return with_moments(blocks, center, np.linalg.cholesky(whole)).astype(x.dtype)


def with_moments(blocks: Numbers, center: Vector, root: Matrix) -> Numbers:
    """The blocks (k, n, d), each moved by a lower triangular affine map to this mean and covariance root rootᵀ."""
    offset = blocks - blocks.mean(axis=1, keepdims=True, dtype=float)
    own = np.linalg.cholesky(offset.swapaxes(1, 2) @ offset / blocks.shape[1])
    return center + offset @ (root @ np.linalg.inv(own)).swapaxes(1, 2)


def has_moments(n: int, dim: int) -> bool:
    """Whether n points are enough to be moved to given moments: so few as 8 d would be deformed by it."""
    return n >= 8 * dim


def moments(x: Points) -> tuple[Vector, Matrix]:
    """Mean (d,) and covariance (d, d) of the points, in float64."""
    return x.mean(axis=0, dtype=float), np.atleast_2d(np.cov(x.T, bias=True, dtype=float))


def require_thickness(cov: Matrix, dtype: str) -> None:
    """`Unsupported` for a covariance (d, d) so thin in some direction that round-off in this dtype fills it."""
    values, eps = np.linalg.eigvalsh(cov), float(np.finfo(dtype).eps)
    if 0 < values[0] < (THIN * eps) ** 2 * values[-1]:
        ratio = float(np.sqrt(values[-1] / values[0]))
        raise Unsupported(
            f"The law is {ratio:.3g} times as wide in one direction as in another. In {dtype} particles hold it up to "
            f"{1 / (THIN * eps):.2g} times. Use Training(dtype='float64'), or units in which its widths are nearer."
        )


def held_out(law: Law, n: int, batch: int, rng: np.random.Generator) -> tuple[Points, Values | None]:
    """(points (n, d), their log density (n,) or None): never trained on, they measure the bound."""
    if law.as_gaussian() is not None or (law.dim == 1 and "log_density" in law.answers()):
        x = draw_evenly(law, n, batch, rng)
        return x, law.log_density(x)
    try:
        return law.sample_with_log_density(n, rng)
    except NotAvailable:
        return drawn(law, n, rng), None


class Pool:
    """Batches are blocks of the pool of the present law, in a new random order each epoch: K steps cost K."""

    def __init__(self, x: Points, batch: int, generator: torch.Generator, dtype: torch.dtype, device: str):
        self.blocks = torch.as_tensor(x, dtype=dtype, device=device).reshape(-1, batch, x.shape[1])
        self.generator, self.order = generator, []

    def __call__(self, iteration: int) -> torch.Tensor:
        if not self.order:
            self.order = torch.randperm(len(self.blocks), generator=self.generator).tolist()
        return self.blocks[self.order.pop()]


class Fresh:
    """Batches are drawn from the first law and pushed through all maps, as in [mokrov2021]: K steps cost K²."""

    def __init__(
        self,
        law: PushForward,
        batch: int,
        rng: np.random.Generator,
        coordinates: LocalCoordinates,
        dtype: torch.dtype,
        device: str,
    ):
        self.base, self.batch, self.rng, self.dtype, self.device = law.base, batch, rng, dtype, device
        maps, self.coordinates = cast(tuple[ConvexMap, ...], law.maps), coordinates
        self.wide = dtype if coordinates.plain else torch.float64  # the path leads through the user's coordinates
        self.maps = [move.mapped(lambda array: torch.as_tensor(array, dtype=self.wide, device=device)) for move in maps]

    def __call__(self, iteration: int) -> torch.Tensor:
        x = draw(self.base, self.batch, self.batch, self.rng)
        x = torch.as_tensor(x, dtype=self.wide, device=self.device)
        with torch.no_grad():
            for move in self.maps:
                x = cast(torch.Tensor, move(cast(np.ndarray, x)))
        if self.coordinates.plain:
            return x
        center = torch.as_tensor(self.coordinates.center, dtype=self.wide, device=self.device)
        return ((x - center) / self.coordinates.unit).to(self.dtype)
