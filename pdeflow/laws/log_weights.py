"""Logarithms of weights of points, such as likelihoods of observations: functions (n, d) -> (n,)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Matrix, Numbers, Points, Row, Values, Vector
from .._core.validate import real_array, spd_matrix
from .._core.value import Value
from .gaussian import Gaussian
from .maps import Map

LogWeight = Callable[[Points], Values]
ROWS = 8192  # points that are pushed at a time
LEAST_EFFECTIVE = 10  # draws that weighted points are worth, below which they do not know their own error


@dataclass(frozen=True, eq=False)
class GaussianLikelihood(Value):
    """log N(observation; H x, cov) as a function of x: the weight of a linear observation with Gaussian noise.

    Gaussians and their mixtures are reweighted by it in closed form (the update of the Kalman filter).

    Parameters
    ----------
    observation : (m,) or float
        y, in the units of H x.
    cov : (m, m) or float
        The covariance of the noise, symmetric positive definite; a number means that multiple of the identity.
    matrix : (m, d) array, optional
        H; the identity by default.

    Raises
    ------
    BadInput
        For shapes that do not match and a covariance that is not positive definite.
    """

    observation: Vector
    cov: Matrix
    matrix: Numbers | None = None

    def __post_init__(self) -> None:
        observation = np.atleast_1d(real_array(self.observation, "observation"))
        observation = real_array(observation, "observation", ndim=1)
        object.__setattr__(self, "observation", observation)
        object.__setattr__(self, "cov", spd_matrix(self.cov, len(observation), "cov"))
        if self.matrix is not None:
            matrix = real_array(self.matrix, "matrix", ndim=2)
            if len(matrix) != len(observation):
                raise BadInput(
                    f"matrix has shape {matrix.shape}, observation {observation.shape}. They must be (m, d) and (m,). "
                    "Match them."
                )
            object.__setattr__(self, "matrix", matrix)

    def _matrix(self, dim: int) -> Numbers:
        matrix = np.eye(len(self.observation)) if self.matrix is None else self.matrix
        if matrix.shape[1] != dim:
            raise BadInput(
                f"The observation looks at points of dimension {matrix.shape[1]}, the law has dim {dim}. They must "
                "agree. Pass the matrix H of shape (m, dim)."
            )
        return matrix

    def __call__(self, x: Points) -> Values:
        """log N(y; H x, cov) at the points x (n, d), shape (n,)."""
        seen = np.asarray(x, dtype=float) @ self._matrix(np.shape(x)[1]).T
        return Gaussian(self.observation, self.cov).log_density(seen)

    def times_gaussian(self, law: Gaussian) -> tuple[Gaussian, float]:
        """The Gaussian that is proportional to the law times the likelihood, and the log of the evidence.

        With S = H Σ Hᵀ + R and K = Σ Hᵀ S⁻¹: mean m + K(y - H m), covariance (I - KH) Σ (I - KH)ᵀ + K R Kᵀ by its
        factor, evidence N(y; H m, S).
        """
        matrix = self._matrix(law.dim)
        seen = matrix @ law.mean()
        spread = matrix @ law.cov() @ matrix.T + self.cov
        gain = np.linalg.solve(spread, matrix @ law.cov()).T
        left = law.root() - gain @ (matrix @ law.root())
        root = np.hstack([left, gain @ np.linalg.cholesky(self.cov)])
        updated = Gaussian.from_root(law.mean() + gain @ (self.observation - seen), root)
        return updated, float(Gaussian(seen, (spread + spread.T) / 2).log_density(self.observation[None])[0])


@dataclass(frozen=True, eq=False)
class PathWeight(Value):
    """Σ_j log_weight_j(T_{k_j}(... T_1(x))): weights that see a point at several places of its path.

    Parameters
    ----------
    maps : sequence of Map
        T_1, T_2, ...
    stages : sequence of (int, log_weight)
        k_j, not decreasing, and the weight there.
    """

    maps: tuple[Map, ...]
    stages: tuple[tuple[int, LogWeight], ...]

    def __call__(self, x: Points) -> Values:
        """The sum at the points x (n, d), shape (n,)."""
        return np.concatenate([self._on(x[start : start + ROWS]) for start in range(0, len(x), ROWS)])

    def _on(self, x: Points) -> Values:
        total, done = np.zeros(len(x)), 0
        for taken, log_weight in self.stages:
            for move in self.maps[done:taken]:
                x = move(x)
            total, done = total + weights_at(log_weight, x), taken
        return total


def weights_at(log_weight: LogWeight, x: Points, name: str = "log_weight") -> Values:
    """log_weight(x), (n,), or `BadInput` with the `name` the user knows where it is NaN, +inf or of another shape."""
    values = np.asarray(log_weight(x))
    if values.shape != (len(x),) or values.dtype.kind not in "fiu":
        raise BadInput(
            f"{name} gives an array of {values.dtype}, shape {values.shape}, at {len(x)} points. It must give real "
            f"numbers of shape ({len(x)},). Reshape it."
        )
    values = values.astype(float, copy=False)
    if not np.all(values < np.inf):  # NaN too
        i = int(np.argmin(values < np.inf))
        raise BadInput(
            f"{name} is {values[i]} at x = {x[i].tolist()}. It must be a number, or -inf where the weight is zero. "
            "Correct it."
        )
    return values


def effective_size(weights: Values) -> float:
    """(Σw)²/Σw²: how many independent draws the points of these weights (n,) >= 0 are worth."""
    return float(np.sum(weights) ** 2 / np.sum(weights**2))


def refuse_cut(old: Numbers, new: Numbers, axes: tuple[Row, ...]) -> None:
    """`BadInput` where a weight moves mass against an end of the grid at which the law had none to speak of."""
    for axis, edges in enumerate(axes):
        for end in (0, -1):
            before, after = float(np.take(old, end, axis).sum()), float(np.take(new, end, axis).sum())
            if before < 1e-8 and after > 1e-4:
                raise BadInput(
                    f"The weight moves a share of {after:.3g} into the last cells at {edges[end]:.6g}, where the law "
                    f"had {before:.3g}: the rest lies beyond the grid. The grid must reach where the weighted law "
                    "lives. Take a larger domain by lower= and upper=, or check the observation and its noise."
                )
