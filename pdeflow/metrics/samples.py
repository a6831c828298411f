"""What metrics between samples share: the samples, the bandwidth of a kernel, and the null level of a quadratic
statistic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Points, Row, Values
from .._core.validate import count, positive, real_array
from ..laws import Law
from ..laws.draws import drawn
from .pair import generator

ONE = 1e-10  # how far the sum of the weights of a cloud may be from one, as in `Particles`
# Bandwidths and levels of a truth come from this many draws of it, from a seed of their own: a metric is then one and
# the same function of the approximation in all rows of a study.
REFERENCE_DRAWS, REFERENCE_SEED = 2000, 20120313
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the median distance: the bandwidths of "multi-scale"


@dataclass(frozen=True)
class Sample:
    """Points (n, d) with positive weights (n,) of sum one, what they are, and whether chance chose them."""

    points: Points
    weights: Values
    note: str = ""
    chosen: bool = False

    @property
    def share(self) -> float:
        """Σ w², the inverse of the effective number of independent draws."""
        return float(self.weights @ self.weights)

    @property
    def dim(self) -> int:
        return self.points.shape[1]


def sample_of(law: Law, rng: np.random.Generator | None, n: int, metric: str) -> Sample:
    """The points of a law that is a finite sum of point masses, else n draws of it."""
    atoms = law.atoms()
    if atoms is not None:
        x, weights = atoms
        full, whole = weights > 0, weights.sum()
        weights = (
            weights if abs(whole - 1) <= ONE else weights / whole
        )  # weights may differ by less than is rounded here
        return Sample(x[full], weights[full], f"{np.count_nonzero(full)} points")
    n = count(n, "n", 2)
    x = drawn(law, n, generator(rng, f"{metric} against {type(law).__name__} in dim {law.dim}"))
    return Sample(x, np.full(n, 1 / n), f"{n} draws of {type(law).__name__}", True)


def require_several(sample: Sample, metric: str) -> None:
    """`NotAvailable` for a cloud of one point, which says nothing of its own spread."""
    if len(sample.points) < 2:
        raise NotAvailable(
            f"{metric} got a cloud of one point. Its error is estimated from the spread of the points, of which it "
            "takes two or more. Use w2 or mean_error for a single point."
        )


def reference_points(law: Law) -> Points:
    """Up to 2,000 points of a law, always the same ones: its own, or draws from a seed that is part of the metric."""
    atoms, rng = law.atoms(), np.random.default_rng(REFERENCE_SEED)
    if atoms is None:
        return drawn(law, REFERENCE_DRAWS, rng)
    x, weights = atoms
    equal = np.all(weights == weights[0])
    if equal and len(x) <= REFERENCE_DRAWS:
        return x
    if equal:
        return x[np.sort(rng.choice(len(x), REFERENCE_DRAWS, replace=False))]
    return x[rng.choice(len(x), REFERENCE_DRAWS, p=weights / weights.sum())]


def median_distance(truth: Law, metric: str) -> float:
    """The median of |Y - Y'| over pairs of different reference points of the truth, in units of x."""
    from scipy.spatial.distance import pdist

    gaps = pdist(reference_points(truth))
    middle = float(np.median(gaps)) if len(gaps) else 0.0
    if not (0 < middle < np.inf):
        raise BadInput(
            f"The median distance between points of the truth is {middle:g}, so {metric} has no bandwidth. It must be "
            "positive and finite. Pass bandwidth= as a number, in units of x."
        )
    return middle


def bandwidths(bandwidth: str | float | Row, truth: Law, metric: str) -> Row:
    """The bandwidths of a kernel, (l,), in units of x, from the argument of a metric."""
    if isinstance(bandwidth, str):
        if bandwidth not in ("median", "multi-scale"):
            raise BadInput(
                f"bandwidth is {bandwidth!r}. It must be 'median', 'multi-scale', a positive number or several. Pass "
                "one of these."
            )
        scales = SCALES if bandwidth == "multi-scale" else (1.0,)
        return median_distance(truth, metric) * np.array(scales)
    if np.ndim(bandwidth) == 0:
        return np.array([positive(bandwidth, "bandwidth")])
    found = real_array(bandwidth, "bandwidth", ndim=1)
    if len(found) == 0 or not np.all(found > 0):
        raise BadInput(
            f"bandwidth is {found.tolist()}. All must be > 0, and there must be one. Pass lengths in units of x."
        )
    return found


@dataclass(frozen=True)
class Spectrum:
    """Trace and sum of squares of the eigenvalues of a kernel, centred under a law, in the squared unit of the
    metric."""

    trace: float
    squares: float

    @classmethod
    def of_rows(cls, sums: Values, squares: Values, diagonal: Values, weights: Values) -> Spectrum:
        """From Σ_j w_j k(x_i, x_j), Σ_j w_j k² and k(x_i, x_i), each (n,): U-statistics, which leave out the
        diagonal."""
        share, whole = float(weights @ weights), float(weights @ sums)
        trace = float(weights @ diagonal) - (whole - float(weights**2 @ diagonal)) / (1 - share)
        centred = float(weights @ squares - 2 * (weights @ sums**2)) + whole**2
        on_diagonal = float(weights**2 @ (diagonal - 2 * sums + whole) ** 2)
        return cls(max(trace, 0.0), max((centred - on_diagonal) / (1 - share), 0.0))

    def scaled(self, trace: float) -> Spectrum:
        """The same shape with another trace."""
        return Spectrum(trace, self.squares * (trace / self.trace) ** 2 if self.trace > 0 else 0.0)

    def null_level(self, share: float) -> float:
        """The mean of the root of Q = share Σ λ Z², Z standard normal and independent."""
        return mean_root(share * self.trace, 2 * share**2 * self.squares)


