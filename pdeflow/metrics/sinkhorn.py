"""The Sinkhorn divergence."""

import numpy as np
from scipy.spatial.distance import cdist

from .._core.estimate import Estimate
from .._core.validate import count, known_arguments, positive
from ..laws import Gaussian, Law
from .entropic_transport import EntropicTransport, entropic_transport, self_transport
from .metric import metric
from .pair import answers, checked_pair
from .samples import (
    Sample,
    drawn_null,
    first_order_variance,
    reference_points,
    require_several,
    root_error,
    root_of,
    sample_of,
    thinned,
    without_own_noise,
)
from .scales import root_of_squared_length

# Of the divergence or, where that is small, of ε: the largest error of each of the three transport costs.
_RELATIVE, _ABSOLUTE = 1e-7, 1e-9


@metric(floor_adds="squares", scale=root_of_squared_length)
@known_arguments
def sinkhorn_divergence(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    regularisation: float | None = None,
    n: int = 500,
    null_draws: int = 2,
) -> Estimate:
    """The root of the debiased Sinkhorn divergence S_ε(X, Y) = T_ε(X, Y) - ½ T_ε(X, X) - ½ T_ε(Y, Y), in units of x.

    T_ε = min E|X - Y|² + ε KL(π | X ⊗ Y) over couplings π: entropic transport, with no factor ½.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law that is not a cloud, unless both are Gaussian, to thin a cloud of more than n points, and for
        the null level.
    regularisation : float, optional
        ε, in units of x². The default is half the trace of the covariance of the truth, a quarter of E|Y - Y'|².
    n : int
        The largest number of points of each law, at least 2.
    null_draws : int
        Over how many pairs of samples of the truth the null level is averaged; 0 for none. Each costs as much as the
        value.

    Returns
    -------
    Estimate
        S_ε^½ of the two laws as they are. `null` is its mean over pairs of samples of the truth of the sizes used (of
        the two clouds together, parted at random, where the truth is a cloud), `stderr` the deviation of the value
        about its mean.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, and for a cloud of one point.
    NotConverged
        Where the three transport costs are not certified to 1e-7 of S_ε or 1e-9 of ε.

    Notes
    -----
    S_ε^½ is 0 for equal laws only [feydy2019, theorem 1], tends to W2 as ε -> 0 and to the distance of the means as ε
    -> ∞. It is biased, but not by ε: laws that differ by a shift have S_ε = |shift|² for every ε. Samples enter as they
    are, and the value of two samples of one law is the null level; a large ε makes it small, at most as 1/n^½.

    Costs are certified by duality (`entropic_transport`): each has a lower and an upper bound. Between Gaussians the
    value is exact [janati2020, theorem 1, with 2σ² = ε].

    stderr is that of the mean of the potentials u_XY - u_XX over X and v_XY - v_YY over Y. Of one law these are noise,
    and the variance that they show is twice that of S_ε, as of every quadratic form in the errors of the samples; so
    the half of it is taken off at the null level, and its share null²/value² above (without a null level, nothing).
    Repeated draws of 100 points in d = 2, 10 and 40 give a stderr of 0.9 to 1.1 times their deviation
    (validation/batteries/sample_errors.py).

    References
    ----------
    [feydy2019], [janati2020]
    """
    first, second = checked_pair(approximation, truth, rng, "sinkhorn_divergence")
    epsilon = _default(second) if regularisation is None else positive(regularisation, "regularisation")
    what = f"regularisation {epsilon:.4g}"
    law, target = first.as_gaussian(), second.as_gaussian()
    if law is not None and target is not None:
        square = _between(law, target, epsilon) - (_between(law, law, epsilon) + _between(target, target, epsilon)) / 2
        return Estimate(root_of(square), 0.0, f"closed form, {what}", "sinkhorn_divergence")
    n, null_draws = count(n, "n", 2), count(null_draws, "null_draws", 0)
    samples = [sample_of(part, rng, n, "sinkhorn_divergence") for part in (first, second)]
    x, y = (thinned(sample, n, rng, "sinkhorn_divergence") for sample in samples)
    for sample in (x, y):
        require_several(sample, "sinkhorn_divergence")
    across, within_x, within_y = _three(x, y, epsilon)
    square = _divergence(across, within_x, within_y)
    gaps = (across.u - within_x.u, x.weights, x.share), (across.v - within_y.v, y.weights, y.share)
    null = drawn_null(lambda a, b: root_of(_divergence(*_three(a, b, epsilon))), second, rng, (x, y), null_draws)
    variance = without_own_noise(first_order_variance(gaps), square, null)
    stderr = root_error(max(square, (null or 0.0) ** 2), variance)
    how = f"{x.note} and {y.note}, {what}, biased upward"
    return Estimate(root_of(square), stderr, how, "sinkhorn_divergence", null=null)


def _default(truth: Law) -> float:
    """Half the trace of the covariance, of reference points where the truth does not know it."""
    if answers(truth, "cov"):
        return positive(float(np.trace(truth.cov())) / 2, "The variance of the truth, of which regularisation is half,")
    return float(np.sum(reference_points(truth).var(axis=0))) / 2


def _three(x: Sample, y: Sample, epsilon: float) -> tuple[EntropicTransport, EntropicTransport, EntropicTransport]:
    """T(X, Y), T(X, X) and T(Y, Y), solved again where the divergence turns out smaller than their errors allow."""
    costs = [cdist(a.points, b.points, "sqeuclidean") for a, b in ((x, y), (x, x), (y, y))]
    allowed = 1e-3 * epsilon
    while True:
        parts = (
            entropic_transport(costs[0], x.weights, y.weights, epsilon, allowed),
            self_transport(costs[1], x.weights, epsilon, allowed),
            self_transport(costs[2], y.weights, epsilon, allowed),
        )
        enough = max(_RELATIVE * _divergence(*parts), _ABSOLUTE * epsilon)
        if max(part.gap for part in parts) <= enough:
            return parts
        allowed = enough


def _divergence(across: EntropicTransport, within_x: EntropicTransport, within_y: EntropicTransport) -> float:
    return across.value - (within_x.value + within_y.value) / 2


def _between(first: Gaussian, second: Gaussian, epsilon: float) -> float:
    """T_ε of two Gaussians [janati2020, theorem 1]."""
    shift = first.mean() - second.mean()
    products = np.linalg.svd(first.root().T @ second.root(), compute_uv=False)
    half = epsilon / 2  # σ²
    roots = np.hypot(2 * products, half)
    spread = float(np.trace(first.cov()) + np.trace(second.cov()) - roots.sum())
    return float(shift @ shift) + spread + half * float(np.sum(1 + np.log((roots + half) / (2 * half))))
