"""The particles of a variational JKO step: drawn evenly, and in blocks that have the moments of the whole."""

import numpy as np

from .._core.errors import NotAvailable
from ..laws import Gaussian
from .pool import draw


def draw_evenly(law, n, batch, rng):
    """About n points of `law`, (k·batch, d), k = max(1, n // batch), in blocks of `batch`.

    On the line each block has one point in each of `batch` equally likely intervals, in random order, where the law gives quantiles; blocks of
    a Gaussian have its exact mean and covariance (`pool.draw`). Elsewhere the points are independent, moved affinely as a whole to the mean and
    covariance of the law where it gives them: that moves them by the sampling error of n points, and flows under affine maps keep none of it.
    """
    if law.dim == 1 and not isinstance(law, Gaussian):
        try:
            law.quantile(np.array([0.5]))
        except NotAvailable:
            return draw(law, n, batch, rng)
        k = max(1, n // batch)
        strata = np.argsort(rng.random((k, batch)), axis=1)
        return law.quantile(((strata + rng.random((k, batch))) / batch).ravel())[:, None]
    x = draw(law, n, batch, rng)
    if isinstance(law, Gaussian) or not {"mean", "cov"} <= set(law.answers()):
        return x
    try:
        center, cov = law.mean(), law.cov()
    except NotAvailable:
        return x
    enough = len(x) >= 8 * law.dim and min(np.linalg.eigvalsh(part)[0] for part in (cov, moments(x)[1])) > 0
    return affinely(x, center, cov) if enough else x


def affinely(x, center, cov):
    """The points x (n, d), moved by the affine map with lower triangular matrix that gives them this mean and covariance."""
    own_center, own = moments(x)
    turn = np.linalg.cholesky(cov) @ np.linalg.inv(np.linalg.cholesky(own))
    return center + (x - own_center) @ turn.T


def matched(x, batch):
    """The points (k·batch, d) with every block moved affinely to the mean and covariance of all points, (k, batch, d).

    Maps are trained on these: affine flows then have no sampling error within a block. A block of fewer than 8 d points stays as it is.
    """
    blocks = x.reshape(-1, batch, x.shape[1])
    if not has_moments(batch, x.shape[1]):
        return blocks
    center, whole = moments(x)
    offset = blocks - blocks.mean(axis=1, keepdims=True, dtype=float)
    own = np.linalg.cholesky(offset.swapaxes(1, 2) @ offset / batch)
    turn = np.linalg.cholesky(whole) @ np.linalg.inv(own)
    return (center + offset @ turn.swapaxes(1, 2)).astype(x.dtype)


def has_moments(batch, dim):
    """Whether `matched` gives blocks of this size the moments of all points."""
    return batch >= 8 * dim


def moments(x):
    """Mean (d,) and covariance (d, d) of the points, in float64."""
    center = x.mean(axis=0, dtype=float)
    return center, np.atleast_2d(np.cov(x.T, bias=True, dtype=float))


def held_out(law, n, batch, rng):
    """(points (n, d), their log density (n,) or None): never trained on, they measure the bound."""
    if isinstance(law, Gaussian) or (law.dim == 1 and "log_density" in law.answers()):
        x = draw_evenly(law, n, batch, rng)
        return x, law.log_density(x)
    try:
        return law.sample_with_log_density(n, rng)
    except NotAvailable:
        return law.sample(n, rng), None
