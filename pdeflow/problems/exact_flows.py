"""Exact flows: frozen callables t -> Law that carry the law they start from.

`dataclasses.replace(flow, initial=law)` restarts a flow elsewhere, or raises `Unsupported` where no closed form is
known.
"""

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from .._core.errors import BadInput, Unsupported
from .._core.quadrature import integrate
from .._core.shapes import Numbers, Values, Vector
from .._core.validate import real
from .._core.value import Value
from ..energies.time_dependent import MovingQuadratic
from ..laws import Barenblatt, FromQuantile, Gaussian, GaussianMixture, Law, Semicircle

Mixture = tuple[Values, tuple[Gaussian, ...]]


def elapsed(t: float) -> float:
    """t as a float that is finite and >= 0, or `BadInput`: time runs forwards from the start."""
    t = real(t, "t")
    if not (np.isfinite(t) and t >= 0):
        raise BadInput(f"t is {t}. It is the time since the start: finite and >= 0. Shift it.")
    return float(t)


@dataclass(frozen=True, eq=False)
class LinearFlow(Value):
    """∂tρ = ∇·(ρ A(x - b)) + attraction ∇·(ρ (x - mean)) + T Δρ for Gaussians, and mixtures where attraction = 0
    [docs/math.md 4, 10.1].

    m_t = b + e^(-At)(m - b),  Σ_t = e^(-Kt) Σ e^(-Kt) + T K⁻¹(I - e^(-2Kt)),  K = A + attraction I. A and Σ need not
    commute.
    matrix : (d, d) symmetric positive semi-definite. center : (d,). K⁻¹(...) is continued to 2t where K is singular.
    """

    matrix: np.ndarray
    center: np.ndarray
    temperature: float
    initial: Law
    attraction: float = 0.0

    def __post_init__(self):
        closed = self.initial.gaussian_components() if self.attraction == 0 else self.initial.as_gaussian()
        if closed is None:
            raise Unsupported(
                "The linear flow is closed for Gaussians (and mixtures without attraction), not for "
                f"{self.initial!r}. Start from one, or use a solver."
            )
        if self.initial.dim != len(self.matrix):
            raise Unsupported(
                f"The flow lives in dimension {len(self.matrix)}, {self.initial!r} in {self.initial.dim}. They must "
                "agree. Change one."
            )

    def __call__(self, t: float) -> Law:
        t = elapsed(t)
        single, pull = self.initial.as_gaussian(), self._pull(t)
        if single is not None:
            return self._moved(single, t, pull)
        weights, components = cast(Mixture, self.initial.gaussian_components())  # not None: the start was judged
        parts = [self._moved(component, t, pull) for component in components]
        return GaussianMixture.of_components(weights, parts)

    def _pull(self, t: float) -> Vector | float:
        """What a centre that moves adds to every mean up to time t."""
        return 0.0

    def _moved(self, law: Gaussian, t: float, pull: Vector | float) -> Gaussian:
        rates, basis = np.linalg.eigh(self.matrix)
        decay = (basis * np.exp(-rates * t)) @ basis.T
        tight = rates + self.attraction
        shrink = (basis * np.exp(-tight * t)) @ basis.T
        safe = np.where(tight > 0, tight, 1.0)
        noise = self.temperature * np.where(tight > 0, -np.expm1(-2 * tight * t) / safe, 2 * t)
        # by factors: the spreads of a stiff flow differ by more than a covariance of floats can hold
        root = shrink @ law.root() if not np.any(noise) else np.hstack([shrink @ law.root(), basis * np.sqrt(noise)])
        moved = Gaussian.from_root(self.center + decay @ (law.mean() - self.center) + pull, root)
        cov = shrink @ law.cov() @ shrink + (basis * noise) @ basis.T  # at t = 0 to the bit that of the start
        return Gaussian.of_parts(moved.mean(), (cov + cov.T) / 2, moved.root())


