"""Internal energies ∫U(ρ) dx: the entropy, powers of the density, their sums, and the contract for a user's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate, together
from .._core.overriding import forget_shortcuts
from .._core.validate import positive
from .._core.value import Value

if TYPE_CHECKING:
    from ..laws import Law

Reals = np.ndarray | float | int  # a number or an array of any shape; answers have the same shape
EPS = float(np.finfo(float).eps)
SMALLEST, LARGEST = 1e-300, 1e300  # densities between which U'(r) = p is solved


class InternalEnergy(Value, ABC):
    """A convex function U of the density r, with U(0) = 0: the internal energy of a law ρ is ∫U(ρ) dx.

    The flow gets the diffusion Δp(ρ) with the pressure p(r) = r U'(r) - U(r). Schemes ask the questions below and never
    which class an internal energy is. A subclass must give `value` and `pressure`; all other questions have a default,
    which is exact where it answers, or raises an error that names the method to add.

    Notes
    -----
    Two internal energies are added with `+`, and the sum answers what its parts answer.
    """

    def __init_subclass__(cls, **kwargs):
        """A subclass that overrides an answer loses the closed forms which it inherits and which rest on that answer.

        They become the defaults, which ask `value` and `pressure`.
        """
        super().__init_subclass__(**kwargs)
        follows = ("derivative", "second_derivative", "conjugate", "conjugate_derivative")
        forms = ("per_mass", "per_mass_of_log")
        forget_shortcuts(cls, InternalEnergy, ("value", "pressure"), (*follows, *forms))
        answers = ("value", "pressure", *follows, *forms)
        forget_shortcuts(cls, InternalEnergy, answers, ("terms", "exponent", "coefficient", "of_law"))

    @property
    def exponent(self) -> float | None:
        """m where U(r) = c r^m/(m - 1), 1.0 where U(r) = c r log r (its limit up to a linear term), else None."""
        terms = self.terms()
        return terms[0][1] if terms is not None and len(terms) == 1 else None

    @property
    def coefficient(self) -> float | None:
        """The c of the formula of `exponent`; for the entropy it is the temperature. None where `exponent` is None."""
        terms = self.terms()
        return terms[0][0] if terms is not None and len(terms) == 1 else None

    @abstractmethod
    def value(self, r: Reals) -> Reals:
        """U(r) at densities r >= 0; any shape in, the same shape out."""

    @abstractmethod
    def pressure(self, r: Reals) -> Reals:
        """p(r) = r U'(r) - U(r) at densities r >= 0; any shape in, the same shape out."""

    def derivative(self, r: Reals) -> Reals:
        """U'(r) = (U(r) + p(r))/r at densities r > 0; any shape in, the same shape out."""
        return (self.value(r) + self.pressure(r)) / r

    def second_derivative(self, r: Reals) -> Reals:
        """U''(r) = p'(r)/r at densities r > 0, the sum of c m r^(m - 2) over `terms`; any shape in, the same shape out.

        Raises
        ------
        NotAvailable
            Where U is not a sum of powers and its class has no `second_derivative` of its own.
        """
        terms = self.terms()
        if terms is None:
            raise self._lacks("second_derivative", "second_derivative(r), the array U''(r)")
        r = np.asarray(r, dtype=float)
        return sum((c / r if m == 1 else c * m * r ** (m - 2) for c, m in terms), np.zeros(r.shape))

    def conjugate(self, p: Reals) -> Reals:
        """U*(p) = sup over r >= 0 of p r - U(r); any shape in, the same shape out.

        The default solves U'(r) = p to round-off by `conjugate_derivative`. Since the supremum is then p r - U(r), an
        error of r enters squared.
        """
        p = np.asarray(p, dtype=float)
        r = np.asarray(self.conjugate_derivative(p))
        inside = (r > 0) & np.isfinite(r)
        safe = np.where(inside, r, 1.0)
        answer = self.pressure(safe) + safe * (p - self.derivative(safe))
        return np.where(inside, answer, np.where(r > 0, np.inf, 0.0))

    def conjugate_derivative(self, p: Reals) -> Reals:
        """The density r >= 0 at which p r - U(r) is largest, which is the derivative of U* at p.

        It solves U'(r) = p; it is 0 where p lies below all slopes of U and inf where it lies above them all.
        """
        p = np.asarray(p, dtype=float)
        return _solve_slope(self, p.ravel()).reshape(p.shape)

    def per_mass(self, r: Reals) -> Reals:
        """U(r)/r, the energy per unit of mass, at densities r > 0; any shape in, the same shape out."""
        return self.value(r) / r

    def per_mass_of_log(self, log_r: Reals) -> Reals:
        """U(r)/r as a function of log r, which does not underflow where a law is thin."""
        return self.per_mass(np.exp(log_r))

    def terms(self) -> tuple[tuple[float, float], ...] | None:
        """U as a sum of powers: pairs (c, m), each for c r^m/(m - 1), or c r log r where m = 1; None if it is none."""
        return None

    def of_law(self, law: Law) -> Estimate:
        """∫U(ρ) dx of a law in closed form.

        Raises
        ------
        NotAvailable
            Where the law or the internal energy knows no closed form; `Energy.evaluate` then integrates.
        """
        raise self._lacks("of_law", f"of_law(law) -> Estimate for {law!r}, or let Energy.evaluate integrate")

    def _lacks(self, question: str, cure: str) -> NotAvailable:
        return NotAvailable(
            f"{type(self).__name__} does not answer {question!r}. It answers value, pressure and what follows from "
            f"them. Give it {cure}."
        )

    def __add__(self, other: InternalEnergy) -> SumOfEnergies:
        if not isinstance(other, InternalEnergy):
            return NotImplemented
        return SumOfEnergies((*_parts(self), *_parts(other)))


