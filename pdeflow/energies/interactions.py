"""Interaction kernels W of the energy ½∬W(x-y) dρ dρ (the ½ is always there), even functions of z = x - y.

Every kernel has `.value(z)` (n, d) -> (n,) and `.grad(z)` (n, d) -> (n, d), numpy or torch. `.grad` is 0 at z = 0:
an even kernel exerts no force of a particle on itself. `singular` says whether W(0) is infinite.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.arrays import exp, is_tensor, log
from .._core.errors import BadInput
from .._core.lazy import missing_name
from .._core.overriding import answers_as
from .._core.validate import positive
from .._core.value import Value

Array = Any  # a numpy array or a torch tensor; answers are of the same kind


class Interaction(Value):
    """Base of all kernels. A user's object needs `value` and `grad`.

    Attributes
    ----------
    singular : bool
        Whether W(0) is infinite.
    """

    singular = False

    def value(self, z: Array) -> Array:
        """W at the differences, (n, d) -> (n,)."""
        raise NotImplementedError

    def grad(self, z: Array) -> Array:
        """∇W at the differences, (n, d) -> (n, d); 0 at z = 0."""
        raise NotImplementedError


def _power(r2, exponent):
    """r^exponent from r² >= 0, with 0 where r = 0 whatever the exponent; differentiable away from 0."""
    if exponent == 0:
        return r2 * 0 + (r2 > 0)
    safe = r2 + (r2 == 0)
    return safe ** (exponent / 2) * (r2 > 0)


@dataclass(frozen=True)
class PowerLaw(Interaction):
    """W(z) = |z|^a/a - |z|^b/b; the exponent 0 means log|z| [docs/math.md 2.1].

    Parameters
    ----------
    a, b : float, default 4.0 and 2.0
        Exponents with a > b, so that the kernel attracts at long range.
    """

    a: float = 4.0
    b: float = 2.0

    def __post_init__(self):
        if not (np.isfinite(self.a) and np.isfinite(self.b) and self.a > self.b):
            raise BadInput(
                f"a = {self.a}, b = {self.b}. The kernel attracts at long range only for a > b. Swap or change them."
            )

    @property
    def singular(self) -> bool:
        return self.b <= 0

    def value(self, z: Array) -> Array:
        if self.a <= 0 and not is_tensor(
            z
        ):  # two singular terms: at z = 0 the b term wins, W(0) = inf, where inf - inf is not
            r2 = (z * z).sum(-1)
            at_zero = r2 == 0
            away = np.where(at_zero[:, None], 1.0, z)
            return np.where(at_zero, np.inf, _term(away, self.a) - _term(away, self.b))
        return _term(z, self.a) - _term(z, self.b)

    def grad(self, z: Array) -> Array:
        r2 = (z * z).sum(-1)[:, None]
        return (_power(r2, self.a - 2) - _power(r2, self.b - 2)) * z


def _term(z, p):
    """|z|^p / p, or log|z| for p = 0 (-inf at z = 0)."""
    r2 = (z * z).sum(-1)
    if p == 0:
        if is_tensor(z):
            return log(r2) / 2
        with np.errstate(divide="ignore"):  # log 0 = -inf is the value there
            return np.log(r2) / 2
    if p < 0 and not is_tensor(z):
        with np.errstate(divide="ignore"):  # |0|^p = inf is the value there
            return r2 ** (p / 2) / p
    return r2 ** (p / 2) / p


@dataclass(frozen=True)
class QuadraticAttraction(Interaction):
    """W(z) = strength |z|²/2: pulls every law towards its mean at rate `strength`.

    Parameters
    ----------
    strength : float, default 1.0
        > 0, in 1/time.
    """

    strength: float = 1.0

    def __post_init__(self):
        positive(self.strength, "strength")

    def value(self, z: Array) -> Array:
        return self.strength * (z * z).sum(-1) / 2

    def grad(self, z: Array) -> Array:
        return self.strength * z


@dataclass(frozen=True)
class LogRepulsion(Interaction):
    """W(z) = attraction |z|²/2 - repulsion log|z|.

    In dimension 1 its equilibrium is the semicircle of radius √(2 repulsion / attraction).

    Parameters
    ----------
    attraction, repulsion : float, default 1.0
        Both > 0.
    """

    attraction: float = 1.0
    repulsion: float = 1.0
    singular = True

    def __post_init__(self):
        positive(self.attraction, "attraction")
        positive(self.repulsion, "repulsion")

    def value(self, z: Array) -> Array:
        return self.attraction * (z * z).sum(-1) / 2 - self.repulsion * _term(z, 0)

    def grad(self, z: Array) -> Array:
        r2 = (z * z).sum(-1)[:, None]
        return (self.attraction - self.repulsion * _power(r2, -2)) * z


@dataclass(frozen=True)
class GaussianAttraction(Interaction):
    """W(z) = -strength exp(-|z|²/width²).

    Parameters
    ----------
    strength : float, default 1/π
        > 0.
    width : float, default 1.0
        > 0, in units of z. The defaults are those of fan2022 (ICML) section 4.4.
    """

    strength: float = 1 / np.pi
    width: float = 1.0

    def __post_init__(self):
        positive(self.strength, "strength")
        positive(self.width, "width")

    def value(self, z: Array) -> Array:
        return -self.strength * exp(-(z * z).sum(-1) / self.width**2)

    def grad(self, z: Array) -> Array:
        return (2 * self.strength / self.width**2) * exp(-(z * z).sum(-1) / self.width**2)[:, None] * z


def power_terms(kernel: Any) -> list[tuple[float, float]] | None:
    """W as a sum of powers: [(c, p), ...] with W = Σ c |z|^p/p (c log|z| where p = 0) and ∇W = Σ c |z|^(p-2) z.

    None for a kernel that is not such a sum, and for one that answers otherwise than its class in this module.
    """
    if as_quadratic_attraction(kernel) is not None:
        return [(kernel.strength, 2)]
    if answers_as(kernel, LogRepulsion, ANSWERS):
        return [(kernel.attraction, 2), (-kernel.repulsion, 0)]
    return [(1.0, kernel.a), (-1.0, kernel.b)] if answers_as(kernel, PowerLaw, ANSWERS) else None


ANSWERS = ("value", "grad", "singular")


def as_quadratic_attraction(kernel: Any) -> QuadraticAttraction | None:
    """The kernel where it is a `QuadraticAttraction` in all that it answers, else None."""
    return kernel if answers_as(kernel, QuadraticAttraction, ANSWERS) else None


def as_gaussian_attraction(kernel: Any) -> GaussianAttraction | None:
    """The kernel where it is a `GaussianAttraction` in all that it answers, else None."""
    return kernel if answers_as(kernel, GaussianAttraction, ANSWERS) else None


__all__ = ["GaussianAttraction", "Interaction", "LogRepulsion", "PowerLaw", "QuadraticAttraction", "power_terms"]


def require_even(kernel: Any, dim: int, size: float) -> None:
    """`BadInput` where a user's kernel is not even, seen at 32 points z (n, dim) of lengths about `size` (units of x).

    A grad that is not odd is found too. Built-in kernels are even and are not asked.
    """
    if kernel is None or power_terms(kernel) is not None:
        return
    directions = np.sin(np.arange(1.0, 32 * dim + 1).reshape(32, dim))  # of no symmetry
    z = size * np.geomspace(1e-2, 10.0, 32)[:, None] * directions
    for name, sign in (("value", 1.0), ("grad", -1.0)):
        function = getattr(kernel, name, None)
        if not callable(function):
            continue
        with np.errstate(all="ignore"):  # what is not finite is named where it is met
            here, there = (np.asarray(function(points), dtype=float).reshape(32, -1) for points in (z, -z))
        off = np.abs(here - sign * there).max(axis=1)
        # odd parts of 1e-9 of the answer itself are round-off of the user's formula
        bad = off > 1e-9 * np.maximum(np.abs(here), np.abs(there)).max(axis=1)
        if bad.any():
            i = int(np.argmax(bad))
            raise BadInput(
                f"The kernel's {name} is {here[i].tolist()} at z = {z[i].tolist()} and {there[i].tolist()} at -z. The "
                "energy has W(x - y) for each pair in both orders, so W must be even and its gradient odd. Pass "
                "(W(z) + W(-z))/2, which has the same energy."
            )


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
