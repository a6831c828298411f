"""The distance of two laws in a kernel, D² = E k(X, X') + E k(Y, Y') - 2 E k(X, Y): energy distance and MMD."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

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

    def square(self, x: Sample, y: Sample) -> float | None:
        """D² of two samples by a way without cancellation, None where there is none."""
        return None


@dataclass(frozen=True)
class _Side:
    """One of the two laws: its points, or the Gaussians that it is mixed of."""

    sample: Sample | None
    mixture: Mixture | None

    @classmethod
    def of(cls, law: Law, rng: np.random.Generator | None, n: int, name: str) -> _Side:
        mixture = law.gaussian_components()
        if mixture is not None:
            return cls(None, mixture)
        sample = sample_of(law, rng, n, name)
        require_several(sample, name)
        return cls(sample, None)


@one_thread()
def kernel_distance(
    kernel: Kernel, first: Law, second: Law, rng: np.random.Generator | None, n: int, name: str, what: str = ""
) -> Estimate:
    """D, not its square, with the null level of the second law.

    The value is that of the two laws as they are: samples enter as V-statistics, so that it is a distance, and 0 only
    for two equal clouds.
    """
    x, y = (_Side.of(law, rng, n, name) for law in (first, second))
    if x.sample is None and y.sample is None:
        value = root_of(
            _mixed(kernel, x.mixture, x.mixture)
            + _mixed(kernel, y.mixture, y.mixture)
            - 2 * _mixed(kernel, x.mixture, y.mixture)
        )
        return Estimate(value, 0.0, f"closed form{what}", name)
    if x.sample is None:
        return _one_sample(kernel, y, x, name, what, truth_is_known=False)
    if y.sample is None:
        return _one_sample(kernel, x, y, name, what, truth_is_known=True)
    return _two_samples(kernel, x.sample, y.sample, name, what)


def _mixed(kernel: Kernel, first: Mixture | None, second: Mixture | None) -> float:
    assert first is not None and second is not None
    (p, ones), (q, others) = first, second
    return float(sum(a * b * kernel.mean(one, other) for a, one in zip(p, ones) for b, other in zip(q, others)))


def _one_sample(kernel: Kernel, cloud: _Side, known: _Side, name: str, what: str, truth_is_known: bool) -> Estimate:
    """A sample against a mixture of Gaussians, whose means are closed."""
    x, mixture = cloud.sample, known.mixture
    assert x is not None and mixture is not None
    own, own_squares = kernel.rows(x.points, x)
    across = np.sum([weight * kernel.means(x.points, part) for weight, part in zip(*mixture) if weight > 0], axis=0)
    itself = _mixed(kernel, mixture, mixture)
    square = float(x.weights @ (own - 2 * across)) + itself
    spectrum = Spectrum.of_rows(own, own_squares, np.full(len(own), kernel.on_diagonal), x.weights)
    if truth_is_known:
        spectrum = spectrum.scaled(kernel.on_diagonal - itself)
    influences = [(2 * (own - across), x.weights, x.share)]
    how = f"V-statistic of {x.note} against the closed form{what}"
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
