"""A space of gradient fields on a sample, and the orthogonal projection onto it."""

from typing import Any

import numpy as np
from scipy.linalg import qr

from ..._core.errors import Unsupported
from ..._core.shapes import Points

FIELD_NUMBERS = 1 << 27  # numbers that the fields may hold, 1 GB
ROUND_OFF_SHARE = 1e-9  # singular values below this share of the largest are round-off


class GradientFields:
    """A space span{∇φ_j} ⊂ L²(ρ), ρ the empirical law of n points, by an orthonormal basis of it.

    Parameters
    ----------
    x : (n, d) array
        The points.
    force : (n, d) array
        A gradient field that the space must contain: ∇δF of the energy at hand.
    features : int
        Number of ridge functions.
    rng : numpy.random.Generator
        Draws the ridge functions.

    Attributes
    ----------
    rank : int
        Dimension of the space.
    basis : (n d, rank) array
        Its orthonormal fields.

    Raises
    ------
    Unsupported
        Where the fields would not fit into memory.

    Notes
    -----
    The fields are the force, the constants e_i, the symmetric linear fields (all gradients of quadratics: exact for
    Gaussian laws and affine maps), and w tanh(w·y + b) in the coordinates y of mean 0 and covariance I, with |w|
    log-uniform in [1/2, 4] and the kink at a random point of the sample. A sum of them is ∇ψ with ψ a network of one
    hidden layer whose inner weights are drawn and not trained: what is left of the inner problem of [liu2022] is linear
    least squares, solved here to round-off.
    """

    def __init__(self, x: Points, force: Points, features: int, rng: np.random.Generator):
        n, dim = x.shape
        count = 1 + dim + dim * (dim + 1) // 2 + features
        if n * dim * count > FIELD_NUMBERS:
            raise Unsupported(
                f"{count} gradient fields on {n} points in dimension {dim} are {n * dim * count:.3g} numbers. "
                f"At most {FIELD_NUMBERS:.3g} are held. Use at most {FIELD_NUMBERS // (dim * count)} "
                "samples, or PWGF, which needs no inner problem."
            )
        fields = [force[None], *_polynomials(x), _ridges(x, features, rng)]
        matrix = np.concatenate(fields).reshape(count, n * dim).T
        matrix /= np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny ** 0.5)
        decomposed: Any = qr(matrix, mode="economic", overwrite_a=True, check_finite=False)
        directions, triangle = decomposed
        rotation, values, _ = np.linalg.svd(triangle)
        self.rank = int(np.sum(values > ROUND_OFF_SHARE * values[0]))
        self.basis = directions @ rotation[:, : self.rank]
        self.shape = x.shape

    def coordinates(self, field: np.ndarray) -> np.ndarray:
        """⟨q_j, field⟩ for the orthonormal fields q_j.

        Of one field (n, d) -> (rank,), or of the columns of (n d, k) -> (rank, k).
        """
        return self.basis.T @ (field.reshape(-1) if field.shape == self.shape else field)

    def project(self, field: Points) -> Points:
        """The gradient field nearest to `field` in L²(ρ), (n, d) -> (n, d)."""
        return (self.basis @ self.coordinates(field)).reshape(self.shape)


def _polynomials(x):
    """The constants, and the symmetric linear fields x_i e_j + x_j e_i about the mean.

    (d, n, d), then (d(d+1)/2, n, d).
    """
    n, dim = x.shape
    constant = np.broadcast_to(np.eye(dim)[:, None, :], (dim, n, dim))
    y = x - x.mean(axis=0)
    rows, columns = np.triu_indices(dim)
    linear = np.zeros((len(rows), n, dim))
    at = np.arange(len(rows))
    linear[at, :, columns] += y[:, rows].T
    linear[at, :, rows] += y[:, columns].T
    return constant, linear


def _ridges(x, features, rng):
    """The ridge fields w tanh(w·y + b), (features, n, d)."""
    n, dim = x.shape
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(x.T, bias=True)))
    whiten = axes / np.sqrt(np.maximum(values, 1e-12 * values[-1]))
    direction = rng.standard_normal((features, dim))
    direction *= np.exp(rng.uniform(np.log(0.5), np.log(4.0), features))[:, None] / np.linalg.norm(
        direction, axis=1, keepdims=True
    )
    weight = direction @ whiten.T
    offset = np.sum(weight * x[rng.integers(n, size=features)], axis=1)
    return np.tanh(weight @ x.T - offset[:, None])[:, :, None] * weight[:, None, :]
