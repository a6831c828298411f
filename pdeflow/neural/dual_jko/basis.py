"""The functions of which a dual potential is a sum: linear and quadratic ones, and Gaussian bumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._core.shapes import Matrix, Numbers, Points, Row, Values, Vector


@dataclass(frozen=True, eq=False)
class Basis:
    """u_i, u_i u_j for i <= j, and exp(-|u - c_p|²/(2 w²)) in the coordinates u = S (x - m) of a law.

    Parameters
    ----------
    center : (d,)
        m.
    whitening : (d, d)
        S, which makes the covariance of the law the identity.
    bumps : (p, d)
        The c_p, in the coordinates u.
    width : float
        w, in deviations of the law.
    """

    center: Vector
    whitening: Matrix
    bumps: Points
    width: float

    @property
    def quadratics(self) -> int:
        """How many functions are linear or quadratic; they come first."""
        d = len(self.center)
        return d + d * (d + 1) // 2

    @property
    def size(self) -> int:
        """How many functions there are."""
        return self.quadratics + len(self.bumps)

    def values(self, x: Points) -> Numbers:
        """The functions at the points x (n, d), as (n, size)."""
        u = self._local(x)
        d = u.shape[1]
        out = np.empty((len(u), self.size))
        out[:, :d] = u
        k = d
        for i in range(d):
            np.multiply(u[:, i : i + 1], u[:, i:], out=out[:, k : k + d - i])
            k += d - i
        if len(self.bumps):
            out[:, k:] = self._bumps_at(u)
        return out

    def combined(self, x: Points, weights: Row) -> Values:
        """Σ_k weights_k f_k at the points x (n, d)."""
        u = self._local(x)
        linear, matrix, heights = self._split(weights)
        out = u @ linear + 0.5 * np.einsum("ni,ij,nj->n", u, matrix, u)
        return out + self._bumps_at(u) @ heights if len(self.bumps) else out

    def gradient(self, x: Points, weights: Row) -> Points:
        """∇ Σ_k weights_k f_k at the points x (n, d)."""
        u = self._local(x)
        linear, matrix, heights = self._split(weights)
        slope = linear + u @ matrix
        if len(self.bumps):
            pull = self._bumps_at(u) * (heights / self.width**2)
            slope += pull @ self.bumps - pull.sum(axis=1)[:, None] * u
        return slope @ self.whitening

    def bump_gradient(self, x: Points, weights: Row) -> Points:
        """The gradient of the bumps alone at the points x (n, d)."""
        alone = np.where(np.arange(self.size) < self.quadratics, 0.0, weights)
        return self.gradient(x, alone)

    def quadratic_part(self, weights: Row) -> tuple[Vector, Matrix]:
        """(b, Q) with the gradient b + Q x of the linear and quadratic functions."""
        linear, matrix, _ = self._split(weights)
        hessian = self.whitening.T @ matrix @ self.whitening
        return self.whitening.T @ linear - hessian @ self.center, hessian

    def curvature(self, x: Points, weights: Row) -> Values:
        """The second derivative of Σ_k weights_k f_k at the points x (n, 1) of the line."""
        u = self._local(x)
        _, matrix, heights = self._split(weights)
        out = np.full(len(u), matrix[0, 0])
        if len(self.bumps):
            gap = (u - self.bumps[:, 0]) ** 2 / self.width**2
            out += (np.exp(-gap / 2) * (gap - 1)) @ heights / self.width**2
        return out * self.whitening[0, 0] ** 2

    def _local(self, x):
        return (np.asarray(x, dtype=float) - self.center) @ self.whitening.T

    def _split(self, weights):
        """Linear weights (d,), Hessian of the quadratic functions (d, d) in the coordinates u, heights (p,)."""
        d = len(self.center)
        upper = np.zeros((d, d))
        upper[np.triu_indices(d)] = weights[d : self.quadratics]
        return weights[:d], upper + upper.T, weights[self.quadratics :]

    def _bumps_at(self, u):
        square = (u * u).sum(axis=1)[:, None] - 2 * (u @ self.bumps.T) + (self.bumps * self.bumps).sum(axis=1)
        with np.errstate(under="ignore"):
            return np.exp(np.maximum(square, 0.0) * (-0.5 / self.width**2))
