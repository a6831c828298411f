"""Gaussian laws."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import block_diag, cho_solve, solve_triangular
from scipy.special import ndtr, ndtri

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Numbers, Points, Row, SameShape, Values, Vector
from .._core.validate import (
    COARSEST_POSITIONS,
    at_finite_points,
    draws,
    levels,
    numbers,
    points,
    readonly,
    real_array,
    spd_matrix,
)
from .base import Law
from .cells import CellMasses, line_masses, product_masses

if TYPE_CHECKING:
    from .maps import Map


class Gaussian(Law):
    """N(mean, cov) on R^d.

    Parameters
    ----------
    mean : (d,) or float
        E x; a number in dimension 1.
    cov : (d, d) or float
        The covariance, symmetric positive definite; a number means that multiple of the identity.

    Raises
    ------
    BadInput
        Where the covariance is not symmetric positive definite, judged to 1e-10 of its largest entry.

    Notes
    -----
    The law is held by its mean and the Cholesky factor of its covariance. Spreads that differ by more than a factor 1e5
    between directions, which a covariance given by a user would carry as round-off only, are made by `from_root`. Where
    positions are rounded to more than 1e-3 of the spread (at an offset of 1e13 spreads), samples, quantiles, densities
    and masses of cells are not available; mean, covariance, entropy and distances between Gaussians are.
    """

    def __init__(self, mean, cov):
        mean = np.atleast_1d(real_array(mean, "mean"))
        self.dim = real_array(mean, "mean", ndim=1).shape[0]
        if self.dim == 0:
            raise BadInput("mean is empty. A Gaussian has dimension 1 or more. Pass a number or a (d,) array.")
        cov = spd_matrix(cov, self.dim, "cov")
        self._hold(mean, cov, np.linalg.cholesky(cov))

    def _hold(self, mean: Vector, cov: Matrix, root: Matrix) -> None:
        self._mean, self._cov, self._root, self.dim = readonly(mean), readonly(cov), readonly(root), len(root)

    @classmethod
    def of_parts(cls, mean: Vector, cov: Matrix, root: Matrix) -> Gaussian:
        """The law of a mean, a covariance and its lower triangular factor, all known to fit."""
        law = cls.__new__(cls)
        law._hold(mean, cov, root)
        return law

    @classmethod
    def from_root(cls, mean: ArrayLike, root: ArrayLike) -> Gaussian:
        """N(mean, R Rᵀ), however much the spreads of its directions differ.

        Parameters
        ----------
        mean : (d,) or float
            E x, in units of x.
        root : (d, k) array
            R, of full rank d, in units of x.

        Returns
        -------
        Gaussian
            The law of mean + R z for z of the standard normal law on R^k.

        Raises
        ------
        BadInput
            For shapes that do not match, and where the rank of R is below d: such a law has no density.
        """
        mean, root = np.atleast_1d(real_array(mean, "mean")), real_array(root, "root", ndim=2)
        if mean.shape != root.shape[:1] or root.shape[0] == 0 or root.shape[1] < root.shape[0]:
            raise BadInput(
                f"mean has shape {mean.shape}, root {root.shape}. They must be (d,) and (d, k) with k >= d. Match them."
            )
        factor = _triangular(root)
        if not np.all(np.diag(factor) > 0):
            raise BadInput(
                f"The covariance R Rᵀ is singular: the law is flat in {np.sum(np.diag(factor) <= 0)} direction(s) of "
                f"{len(factor)}. A Gaussian has a density. Leave out the flat directions, or add noise."
            )
        cov = factor @ factor.T
        return cls.of_parts(mean, (cov + cov.T) / 2, factor)

    @cached_property
    def _rounding(self) -> float:
        """How far rounded positions lie from the true ones, in units of the narrowest spread."""
        if self.dim == 1:
            spread = self._root[0, 0]
            return float(np.finfo(float).eps * (abs(self._mean[0]) + np.sqrt(self._cov[0, 0])) / abs(spread))
        inverse = np.abs(solve_triangular(self._root, np.eye(self.dim), lower=True))
        size = np.abs(self._mean) + np.sqrt(np.diag(self._cov))
        return float(np.max(inverse @ (np.finfo(float).eps * size)))

    def _require_positions(self, question: str) -> None:
        """`NotAvailable` where floats cannot hold positions of this law."""
        if self._rounding > COARSEST_POSITIONS:
            raise NotAvailable(
                f"This Gaussian does not answer {question!r}: positions are rounded to {self._rounding:.2g} of its "
                "spread, for its mean is too far from the origin, or it is too narrow in a direction between the axes. "
                "Its mean, cov, entropy and distances from Gaussians are known. Move the origin of x near the mean, or "
                "turn the axes."
            )

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        self._require_positions("sample")
        return self._mean + rng.standard_normal((n, self.dim)) @ self._root.T

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        self._require_positions("log_density")
        z = np.linalg.solve(self._root, (points(x, self.dim) - self._mean).T)
        return -0.5 * np.sum(z * z, axis=0) - 0.5 * (self.dim * np.log(2 * np.pi) + self._log_det())

    def _log_det(self):
        return 2 * np.sum(np.log(np.diag(self._root)))

    def mean(self) -> Vector:
        return self._mean

    def cov(self) -> Matrix:
        return self._cov

    def root(self) -> Matrix:
        """The Cholesky factor L of the covariance L Lᵀ, lower triangular, shape (d, d), in units of x."""
        return self._root

    def quantile(self, u: ArrayLike) -> SameShape:
        return self._line("quantile")[0] + self._line("quantile")[1] * ndtri(levels(u))

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return self._line("upper_quantile")[0] - self._line("upper_quantile")[1] * ndtri(levels(share))

    def cdf(self, x: ArrayLike) -> SameShape:
        mean, deviation = self._line("cdf")
        return ndtr((numbers(x) - mean) / deviation)

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"Gaussian has dim {self.dim}; {question!r} exists in dim 1 only. Use a marginal: "
                "Gaussian(mean[i], cov[i, i])."
            )
        self._require_positions(question)
        return self._mean[0], float(np.sqrt(self._cov[0, 0]))

    def entropy(self) -> float:
        return 0.5 * (self.dim * (1 + np.log(2 * np.pi)) + self._log_det())

    def power_integral(self, m: float) -> float:
        return float(
            np.exp(0.5 * (1 - m) * (self.dim * np.log(2 * np.pi) + self._log_det()) - 0.5 * self.dim * np.log(m))
        )

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        x = points(x, self.dim)
        self._require_positions("score")
        score = -cho_solve((self._root, True), (x - self._mean).T).T
        return score * np.exp(power * self.log_density(x))[:, None] if power else score

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        return True

    def support(self) -> tuple[Vector, Vector] | None:
        return np.full(self.dim, -np.inf), np.full(self.dim, np.inf)

    def as_gaussian(self) -> Gaussian | None:
        return self

    def blocks(self, sizes: Sequence[int]) -> tuple[Law, ...] | None:
        ends = np.cumsum(sizes)
        cuts = [slice(end - size, end) for size, end in zip(sizes, ends)]
        parts = [self._cov[cut, cut] for cut in cuts]
        if ends[-1] != self.dim or not np.array_equal(np.asarray(block_diag(*parts)), self._cov):
            return None
        if len(cuts) == 1:
            return (self,)
        return tuple(Gaussian.of_parts(self._mean[cut], part, self._root[cut, cut]) for cut, part in zip(cuts, parts))

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if self.dim == 1:
            return super().cell_masses(axes)
        parts = self.blocks([1] * self.dim)
        return None if parts is None else product_masses(line_masses(part, edges) for part, edges in zip(parts, axes))

    def projected(self, direction: Vector) -> Gaussian:
        mean, variance = self._mean @ direction, np.sum((direction @ self._root) ** 2)
        if not variance > 0:
            return Gaussian(mean, variance)  # which says what is wrong
        return Gaussian.of_parts(np.array([mean]), np.array([[variance]]), np.array([[np.sqrt(variance)]]))

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 4:  # X - Y is Gaussian with twice the covariance
            double = 2 * self._cov
            value = np.trace(double) ** 2 + 2 * np.sum(double * double)
            return Estimate(float(value), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def difference(self) -> Gaussian:
        return Gaussian.of_difference(self, self)

    @classmethod
    def of_difference(cls, first: Gaussian, second: Gaussian) -> Gaussian:
        """The law of X - Y for independent X and Y of these two laws."""
        root = np.sqrt(2) * first._root if first is second else _triangular(np.hstack([first._root, second._root]))
        return cls.of_parts(first._mean - second._mean, first._cov + second._cov, root)

    def radial_part(self) -> Law | None:
        """A scaled chi law, where the mean is 0 and the covariance a multiple of the identity, both to the bit."""
        from .chi import Chi  # which is a law on the line itself

        variance = self._cov[0, 0]
        if self.dim == 1 or self._mean.any() or not np.array_equal(self._cov, variance * np.eye(self.dim)):
            return None
        return Chi(self.dim, np.sqrt(variance))

    def pushed(self, move: Map) -> Law:
        """A Gaussian where the map is affine and not singular, else a `PushForward`."""
        if move.affine and np.linalg.matrix_rank(move.matrix) == self.dim:
            return self.moved(move.matrix, move.matrix @ self._mean + move.shift)
        return super().pushed(move)

    def moved(self, matrix: Matrix, mean: Vector) -> Gaussian:
        """N(mean, A Σ Aᵀ) for an invertible matrix A, with a covariance that is symmetric to the bit."""
        cov = matrix @ self._cov @ matrix.T
        return Gaussian.of_parts(mean, (cov + cov.T) / 2, _triangular(matrix @ self._root))

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        self.require_covariance("fields")
        return {"mean": (("dim",), self._mean), "cov": (("dim", "dim_2"), self._cov)}

    def require_covariance(self, question: str) -> None:
        """`NotAvailable` where the covariance, as a matrix of floats, does not hold the law."""
        if not _holds(self._cov, self._root):
            raise self.not_available(question, "a covariance of floats cannot hold spreads that differ so much")

    def spec(self) -> dict[str, Any]:
        self.require_covariance("spec")
        return {"law": "Gaussian", "mean": self._mean.tolist(), "cov": self._cov.tolist()}


def kept_gaussian(mean: ArrayLike, cov: ArrayLike) -> Gaussian:
    """The Gaussian whose `fields` or `spec` were kept: its covariance may be worse conditioned than a user's own."""
    mean, cov = np.atleast_1d(real_array(mean, "mean")), real_array(cov, "cov")
    scale = np.sqrt(np.abs(np.diag(cov))) if cov.ndim == 2 and cov.shape == (len(mean), len(mean)) else np.zeros(1)
    if not np.all(scale > 0) or not np.array_equal(cov, cov.T):
        return Gaussian(mean, cov)  # which says what is wrong, or takes a number for a multiple of the identity
    if np.linalg.eigvalsh(cov / np.outer(scale, scale))[0] <= np.finfo(float).eps:
        return Gaussian(mean, cov)
    return Gaussian.of_parts(mean, cov, np.linalg.cholesky(cov))


def _triangular(root: Numbers) -> Matrix:
    """The lower triangular L with L Lᵀ = R Rᵀ and a diagonal >= 0. Long columns of R go first, so that QR keeps short
    ones."""
    order = np.argsort(-np.max(np.abs(root), axis=0), kind="stable")
    factor = np.asarray(np.linalg.qr(root[:, order].T, mode="r")).T
    return factor * np.where(np.diag(factor) < 0, -1.0, 1.0)


def _holds(cov: Matrix, root: Matrix) -> bool:
    """Whether the Cholesky factor of the covariance is the root to 1e-6 of each of its spreads."""
    try:
        return bool(np.allclose(np.diag(np.linalg.cholesky(cov)), np.diag(root), rtol=1e-6, atol=0))
    except np.linalg.LinAlgError:
        return False