def _parts(internal: InternalEnergy) -> tuple[InternalEnergy, ...]:
    """The summands of a sum, or the internal energy itself."""
    return internal.parts if isinstance(internal, SumOfEnergies) else (internal,)


def _solve_slope(internal: InternalEnergy, p: np.ndarray) -> np.ndarray:
    """The densities r (k,) with U'(r) = p (k,), by Newton's method in log r inside a bracket.

    A density is accepted where U'(r) - p is round-off, or where its bracket is no wider than round-off, which every
    fourth step, a bisection, brings about.
    """
    low, high = np.full(p.shape, SMALLEST), np.full(p.shape, LARGEST)
    with np.errstate(all="ignore"):  # slopes overflow towards the ends of the bracket, which `_slope` allows for
        below, above = _slope(internal, low) > p, _slope(internal, high) < p
        r = np.where(below, 0.0, np.where(above, np.inf, 1.0))
        left, iteration = np.flatnonzero(~below & ~above), 0
        while len(left) > 0:
            at, iteration = r[left], iteration + 1
            excess = _slope(internal, at) - p[left]
            low[left] = np.where(excess <= 0, at, low[left])
            high[left] = np.where(excess >= 0, at, high[left])
            step = at * np.exp(-excess / (at * _curvature(internal, at)))
            middle = np.sqrt(low[left]) * np.sqrt(high[left])
            inside = (step > low[left]) & (step < high[left]) & (iteration % 4 != 0)
            narrow = (high[left] - low[left] <= 2 * EPS * high[left]) | (middle <= low[left]) | (middle >= high[left])
            done = narrow | (np.abs(excess) <= 2 * EPS * np.abs(p[left]))
            r[left] = np.where(done, at, np.where(inside, step, middle))
            left = left[~done]
    return r


def _slope(internal: InternalEnergy, r: np.ndarray) -> np.ndarray:
    """U'(r), where an overflow beyond r = 1 counts as inf and a failure below it as -inf."""
    slope = np.asarray(internal.derivative(r))
    return np.where(np.isnan(slope), np.where(r > 1, np.inf, -np.inf), slope)


def _curvature(internal: InternalEnergy, r: np.ndarray) -> np.ndarray:
    """U''(r), by central differences where the internal energy does not answer: only Newton's speed depends on it."""
    try:
        return np.asarray(internal.second_derivative(r))
    except NotAvailable:
        step = 1e-6 * r
        return (np.asarray(internal.derivative(r + step)) - np.asarray(internal.derivative(r - step))) / (2 * step)


@dataclass(frozen=True)
class Entropy(InternalEnergy):
    """U(r) = T r log r, which gives T Δρ in the flow.

    Parameters
    ----------
    temperature : float
        T > 0.
    """

    temperature: float = 1.0

    def __post_init__(self):
        positive(self.temperature, "temperature")

    def terms(self) -> tuple[tuple[float, float], ...]:
        return ((float(self.temperature), 1.0),)

    def value(self, r: Reals) -> Reals:
        r = np.asarray(r, dtype=float)
        return self.temperature * r * np.log(np.where(r > 0, r, 1.0))

    def pressure(self, r: Reals) -> Reals:
        return self.temperature * np.asarray(r, dtype=float)

    def derivative(self, r: Reals) -> Reals:
        return self.temperature * (np.log(r) + 1)

    def conjugate(self, p: Reals) -> Reals:
        """U*(p) = T exp(p/T - 1)."""
        return self.temperature * np.exp(np.asarray(p, dtype=float) / self.temperature - 1)

    def conjugate_derivative(self, p: Reals) -> Reals:
        return np.exp(np.asarray(p, dtype=float) / self.temperature - 1)

    def per_mass(self, r: Reals) -> Reals:
        return self.temperature * np.log(r)

    def per_mass_of_log(self, log_r: Reals) -> Reals:
        return self.temperature * log_r

    def of_law(self, law: Law) -> Estimate:
        return Estimate(-self.temperature * law.entropy(), 0.0, "closed form", "internal energy")


