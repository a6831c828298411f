"""Barenblatt profiles: the self-similar solutions of ∂tρ = Δρ^m."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, betaln, digamma, gammaln

from .._core.errors import BadInput, NotAvailable
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import (
    at_finite_points,
    count,
    draws,
    levels,
    numbers,
    points,
    positive,
    readonly,
    real_array,
    require_resolved,
)
from .._core.value import Value
from .barenblatt_masses import planar_masses
from .base import Law
from .cells import CellMasses, rest
from .from_quantile import FromQuantile


@dataclass(frozen=True, eq=False)
class BetaRadius(Value):
    """u -> R q(u)^½ with q the quantile function of Beta(a, b)."""

    radius: float
    a: float
    b: float

    def __call__(self, u):
        return self.radius * np.sqrt(betaincinv(self.a, self.b, u))


class Barenblatt(Law):
    """The profile ρ(x) = t^(-dβ) (C - k |x - center|² t^(-2β))_+^(1/(m-1)), of mass one [vazquez2007, ch. 17].

    Here β = 1/(d(m-1)+2), k = (m-1)β/(2m) and C^γ = (k/π)^(d/2) Γ(γ+1)/Γ(m/(m-1)) with γ = d/2 + 1/(m-1).

    Parameters
    ----------
    dim : int
        d >= 1.
    m : float
        The exponent, m > 1.
    time : float
        t > 0.
    center : (d,), optional
        The middle of the support, by default the origin.

    Attributes
    ----------
    radius : float
        The radius of the support, a ball.
    second_moment : float
        E|x - center|².
    scale : float
        t^β; lengths are proportional to it.

    Notes
    -----
    jin2025 eq. (5.7) prints d·B(d/2, m/(m-1)) in C, which gives mass 1/d; fan2022iclr section 4.3 prints C =
    (3/16)^(1/3) for d = 1, m = 2, which gives mass 2. Here the mass is one.
    """

    def __init__(self, dim, m, time, center=None):
        self.dim = count(dim, "dim")
        self.m = positive(m, "m")
        if self.m <= 1:
            raise BadInput(
                f"m is {self.m}. A Barenblatt profile of compact support needs m > 1. For m = 1 use Gaussian."
            )
        self.time = positive(time, "time")
        center = np.zeros(self.dim) if center is None else np.atleast_1d(real_array(center, "center"))
        if center.shape != (self.dim,):
            raise BadInput(f"center has shape {center.shape}. It must be ({self.dim},). Match the dimension.")
        self.center = readonly(center)
        d = self.dim
        self.beta = 1 / (d * (self.m - 1) + 2)
        self.k = (self.m - 1) * self.beta / (2 * self.m)
        gamma = d / 2 + 1 / (self.m - 1)
        self._power = self.m / (self.m - 1)
        self.constant = float(
            np.exp((d / 2 * np.log(self.k / np.pi) + gammaln(gamma + 1) - gammaln(self._power)) / gamma)
        )
        self.scale = self.time**self.beta
        self.radius = float(np.sqrt(self.constant / self.k) * self.scale)
        require_resolved(self.center, self.radius, "The profile")
        self.second_moment = self.radius**2 * d * (self.m - 1) / (d * (self.m - 1) + 2 * self.m)

    @classmethod
    def of_scale(cls, dim, m, scale, center=None):
        """The profile whose lengths are `scale` times those at t = 1, that is t = scale^(1/β)."""
        return cls(dim, m, positive(scale, "scale") ** (count(dim, "dim") * (m - 1) + 2), center)

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """Exact in any dimension: |x|²/R² ~ Beta(d/2, m/(m-1)), direction uniform."""
        n = draws(n, rng)
        radius = self.radius * np.sqrt(rng.beta(self.dim / 2, self._power, size=n))
        direction = rng.standard_normal((n, self.dim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return self.center + radius[:, None] * direction

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        r2 = np.sum((points(x, self.dim) - self.center) ** 2, axis=1)
        with np.errstate(divide="ignore"):  # log 0 = -inf outside the support
            inner = np.log(np.maximum(self.constant - self.k * r2 / self.scale**2, 0.0))
        return inner / (self.m - 1) - self.dim * np.log(self.scale)

    def mean(self) -> Vector:
        return self.center

    def cov(self) -> Matrix:
        return self.second_moment / self.dim * np.eye(self.dim)

    def quantile(self, u: ArrayLike) -> SameShape:
        self._line("quantile")
        return self.center[0] + self.radius * (2 * betaincinv(self._power, self._power, levels(u)) - 1)

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return 2 * self.center[0] - self.quantile(share)

    def cdf(self, x: ArrayLike) -> SameShape:
        self._line("cdf")
        z = (numbers(x) - self.center[0]) / self.radius
        return betainc(self._power, self._power, np.clip((z + 1) / 2, 0.0, 1.0))

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"Barenblatt has dim {self.dim}; {question!r} exists in dim 1 only. Use .sample or .log_density."
            )

    def energy(self) -> float:
        """∫ρ^m/(m-1) dx = β E|x|² / (d (m-1) t)."""
        return self.beta * self.second_moment / (self.dim * (self.m - 1) * self.time)

    def power_integral(self, m: float) -> float:
        """∫ρ^m dx for any exponent m > 0, by the Beta integral over the radius."""
        q = m / (self.m - 1)
        log_c, half = np.log(self.constant), self.dim / 2
        # ∫(C - k r²)^q dx = π^(d/2)/Γ(d/2) (C/k)^(d/2) C^q B(d/2, q+1), times the scaling of density and volume
        value = half * np.log(np.pi) - gammaln(half) + half * (log_c - np.log(self.k)) + q * log_c + betaln(half, q + 1)
        return float(np.exp(value + self.dim * (1 - m) * np.log(self.scale)))

    def entropy(self) -> float:
        """-E log ρ, with E log(1 - |x|²/R²) = ψ(m/(m-1)) - ψ(d/2 + m/(m-1)) under the radial Beta law."""
        mean_log = digamma(self._power) - digamma(self.dim / 2 + self._power)
        return float(self.dim * np.log(self.scale) - (np.log(self.constant) + mean_log) / (self.m - 1))

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        """ρ^q ∇ log ρ = s^(-dq) inner^(q/(m-1) - 1) ∇inner/(m-1), with ρ^(m-1) = s^(-d(m-1)) inner and s the scale."""
        offset, root = points(x, self.dim) - self.center, 1 / (self.m - 1)
        inner = np.maximum(self.constant - self.k * (offset**2).sum(1) / self.scale**2, 0.0)
        with np.errstate(divide="ignore"):  # infinite at the edge where the power is too small
            shape = inner ** (power * root - 1) * self.scale ** (-self.dim * power)
        return (-2 * self.k * root / self.scale**2) * shape[:, None] * offset

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        return self.m < 2 + 2 * power

    def support(self) -> tuple[Vector, Vector] | None:
        return self.center - self.radius, self.center + self.radius

    def as_barenblatt(self) -> Barenblatt | None:
        return self

    def radial_part(self) -> Law | None:
        """|x|²/R² ~ Beta(d/2, m/(m-1)), where the centre is the origin."""
        if self.dim == 1 or self.center.any():
            return None
        return FromQuantile(BetaRadius(self.radius, self.dim / 2, self._power))

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        return ("Barenblatt", self.dim, self.m), self.center, np.array([np.sqrt(self.second_moment)])

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        if self.dim != 2:
            return super().cell_masses(axes)
        x, y = (np.asarray(edges) - middle for edges, middle in zip(axes, self.center))
        unit = planar_masses(x / self.radius, y / self.radius, self._power - 1)
        return CellMasses(unit, rest(unit, 1.0), "cell masses by the incomplete Beta function")

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        return {
            "m": ((), np.array(self.m)),
            "barenblatt_time": ((), np.array(self.time)),  # "time" is an axis of the file
            "center": (("dim",), self.center),
        }

    def spec(self) -> dict[str, Any]:
        return {"law": "Barenblatt", "dim": self.dim, "m": self.m, "time": self.time, "center": self.center.tolist()}
