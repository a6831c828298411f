"""PushForward: a base law moved by invertible maps."""

import numpy as np

from ..arrays import points
from ..errors import BadInput, NotAvailable
from ..laws import Law
from ..laws.base import levels
from ..laws.quantiles import graded_rule
from .convex_map import log_determinant


class PushForward(Law):
    """The law of T_k(... T_1(x)), x ~ base.

    base : a Law. maps : sequence of maps with `value_and_hessian(x)` (value (n, d), Jacobian (n, d, d) symmetric positive
    definite) and `inverse(y)`. log ρ(T(x)) = log ρ_base(x) - Σ log det ∇T_i. On the line the maps increase, so the quantile
    function is T(Q_base(u)) exactly, and mean and cov are integrals over the level; in higher dimension they are not
    available in closed form (sample instead).
    """

    def __init__(self, base, maps=()):
        if not isinstance(base, Law):
            raise BadInput(f"base is {base!r}. It must be a Law. Take one of pdeflow.laws.")
        self.base, self.maps, self.dim = base, tuple(maps), base.dim

    def push(self, x):
        """T(x), (n, d) -> (n, d)."""
        for move in self.maps:
            x = move(x)
        return x

    def sample(self, n, rng):
        return self.push(self.base.sample(n, rng))

    def sample_with_log_density(self, n, rng):
        x, log_density = self.base.sample_with_log_density(n, rng)
        for move in self.maps:
            x, hessian = move.value_and_hessian(x)
            log_density = log_density - log_determinant(hessian)
        return x, log_density

    def log_density(self, x):
        """By inverting the maps; raises `NotConverged` with the residual where an inversion fails."""
        x, volume = points(x, self.dim), 0.0
        for move in reversed(self.maps):
            x = move.inverse(x)
            volume = volume + log_determinant(move.value_and_hessian(x)[1])
        return self.base.log_density(x) - volume

    def quantile(self, u):
        self._line("quantile")
        u = levels(u)
        start = np.ravel(self.base.quantile(u))
        finite = np.isfinite(start)
        start[finite] = self.push(start[finite][:, None])[:, 0]
        return start.reshape(u.shape)

    def cdf(self, x):
        self._line("cdf")
        x = np.asarray(x, dtype=float)
        start = x.reshape(-1, 1)
        for move in reversed(self.maps):
            start = move.inverse(start)
        return self.base.cdf(start[:, 0]).reshape(x.shape)

    def mean(self):
        if not self.maps:
            return self.base.mean()
        self._line("mean")
        u, weight = graded_rule()
        return np.array([weight @ self.quantile(u)])

    def cov(self):
        if not self.maps:
            return self.base.cov()
        self._line("cov")
        u, weight = graded_rule()
        return np.array([[weight @ (self.quantile(u) - self.mean()) ** 2]])

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"PushForward has dim {self.dim}; {question!r} is closed in dim 1 only. It answers sample, sample_with_log_density and "
                "log_density. Estimate from a sample: Particles(law.sample(n, rng))."
            )

    def __repr__(self):
        return f"PushForward({self.base!r}, maps={len(self.maps)})"
