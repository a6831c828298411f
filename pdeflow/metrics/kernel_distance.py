"""The distance of two laws in a kernel, D² = E k(X, X') + E k(Y, Y') - 2 E k(X, Y): energy distance and MMD."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from .._core.estimate import Estimate
from .._core.shapes import Points, Values
from .._core.threads import one_thread
from ..laws import Gaussian, Law
from .samples import (
    Sample,
    Spectrum,
    require_several,
    root_of,
    sample_of,
    v_estimate,
)

Mixture = tuple[Values, tuple[Gaussian, ...]]


class Known(ABC):
    """A law Y under which the means of a kernel are known."""

    itself: float  # E k(Y, Y')

    @abstractmethod
    def means(self, x: Points) -> Values:
        """E k(x_i, Y), (n, d) -> (n,)."""


class Kernel(ABC):
    """A kernel k(x, y) that is conditionally positive definite, and its means."""

    on_diagonal: float  # k(x, x)

    @abstractmethod
    def rows(self, x: Points, y: Sample) -> tuple[Values, Values]:
        """(Σ_j w_j k(x_i, y_j), Σ_j w_j k(x_i, y_j)²), each (n,)."""

    @abstractmethod
    def means(self, x: Points, part: Gaussian) -> Values:
        """E k(x_i, Y) for Y of the Gaussian, (n,)."""

    @abstractmethod
    def mean(self, first: Gaussian, second: Gaussian) -> float:
        """E k(X, Y) for independent X and Y of the two."""

    def known(self, law: Law) -> Known | None:
        """The law as one under which the means are known, else None."""
        mixture = law.gaussian_components()
        return None if mixture is None else _KnownMixture(self, mixture)

    def exact(self, first: Law, second: Law) -> tuple[float, str] | None:
        """D² of two laws without a draw, and how, else None."""
        mine, other = first.gaussian_components(), second.gaussian_components()
        if mine is None or other is None:
            return None
        pairs = (mine, mine), (other, other), (mine, other)
        within, its, across = (_mixed(self, *pair) for pair in pairs)
        return within + its - 2 * across, "closed form"

    def square(self, x: Sample, y: Sample) -> float | None:
        """D² of two samples by a way without cancellation, None where there is none."""
        return None


class _KnownMixture(Known):
    def __init__(self, kernel: Kernel, mixture: Mixture):
        self.kernel, self.mixture = kernel, mixture
        self.itself = _mixed(kernel, mixture, mixture)

    def means(self, x: Points) -> Values:
        parts = [weight * self.kernel.means(x, part) for weight, part in zip(*self.mixture) if weight > 0]
        return np.sum(parts, axis=0)


def _mixed(kernel: Kernel, first: Mixture, second: Mixture) -> float:
    (p, ones), (q, others) = first, second
    return float(sum(a * b * kernel.mean(one, other) for a, one in zip(p, ones) for b, other in zip(q, others)))


@one_thread()
def kernel_distance(
    kernel: Kernel, first: Law, second: Law, rng: np.random.Generator | None, n: int, name: str, what: str = ""
) -> Estimate:
    """D, not its square, with the null level of the second law.

    The value is that of the two laws as they are: samples enter as V-statistics, so that it is a distance, and 0 only
    for two equal clouds.
    """
    exact = kernel.exact(first, second)
    if exact is not None:
        return Estimate(root_of(exact[0]), 0.0, f"{exact[1]}{what}", name)
    known = [None if law.atoms() is not None else kernel.known(law) for law in (first, second)]
    samples = [None if it else sample_of(law, rng, n, name) for law, it in zip((first, second), known)]
    for sample in samples:
        if sample is not None:
            require_several(sample, name)
    x, y = samples
    if x is not None and y is not None:
        return _two_samples(kernel, x, y, name, what)
    if x is not None and known[1] is not None:
        return _one_sample(kernel, x, known[1], name, what, truth_is_known=True)
    assert y is not None and known[0] is not None  # two known laws have an exact distance
    return _one_sample(kernel, y, known[0], name, what, truth_is_known=False)


def _one_sample(kernel: Kernel, x: Sample, known: Known, name: str, what: str, truth_is_known: bool) -> Estimate:
    """A sample against a law whose means are known."""
    own, own_squares = kernel.rows(x.points, x)
    across = known.means(x.points)
    square = float(x.weights @ (own - 2 * across)) + known.itself
    spectrum = Spectrum.of_rows(own, own_squares, np.full(len(own), kernel.on_diagonal), x.weights)
    if truth_is_known:
        spectrum = spectrum.scaled(kernel.on_diagonal - known.itself)
    influences = [(2 * (own - across), x.weights, x.share)]
    how = f"V-statistic of {x.note} against the law itself{what}"
    return v_estimate(square, influences, spectrum, how, name)


def _two_samples(kernel: Kernel, x: Sample, y: Sample, name: str, what: str) -> Estimate:
    within_x, _ = kernel.rows(x.points, x)
    within_y, squares_y = kernel.rows(y.points, y)
    from_x, _ = kernel.rows(x.points, y)
    from_y, _ = kernel.rows(y.points, x)
    square = kernel.square(x, y)
    if square is None:
        square = float(x.weights @ within_x) + float(y.weights @ within_y) - 2 * float(x.weights @ from_x)
    spectrum = Spectrum.of_rows(within_y, squares_y, np.full(len(within_y), kernel.on_diagonal), y.weights)
    influences = [
        (2 * (within_x - from_x), x.weights, x.share),
        (2 * (within_y - from_y), y.weights, y.share),
    ]
    how = f"V-statistic of {x.note} and {y.note}{what}"
    return v_estimate(square, influences, spectrum, how, name)
