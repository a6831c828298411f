"""The kernel Stein discrepancy."""

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import gammaln

from .._core.errors import NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Points
from .._core.threads import one_thread
from .._core.validate import known_arguments
from ..laws import Gaussian, Law
from .metric import metric
from .pair import answers, checked_pair
from .samples import (
    Spectrum,
    bandwidths,
    reference_points,
    require_several,
    root_of,
    sample_of,
    v_estimate,
)
from .scales import root_of_score

_PAIRED = 500  # reference points whose pairs give the second moment of the null law: it moves the null level little


@metric(floor_adds="squares", scale=root_of_score)
@known_arguments
def ksd(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    bandwidth: str | float = "median",
    n: int = 5000,
) -> Estimate:
    """The kernel Stein discrepancy, not its square: KSD² = E u(X, X') for the Stein kernel u of the truth.

    Parameters
    ----------
    approximation : Law
        The law of X.
    truth : Law
        The target, of the same dimension, whose score s = ∇ log ρ is known. Its normalisation is not needed.
    rng : Generator, optional
        Needed for an approximation that is not a cloud, unless both laws are Gaussian.
    bandwidth : "median" or float
        l in the kernel k = (1 + |x - y|²/l²)^(-½), in units of x. "median" is the median of |Y - Y'| of the truth, over
        2,000 draws from a seed of its own.
    n : int
        How many points are drawn of an approximation that needs it, at least 2.

    Returns
    -------
    Estimate
        The discrepancy, in units of 1/x. `null` is its mean if the cloud was drawn from the truth, `stderr` one
        deviation of the value about its mean over such clouds.

    Raises
    ------
    NotAvailable
        Where the truth has no score, or none at a point of the cloud, where draws are needed and rng is None, and for a
        cloud of one point.

    Notes
    -----
    u(x, y) = s(x)·s(y) k + s(x)·∇_y k + s(y)·∇_x k + tr ∇_x∇_y k, whose mean over the truth is 0 for every x. No draw
    of the truth enters the value: it is that of the cloud, a V-statistic and never negative, in O(n²d) time and O(n)
    memory: in d = 100, 10⁴ points take 3 CPU seconds and 10⁵ a hundred times that, so thin larger clouds. At the null
    level stderr is up to a quarter too large (validation/batteries/sample_errors.py). E u(X, X)/n of it is bias, which
    is what `null` tells.

    The inverse multiquadric (c² + |x - y|²)^β of [gorham2017, section 3], with c = l and β = -½ and a factor without
    meaning: unlike the Gaussian kernel it sees clouds that lose mass to infinity. In more than a few dimensions, and
    for modes far apart whose weights are wrong, it is weak: the score does not see weights.

    Between Gaussians the value is exact: k is a mixture of Gaussian kernels over their rate, under which all means are
    closed, and the integral over the rate takes the trapezoidal rule (docs/math.md 17). As the difference of such
    numbers KSD is known where it is above 1e-7 of the size of the score.

    References
    ----------
    [gorham2017], section 3.
    """
    first, second = checked_pair(approximation, truth, rng, "ksd")
    if not answers(second, "score"):
        raise second.not_available("score", "the target of ksd must have one")
    scale = float(bandwidths(bandwidth, second, "ksd")[0])
    what = f", bandwidth {scale:.4g}"
    law, target = first.as_gaussian(), second.as_gaussian()
    if law is not None and target is not None:
        return Estimate(root_of(_between_gaussians(law, target, scale)), 0.0, f"quadrature{what}", "ksd")
    sample = sample_of(first, rng, n, "ksd")
    require_several(sample, "ksd")
    x, weights = sample.points, sample.weights
    score = _score(second, x)
    from .pair_kernels import stein_rows  # loads numba

    rows, _ = stein_rows(x, score, x, score, weights, 1 / scale**2)
    influences = [(2 * rows, weights, sample.share)]
    spectrum = _spectrum(second, scale)
    return v_estimate(float(weights @ rows), influences, spectrum, f"V-statistic of {sample.note}{what}", "ksd")


@one_thread()
def _score(target: Law, x: Points) -> Points:
    score = target.score(x)
    bad = ~np.isfinite(score).all(axis=1)
    if bad.any():
        raise NotAvailable(
            f"The target of ksd, {type(target).__name__}, has no score at {np.count_nonzero(bad)} of {len(x)} points, "
            f"such as {x[int(np.argmax(bad))].tolist()}. ksd needs a target with a density around all of them. Use "
            "energy_distance or mmd, which need samples alone."
        )
    return score


def _spectrum(target: Law, scale: float) -> Spectrum:
    """Trace of u under the target, which is centred there, from its reference points, and squares from some of them."""
    points = reference_points(target)
    score = _score(target, points)
    diagonal = np.sum(score**2, axis=1) + target.dim / scale**2
    few = slice(None, _PAIRED)
    weights = np.full(len(points[few]), 1 / len(points[few]))
    from .pair_kernels import stein_rows  # loads numba

    _, squares = stein_rows(points[few], score[few], points[few], score[few], weights, 1 / scale**2)
    off = (weights @ squares - weights**2 @ diagonal[few] ** 2) / (1 - weights[0])
    return Spectrum(float(diagonal.mean()), float(max(off, 0.0)))


@one_thread()
def _between_gaussians(law: Gaussian, target: Gaussian, scale: float) -> float:
    """KSD² of N(a, A) to N(m, P⁻¹) [docs/math.md 17]."""
    root = target.root()
    precision = cho_solve((root, True), np.eye(law.dim))
    offset = precision @ (law.mean() - target.mean())
    values, axes = np.linalg.eigh(law.cov())
    turned = axes.T @ precision @ axes
    v = np.arange(-80.0, 5.0, 0.18)  # e^(v/2) is round-off at its lower end, e^(-e^v) at its upper one
    t = np.exp(v)
    widened = 1 + np.outer(4 * values / scale**2, t)
    spread = 2 * values[:, None] / widened  # variances of r = x - y under the tilt exp(-t r²/l²)
    mass = np.exp(-0.5 * np.log(widened).sum(axis=0))
    half, three, five = (0.18 * np.exp(a * v - t - gammaln(a)) * mass for a in (0.5, 1.5, 2.5))
    precision_trace, square_trace = np.diag(turned) @ spread, np.sum(turned**2, axis=0) @ spread
    central = offset @ offset + np.sum((precision @ precision) * law.cov()) / 2
    return float(
        central * half.sum()
        - square_trace @ half / 4
        + (law.dim * three.sum() - precision_trace @ three) / scale**2
        - 3 * (spread.sum(axis=0) @ five) / scale**4
    )