def mean_root(mean: float, variance: float) -> float:
    """The mean of the root of a random number >= 0, taken as that of the gamma law of its mean and variance."""
    if mean <= 0 or variance <= 1e-12 * mean**2:
        return float(np.sqrt(max(mean, 0.0)))
    shape = mean**2 / variance
    return float(np.sqrt(mean / shape) * np.exp(gammaln(shape + 0.5) - gammaln(shape)))


def root_error(mean: float, variance: float) -> float:
    """The deviation of the root of a random number >= 0 of this mean and variance, by the gamma law as in `mean_root`.

    Half the deviation over the root where the mean is large, never more than the root.
    """
    if variance <= 1e-3 * mean**2:  # where the difference below cancels, and this is right to 1e-4
        return float(np.sqrt(max(variance, 0.0) / mean) / 2) if mean > 0 else 0.0
    return float(np.sqrt(max(mean - mean_root(mean, variance) ** 2, 0.0)))


def root_of(square: float) -> float:
    """The root of a square that is >= 0 but for round-off of the sums whose difference it is."""
    return float(np.sqrt(square)) if square > 0 else 0.0


def first_order_variance(influences: Sequence[tuple[Values, Values, float]]) -> float:
    """Σ share Var(influence) over the samples; the influences, weights and shares are those of `quadratic_variance`."""
    return sum(part * float(w @ (value - w @ value) ** 2) for value, w, part in influences)


def without_own_noise(variance: float, square: float, null: float | None) -> float:
    """`first_order_variance` of estimated influences, less what their own noise adds near the null level.

    Of one law they are noise: of a quadratic form zᵀKz in Gaussian errors z with one variance they are 2Kz, whose
    variance 4 tr K² is twice that of the form. The half is taken off there, and its share null²/square above.
    """
    if null is None or not square > 0:
        return variance
    return variance * (1 - min(1.0, null * null / square) / 2)


def quadratic_variance(influences: list[tuple[Values, Values, float]], spectrum: Spectrum) -> float:
    """The variance of a V-statistic of degree two.

    influences : for each sample the derivative (n,) of the statistic in the mass of each point, the weights (n,), and
    the share Σ w². First order: Σ share Var(influence), less what the noise of the influences adds to it; second order:
    2 share² Σ λ², all that is left where both laws are one [serfling1980, sections 5.3 and 5.5].
    """
    share = sum(part for _, _, part in influences)
    degenerate = share**2 * spectrum.squares
    return max(first_order_variance(influences) - 4 * degenerate, 0.0) + 2 * degenerate


def v_estimate(
    square: float, influences: list[tuple[Values, Values, float]], spectrum: Spectrum, how: str, metric: str
) -> Estimate:
    """The root of a V-statistic of degree two, with its standard error and null level; arguments as above."""
    share = sum(part for _, _, part in influences)
    variance = quadratic_variance(influences, spectrum)
    # the mean of the square is at least that of equal laws, whatever this draw of it is
    stderr = root_error(max(square, share * spectrum.trace), variance)
    return Estimate(root_of(square), stderr, how, metric, null=spectrum.null_level(share))


def drawn_null(
    distance: Callable[[Sample, Sample], float],
    truth: Law,
    rng: np.random.Generator | None,
    samples: Sequence[Sample],
    draws: int,
) -> float | None:
    """The mean of a distance over pairs of samples of one law, as large as those given.

    The law is the truth; of a truth that is a cloud nothing fresh can be drawn, and both clouds are put together and
    parted at random, as in a permutation test. None without a generator or draws, and for clouds of different weights
    there.
    """
    if rng is None or draws == 0:
        return None
    sizes = [max(2, round(1 / sample.share)) for sample in samples]
    given = truth.atoms() is not None
    if given and not all(np.allclose(sample.weights, sample.weights[0], rtol=1e-12, atol=0) for sample in samples):
        return None
    both = np.concatenate([sample.points for sample in samples])
    both = both[np.lexsort(both.T[::-1])]  # so that the parts do not depend on the order in which points were given
    values = []
    for _ in range(draws):
        if given:
            pair = np.split(both[rng.permutation(len(both))], [len(samples[0].points)])
        else:
            pair = [drawn(truth, size, rng) for size in sizes]
        values.append(distance(*(Sample(x, np.full(len(x), 1 / len(x))) for x in pair)))
    return float(np.mean(values))


def thinned(sample: Sample, n: int, rng: np.random.Generator | None, metric: str) -> Sample:
    """The sample itself up to n points, else n of its points: without replacement where the weights are equal."""
    size = len(sample.points)
    if size <= n:
        return sample
    if rng is None:
        raise NotAvailable(
            f"{metric} got a cloud of {size} points and takes n = {n}. Raise n= (memory n², time about n³), or pass "
            "rng= to thin the cloud to n points."
        )
    equal = np.all(sample.weights == sample.weights[0])
    kept = rng.choice(size, n, replace=False) if equal else rng.choice(size, n, p=sample.weights)
    return Sample(sample.points[kept], np.full(n, 1 / n), f"{n} of {sample.note}", True)
