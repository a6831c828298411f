"""Finite mixtures of Gaussians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from .._core.arrays import log_sum_exp, softmax, underflow_is_zero
from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.level_integral import DEEPEST_LEVEL, level_integral
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import at_finite_points, draws, levels, points, readonly, real_array, spd_matrix
from .base import Law
from .cells import CellMasses, mixture_masses
from .gaussian import Gaussian, kept_gaussian
from .line_mixture import LineMixture


class GaussianMixture(Law):
    """Σ w_i N(mean_i, cov_i) on R^d.

    Parameters
    ----------
    weights : (k,)
        At least 0, with the sum one to 1e-12; they are never renormalised.
    means : (k, d) or (k,)
        The means of the components; (k,) in dimension 1.
    covs : (k, d, d), (k,) or float
        Their covariances; numbers mean multiples of the identity, one number is shared by all.

    Raises
    ------
    BadInput
        Where the weights are no probabilities, the numbers of components differ or a covariance is not positive
        definite.
    """

    def __init__(self, weights, means, covs):
        weights = real_array(weights, "weights", ndim=1)
        means = real_array(means, "means")
        means = means[:, None] if means.ndim == 1 else means
        if means.ndim != 2 or len(means) != len(weights):
            raise BadInput(
                f"{len(weights)} weights and means of shape {means.shape}. They must be (k,) and (k, d). Match them."
            )
        if np.any(weights < 0) or abs(weights.sum() - 1) > 1e-12:
            raise BadInput(
                f"weights sum to {weights.sum():.15g}, smallest {weights.min():.3g}. They must be >= 0 and sum to one. "
                "Divide by their sum."
            )
        covs = real_array(covs, "covs")
        covs = np.broadcast_to(covs, (len(weights),)) if covs.ndim == 0 else covs
        if len(covs) != len(weights):
            raise BadInput(f"{len(weights)} weights and {len(covs)} covs. There must be one each. Match them.")
        covs = [spd_matrix(cov, means.shape[1], f"covs[{i}]") for i, cov in enumerate(covs)]
        self._hold(weights, tuple(Gaussian(mean, cov) for mean, cov in zip(means, covs)))

    def _hold(self, weights: Values, components: tuple[Gaussian, ...]) -> None:
        self.weights, self.components = readonly(weights), components
        self.means = readonly([g.mean() for g in components])
        self.covs = readonly([g.cov() for g in components])
        self.dim = self.means.shape[1]

    @classmethod
    def of_components(cls, weights: Values, components: Sequence[Gaussian]) -> GaussianMixture:
        """Σ w_i of these Gaussians, for weights that are those of another mixture."""
        law = cls.__new__(cls)
        law._hold(weights, tuple(components))
        return law

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        for component in self.components:
            component._require_positions("sample")
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        z = rng.standard_normal((n, self.dim))
        x = np.empty((n, self.dim))
        for i, component in enumerate(self.components):
            chosen = which == i
            x[chosen] = component.mean() + z[chosen] @ component.root().T
        return x

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        x = points(x, self.dim)
        with np.errstate(divide="ignore"):  # a zero weight is log 0 = -inf, and means it
            logs = [np.log(w) + g.log_density(x) for w, g in zip(self.weights, self.components)]
        return log_sum_exp(np.stack(logs, axis=-1))

    def mean(self) -> Vector:
        return self.weights @ self.means

    def cov(self) -> Matrix:
        offset = self.means - self.mean()
        return np.einsum("k,kij->ij", self.weights, self.covs) + np.einsum("k,ki,kj->ij", self.weights, offset, offset)

    @underflow_is_zero
    def cdf(self, x: ArrayLike) -> SameShape:
        if self.dim != 1:
            raise NotAvailable(
                f"GaussianMixture has dim {self.dim}; 'cdf' exists in dim 1 only. Project it on an axis first."
            )
        return sum((w * g.cdf(x) for w, g in zip(self.weights, self.components)), start=np.zeros(()))

    def quantile(self, u: ArrayLike) -> SameShape:
        if self.dim != 1:
            raise NotAvailable(
                f"GaussianMixture has dim {self.dim}; 'quantile' exists in dim 1 only. Project it on an axis first."
            )
        return self._on_the_line("quantile").quantile(levels(u))

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        if self.dim != 1:
            raise self.not_available("upper_quantile", "it exists in dim 1 only")
        return self._on_the_line("upper_quantile").quantile(levels(share), upper=True)

    def _on_the_line(self, question):
        for component in self.components:
            component._require_positions(question)
        return self._line

    @cached_property
    def _line(self) -> LineMixture:
        return LineMixture(self.weights, self.means[:, 0], np.array([g.root()[0, 0] for g in self.components]))

    @at_finite_points
    @underflow_is_zero
    def score(self, x: Points, power: float = 0.0) -> Points:
        x = points(x, self.dim)
        inverse = np.linalg.inv(np.stack([g.root() for g in self.components]))
        precisions = np.swapaxes(inverse, 1, 2) @ inverse
        log_dets = np.array([g._log_det() for g in self.components])
        with np.errstate(divide="ignore"):  # a component of weight zero has log weight -inf, and means it
            log_factors = np.log(self.weights) - 0.5 * (log_dets + self.dim * np.log(2 * np.pi))
        offset = x[:, None, :] - self.means
        pull = (offset[:, :, None, :] @ precisions)[:, :, 0, :]
        score = -(softmax(log_factors - (pull * offset).sum(-1) / 2)[:, :, None] * pull).sum(1)
        return score * np.exp(power * self.log_density(x))[:, None] if power else score

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        return True

    def support(self) -> tuple[Vector, Vector] | None:
        return np.full(self.dim, -np.inf), np.full(self.dim, np.inf)

    def as_gaussian(self) -> Gaussian | None:
        """The one component that has all the weight, where there is one."""
        return self.components[int(np.argmax(self.weights))] if np.max(self.weights) == 1 else None

    def gaussian_components(self) -> tuple[Values, tuple[Gaussian, ...]] | None:
        return self.weights, self.components

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if self.dim == 1:
            return super().cell_masses(axes)
        full = np.flatnonzero(self.weights > 0)
        parts = [self.components[i].cell_masses(axes) for i in full]
        known = [part for part in parts if part is not None]
        return mixture_masses(self.weights[full], known) if len(known) == len(parts) else None

    def projected(self, direction: Vector) -> GaussianMixture:
        # by the roots of the components: the covariance loses what cancels along a narrow direction
        return GaussianMixture.of_components(self.weights, [g.projected(direction) for g in self.components])

    def difference(self) -> GaussianMixture:
        """The mixture of the differences of all pairs of components."""
        full = np.flatnonzero(self.weights > 0)
        parts = [self.components[i] for i in full]
        pairs = np.multiply.outer(self.weights[full], self.weights[full]).ravel()
        gaps = [Gaussian.of_difference(one, other) for one in parts for other in parts]
        return GaussianMixture.of_components(pairs / pairs.sum(), gaps)  # the product of two sums that are 1 to 1e-12

    @underflow_is_zero
    def mean_pair_power(self, p: float) -> Estimate | None:
        """In closed form for p = 1 on the line, 2 and 4: X - Y is a mixture of Gaussians."""
        if p == 2 or p not in (1, 4) or (p == 1 and self.dim > 1):
            return super().mean_pair_power(p)
        gap = self.difference()
        mean, cov = gap.means, gap.covs
        if p == 1:  # E|N(m, s²)| = s √(2/π) exp(-m²/2s²) + m erf(m/(s√2))
            m, s = mean[:, 0], np.sqrt(cov[:, 0, 0])
            each = s * np.sqrt(2 / np.pi) * np.exp(-0.5 * (m / s) ** 2) + m * erf(m / (s * np.sqrt(2)))
        else:
            trace = np.trace(cov, axis1=1, axis2=2)
            m2 = np.sum(mean * mean, axis=1)
            across = np.einsum("ki,kij,kj->k", mean, cov, mean)
            each = (m2 + trace) ** 2 + 4 * across + 2 * np.einsum("kij,kij->k", cov, cov)
        return Estimate(float(gap.weights @ each), 0.0, "closed form", "mean")

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        """On the line by quadrature over the levels of all components at once.

        Between separate components the quantile function of the mixture itself nearly jumps.
        """
        if self.dim != 1:
            return None
        full = [(w, part) for w, part in zip(self.weights, self.components) if w > 0]
        cuts = np.concatenate([part.cdf(np.asarray(breakpoints, dtype=float)) for _, part in full])

        def mean_at(quantiles):
            x = np.concatenate(quantiles)
            return np.array([w for w, _ in full]) @ np.reshape(function(x[:, None]), (len(full), -1))

        value = level_integral(
            lambda u: mean_at([part.quantile(u) for _, part in full]),
            upper=lambda share: mean_at([part.upper_quantile(share) for _, part in full]),
            deepest=(DEEPEST_LEVEL, DEEPEST_LEVEL),
            probed=True,
            cuts=cuts,
        )
        return Estimate(value, 0.0, "quadrature", "mean")

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        for component in self.components:
            component.require_covariance("fields")
        return {
            "weights": (("component",), self.weights),
            "means": (("component", "dim"), self.means),
            "covs": (("component", "dim", "dim_2"), self.covs),
        }

    def spec(self) -> dict[str, Any]:
        for component in self.components:
            component.require_covariance("spec")
        return {
            "law": "GaussianMixture",
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "covs": self.covs.tolist(),
        }


def kept_mixture(weights: ArrayLike, means: ArrayLike, covs: ArrayLike) -> GaussianMixture:
    """The mixture whose `fields` or `spec` were kept: its covariances may be worse conditioned than a user's own."""
    means, covs = real_array(means, "means"), real_array(covs, "covs")
    if means.ndim != 2 or covs.shape != (*means.shape, means.shape[1]):
        return GaussianMixture(weights, means, covs)  # which says what is wrong, or takes numbers for covariances
    # of the weights and the means the class itself judges
    frame = GaussianMixture(weights, means, 1.0)
    return GaussianMixture.of_components(frame.weights, [kept_gaussian(m, c) for m, c in zip(means, covs)])
