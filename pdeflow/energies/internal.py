"""Internal energies ∫U(ρ) dx: the entropy, powers of the density, their sums, and the contract for a user's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.validate import positive

if TYPE_CHECKING:
    from ..laws import Law


class InternalEnergy(ABC):
    """A convex function U of the density r, with U(0) = 0; the flow gets the diffusion Δp(ρ) with p(r) = r U'(r) - U(r).

    A subclass gives `value`, `pressure` and `conjugate`; the rest has a default. Schemes ask these questions and never
    which class an internal energy is.

    Attributes
    ----------
    exponent : float or None
        m where U(r) = c r^m/(m - 1), 1.0 where U(r) = c r log r (the limit m -> 1 up to a linear term), else None.
    coefficient : float or None
        The c of that formula, else None.
    """

    exponent: float | None = None
    coefficient: float | None = None

    @abstractmethod
    def value(self, r):
        """U(r) at densities r >= 0; any shape in, the same shape out."""

    @abstractmethod
    def pressure(self, r):
        """p(r) = r U'(r) - U(r) at densities r >= 0; any shape in, the same shape out."""

    @abstractmethod
    def conjugate(self, p):
        """U*(p) = sup over r >= 0 of p r - U(r); any shape in, the same shape out."""

    def per_mass(self, r):
        """U(r)/r, the energy per unit of mass, at densities r > 0; any shape in, the same shape out."""
        return self.value(r) / r

    def per_mass_of_log(self, log_r):
        """U(r)/r as a function of log r, which does not underflow where a law is thin."""
        return self.per_mass(np.exp(log_r))

    def terms(self) -> tuple[tuple[float, float], ...] | None:
        """U as a sum of (coefficient, exponent), each c r^m/(m - 1), or c r log r for m = 1; None if it is no such sum."""
        if self.exponent is None or self.coefficient is None:
            return None
        return ((self.coefficient, self.exponent),)

    def of_law(self, law: Law) -> Estimate:
        """∫U(ρ) dx in closed form. Raises `NotAvailable` where the law does not know its integral."""
        raise law.not_available("the integral of an internal energy of its density")

    def __add__(self, other: InternalEnergy) -> InternalEnergy:
        if not isinstance(other, InternalEnergy):
            return NotImplemented
        return SumOfEnergies((*_parts(self), *_parts(other)))


def _parts(internal: InternalEnergy) -> tuple[InternalEnergy, ...]:
    return internal.parts if isinstance(internal, SumOfEnergies) else (internal,)


@dataclass(frozen=True)
class Entropy(InternalEnergy):
    """U(r) = T r log r, which gives T Δρ in the flow.

    Parameters
    ----------
    temperature : float
        T > 0.
    """

    temperature: float = 1.0
    exponent = 1.0

    def __post_init__(self):
        positive(self.temperature, "temperature")

    @property
    def coefficient(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.temperature

    def value(self, r):
        r = np.asarray(r, dtype=float)
        return self.temperature * r * np.log(np.where(r > 0, r, 1.0))

    def pressure(self, r):
        return self.temperature * np.asarray(r, dtype=float)

    def conjugate(self, p):
        """U*(p) = T exp(p/T - 1)."""
        return self.temperature * np.exp(np.asarray(p, dtype=float) / self.temperature - 1)

    def per_mass(self, r):
        return self.temperature * np.log(r)

    def per_mass_of_log(self, log_r):
        return self.temperature * log_r

    def of_law(self, law: Law) -> Estimate:
        return Estimate(-self.temperature * law.entropy(), 0.0, "closed form", "internal energy")


@dataclass(frozen=True)
class Power(InternalEnergy):
    """U(r) = c r^m/(m - 1), which gives c Δ(ρ^m) in the flow.

    Parameters
    ----------
    m : float
        Exponent, m > 1 (m < 1, fast diffusion, where a method says that it takes it). For m = 1 use `Entropy`.
    coefficient : float
        c > 0.
    """

    m: float
    coefficient: float = 1.0  # pyright: ignore[reportIncompatibleVariableOverride]

    def __post_init__(self):
        positive(self.m, "m")
        positive(self.coefficient, "coefficient")
        if self.m == 1:
            raise BadInput(
                "m is 1. r^m/(m-1) is not defined there; its limit is the entropy. Use Entropy(temperature)."
            )

    @property
    def exponent(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.m

    def value(self, r):
        return self.coefficient / (self.m - 1) * np.asarray(r, dtype=float) ** self.m

    def pressure(self, r):
        return self.coefficient * np.asarray(r, dtype=float) ** self.m

    def conjugate(self, p):
        """U*(p) = c (p_+ (m-1)/(c m))^(m/(m-1)) for m > 1; raises `BadInput` for m < 1, where U is not bounded below."""
        if self.m < 1:
            raise BadInput(f"m is {self.m}. The conjugate of r^m/(m-1) is given for m > 1 only. Choose m > 1.")
        base = np.maximum(np.asarray(p, dtype=float), 0.0) * (self.m - 1) / (self.coefficient * self.m)
        return self.coefficient * base ** (self.m / (self.m - 1))

    def per_mass(self, r):
        return self.coefficient / (self.m - 1) * np.asarray(r, dtype=float) ** (self.m - 1)

    def per_mass_of_log(self, log_r):
        return self.coefficient / (self.m - 1) * np.exp((self.m - 1) * log_r)

    def of_law(self, law: Law) -> Estimate:
        value = self.coefficient / (self.m - 1) * law.power_integral(self.m)
        return Estimate(value, 0.0, "closed form", "internal energy")


@dataclass(frozen=True)
class SumOfEnergies(InternalEnergy):
    """U = U_1 + ... + U_k, made by `+`; parts : the internal energies that are added."""

    parts: tuple[InternalEnergy, ...]

    def value(self, r):
        return sum(part.value(r) for part in self.parts)

    def pressure(self, r):
        return sum(part.pressure(r) for part in self.parts)

    def conjugate(self, p):
        raise NotAvailable(
            f"The conjugate of {self!r} has no closed form. Entropy and Power have one. Use one of them alone."
        )

    def per_mass(self, r):
        return sum(part.per_mass(r) for part in self.parts)

    def per_mass_of_log(self, log_r):
        return sum(part.per_mass_of_log(log_r) for part in self.parts)

    def terms(self) -> tuple[tuple[float, float], ...] | None:
        found = [part.terms() for part in self.parts]
        return None if None in found else tuple(term for terms in found for term in terms)  # pyright: ignore

    def of_law(self, law: Law) -> Estimate:
        values = [part.of_law(law) for part in self.parts]
        return Estimate(sum(float(value) for value in values), 0.0, "closed form", "internal energy")
