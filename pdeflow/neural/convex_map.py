"""The gradient of a convex function with one hidden block: a map that is monotone and invertible by construction."""

from dataclasses import dataclass

import numpy as np

from ..arrays import exp, is_tensor, log
from ..errors import NotConverged


@dataclass(frozen=True, eq=False)
class ConvexMap:
    """T = ∇ψ with ψ(x) = s² φ((x - m)/s) + mᵀx and φ(y) = ½|Lᵀy|² + cᵀy + Σ_j w_j softplus(a_jᵀy + b_j), w_j >= 0.

    root : L, (d, d). shift : c, (d,). inner : rows a_j, (width, d). offset : b, (width,). weight : w, (width,).
    center : m, (d,) and scale : s, a number, are fixed while training: they make the problem free of units.
    All fields are numpy arrays, or all torch tensors; points are of the same kind.
    L = I, c = 0, w = 0 is the identity. ∇²ψ = L Lᵀ + Σ_j w_j σ'(z_j) a_j a_jᵀ is positive definite while L is regular.
    This is the network of mokrov2021 with one hidden block; the full-rank quadratic is ours, so that Gaussian flows
    are represented exactly and no pre-training to the identity is needed.
    """

    root: np.ndarray
    shift: np.ndarray
    inner: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    center: np.ndarray
    scale: float

    def _hidden(self, x):
        y = (x - self.center) / self.scale
        return y, 1 / (1 + exp(-(y @ self.inner.T + self.offset)))

    def value_and_hessian(self, x):
        """T(x) (n, d) and ∇²ψ(x) (n, d, d) at the points x (n, d)."""
        y, sigmoid = self._hidden(x)
        moved = (y @ self.root) @ self.root.T + self.shift + (self.weight * sigmoid) @ self.inner
        width, dim = self.inner.shape
        outer = (self.inner[:, :, None] * self.inner[:, None, :]).reshape(width, dim * dim)
        curved = (self.weight * sigmoid * (1 - sigmoid)) @ outer
        return self.center + self.scale * moved, self.root @ self.root.T + curved.reshape(len(x), dim, dim)

    def __call__(self, x):
        """T(x), (n, d) -> (n, d)."""
        y, sigmoid = self._hidden(x)
        moved = (y @ self.root) @ self.root.T + self.shift + (self.weight * sigmoid) @ self.inner
        return self.center + self.scale * moved

    def inverse(self, y, tolerance=1e-11, most=200):
        """x with T(x) = y, (n, d) -> (n, d), by damped Newton on the convex function ψ(x) - yᵀx, in float64.

        Raises `NotConverged` with the residual if |T(x) - y| / (scale + |y|) stays above `tolerance`.
        """
        y = np.asarray(y, dtype=float)
        x = y.copy()
        moved, hessian = self.value_and_hessian(x)
        size = self.scale + np.linalg.norm(y, axis=1)
        residual = np.linalg.norm(moved - y, axis=1)
        for _ in range(most):
            open_ = residual > tolerance * size
            if not open_.any():
                return x
            direction = np.linalg.solve(hessian[open_], (y - moved)[open_][:, :, None])[:, :, 0]
            damping = np.ones(len(direction))
            for _ in range(60):  # |T - y|² decreases along the Newton direction, so halving ends
                trial = x[open_] + damping[:, None] * direction
                new_moved, new_hessian = self.value_and_hessian(trial)
                new_residual = np.linalg.norm(new_moved - y[open_], axis=1)
                worse = new_residual > (1 - 0.25 * damping) * residual[open_]
                if not worse.any():
                    break
                damping = np.where(worse, damping / 2, damping)
            x[open_], moved[open_], hessian[open_], residual[open_] = trial, new_moved, new_hessian, new_residual
        worst = float(np.max(residual / size))
        raise NotConverged(
            f"The map was not inverted: residual {worst:.3g} after {most} Newton steps at {int((residual > tolerance * size).sum())} points. "
            f"It must fall below {tolerance:g}. Use sample_with_log_density, which needs no inverse.",
            residual=worst,
        )  # fmt: skip


def log_determinant(hessian):
    """log det of positive definite matrices (n, d, d) -> (n,)."""
    if is_tensor(hessian):
        import torch  # a tensor is here, so torch is loaded already

        root = (
            torch.linalg.cholesky(hessian) if hessian.shape[-1] > 1 else hessian.sqrt()
        )  # 1-D: no batched LAPACK call
        return 2 * log(root.diagonal(dim1=-2, dim2=-1)).sum(-1)
    return 2 * np.log(np.diagonal(np.linalg.cholesky(hessian), axis1=-2, axis2=-1)).sum(-1)
