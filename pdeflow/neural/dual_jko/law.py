"""DualLaw: the law exp(-V/T - f + log-weights) up to its mass, as a dual JKO step gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import BadInput, NotAvailable, NotConverged
from ..._core.estimate import Estimate
from ..._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from ..._core.validate import at_finite_points, count, draws, levels, numbers, points
from ...laws import Law, Particles
from ...laws.line_table import DensityTable
from ...laws.log_weights import LEAST_EFFECTIVE, effective_size, weights_at
from .basis import Basis

MOST_AT_END = 1e-4  # of the mass in the last panel at an end of the line, next to which as much may be missing
INFLATION = 1.2  # of the reference's covariance: lighter tails than the law's would make the weights unbounded


@dataclass(frozen=True, eq=False)
class Reference:
    """The Gaussian N(mean, 1.2 cov) from which a DualLaw in d > 1 is sampled by importance.

    Parameters
    ----------
    mean : (d,)
        Of the law.
    cov : (d, d)
        Of the law; the reference is 1.2 times as wide in square.
    """

    mean: Vector
    cov: Matrix

    def at(self, normal: Points) -> tuple[Points, Values]:
        """Points (n, d) of the reference from standard normal ones, and minus its log density there."""
        root = np.linalg.cholesky(INFLATION * self.cov)
        log_volume = np.log(np.diag(root)).sum() + 0.5 * normal.shape[1] * np.log(2 * np.pi)
        return self.mean + normal @ root.T, 0.5 * (normal**2).sum(axis=1) + log_volume


class DualLaw(Law):
    """ρ = exp(-V/T - f + Σ log-weights)/Z: what `DualJKO` returns, with f = h/(2 dt T) [docs/math.md 13.2].

    The logarithm of the density is known in closed form up to the constant log Z.

    **On the line** Z is found by quadrature to 1e-9, and the law answers everything: `log_density`, `cdf`, `quantile`,
    `mean`, `cov`, `score`, and draws by its quantile function.

    **In more dimensions** Z, the moments and draws would all be estimates, so `log_density`, `mean`, `cov` and `sample`
    raise `NotAvailable`; exact are `log_unnormalised` and `score`. Who wants the estimates asks by name:
    `importance_sample(n, rng)` gives weighted `Particles`, `normalised(n, rng)` the same law with a constant whose
    standard error `log_mass.stderr` says. Both raise `NotConverged` where the draws are worth fewer than ten.

    Parameters
    ----------
    potential : Potential or None
        V of the problem.
    temperature : float
        T > 0.
    basis : Basis
        The functions of which f is a sum.
    weights : (k,)
        The weights of these functions in f.
    region : (k + 1,) array or Reference
        On the line the ends of panels, outside of which there is no mass that counts; else the Gaussian of its moments.
    log_weights : tuple of callables (n, d) -> (n,)
        What `laws.reweighted` added.
    log_mass : Estimate or None
        log Z. By default quadrature on the line, unknown elsewhere.

    Attributes
    ----------
    log_mass : Estimate or None
        log Z with its standard error; None where it is not known.

    Notes
    -----
    *Filtering.* ρ times a likelihood is exp(-V/T - f + log-likelihood), again a DualLaw [frogner2020], which is what
    `laws.reweighted(law, log_likelihood)` returns, in any dimension and without a sampler; `DualJKO` starts from it.
    On the line `laws.reweighting` gives the log-evidence too. So ``Filter(...).run(DualJKO(), dt=0.1)`` of
    `pdeflow.applications.filtering` works as it stands.
    """

    moments_how = "quadrature"

    def __init__(
        self,
        potential: Any,
        temperature: float,
        basis: Basis,
        weights: Row,
        region: Row | Reference,
        log_weights: tuple[Callable[[Points], Values], ...] = (),
        log_mass: Estimate | None = None,
    ):
        self.dim = len(basis.center)
        self.potential, self.temperature = potential, float(temperature)
        self.basis, self.weights, self.region = basis, weights, region
        self.log_weights, self.log_mass = tuple(log_weights), log_mass
        self._line = None
        if self.dim == 1:
            self._line = DensityTable(self.log_unnormalised, np.asarray(region, dtype=float), "a DualLaw")
            self.log_mass = Estimate(self._line.log_total, 0.0, "quadrature", "log_mass")

    def log_unnormalised(self, x: Points) -> Values:
        """-V/T - f + Σ log-weights at the points x (n, d): the log density up to the constant log Z."""
        x = points(x, self.dim)
        out = -self.basis.combined(x, self.weights)
        if self.potential is not None:
            out -= np.asarray(self.potential.value(x), dtype=float) / self.temperature
        for log_weight in self.log_weights:
            out = out + weights_at(log_weight, x)
        return out

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        if self.log_mass is None:
            raise self.not_available("log_density", "its mass is not known in d > 1; ask normalised(n, rng)")
        return self.log_unnormalised(x) - self.log_mass.value

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        if self.log_weights:
            raise self.not_available("score", "the likelihoods it was reweighted by have no gradient")
        out = -self.basis.gradient(x, self.weights)
        if self.potential is not None:
            out = out - np.asarray(self.potential.grad(x), dtype=float) / self.temperature
        return out * np.exp(power * self.log_density(x))[:, None] if power else out

    def times(self, log_weight: Callable[[Points], Values]) -> tuple[Law, float | None]:
        """This law times exp(log_weight), again a DualLaw; the log of the mean weight on the line, None elsewhere.

        `BadInput` on the line where the weight moves more than 1e-4 of the mass into the last panel at an end of the
        region, beyond which the law has no mass.
        """
        new = self._with(log_weights=(*self.log_weights, log_weight), log_mass=None)
        if self._line is not None and not new._at_ends() <= max(MOST_AT_END, 2 * self._at_ends()):
            edges = np.asarray(self.region)
            raise BadInput(
                f"The weight moves a share of {new._at_ends():.3g} into the last panel at an end of "
                f"[{edges[0]:.6g}, {edges[-1]:.6g}], outside of which this DualLaw has no mass; at most "
                f"{MOST_AT_END:g} is accepted. The region must reach where the weighted law lives. Check the "
                "observation and its noise, or take a method that reaches there, such as ICNNJKO."
            )
        if self.log_mass is None or new.log_mass is None:
            return new, None
        return new, new.log_mass.value - self.log_mass.value

    def _at_ends(self) -> float:
        """The share of the mass in the last panel at either end of the region, on the line."""
        edges = np.asarray(self.region)
        return max(float(self.cdf(edges[1])), float(1 - self.cdf(edges[-2])))

    def importance_sample(self, n: int, rng: np.random.Generator) -> Particles:
        """n weighted draws from the Gaussian reference of the law, as `Particles`; an estimate of the law, d > 1.

        Parameters
        ----------
        n : int
            How many.
        rng : Generator
            The only source of randomness.
        """
        x, logs = self._draws(count(n, "n"), rng)
        weights = np.exp(logs - logs.max())
        return Particles(x, weights / weights.sum())

    def normalised(self, n: int, rng: np.random.Generator) -> DualLaw:
        """The same law with log Z by importance sampling in d > 1; `log_mass.stderr` is its standard error.

        Parameters
        ----------
        n : int
            How many draws, at least 2. The estimate of Z is unbiased.
        rng : Generator
            The only source of randomness.
        """
        if self._line is not None:
            return self
        _, logs = self._draws(count(n, "n", 2), rng)
        ratio = np.exp(logs - logs.max())
        error = float(ratio.std(ddof=1) / ratio.mean() / np.sqrt(n))
        value = float(np.log(ratio.mean()) + logs.max())
        return self._with(log_mass=Estimate(value, error, f"importance sampling, n = {n}", "log_mass"))

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        if self._line is None:
            raise self.not_available("sample", "no exact draws in d > 1; ask importance_sample(n, rng)")
        n = draws(n, rng)
        return self._line.quantile(rng.random(n))[:, None]

    def weighted_sample(self, n: int, rng: np.random.Generator) -> tuple[Points, Values]:
        if self._line is not None:
            return super().weighted_sample(n, rng)
        cloud = self.importance_sample(n, rng)
        return cloud.x, cloud.weights

    def mean(self) -> Vector:
        if self._line is None:
            raise self.not_available("mean", "an estimate in d > 1; ask importance_sample(n, rng).mean()")
        return np.array([self._line.moments()[0]])

    def cov(self) -> Matrix:
        if self._line is None:
            raise self.not_available("cov", "an estimate in d > 1; ask importance_sample(n, rng).cov()")
        return np.array([[self._line.moments()[1]]])

    def quantile(self, u: ArrayLike) -> SameShape:
        if self._line is None:
            raise self.not_available("quantile", "it exists in dim 1 only")
        u = levels(u)
        return np.where(u == 0, -np.inf, np.where(u == 1, np.inf, self._line.quantile(u)))

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        if self._line is None:
            raise self.not_available("upper_quantile", "it exists in dim 1 only")
        share = levels(share)
        return np.where(share == 0, np.inf, np.where(share == 1, -np.inf, self._line.upper_quantile(share)))

    def cdf(self, x: ArrayLike) -> SameShape:
        if self._line is None:
            raise self.not_available("cdf", "it exists in dim 1 only")
        x = numbers(x)
        return np.where(np.isnan(x), np.nan, self._line.cdf(x))

    def density_edges(self) -> Values | None:
        if self._line is None:
            return None
        return self._line.edges() if self.log_weights else np.asarray(self.region)

    def support(self) -> tuple[Vector, Vector] | None:
        return np.full(self.dim, -np.inf), np.full(self.dim, np.inf)

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        return True

    def has_density(self) -> bool | None:
        return True

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return self.weights, self.basis.center, self.basis.whitening, self.basis.bumps

    def answers(self) -> list[str]:
        known = super().answers()
        if self.log_weights:
            known = [name for name in known if name != "score"]
        if self._line is not None:
            return known
        hidden = {"sample", "mean", "cov"} | ({"log_density"} if self.log_mass is None else set())
        return [name for name in known if name not in hidden]

    def _draws(self, n, rng):
        """n points of the reference and the logarithms of their weights."""
        n = draws(n, rng)
        if self._line is not None:
            return self.sample(n, rng), np.zeros(n)
        x, log_weight = cast(Reference, self.region).at(rng.standard_normal((n, self.dim)))
        logs = self.log_unnormalised(x) + log_weight
        top = logs.max()
        if not top > -np.inf:
            raise BadInput(
                f"The weights of {self!r} are zero at all {n} draws of its reference. They must be positive somewhere. "
                "Check the likelihoods, or use more draws."
            )
        weights = np.exp(logs - top)
        effective = effective_size(weights)
        if effective < min(LEAST_EFFECTIVE, n / 2):
            raise NotConverged(
                f"{n} draws of the reference of {self!r} are worth {effective:.1f} draws of the law; at least "
                f"{LEAST_EFFECTIVE:g} are accepted, for fewer do not know their own error. The reference must cover "
                "the law, which likelihoods have moved. Use more draws, or wider noise.",
                effective=effective,
            )
        return x, logs

    def _with(self, **changed):
        facts = {"log_weights": self.log_weights, "log_mass": self.log_mass, **changed}
        return DualLaw(self.potential, self.temperature, self.basis, self.weights, self.region, **facts)

    def __repr__(self) -> str:
        mass = "unknown" if self.log_mass is None else f"{self.log_mass.value:.6g}"
        return f"DualLaw(dim={self.dim}, functions={len(self.weights)}, log_mass={mass})"

    def not_available(self, question: str, why: str = "") -> NotAvailable:
        cure = {"log_density": "its mass is not known in d > 1; ask normalised(n, rng)"}
        return super().not_available(question, why or cure.get(question, ""))
