"""The kernel density estimate of a cloud, as a law that is asked for by name."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.short_text import shown
from .._core.validate import at_finite_points, draws, levels, numbers, points, positive, readonly
from .base import Law
from .gaussian import Gaussian
from .particles import Particles


class KernelDensity(Law):
    """Σ w_i N(x_i, K): the estimate of a density by a Gaussian kernel at every point of a cloud [scott2015].

    Parameters
    ----------
    x : (n, d) or (n,)
        The points; (n,) in dimension 1.
    weights : (n,), optional
        At least 0, with the sum one to 1e-10. By default 1/n each.
    bandwidth : {"scott", "silverman"} or float
        The factor s of the kernel's covariance K = s² C, where C is the covariance of the cloud with Bessel's
        correction. With the effective number of points N = 1/Σ w_i², Scott's rule is N^(-1/(d+4)) and Silverman's
        (N (d+2)/4)^(-1/(d+4)).

    Attributes
    ----------
    factor : float
        s; NaN where the kernel was given itself, by `of_kernel`.

    Raises
    ------
    BadInput
        For an unknown rule, a factor that is not positive, weights that are no probabilities, and clouds that lie in a
        hyperplane, such as those of at most d points.

    Notes
    -----
    The conventions are those of `scipy.stats.gaussian_kde`. The law is an exact mixture of Gaussians: mean and
    covariance, Ex = Σ w_i x_i and Cov + K, are those of the mixture, so that the covariance is larger than that of the
    cloud. The density costs O(n d) a place, summed in tiles that take no memory; logarithms do not underflow.

    Nothing in pdeflow makes such a law by itself, for as an estimate of the law that the points were drawn from it
    errs by about n^(-4/(d+4)) in Kullback-Leibler divergence, which in d > 4 is most of what many published tables
    show. Read at its own points, as in `law.log_density(law.x)`, the density contains each point's own kernel and is
    too large there: the mean of log ρ over the cloud is biased upwards [docs/math.md 4.4].

    References
    ----------
    scott2015
    """

    def __init__(
        self,
        x: ArrayLike,
        weights: ArrayLike | None = None,
        bandwidth: Literal["scott", "silverman"] | float = "scott",
    ):
        cloud = Particles(x, weights)
        self.x, self.weights, self.dim = cloud.x, cloud.weights, cloud.dim
        self.factor = _factor(bandwidth, 1 / float(np.sum(self.weights**2)), self.dim)
        unbiased = 1 - float(np.sum(self.weights**2))
        cov = cloud.cov() / unbiased if unbiased > 0 else np.zeros((self.dim, self.dim))
        there = self.x[self.weights > 0]
        moves = np.ptp(there, axis=0) > 8 * np.finfo(float).eps * np.abs(there).max(
            axis=0
        )  # else equal but for rounding
        spread = np.where(moves, np.sqrt(np.diag(cov)), 0.0)
        correlation = cov / np.outer(spread, spread) if spread.all() else np.zeros((self.dim, self.dim))
        smallest = float(np.linalg.eigvalsh((correlation + correlation.T) / 2)[0])
        if not smallest > 1e-12:
            raise BadInput(
                f"The correlations of the {len(self.x)} points have the smallest eigenvalue {smallest:.3g}. A kernel "
                f"density needs points that spread in all {self.dim} directions. Give more points, or drop the "
                "directions without spread."
            )
        self._hold(self.factor * spread[:, None] * np.linalg.cholesky(correlation))

    def _hold(self, root: Matrix) -> None:
        self._root = readonly(root)  # lower triangular, K = R Rᵀ
        self._origin = readonly(self.weights @ self.x)
        full = self.weights > 0
        self._log_weights = readonly(np.log(self.weights[full]))
        self._at = readonly(self._whitened(self.x[full]))

    @property
    def kernel(self) -> Gaussian:
        """N(0, K)."""
        return Gaussian.from_root(np.zeros(self.dim), self._root)

    def _whitened(self, x: Points) -> Points:
        """The points in coordinates in which a kernel is N(0, I)."""
        return np.ascontiguousarray(np.linalg.solve(self._root, (x - self._origin).T).T)

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        which = rng.choice(len(self.x), size=n, p=self.weights / self.weights.sum())
        return self.x[which] + rng.standard_normal((n, self.dim)) @ self._root.T

    @classmethod
    def of_kernel(cls, x: Points, weights: Values, root: Matrix, factor: float = np.nan) -> KernelDensity:
        """Σ w_i N(x_i, R Rᵀ) with the root R (d, d), lower triangular, for weights (n,) that are those of a law."""
        law = cls.__new__(cls)
        law.x, law.weights, law.dim, law.factor = readonly(x), readonly(weights), x.shape[1], factor
        law._hold(root)
        return law

    def _sums(self, x: Points, means: bool) -> tuple[Values, Points]:
        """log Σ w_j exp(-|y - y_j|²/2) at whitened places y, and with `means` the mean of the y_j by these summands."""
        from .._core.compiled import crew  # costs the import of the compiler
        from .kernel_density_sums import log_sums

        at = self._whitened(x)
        logs, centres = np.empty(len(at)), np.zeros_like(at)
        with crew() as run:
            run(len(at), log_sums, at, self._at, self._log_weights, means, logs, centres)
        return logs, centres

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        sums, _ = self._sums(points(x, self.dim), means=False)
        return sums - float(np.sum(np.log(np.diag(self._root)))) - 0.5 * self.dim * np.log(2 * np.pi)

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        x = points(x, self.dim)
        _, offset = self._sums(x, means=True)
        if np.isnan(offset).any():
            raise BadInput(
                f"The points reach {np.abs(x).max():.3g}, so far that no kernel's exponent is a number. The score of a "
                "kernel density is known where squared distances are. Ask at points below 1e150 bandwidths."
            )
        score = np.linalg.solve(self._root.T, (offset - self._whitened(x)).T).T
        return score * np.exp(power * self.log_density(x))[:, None] if power else score

    def mean(self) -> Vector:
        return np.array(self._origin)

    def cov(self) -> Matrix:
        offset = self.x - self._origin
        return (offset * self.weights[:, None]).T @ offset + self._root @ self._root.T

    def cdf(self, x: ArrayLike) -> SameShape:
        if self.dim != 1:
            raise self.not_available("cdf", "it exists in dim 1 only")
        from .._core.compiled import crew  # costs the import of the compiler
        from .kernel_density_sums import line_shares

        x = numbers(x)
        at = self._whitened(x.reshape(-1, 1))[:, 0]
        found = np.where(np.isnan(at), np.nan, np.where(at > 0, 1.0, 0.0))
        inside = np.flatnonzero(np.isfinite(at))
        shares = np.empty(len(inside))
        with crew() as run:
            run(len(inside), line_shares, at[inside], *self._line(1.0), shares)
        found[inside] = shares
        return found.reshape(x.shape)

    def _line(self, side: float) -> tuple[Values, Values, Row]:
        """The whitened points in order, from above for side -1 (as the law of -x), their weights and running sums."""
        x = side * self._at[:, 0]
        order = np.argsort(x, kind="stable")
        weights = np.exp(self._log_weights[order])
        return np.ascontiguousarray(x[order]), weights, np.concatenate([[0.0], np.cumsum(weights)])

    def quantile(self, u: ArrayLike) -> SameShape:
        return self._places("quantile", u, 1.0)

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return self._places("upper_quantile", share, -1.0)

    def _places(self, question: str, shares: ArrayLike, side: float) -> SameShape:
        """Places by the smaller of the shares below and above: near level 1 the share below is all round-off."""
        if self.dim != 1:
            raise self.not_available(question, "it exists in dim 1 only")
        shares = levels(shares)
        flat = np.ascontiguousarray(shares).ravel()
        near = flat <= 0.5
        places = np.empty(len(flat))
        places[near] = self._line_places(flat[near], side)
        places[~near] = -self._line_places(1 - flat[~near], -side)
        return (self._origin[0] + side * self._root[0, 0] * places).reshape(shares.shape)

    def _line_places(self, shares: Values, side: float) -> Values:
        """The whitened places with these shares, at most 1/2, below them as seen from the side."""
        from .._core.compiled import crew  # costs the import of the compiler
        from .kernel_density_sums import line_places

        places = np.empty(len(shares))
        x, weights, total = self._line(side)
        with crew() as run:
            run(len(shares), line_places, shares, x, weights / total[-1], total / total[-1], places)
        return np.where(shares == 0, -np.inf, places)

    @property
    def mass_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The sum of the weights minus one."""
        return float(self.weights.sum()) - 1

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        return True

    def support(self) -> tuple[Vector, Vector] | None:
        return np.full(self.dim, -np.inf), np.full(self.dim, np.inf)

    def projected(self, direction: Vector) -> KernelDensity:
        """The estimate of the projected points, whose kernel is the projected one."""
        width = np.array([[np.linalg.norm(self._root.T @ direction)]])
        return KernelDensity.of_kernel((self.x @ direction)[:, None], self.weights, width, self.factor)

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return self.x, self._root

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {
            "samples": (("sample", "dim"), self.x),
            "weights": (("sample",), self.weights),
            "kernel_root": (("dim", "dim_2"), self._root),
            "kernel_factor": ((), np.array(self.factor)),
        }

    def __repr__(self) -> str:
        if np.isnan(self.factor):  # of a method that chose the kernel itself
            width = np.sqrt(np.diag(self._root @ self._root.T))
            return f"KernelDensity(n={len(self.x)}, dim={self.dim}, width={shown(width.tolist(), 100)})"
        return f"KernelDensity(n={len(self.x)}, dim={self.dim}, factor={self.factor:.6g})"


def _factor(bandwidth: Any, effective: float, dim: int) -> float:
    if isinstance(bandwidth, str):
        if bandwidth not in ("scott", "silverman"):
            raise BadInput(
                f"bandwidth is {shown(bandwidth)}. It is 'scott', 'silverman' or the factor itself, a number > 0. Pass "
                "one of these."
            )
        size = effective if bandwidth == "scott" else effective * (dim + 2) / 4
        return float(size ** (-1 / (dim + 4)))
    return positive(bandwidth, "bandwidth")
