"""The test function h of the variational formulas: a closed quadratic part that follows the law, and a network.

Entropy: log h μ = -½|z|² + N(z) + const with z = L⁻¹(x - mean), the mean and L Lᵀ = the covariance of the present law. Power m: the density to the power m - 1 is
(g₀(1 - |z|²/R²) + g₀N(z))₊ |det L|^(1-m), where g₀ and R are those of the Barenblatt profile with covariance I. With N = 0 these
are the best test functions among all quadratic ones: both conditions of optimality say that moments agree. So Gaussian and Barenblatt flows have
their exact test function in closed form, and the network learns only what the law differs by.
"""

from dataclasses import dataclass, field
from math import log, pi

import numpy as np

from ...energies.internal import Entropy
from ...laws import Barenblatt
from ..maps.tanh_network import evaluate, evaluate_with_gradient
from .balls import Balls, ball_volume


class Profile:
    """The Barenblatt profile of covariance I: ρ^(m-1) = peak (1 - |z|²/radius²)₊ [docs/math.md 1]."""

    def __init__(self, dim, m):
        law = Barenblatt(dim, m, 1.0)
        shrink = np.sqrt(dim / law.second_moment)
        self.radius = float(law.radius * shrink)
        self.peak = float(law.constant * shrink ** (-dim * (m - 1)))
        self.power_integral = law.power_integral(m) * shrink ** (dim * (1 - m))


@dataclass(frozen=True, eq=False)
class TestFunction:
    """A trained test function, numpy.

    internal : Entropy or Power. center : (d,), root : L (d, d), lower triangular. layers : of the network, or () for none. balls : in z, where the
    reference of Proposition 2 lies; None for Entropy, whose reference μ is N(center, L Lᵀ).
    """

    internal: object
    center: np.ndarray
    root: np.ndarray
    layers: tuple = field(repr=False)
    balls: Balls | None = None

    __test__ = False  # no test case, whatever pytest makes of the name

    @property
    def dim(self):
        return len(self.center)

    @property
    def volume(self):
        """Ω of Proposition 2."""
        return ball_volume(self.dim, self.balls.outer) * float(np.prod(np.diag(self.root)))

    def whiten(self, x):
        """z, (n, d) -> (n, d)."""
        return np.linalg.solve(self.root, (np.asarray(x, dtype=float) - self.center).T).T

    def log_density(self, x):
        """log(h μ) or log(h/Ω): the log density that h stands for, (n, d) -> (n,); -inf where h is zero. It need not integrate to one."""
        return self._log_density(self.whiten(x)) - np.sum(np.log(np.diag(self.root)))

    def score(self, x):
        """∇ log of that density, (n, d) -> (n, d); for Power ∇ of the density to the power m - 1."""
        z = self.whiten(x)
        slope = evaluate_with_gradient(self.layers, z)[1] if self.layers else 0.0
        if isinstance(self.internal, Entropy):
            return (slope - z) @ np.linalg.inv(self.root)
        profile = Profile(self.dim, self.internal.m)
        scale = profile.peak * np.prod(np.diag(self.root)) ** (1 - self.internal.m)
        return scale * (slope - 2 * z / profile.radius**2) @ np.linalg.inv(self.root)

    def ratio(self, x):
        """h itself, (n, d) -> (n,): P/μ for Entropy, ΩP for Power, to compare with the true density ratio."""
        if isinstance(self.internal, Entropy):
            z = self.whiten(x)
            return np.exp(self._network(z))
        return self.volume * np.exp(self.log_density(x))

    def _network(self, z):
        return evaluate(self.layers, z)[:, 0] if self.layers else np.zeros(len(z))

    def _log_density(self, z):
        square = (z * z).sum(-1)
        if isinstance(self.internal, Entropy):
            return self._network(z) - square / 2 - self.dim / 2 * log(2 * pi)
        profile, m = Profile(self.dim, self.internal.m), self.internal.m
        inner = np.where(square <= self.balls.outer**2, 1 - square / profile.radius**2 + self._network(z), 0.0)
        with np.errstate(divide="ignore"):  # h = 0 has log -inf
            return np.log(profile.peak * np.maximum(inner, 0.0)) / (m - 1)

    def at_law(self, x):
        """What is averaged over the law, (n, d) -> (n,)."""
        if isinstance(self.internal, Entropy):
            return self.internal.temperature * self.log_density(x)
        m = self.internal.m
        return self.internal.coefficient * m / (m - 1) * np.exp((m - 1) * self.log_density(x))

    def at_reference(self, rng, n):
        """(what the reference takes off, its standard error): the network's share by n draws, the quadratic's in closed form."""
        internal, dim = self.internal, self.dim
        if isinstance(internal, Entropy):
            share = np.expm1(self._network(rng.standard_normal((n, dim)))) if self.layers else np.zeros(2)
            return internal.temperature * share.mean(), internal.temperature * share.std() / np.sqrt(len(share))
        profile, m = Profile(dim, internal.m), internal.m
        scale = internal.coefficient * np.prod(np.diag(self.root)) ** (1 - m)
        if not self.layers:
            return scale * profile.power_integral, 0.0
        z, weights = self.balls.draw(rng, n)
        plain = profile.peak * np.maximum(1 - (z * z).sum(-1) / profile.radius**2, 0.0)
        share = np.exp(m * self._log_density(z)) - plain ** (m / (m - 1))
        share *= n * weights
        return scale * (profile.power_integral + share.mean()), scale * share.std() / np.sqrt(n)


def balls_around(x, center, cov, internal, margin):
    """The Balls, in whitened coordinates, that hold the points x (n, d) of a law and the profile of Power(m), each with room: `margin` times as wide."""
    z = np.linalg.solve(np.linalg.cholesky(cov), (x - center).T)
    radius = Profile(len(center), internal.m).radius
    return Balls(len(center), margin * radius, margin * max(float(np.sqrt((z * z).sum(0).max())), radius))
