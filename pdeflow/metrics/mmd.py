"""The maximum mean discrepancy."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, Values
from .._core.validate import known_arguments
from ..laws import Gaussian, Law
from .kernel_distance import Kernel, kernel_distance
from .metric import metric
from .pair import checked_pair
from .samples import Sample, bandwidths
from .scales import root_of_one


@metric(floor_adds="squares", scale=root_of_one)
@known_arguments
def mmd(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    bandwidth: str | float | Row = "median",
    n: int = 5000,
) -> Estimate:
    """The maximum mean discrepancy, not its square, of a Gaussian kernel: MMD² = E k(X, X') + E k(Y, Y') - 2 E k(X, Y).

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law that is neither a cloud nor a mixture of Gaussians.
    bandwidth : {"median", "multi-scale"}, float or (l,)
        s in k(x, y) = exp(-|x - y|²/(2s²)), in units of x; of several, k is the mean. "median" is the median of |Y -
        Y'| of the truth, "multi-scale" are 1/4, 1/2, 1, 2 and 4 times that.
    n : int
        How many points are drawn of a law that needs it, at least 2.

    Returns
    -------
    Estimate
        The distance of the two laws as they are, without unit. `null` is its mean if the clouds were drawn from the
        truth, `stderr` one deviation of the value about its mean over such clouds.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, and for a cloud of one point.
    BadInput
        For a bandwidth that is not positive, and where that of the truth is 0.

    Notes
    -----
    Clouds enter with all their points and weights, MMD² as a V-statistic [gretton2012, equation (5)], in O(n²d) time
    and O(n) memory: in d = 100, 10⁴ points of each law take 5 CPU seconds and 10⁵ a hundred times that, so thin larger
    clouds. At the null level stderr is up to a quarter too large (validation/batteries/sample_errors.py).

    Between mixtures of Gaussians, and between them and clouds, all means are closed: E k(x, Y) = s^d
    |s²I + Σ|^(-½) exp(-½(x - m)ᵀ(s²I + Σ)⁻¹(x - m)) for Y of N(m, Σ). As the difference of such numbers MMD² is known
    to 1e-15, and MMD itself where it is above 1e-7.

    The median of [gretton2012, section 8] is over both samples. Here it is that of the truth alone, over its own
    points, or over 2,000 draws from a seed of its own where it has more or none: so all approximations in a study are
    measured by one kernel, and the noise of a bandwidth is not in their differences. `how` gives the number.

    Null level and standard error as in `energy_distance`.

    References
    ----------
    [gretton2012]
    """
    first, second = checked_pair(approximation, truth, rng, "mmd")
    scales = bandwidths(bandwidth, second, "mmd")
    listed = ", ".join(f"{scale:.4g}" for scale in scales)
    return kernel_distance(_Gaussians(scales), first, second, rng, n, "mmd", f", bandwidth {listed}")


@dataclass(frozen=True)
class _Gaussians(Kernel):
    """The mean of exp(-|x - y|²/(2s²)) over the bandwidths s."""

    scales: Row
    on_diagonal = 1.0

    def rows(self, x: Points, y: Sample) -> tuple[Values, Values]:
        from .pair_kernels import kernel_rows  # loads numba

        return kernel_rows(x, y.points, y.weights, 0.5 / self.scales**2)

    def means(self, x: Points, part: Gaussian) -> Values:
        return np.mean([_smoothed(x - part.mean(), part.cov(), scale) for scale in self.scales], axis=0)

    def mean(self, first: Gaussian, second: Gaussian) -> float:
        gap = (first.mean() - second.mean())[None]
        return float(np.mean([_smoothed(gap, first.cov() + second.cov(), scale)[0] for scale in self.scales]))


def _smoothed(gap: Points, cov: Matrix, scale: float) -> Values:
    """E exp(-|g + Z|²/(2s²)) for Z of N(0, Σ), (n, d) -> (n,)."""
    factor = cho_factor(np.eye(len(cov)) + cov / scale**2, lower=True)
    scaled = gap / scale
    with np.errstate(under="ignore"):
        exponent = -0.5 * np.sum(scaled.T * cho_solve(factor, scaled.T), axis=0)
        return np.exp(exponent - np.sum(np.log(np.diag(factor[0]))))