@dataclass(frozen=True)
class Power(InternalEnergy):
    """U(r) = c r^m/(m - 1), which gives c Δ(ρ^m) in the flow.

    Parameters
    ----------
    m : float
        Exponent, > 1. Fast diffusion, 0 < m < 1, is accepted here and by the methods that say so. For m = 1 use
        `Entropy`.
    coefficient : float
        c > 0.

    Raises
    ------
    BadInput
        Where m or the coefficient is not positive, or m is 1.
    """

    m: float
    coefficient: float = 1.0

    def __post_init__(self):
        positive(self.m, "m")
        positive(self.coefficient, "coefficient")
        if self.m == 1:
            raise BadInput(
                "m is 1. r^m/(m-1) is not defined there; its limit is the entropy. Use Entropy(temperature)."
            )

    def terms(self) -> tuple[tuple[float, float], ...]:
        return ((float(self.coefficient), float(self.m)),)

    def value(self, r: Reals) -> Reals:
        return self.coefficient / (self.m - 1) * np.asarray(r, dtype=float) ** self.m

    def pressure(self, r: Reals) -> Reals:
        return self.coefficient * np.asarray(r, dtype=float) ** self.m

    def derivative(self, r: Reals) -> Reals:
        return self.coefficient * self.m / (self.m - 1) * np.asarray(r, dtype=float) ** (self.m - 1)

    def conjugate(self, p: Reals) -> Reals:
        """U*(p) = c (p (m-1)/(c m))^(m/(m-1)) where p (m-1) > 0; elsewhere 0 for m > 1 and inf for m < 1."""
        if self.m < 1:
            return self.pressure(self.conjugate_derivative(p))
        base = np.maximum(np.asarray(p, dtype=float), 0.0) * (self.m - 1) / (self.coefficient * self.m)
        return self.coefficient * base ** (self.m / (self.m - 1))

    def conjugate_derivative(self, p: Reals) -> Reals:
        base = np.maximum(np.asarray(p, dtype=float) * (self.m - 1), 0.0) / (self.coefficient * self.m)
        if self.m > 1:
            return base ** (1 / (self.m - 1))
        return np.where(base > 0, np.where(base > 0, base, 1.0) ** (1 / (self.m - 1)), np.inf)

    def per_mass(self, r: Reals) -> Reals:
        return self.coefficient / (self.m - 1) * np.asarray(r, dtype=float) ** (self.m - 1)

    def per_mass_of_log(self, log_r: Reals) -> Reals:
        return self.coefficient / (self.m - 1) * np.exp((self.m - 1) * np.asarray(log_r, dtype=float))

    def of_law(self, law: Law) -> Estimate:
        value = self.coefficient / (self.m - 1) * law.power_integral(self.m)
        return Estimate(value, 0.0, "closed form", "internal energy")


@dataclass(frozen=True)
class SumOfEnergies(InternalEnergy):
    """U = U_1 + ... + U_k, made by `+`: `Entropy(0.5) + Power(2)`.

    Parameters
    ----------
    parts : tuple of InternalEnergy
        The internal energies that are added.
    """

    parts: tuple[InternalEnergy, ...]

    def value(self, r: Reals) -> Reals:
        return sum(part.value(r) for part in self.parts)

    def pressure(self, r: Reals) -> Reals:
        return sum(part.pressure(r) for part in self.parts)

    def derivative(self, r: Reals) -> Reals:
        return sum(part.derivative(r) for part in self.parts)

    def second_derivative(self, r: Reals) -> Reals:
        return sum(part.second_derivative(r) for part in self.parts)

    def per_mass(self, r: Reals) -> Reals:
        return sum(part.per_mass(r) for part in self.parts)

    def per_mass_of_log(self, log_r: Reals) -> Reals:
        return sum(part.per_mass_of_log(log_r) for part in self.parts)

    def terms(self) -> tuple[tuple[float, float], ...] | None:
        """The terms of all parts, those of one exponent added up, in order of first appearance."""
        total: dict[float, float] = {}
        for part in self.parts:
            terms = part.terms()
            if terms is None:
                return None
            for c, m in terms:
                total[m] = total.get(m, 0.0) + c
        return tuple((c, m) for m, c in total.items())

    def of_law(self, law: Law) -> Estimate:
        """The sum of the parts' own; standard errors add in absolute value, as one cloud may lie behind all of them."""
        found = [part.of_law(law) for part in self.parts]
        stderr = float(sum(each.stderr for each in found))
        return Estimate(
            sum(each.value for each in found), stderr, together(each.how for each in found), "internal energy"
        )
