"""The classifier two-sample test."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from .._core.errors import NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Points, Values
from .._core.validate import count, known_arguments, one_of
from ..laws import Law
from .metric import metric
from .pair import checked_pair, generator
from .samples import sample_of
from .scales import one

CLASSIFIERS = ("neighbours", "gaussian")
_AT_ONCE = 4_000_000  # entries of a block of distances: 32 MB
_TREE_UP_TO = 4  # dimensions, in which a tree of the training points is faster than all distances


@metric(floor_adds="sum", scale=one)
@known_arguments
def c2st(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    classifier: str = "neighbours",
    n: int = 5000,
) -> Estimate:
    """The classifier two-sample test: the share of held-out points whose law a classifier tells; ½ for equal laws.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator
        Needed: it splits the points, and draws those of a law that is not a cloud.
    classifier : {"neighbours", "gaussian"}
        "neighbours": the majority of the nearest k training points, k the odd number next to the root of their number.
        "gaussian": the larger density of the two Gaussians with the moments of the training points.
    n : int
        The largest number of points of each law, at least 8; larger clouds are thinned.

    Returns
    -------
    Estimate
        The mean of the two shares of points told rightly, between 0 and 1. `null` is ½, exactly. `stderr` is binomial,
        for the trained classifier.

    Raises
    ------
    NotAvailable
        Where rng is None, for clouds of different weights (drawn again, their points would be trained and tested on),
        for fewer than 8 points, and for "gaussian" in as many dimensions as there are training points.

    Notes
    -----
    As many points of either law as the smaller cloud has, half to train on, half held out. Both laws have the same
    weight in training and in the mean of the shares, so that under equal laws the mean is ½ whatever the classifier
    learnt. Coordinates are divided by their deviation over the training points.

    2 value - 1 is at most the total variation distance of the two laws (`l1`/2) but for the standard error, since no
    classifier beats the one of Bayes. "neighbours" reaches that bound for every pair of laws as n grows [stone1977]; it
    needs no training that could fail, and so look like equal laws. In many dimensions it is slow to learn. "gaussian"
    nears the bound between Gaussians once the training points are many more than the d²/2 covariances that it learns (a
    shift of 1.5 in d = 20: 0.70 with 200 of each law, 0.76 with 2,000, the bound is 0.77), and is blind to what two
    moments do not show.
    Time O(n²d) and O(nd²). Two clouds that share points fall below ½, for a point's copy is of the other law.

    References
    ----------
    [lopezpaz2017], section 3; the nearest neighbours of section 3.1 with k growing as [stone1977] asks.
    """
    first, second = checked_pair(approximation, truth, rng, "c2st")
    one_of(classifier, "classifier", CLASSIFIERS)
    rng = generator(rng, "c2st, which splits points at random,")
    n = count(n, "n", 8)
    clouds = [_points(law, rng, n) for law in (first, second)]
    size = min(n, *map(len, clouds))
    if size < 8:
        raise NotAvailable(
            f"c2st got clouds of {len(clouds[0])} and {len(clouds[1])} points. It trains on half and tests on half, "
            "and needs 8 or more of each. Use more points, or energy_distance."
        )
    halves = [cloud[rng.permutation(len(cloud))[:size]] for cloud in clouds]
    train, test = ([half[part] for half in halves] for part in (slice(None, size // 2), slice(size // 2, size)))
    spread = np.concatenate(train).std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    classify = _neighbours if classifier == "neighbours" else _gaussian
    told = classify([x / spread for x in train], [x / spread for x in test])
    shares = np.array([np.mean(~told[0]), np.mean(told[1])])
    held = size - size // 2
    stderr = float(np.sqrt(np.sum(shares * (1 - shares)) / (held - 1)) / 2)
    how = f"{classifier}, {size // 2} points of each law to train, {held} to test"
    return Estimate(float(shares.mean()), stderr, how, "c2st", null=0.5)


def _points(law: Law, rng: np.random.Generator, n: int) -> Points:
    """The points of a cloud in an order of their own, so that only the generator decides on the split."""
    sample = sample_of(law, rng, n, "c2st")
    if not np.allclose(sample.weights, sample.weights[0], rtol=1e-12, atol=0):
        raise NotAvailable(
            "c2st got a cloud of different weights. A test trains and tests on points that were each drawn once. Use "
            "energy_distance or mmd, which count weights, or a cloud of equal weights."
        )
    return sample.points[np.lexsort(sample.points.T[::-1])]


def _neighbours(train: list[np.ndarray], test: list[np.ndarray]) -> list[np.ndarray]:
    """For the held-out points of each law whether most of their neighbours are of the second one."""
    known = np.concatenate(train)
    is_second = np.repeat([0, 1], [len(part) for part in train])
    k = 2 * int(np.sqrt(len(known)) / 2) + 1
    tree = KDTree(known) if known.shape[1] <= _TREE_UP_TO else None
    rows = max(1, _AT_ONCE // len(known))

    def told(points):
        parts = []
        for start in range(0, len(points), rows):
            some = points[start : start + rows]
            if tree is not None:
                nearest = np.reshape(tree.query(some, k=k)[1], (len(some), k))
            else:
                nearest = np.argpartition(cdist(some, known, "sqeuclidean"), k - 1, axis=1)[:, :k]
            parts.append(2 * is_second[nearest].sum(axis=1) > k)
        return np.concatenate(parts)

    return [told(points) for points in test]


def _gaussian(train: list[np.ndarray], test: list[np.ndarray]) -> list[np.ndarray]:
    """For the held-out points of each law whether the Gaussian of the second law has the larger density there."""
    dim = train[0].shape[1]
    if len(train[0]) <= dim:
        raise NotAvailable(
            f"The Gaussian classifier of c2st got {len(train[0])} training points in {dim} dimensions, whose "
            "covariance is singular. It needs more points than dimensions. Raise n, or pass classifier='neighbours'."
        )
    densities = [_log_density(part) for part in train]
    return [densities[1](points) > densities[0](points) for points in test]


def _log_density(points: Points):
    """The log density of the Gaussian with the moments of the points, up to a constant of all Gaussians."""
    mean, cov = points.mean(axis=0), np.atleast_2d(np.cov(points.T))
    try:
        factor = cho_factor(cov, lower=True)
    except np.linalg.LinAlgError:
        raise NotAvailable(
            "The Gaussian classifier of c2st got points in a plane of lower dimension, whose covariance is singular. "
            "It needs points that spread in all directions. Pass classifier='neighbours'."
        ) from None
    half_log_det = np.sum(np.log(np.diag(factor[0])))

    def log_density(x: Points) -> Values:
        gap = (x - mean).T
        return -0.5 * np.sum(gap * cho_solve(factor, gap), axis=0) - half_log_det

    return log_density
