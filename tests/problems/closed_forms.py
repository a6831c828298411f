"""Closed forms that only tests need: truths of schemes and problems that the package does not list."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from pdeflow import Unsupported
from pdeflow._core.validate import positive
from pdeflow.laws import Barenblatt, Law
from pdeflow.problems.exact_flows import elapsed


@dataclass(frozen=True, eq=False)
class ConfinedPorousMediumFlow:
    """∂tρ = coefficient Δρ^m + confinement ∇·(xρ) from a centred Barenblatt profile [docs/math.md 1.2].

    The scale obeys μ^(1/β)(t) = β c/λ + (μ_0^(1/β) - β c/λ) e^(-λt/β).
    """

    m: float
    coefficient: float
    confinement: float
    initial: Law

    def __post_init__(self):
        if not isinstance(self.initial, Barenblatt) or self.initial.m != self.m or np.any(self.initial.center):
            raise Unsupported(
                f"The confined flow with m = {self.m} is closed for centred Barenblatt profiles of that m, not for "
                f"{self.initial!r}. Start from one."
            )

    def __call__(self, t: float) -> Law:
        start = self.initial
        steady = start.beta * self.coefficient / self.confinement
        power = steady + (start.scale ** (1 / start.beta) - steady) * np.exp(
            -self.confinement * elapsed(t) / start.beta
        )
        return Barenblatt(start.dim, start.m, power, start.center)


def entropic_jko_variance(variance, rate, temperature, dt, epsilon) -> float:
    """Variance after one entropic JKO step of a centred Gaussian in dim 1 under V = rate x²/2 [docs/math.md 13.1].

    min ½∫|x-y|² dπ + epsilon ∫π log π + dt F: with c the covariance of old and new position, s² the old variance,
    1 + dt a - dt T s²/(c² + ε c) = s²/c, and the new variance is (c² + ε c)/s². For ε -> 0 it is the JKO step.
    Its stationary variance is about (T + ε/(2 dt))/a: the entropic step heats.
    """
    s2, stretch, heat = positive(variance, "variance"), 1 + dt * rate, dt * temperature
    positive(epsilon, "epsilon")

    def balance(c):  # increasing in c
        return stretch - heat * s2 / (c * c + epsilon * c) - s2 / c

    c = brentq(balance, s2 / stretch, 2 * s2 / stretch + np.sqrt(2 * heat * s2 / stretch), xtol=1e-300, rtol=1e-15)
    return float((c * c + epsilon * c) / s2)
