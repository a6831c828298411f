"""Gaussian laws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import block_diag
from scipy.special import ndtr, ndtri

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import draws, levels, numbers, points, readonly, real_array, spd_matrix
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
    """

    def __init__(self, mean, cov):
        mean = np.atleast_1d(real_array(mean, "mean"))
        self.dim = real_array(mean, "mean", ndim=1).shape[0]
        if self.dim == 0:
            raise BadInput("mean is empty. A Gaussian has dimension 1 or more. Pass a number or a (d,) array.")
        self._mean = readonly(mean)
        self._cov = readonly(spd_matrix(cov, self.dim, "cov"))
        self._root = readonly(np.linalg.cholesky(self._cov))

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        return self._mean + rng.standard_normal((n, self.dim)) @ self._root.T

    def log_density(self, x: Points) -> Values:
        z = np.linalg.solve(self._root, (points(x, self.dim) - self._mean).T)
        return -0.5 * np.sum(z * z, axis=0) - 0.5 * (self.dim * np.log(2 * np.pi) + self._log_det())

    def _log_det(self):
        return 2 * np.sum(np.log(np.diag(self._root)))

    def mean(self) -> Vector:
        return self._mean

    def cov(self) -> Matrix:
        return self._cov

    def quantile(self, u: ArrayLike) -> SameShape:
        return self._line("quantile")[0] + self._line("quantile")[1] * ndtri(levels(u))

    def cdf(self, x: ArrayLike) -> SameShape:
        mean, deviation = self._line("cdf")
        return ndtr((numbers(x) - mean) / deviation)

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"Gaussian has dim {self.dim}; {question!r} exists in dim 1 only. Use a marginal: "
                "Gaussian(mean[i], cov[i, i])."
            )
        return self._mean[0], float(np.sqrt(self._cov[0, 0]))

    def entropy(self) -> float:
        return 0.5 * (self.dim * (1 + np.log(2 * np.pi)) + self._log_det())

    def power_integral(self, m: float) -> float:
        return float(
            np.exp(0.5 * (1 - m) * (self.dim * np.log(2 * np.pi) + self._log_det()) - 0.5 * self.dim * np.log(m))
        )

    def score(self, x: Points, power: float = 0.0) -> Points:
        x = points(x, self.dim)
        score = -np.linalg.solve(self._cov, (x - self._mean).T).T
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
        return (self,) if len(cuts) == 1 else tuple(Gaussian(self._mean[cut], part) for cut, part in zip(cuts, parts))

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if self.dim == 1:
            return super().cell_masses(axes)
        parts = self.blocks([1] * self.dim)
        return None if parts is None else product_masses(line_masses(part, edges) for part, edges in zip(parts, axes))

    def projected(self, direction: Vector) -> Law | None:
        return Gaussian(self._mean @ direction, direction @ self._cov @ direction)

    def mean_pair_power(self, p: float) -> Estimate | None:
        if p == 4:  # X - Y is Gaussian with twice the covariance
            double = 2 * self._cov
            value = np.trace(double) ** 2 + 2 * np.sum(double * double)
            return Estimate(float(value), 0.0, "closed form", "mean")
        return super().mean_pair_power(p)

    def pushed(self, move: Map) -> Law:
        """A Gaussian where the map is affine and not singular, else a `PushForward`."""
        if move.affine and np.linalg.matrix_rank(move.matrix) == self.dim:
            return Gaussian(move.matrix @ self._mean + move.shift, move.matrix @ self._cov @ move.matrix.T)
        return super().pushed(move)

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {"mean": (("dim",), self._mean), "cov": (("dim", "dim_2"), self._cov)}

    def spec(self) -> dict[str, Any]:
        return {"law": "Gaussian", "mean": self._mean.tolist(), "cov": self._cov.tolist()}
