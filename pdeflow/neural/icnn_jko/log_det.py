"""The gradient of E log det ∇²ψ with regard to the parameters, exactly or without bias, from closed forms only."""

from __future__ import annotations

from typing import Any

import torch

from ..._core.errors import Diverged, NotConverged
from ..maps.convex import log_determinant
from ..maps.jet import Jet
from ..settings import Network

SOME = 32  # points whose mean Hessian preconditions the solves
RENEW = 25  # calls between two preconditioners


class Exact:
    """∂ log det H = tr(H⁻¹ ∂H), with H in closed form and H⁻¹ by batched Cholesky at every point."""

    def surrogate(self, jet: Jet) -> torch.Tensor:
        """A number whose gradient is that of the batch mean of log det ∇²φ; its value means nothing."""
        hessian = jet.hessian()
        with torch.no_grad():
            inverse = inverse_of(hessian.detach())
        return (inverse * hessian).sum() / len(hessian)

    def report(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {}


class Stochastic:
    """∂ log det H = E vᵀH⁻¹ ∂H v with v Rademacher: u = H⁻¹v by conjugate gradients, then one bilinear form u·(∂H v).

    The solves have no graph. They run on all points at once until every relative residual is below `tolerance`, else
    `NotConverged`: that is all the bias. The inverse mean Hessian of some points preconditions them.
    """

    def __init__(self, generator: torch.Generator, tolerance: float = 1e-3, most: int = 200):
        self.generator, self.tolerance, self.most = generator, tolerance, most
        self.residual, self.rounds, self.calls = 0.0, 0, 0
        self.inverse = torch.empty(0)  # of the mean Hessian, from the first call on

    def surrogate(self, jet: Jet) -> torch.Tensor:
        """A number whose expected gradient is that of the batch mean of log det ∇²φ; its value means nothing."""
        v = self.probes(jet.y)
        with torch.no_grad():
            u = self.solve(jet, v)
        return jet.bilinear(u, v).mean()

    def probes(self, y: torch.Tensor) -> torch.Tensor:
        """One Rademacher vector per point, (n, d), whose outer products average to I over the batch.

        Rows of a Hadamard matrix with random columns and signs: each is a Rademacher vector, so the estimate has no
        bias, and where ∇²φ is constant over the batch (affine maps) it has no variance either.
        """
        n, dim = y.shape
        matrix = torch.ones(1, 1)
        while len(matrix) < dim:
            matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
        size = len(matrix)
        columns = torch.randperm(size, generator=self.generator)[:dim]
        signs = torch.randint(0, 2, (dim,), generator=self.generator) * 2 - 1
        return (matrix[:, columns] * signs).to(y)[torch.arange(n, device=y.device) % size]

    def solve(self, jet: Jet, v: torch.Tensor) -> torch.Tensor:
        """u with ∇²φ u = v at every point, (n, d) -> (n, d)."""
        if self.calls % RENEW == 0:
            self.inverse = inverse_of(jet.some(SOME).hessian().mean(0, keepdim=True))[0]
        self.calls += 1
        u = v @ self.inverse
        r = v - jet.product(u)
        s = r @ self.inverse
        p, rs = s, (r * s).sum(-1, keepdim=True)
        size = (v * v).sum(-1)
        for rounds in range(self.most + 1):
            residual = ((r * r).sum(-1) / size).max().item() ** 0.5
            if not residual > self.tolerance or rounds == self.most:
                break
            hp = jet.product(p)
            curvature = (p * hp).sum(-1, keepdim=True)
            if not (curvature[rs > 0] > 0).all():
                raise _indefinite(jet)
            alpha = torch.where(rs > 0, rs / curvature, 0 * rs)
            u, r = u + alpha * p, r - alpha * hp
            s = r @ self.inverse
            new = (r * s).sum(-1, keepdim=True)
            p, rs = s + torch.where(rs > 0, new / rs, 0 * rs) * p, new
            self.rounds += 1
        self.residual = max(self.residual, residual)
        if not residual <= self.tolerance:
            raise NotConverged(
                f"conjugate gradients for the log-determinant left a relative residual of {residual:.3g} after "
                f"{self.most} iterations. "
                f"It must fall below {self.tolerance:g}. Use logdet='exact' or dtype='float64'.",
                residual=residual,
            )
        return u

    def report(self) -> dict[str, Any]:
        """The largest relative residual, and the mean number of rounds of a solve."""
        return {"residual": self.residual, "solve_iterations": self.rounds / max(1, self.calls)}


def inverse_of(hessian: torch.Tensor) -> torch.Tensor:
    """Inverses of positive definite matrices (n, d, d); `Diverged` with the smallest eigenvalue if one is not."""
    if hessian.shape[-1] == 1:
        if not (hessian > 0).all():
            raise _not_definite(hessian)
        return 1 / hessian
    root, info = torch.linalg.cholesky_ex(hessian)
    if info.any():
        raise _not_definite(hessian)
    return torch.cholesky_inverse(root)


def mean_log_det(jet: Jet) -> float:
    """The batch mean of log det ∇²φ, exact, of some of the points, without a graph."""
    with torch.no_grad():
        hessian = jet.hessian()
        inverse_of(hessian)  # the typed error
        return log_determinant(hessian).mean().item()


def _indefinite(jet):
    with torch.no_grad():
        return _not_definite(jet.some(SOME).hessian())


def _not_definite(hessian):
    finite = torch.isfinite(hessian).all()
    lowest = torch.linalg.eigvalsh(hessian.double()).min().item() if finite else float("nan")
    return Diverged(
        f"the Hessian of the network is not positive definite in {hessian.dtype}: smallest eigenvalue {lowest:.3g}. "
        "It is so by construction "
        "up to rounding. Use a smaller learning_rate or dtype='float64'.",
        eigenvalue=lowest,
    )


def cheaper(dim: int, width: int, network: Network) -> str:
    """ "exact" or "stochastic", by the cost of an iteration as measured on CPU (benchmarks/icnn_jko.py)."""
    shared = (
        network.depth == 1 and network.rank == 0
    )  # one Jacobian for all points: the Hessian is a product of matrices
    return "exact" if dim <= (8 if shared else 3) else "stochastic"
