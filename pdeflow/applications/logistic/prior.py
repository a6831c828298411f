"""The prior of Bayesian logistic regression: normal weights whose precision has a Gamma law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from ..._core.errors import NotAvailable
from ..._core.shapes import Points, Values
from ..._core.validate import count, draws, points, positive
from ...laws import Law

FARTHEST = 700.0  # of -log α: weights are then e^350
RAREST = 1e-12  # chance beyond which no draws are given


@dataclass(frozen=True)
class Prior(Law):
    """The law of (w, log α) with w | α ~ N(0, I/α) in R^p and α ~ Gamma(shape a, rate b); its dimension is p + 1.

    Parameters
    ----------
    weights : int
        p, their number.
    rate : float, default 0.01
        b > 0, in units of 1/α.
    shape : float, default 1.0
        a > 0.

    Notes
    -----
    It answers `sample`, `log_density` and `score`. The weights alone have Student's t law with 2a degrees of freedom
    and scale √(b/a): no mean for a <= 1/2 and no covariance for a <= 1, so that it does not answer these. Under a
    strictly convex potential the flow takes the tails in at once. For shapes below about 0.04 `sample` raises
    `NotAvailable`: too many weights are so large that their squares overflow.
    """

    weights: int
    rate: float = 0.01
    shape: float = 1.0

    def __post_init__(self) -> None:
        count(self.weights, "weights")
        positive(self.rate, "rate")
        positive(self.shape, "shape")

    @property
    def dim(self) -> int:
        return self.weights + 1

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        self._require_finite_draws()
        # log of a Gamma(a) variable as that of Gamma(a + 1) times U^(1/a): small shapes do not underflow
        eta = np.log(rng.standard_gamma(self.shape + 1, n)) + np.log1p(-rng.random(n)) / self.shape - np.log(self.rate)
        return np.column_stack([np.exp(-eta / 2)[:, None] * rng.standard_normal((n, self.weights)), eta])

    def _require_finite_draws(self) -> None:
        """`NotAvailable` where squares of weights overflow too often: P(log α < -c) ~ (b e^-c)^a / Γ(1 + a)."""
        chance = float(np.exp(min(0.0, self.shape * (np.log(self.rate) - FARTHEST) - gammaln(self.shape + 1))))
        if chance > RAREST:
            raise NotAvailable(
                f"With shape = {self.shape:g} and rate = {self.rate:g}, log α is below {-FARTHEST:g} with the chance "
                f"{chance:.2g}, and weights are above 1e152, whose squares are no doubles. It must be rarer than "
                f"{RAREST:g}. Take a shape of at least 0.1, or start at another law: problem(initial=...)."
            )

    def log_density(self, x: Points) -> Values:
        x = points(x, self.dim)
        w, eta = x[:, :-1], x[:, -1]
        constant = self.shape * np.log(self.rate) - gammaln(self.shape) - self.weights / 2 * np.log(2 * np.pi)
        shrinkage = np.exp(eta) * ((w * w).sum(-1) / 2 + self.rate)
        return constant + (self.weights / 2 + self.shape) * eta - shrinkage

    def score(self, x: Points, power: float = 0.0) -> Points:
        x = points(x, self.dim)
        w, alpha = x[:, :-1], np.exp(x[:, -1:])
        last = self.weights / 2 + self.shape - alpha * ((w * w).sum(-1, keepdims=True) / 2 + self.rate)
        slope = np.concatenate([-alpha * w, last], axis=1)
        return slope if power == 0 else slope * np.exp(power * self.log_density(x))[:, None]
