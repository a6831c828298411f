"""The test functions h of the variational formulas: a closed part that follows the law, and a network.

Every convex U has ∫U(ρ) dx = sup over densities g of E_ρ U'(g) - ∫p(g) dx, p the pressure, with equality for g = ρ; the
formulas of [fan2022iclr] are those of the entropy and of one power (docs/math.md 5). With z = L⁻¹(x - mean), the mean
and L Lᵀ = the covariance of the present law, the density g that stands for h is

    with an entropy term:   log g = -½|z|² + N(z) + const, the reference being the Gaussian,
    for one power m > 1:    g^(m-1) = (g₀(1 - |z|²/R²) + g₀N(z))₊ |det L|^(1-m), the reference being balls,

with g₀ and R those of the Barenblatt profile with covariance I. With N = 0 these are the best test functions among all
quadratic ones, of the entropy and of the power: both conditions of optimality say that moments agree. So Gaussian and
Barenblatt flows have their exact test function in closed form, and the network learns only what the law differs by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import log, pi

import numpy as np

from ..._core.errors import Unsupported
from ..._core.shapes import Matrix, Points, Values, Vector
from ...energies.internal import InternalEnergy
from ...laws import Barenblatt, Law
from ..maps.tanh_network import evaluate, evaluate_with_gradient
from .nested_balls import NestedBalls, ball_volume
from .perceptron import Pairs


class Profile:
    """The Barenblatt profile of covariance I: ρ^(m-1) = peak (1 - |z|²/radius²)₊ [docs/math.md 1]."""

    def __init__(self, dim: int, m: float):
        law = Barenblatt(dim, m, 1.0)
        shrink = np.sqrt(dim / law.second_moment)
        self.m = m
        self.radius = float(law.radius * shrink)
        self.peak = float(law.constant * shrink ** (-dim * (m - 1)))
        self.power_integral = law.power_integral(m) * shrink ** (dim * (1 - m))


class TestFamily:
    """Which test functions an internal energy is bounded with, by the terms it is a sum of.

    Attributes
    ----------
    temperature : float
        T, the sum of the coefficients of T r log r; 0 without an entropy term.
    powers : tuple of (float, float)
        (c, m) of the terms c r^m/(m - 1), one for each m.
    profile : Profile or None
        That of the only power where there is no entropy term.

    Raises
    ------
    Unsupported
        For an internal energy that is no sum of an entropy and powers m > 1, or a sum of several powers alone.
    """

    __test__ = False  # no test case, whatever pytest makes of the name

    def __init__(self, internal: InternalEnergy, dim: int):
        terms = internal.terms()
        if terms is None or any(m < 1 for _, m in terms):
            raise Unsupported(
                "VariationalJKO needs an internal energy that is a sum of Entropy and Power(m) with m > 1, got "
                f"{internal!r}. "
                "Use these; an internal energy of one's own says in terms() which of them it is the sum of."
            )
        self.dim = dim
        self.temperature = float(sum(c for c, m in terms if m == 1))
        exponents = sorted({m for _, m in terms if m != 1})
        self.powers = tuple((float(sum(c for c, m in terms if m == power)), power) for power in exponents)
        if not self.temperature and len(self.powers) > 1:
            raise Unsupported(
                "VariationalJKO has no test functions for a sum of several powers without an entropy, got "
                f"{internal!r}. "
                "Possible are one power, and any sum with an entropy. Use QuantileJKO on the line, or add an Entropy."
            )
        self.profile = None if self.temperature else Profile(dim, exponents[0])

    def quadratic_suffices(self, law: Law) -> bool:
        """Whether the best test function of the law has N = 0: a Gaussian, or a Barenblatt profile of the same m."""
        if self.profile is None:
            return law.as_gaussian() is not None
        barenblatt = law.as_barenblatt()
        return barenblatt is not None and barenblatt.m == self.profile.m

    def balls_around(self, x: Points, center: Vector, cov: Matrix, margin: float) -> NestedBalls | None:
        """Balls in whitened coordinates, `margin` times as wide as the points x of a law and the profile.

        None with an entropy, whose reference is the Gaussian.
        """
        if self.profile is None:
            return None
        z = np.linalg.solve(np.linalg.cholesky(cov), (x - center).T)
        radius = self.profile.radius
        return NestedBalls(len(center), margin * radius, margin * max(float(np.sqrt((z * z).sum(0).max())), radius))


@dataclass(frozen=True, eq=False)
class TestFunction:
    """A trained test function, in numpy.

    Parameters
    ----------
    internal : InternalEnergy
        The one that is bounded.
    center : (d,) array
        Mean of the law that it was trained on.
    root : (d, d) array
        L, lower triangular: Cholesky factor of the covariance of that law.
    layers : tuple of pairs of arrays
        ((w, b), ...) of the network, () for none.
    balls : NestedBalls or None
        In z, where the reference of Proposition 2 lies; None with an entropy, whose reference μ is N(center, L Lᵀ).
    """

    internal: InternalEnergy
    center: Vector
    root: Matrix
    layers: Pairs = field(repr=False)
    balls: NestedBalls | None = None

    __test__ = False  # no test case, whatever pytest makes of the name

    @property
    def dim(self) -> int:
        return len(self.center)

    @cached_property
    def family(self) -> TestFamily:
        """The kind of test function that it is."""
        return TestFamily(self.internal, self.dim)

    @property
    def volume(self) -> float:
        """Ω of Proposition 2."""
        assert self.balls is not None
        return ball_volume(self.dim, self.balls.outer) * float(np.prod(np.diag(self.root)))

    def whiten(self, x: Points) -> Points:
        """z, (n, d) -> (n, d)."""
        return np.linalg.solve(self.root, (np.asarray(x, dtype=float) - self.center).T).T

    def log_density(self, x: Points) -> Values:
        """log g, (n, d) -> (n,): the log of hμ or h/Ω; -inf where h is zero. g need not integrate to one."""
        return self._log_density(self.whiten(x)) - np.sum(np.log(np.diag(self.root)))

    def score(self, x: Points) -> Points:
        """∇ log g, (n, d) -> (n, d); for one power ∇ of g^(m-1)."""
        z = self.whiten(x)
        slope = evaluate_with_gradient(self.layers, z)[1] if self.layers else 0.0
        profile = self.family.profile
        if profile is None:
            return (slope - z) @ np.linalg.inv(self.root)
        scale = profile.peak * np.prod(np.diag(self.root)) ** (1 - profile.m)
        return scale * (slope - 2 * z / profile.radius**2) @ np.linalg.inv(self.root)

    def ratio(self, x: Points) -> Values:
        """h itself, (n, d) -> (n,): g/μ with an entropy, Ωg for one power, to compare with the true density ratio."""
        if self.family.profile is None:
            return np.exp(self._network(self.whiten(x)))
        return self.volume * np.exp(self.log_density(x))

    def _network(self, z):
        return evaluate(self.layers, z)[:, 0] if self.layers else np.zeros(len(z))

    def _log_density(self, z):
        square, profile = (z * z).sum(-1), self.family.profile
        if profile is None:
            return self._network(z) - square / 2 - self.dim / 2 * log(2 * pi)
        assert self.balls is not None
        inner = np.where(square <= self.balls.outer**2, 1 - square / profile.radius**2 + self._network(z), 0.0)
        with np.errstate(divide="ignore"):  # h = 0 has log -inf
            return np.log(profile.peak * np.maximum(inner, 0.0)) / (profile.m - 1)

    def at_law(self, x: Points) -> Values:
        """What is averaged over the law, (n, d) -> (n,): T log g + Σ c m/(m-1) g^(m-1)."""
        log_density = self.log_density(x)
        out = self.family.temperature * log_density if self.family.temperature else np.zeros(len(log_density))
        for c, m in self.family.powers:
            out = out + c * m / (m - 1) * np.exp((m - 1) * log_density)
        return out

    def at_reference(self, rng: np.random.Generator, n: int) -> tuple[float, float]:
        """(what the reference takes off, its standard error): ∫(T(g - μ) + Σ c g^m) dx.

        The network's share is estimated by n draws of the reference, the quadratic's is in closed form.
        """
        if self.family.profile is None:
            return self._at_gaussian(rng, n)
        (c, m), profile = self.family.powers[0], self.family.profile
        scale = c * np.prod(np.diag(self.root)) ** (1 - m)
        if not self.layers:
            return scale * profile.power_integral, 0.0
        assert self.balls is not None
        z, weights = self.balls.draw(rng, n)
        plain = profile.peak * np.maximum(1 - (z * z).sum(-1) / profile.radius**2, 0.0)
        share = np.exp(m * self._log_density(z)) - plain ** (m / (m - 1))
        share *= n * weights
        return scale * (profile.power_integral + share.mean()), scale * share.std() / np.sqrt(n)

    def _at_gaussian(self, rng, n):
        dim, size = self.dim, np.sum(np.log(np.diag(self.root)))
        # of the quadratic alone: ∫μ^m dx = m^(-d/2) ((2π)^(d/2) det L)^(1-m)
        closed = sum(
            c * np.exp((1 - m) * (dim / 2 * log(2 * pi) + size)) * m ** (-dim / 2) for c, m in self.family.powers
        )
        if not self.layers:
            return float(closed), 0.0
        z = rng.standard_normal((n, dim))
        network = self._network(z)
        temperature, share = self.family.temperature, np.expm1(network)
        log_reference = -(z * z).sum(-1) / 2 - dim / 2 * log(2 * pi) - size
        for c, m in self.family.powers:
            share = share + c / temperature * np.exp((m - 1) * log_reference) * np.expm1(m * network)
        return closed + temperature * share.mean(), temperature * share.std() / np.sqrt(n)
