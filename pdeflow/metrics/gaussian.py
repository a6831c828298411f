"""Closed forms between Gaussians: Bures-Wasserstein distance and relative entropy, both free of cancellation."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from .._core.estimate import Estimate, together
from .._core.shapes import Matrix, Numbers, Vector
from .._core.validate import known_arguments
from ..laws import Gaussian, Law
from .metric import metric
from .moments import moments_of
from .pair import checked_pair
from .scales import length


@metric(floor_adds="squares", scale=length)
@known_arguments
def bures(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """W2 (not its square) between the Gaussians that share mean and covariance with the two laws.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law without closed mean or covariance, of which n points are drawn.
    n : int
        How many, at least 2.

    Returns
    -------
    Estimate
        The distance. stderr is 0 also where points were drawn; `how` then says that it was not estimated.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None.

    Notes
    -----
    W2² = |m_1 - m_2|² + tr(Σ_1 + Σ_2 - 2(Σ_1^½ Σ_2 Σ_1^½)^½), computed as the minimum over orthogonal U of |Σ_1^½ -
    Σ_2^½ U|_F². That does not cancel: the distance of a law to itself is round-off of 1e-15, not its root.
    """
    first, second = checked_pair(approximation, truth, rng, "bures")
    (mean_1, how_1), (mean_2, how_2) = (moments_of(law, "mean", rng, n, "bures") for law in (first, second))
    (cov_1, _), (cov_2, _) = (moments_of(law, "cov", rng, n, "bures") for law in (first, second))
    exact = {how_1, how_2} <= {"closed form", "quadrature"}
    how = together([how_1, how_2]) if exact else f"{how_1}, {how_2}; stderr not estimated"
    return Estimate(bures_distance(mean_1, cov_1, mean_2, cov_2), 0.0, how, "bures")


def bures_distance(mean_1: Vector, cov_1: Matrix, mean_2: Vector, cov_2: Matrix) -> float:
    """W2 between N(mean_1, cov_1) and N(mean_2, cov_2); covariances positive semi-definite."""
    root_1, root_2 = _root(cov_1), _root(cov_2)
    left, _, right = np.linalg.svd(root_1 @ root_2)
    # tr(Σ_1^½ Σ_2^½ U) is largest at U = (left right)ᵀ
    gap = root_1 - root_2 @ (left @ right).T
    return float(np.hypot(np.linalg.norm(mean_1 - mean_2), np.linalg.norm(gap)))


def gaussian_distance(first: Gaussian, second: Gaussian) -> float:
    """W2 between two Gaussians: `bures_distance` by their own factors, which hold spreads that covariances lose."""
    root_1, root_2 = first.root(), second.root()
    left, _, right = np.linalg.svd(root_2.T @ root_1)
    gap = root_1 - root_2 @ (left @ right)  # any factors do: the minimum is over all orthogonal matrices
    return float(np.hypot(np.linalg.norm(first.mean() - second.mean()), np.linalg.norm(gap)))


def _root(cov):
    """Symmetric root; eigenvalues at round-off of the largest are the zeros of a degenerate covariance."""
    values, basis = np.linalg.eigh(cov)
    values = np.where(values > 4 * len(values) * np.finfo(float).eps * values[-1], values, 0.0)
    return (basis * np.sqrt(values)) @ basis.T


def gaussian_kl(first: Gaussian, second: Gaussian) -> float:
    """KL(first || second) = ½[Σ(r_i - 1 - log r_i) + δᵀΣ_2⁻¹δ], r_i the eigenvalues of Σ_2⁻¹Σ_1 [docs/math.md 4]."""
    mine, root = first.root(), second.root()
    gap = solve_triangular(root, mine - root, lower=True)  # L_2⁻¹L_1 - I, without cancellation for near laws
    excess = gap + gap.T + gap @ gap.T
    shift = solve_triangular(root, first.mean() - second.mean(), lower=True)
    ratios = np.linalg.eigvalsh(excess)
    if np.all(np.abs(ratios) < 0.5):
        trace = np.sum(minus_log1p(ratios))
    else:  # small ratios beside large ones are round-off in eigenvalues, not in the diagonals
        trace = np.trace(excess) - 2 * np.sum(np.log(np.diag(mine)) - np.log(np.diag(root)))
    return float(0.5 * (trace + shift @ shift))


def minus_log1p(x: ArrayLike) -> Numbers:
    """x - log(1 + x) >= 0, by its series near 0 where the difference cancels."""
    x = np.asarray(x, dtype=float)
    small = np.abs(x) < 0.02
    series, power = np.zeros(x.shape), np.where(small, x, 0.0)
    for k in range(13, 1, -1):  # Horner: x²(1/2 - x(1/3 - x(1/4 - ...)))
        series = 1 / k - power * series
    return np.where(small, power * power * series, x - np.log1p(np.where(small, 0.0, x)))