@dataclass(frozen=True, eq=False)
class DrivenFlow(LinearFlow):
    """`LinearFlow` without attraction whose centre moves: m_t = e^(-At) m + ∫_0^t e^(-A(t-s)) A b(s) ds. Covariances do
    not feel it [docs/math.md 4].

    potential : with b(s) as `center_at(s)`; `center` is 0. The integral is taken in the eigenbasis of A, on panels that
    halve towards t, to 1e-10 of the largest |b| that is met; where b has a feature it is closed in on, if it is as wide
    as 1/500 of t.
    """

    potential: MovingQuadratic = field(kw_only=True)

    def _pull(self, t: float) -> Vector:
        """∫_0^t e^(-A(t-s)) A b(s) ds."""
        if t == 0:
            return np.zeros(len(self.matrix))
        rates, basis = np.linalg.eigh(self.matrix)
        late = t * (1 - 0.5 ** np.arange(1.0, 50.0))
        edges = np.unique(np.concatenate([np.linspace(0.0, t, 65), late]))
        scale = max(float(np.max(np.abs(self.potential.center_at(s)))) for s in edges)

        def one(rate: float, axis: Vector) -> float:
            met = scale * float(np.sum(np.abs(axis)))

            def integrand(s: Numbers, _: np.ndarray) -> Numbers:
                nonlocal met
                pull = np.array([axis @ self.potential.center_at(each) for each in np.ravel(s)])
                met = max(met, float(np.max(np.abs(pull))))
                return rate * np.exp(rate * (s - t)) * pull.reshape(s.shape)

            return integrate(integrand, edges, lambda _: (1e-14 * met, 1e-10 * met), "the pull of a moving centre")

        return basis @ np.array([one(float(rate), axis) for rate, axis in zip(rates, basis.T)])


@dataclass(frozen=True, eq=False)
class PorousMediumFlow(Value):
    """∂tρ = coefficient Δρ^m from a Barenblatt profile: the profile of time start + coefficient t [docs/math.md 1]."""

    m: float
    coefficient: float
    initial: Law

    def __post_init__(self):
        profile = self.initial.as_barenblatt()
        if profile is None or profile.m != self.m:
            raise Unsupported(
                f"The porous-medium flow with m = {self.m} is closed for Barenblatt profiles of that m, not for "
                f"{self.initial!r}. Start from one."
            )

    def __call__(self, t: float) -> Law:
        start = cast(Barenblatt, self.initial.as_barenblatt())
        return Barenblatt(start.dim, start.m, start.time + self.coefficient * elapsed(t), start.center)


@dataclass(frozen=True, eq=False)
class ContractedQuantile(Value):
    """s -> mean + shrink (Q_0(s) - mean) + (1 - shrink)(2s - 1): what W = x²/2 - |x| makes of Q_0 [docs/math.md
    2.2]."""

    initial: Law
    shrink: float

    def __call__(self, s):
        mean = self.initial.mean()[0]
        return mean + self.shrink * (self.initial.quantile(s) - mean) + (1 - self.shrink) * (2 * np.asarray(s) - 1)


@dataclass(frozen=True, eq=False)
class NewtonianFlow(Value):
    """The flow of W = x²/2 - |x| on the line, for any start: quantiles contract by e^(-t) towards the uniform law on
    mean ± 1."""

    initial: Law

    def __post_init__(self):
        if self.initial.dim != 1 or not {"quantile", "mean"} <= set(self.initial.answers()):
            raise Unsupported(
                f"The Newtonian flow needs a 1-D law with quantiles and a mean, not {self.initial!r}. Start from one."
            )

    def __call__(self, t: float) -> Law:
        return FromQuantile(ContractedQuantile(self.initial, float(np.exp(-elapsed(t)))))


@dataclass(frozen=True, eq=False)
class LogRepulsionFlow(Value):
    """W = attraction x²/2 - repulsion log|x| on the line from a semicircle: R²(t) = R∞² + (R_0² - R∞²) e^(-2
    attraction t)."""

    attraction: float
    repulsion: float
    initial: Law

    def __post_init__(self):
        if self.initial.as_semicircle() is None:
            raise Unsupported(
                f"The log-repulsion flow is closed for semicircle laws, not for {self.initial!r}. Start from "
                "Semicircle(radius)."
            )

    def __call__(self, t: float) -> Law:
        start = cast(Semicircle, self.initial.as_semicircle())
        limit = 2 * self.repulsion / self.attraction
        squared = limit + (start.radius**2 - limit) * np.exp(-2 * self.attraction * elapsed(t))
        return Semicircle(np.sqrt(squared), start.center)
