"""The energy distance."""

from collections.abc import Callable

import numpy as np

from .._core.errors import NotConverged
from .._core.estimate import Estimate
from .._core.quadrature import integrate, kronrod
from .._core.shapes import Points, Row, Values
from .._core.validate import known_arguments
from ..laws import Gaussian, Law
from .gaussian_gaps import mean_norms
from .kernel_distance import Kernel, Known, kernel_distance
from .metric import metric
from .pair import answers, checked_pair
from .samples import Sample
from .scales import root_of_length


@metric(floor_adds="squares", scale=root_of_length)
@known_arguments
def energy_distance(
    approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 5000
) -> Estimate:
    """The energy distance D, not its square: D² = 2 E|X - Y| - E|X - X'| - E|Y - Y'|, in units of x^½.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law that is neither a cloud nor a mixture of Gaussians, nor on the line with a distribution
        function.
    n : int
        How many points are drawn of such a law, at least 2.

    Returns
    -------
    Estimate
        The distance of the two laws as they are. `null` is its mean if the clouds were drawn from the truth, `stderr`
        one deviation of the value about its mean over such clouds.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, and for a cloud of one point.

    Notes
    -----
    Clouds enter with all their points and weights: D² is then a V-statistic, the square of the distance between the two
    empirical laws and never negative; in dimension 1 it is 2 ∫(F - G)² dx over the two distribution functions, by
    sorting in O(n log n). In d > 1 the sums take O(n²d) time and O(n) memory: in d = 100, 10⁴ points of each law take 4
    CPU seconds and 10⁵ a hundred times that, so thin larger clouds. At the null level stderr is up to a quarter too
    large (validation/batteries/sample_errors.py). The mean of D² exceeds that of the laws
    drawn from by Σw² E|X - X'| + Σv² E|Y - Y'| for weights w and v (1/n and 1/m), and ``value² - null²`` is nearly
    free of it.

    Between mixtures of Gaussians the value is exact: E|Z| of a Gaussian Z is the folded normal mean in dimension 1 and
    a quadrature of its Laplace transform to 1e-14 in others. As the difference of such numbers D² is known to about
    1e-15 of the spread, and D itself where it is above 1e-7 of the root of the spread; what is below counts as
    round-off (in a study too). A cloud against mixtures of Gaussians needs no draws. Nor does
    a law on the line with a distribution function, such as a `GridLaw`: D² = 2 ∫(F - G)² dx by quadrature, without
    cancellation.

    The null level is the mean of the root of Σw² Σ λ_i Z_i², whose first two moments are U-statistics of the truth; the
    standard error combines the first-order projection of D² with its degenerate second order.

    References
    ----------
    [szekely2013energy], section 2; variances of V-statistics: [serfling1980], sections 5.3 and 5.5.
    """
    first, second = checked_pair(approximation, truth, rng, "energy_distance")
    return kernel_distance(_Energy(), first, second, rng, n, "energy_distance")


class _Energy(Kernel):
    """-|x - y|."""

    on_diagonal = 0.0

    def rows(self, x: Points, y: Sample) -> tuple[Values, Values]:
        if y.dim == 1:
            return _sorted_rows(x[:, 0], y.points[:, 0], y.weights)
        from .pair_kernels import kernel_rows  # loads numba

        return kernel_rows(x, y.points, y.weights, np.empty(0))

    def means(self, x: Points, part: Gaussian) -> Values:
        return -mean_norms(x, part.mean(), part.cov())

    def mean(self, first: Gaussian, second: Gaussian) -> float:
        gap = (first.mean() - second.mean())[None]
        return -float(mean_norms(gap, np.zeros(first.dim), first.cov() + second.cov())[0])

    def known(self, law: Law) -> Known | None:
        found = super().known(law)
        if found is not None:
            return found
        edges = _edges(law)
        return None if edges is None else _KnownLine(law, edges)

    def exact(self, first: Law, second: Law) -> tuple[float, str] | None:
        """2 ∫(F - G)² dx where both distribution functions are known and one law is no mixture of Gaussians."""
        mixed = super().exact(first, second)
        if mixed is not None:
            return mixed
        mine, other = _edges(first), _edges(second)
        if mine is None or other is None:
            return None
        edges = np.unique(np.concatenate([mine, other]))
        gap = integrate(lambda x, _: (first.cdf(x) - second.cdf(x)) ** 2, edges, _tolerances(edges), "energy_distance")
        return 2 * gap, "quadrature"

    def square(self, x: Sample, y: Sample) -> float | None:
        """2 ∫(F - G)² dx over the merged points, which does not cancel."""
        if x.dim > 1:
            return None
        places = np.concatenate([x.points[:, 0], y.points[:, 0]])
        order = np.argsort(places, kind="stable")
        places, steps = places[order], np.concatenate([x.weights, -y.weights])[order]
        # steps of one place are added before anything is rounded into the difference
        widths, heights = np.diff(places), np.cumsum(steps)[:-1]
        heights = np.where(np.abs(heights) <= 4 * np.finfo(float).eps, 0.0, heights)
        return 2 * float(widths @ heights**2)


class _KnownLine(Known):
    """A law on the line with a distribution function G: E|x - Y| = ∫ G up to x + ∫ (1 - G) from x on."""

    def __init__(self, law: Law, edges: Row):
        self.law, self.edges = law, edges
        spread = integrate(lambda x, _: law.cdf(x) * (1 - law.cdf(x)), edges, _tolerances(edges), "E|Y - Y'|")
        self.itself = -2 * spread

    def means(self, x: Points) -> Values:
        places, back = np.unique(np.concatenate([x[:, 0], self.edges]), return_inverse=True)
        nodes, weights, coarse = kronrod(15)
        half = np.diff(places) / 2
        values = self.law.cdf((places[:-1] + half)[:, None] + half[:, None] * nodes)
        error, span = float(half @ np.abs(values @ (weights - coarse))), places[-1] - places[0]
        if not error <= 1e-9 * span:
            raise NotConverged(
                f"E|x - Y| of a {type(self.law).__name__} by quadrature has the error {error:.3g} on {span:.3g}. "
                "Accepted is 1e-9 of it. Look at its distribution function, or compare with draws: "
                "Particles(law.sample(n, rng)).",
                residual=error,
            )
        below = np.concatenate([[0.0], np.cumsum(half * (values @ weights))])
        return -(2 * below + (places[-1] - places) - below[-1])[back.ravel()[: len(x)]]


def _edges(law: Law) -> Row | None:
    """Places between which the distribution function of a law on the line is smooth; None where that is not known."""
    if law.dim > 1 or not answers(law, "cdf") or not law.has_density():
        return None
    return law.density_edges()


def _tolerances(edges: Row) -> Callable[[float], tuple[float, float]]:
    """Of squares of distribution functions, which are known to 1e-16: their difference to 1e-32."""
    span = float(edges[-1] - edges[0])
    return lambda total: (1e-11 * total + 1e-30 * span, 1e-8 * total + 1e-24 * span)


def _sorted_rows(x: Values, y: Row, weights: Row) -> tuple[Values, Values]:
    """(-Σ_j w_j |x_i - y_j|, Σ_j w_j |x_i - y_j|²) on the line, in O((n + m) log m)."""
    center = float(weights @ y)
    x, y = x - center, y - center
    order = np.argsort(y, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    moment = np.concatenate([[0.0], np.cumsum((weights * y)[order])])
    at = np.searchsorted(y[order], x, side="right")
    sums = x * (2 * below[at] - below[-1]) + moment[-1] - 2 * moment[at]
    return -sums, x * x * below[-1] - 2 * x * moment[-1] + float(weights @ (y * y))
