"""The projection of a velocity on the tangent space.

Η = argmin (1/n) Σ |J_i η + g_i|² + Σ ε_k η_k², of least norm where that is not unique.

Right-hand side Jᵀg and matrix JᵀJ come from the same points, so that the normal equations are consistent whatever the
sample (docs/math.md 8.2; an inconsistent system makes MINRES diverge).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, lsmr, minres

from ..._core.errors import Diverged, NotConverged
from ..maps.parametric.map_family import Parameters, PointTensor, Tangent

SOLVERS = ("auto", "dense", "lsmr", "minres")
DENSE_PARAMETERS = 1200  # up to which "auto" forms JᵀJ
ROUND_OFF_SHARE = 1e-13  # eigenvalues of JᵀJ below this share of the largest are round-off and count as zero
KRYLOV_TOLERANCE = 1e-8
KRYLOV_ITERATIONS = 2000
ACCEPTED_RESIDUAL = 1e-3  # relative; a solve above it is refused


@dataclass(frozen=True)
class Projection:
    """The velocity of the tangent space that is nearest to -g.

    Parameters
    ----------
    eta : torch.Tensor, (p,)
        η.
    moved : torch.Tensor, (n, d)
        Jη.
    residual : float
        |Jᵀ(Jη + g)/n + ε η| / |Jᵀg/n|, recomputed from J itself, whatever the solver says.
    iterations : int
        Of the Krylov solver; 0 for the dense one.
    smallest : float
        The smallest eigenvalue of JᵀJ/n + ε that was kept; NaN for the Krylov solvers, which do not know it.
    rank : float
        How many eigenvalues were kept; NaN where that is unknown.
    error : float
        (1/n) Σ|Jη + g|², the squared distance of the velocity from the tangent space: δ0 of [jin2025 eq. (3.27)] with
        Ĝ, on this sample.
    """

    eta: Parameters
    moved: PointTensor
    residual: float
    iterations: int
    smallest: float
    rank: int | float
    error: float


def project(
    tangent: Tangent, force: PointTensor, solver: str = "auto", damping: float | torch.Tensor = 0.0
) -> Projection:
    """The `Projection` of -force on the tangent space.

    Parameters
    ----------
    tangent : Tangent
        With J = ∂_θT at the n points.
    force : torch.Tensor, (n, d)
        g.
    solver : {"auto", "dense", "lsmr", "minres"}
        "dense": by the eigenvalues of JᵀJ, the minimum-norm solution up to ROUND_OFF_SHARE. "lsmr" on J or "minres" on
        JᵀJ: scipy's, from zero, so of minimum norm too. "auto": dense up to DENSE_PARAMETERS or where JᵀJ is block
        diagonal, else lsmr.
    damping : float or torch.Tensor, (p,)
        ε, in units of J².

    Returns
    -------
    Projection

    Raises
    ------
    Diverged
        Where the force is not finite.
    NotConverged
        Where the true relative residual exceeds ACCEPTED_RESIDUAL.
    """
    n = len(force)
    if not bool(torch.isfinite(force).all()):
        where = int(torch.argmax((~torch.isfinite(force).all(1)).double()))
        raise Diverged(
            f"the force ∇δF at sample {where} is {force[where].tolist()}. It must be finite. Use a smaller "
            "dt or integrator=Adaptive()."
        )
    right = -tangent.transpose(force) / n
    damping = torch.as_tensor(damping, dtype=torch.float64).expand(tangent.size)
    if not bool(right.any()):
        zero = torch.zeros_like(right)
        return Projection(zero, torch.zeros_like(force), 0.0, 0, float("nan"), float("nan"), _square(force))
    if solver == "auto":
        solver = "dense" if tangent.size <= DENSE_PARAMETERS or tangent.blocks > 1 else "lsmr"
    if solver == "dense":
        eta, smallest, rank = _dense(tangent, right, damping)
        iterations = 0
    else:
        eta, iterations, smallest = (_lsmr if solver == "lsmr" else _minres)(tangent, force, right, damping)
        rank = float("nan")
    moved = tangent.apply(eta)
    gap = tangent.transpose(moved + force) / n + damping * eta
    residual = float(gap.norm() / right.norm())
    if not residual <= ACCEPTED_RESIDUAL:
        raise NotConverged(
            f"The solve for θ' by {solver!r} ended with a true relative residual of {residual:.3g} after "
            f"{iterations} iterations. It must fall "
            f"below {ACCEPTED_RESIDUAL:g}. Use solver='dense', or a larger damping.",
            residual=residual,
            iterations=iterations,
        )
    return Projection(eta, moved, residual, iterations, smallest, rank, _square(moved + force))


def _square(vectors):
    return float((vectors**2).sum(1).mean())


def _dense(tangent, right, damping):
    gram = tangent.gram()
    values, vectors = torch.linalg.eigh(gram + torch.diag_embed(damping.reshape(gram.shape[:2])))
    kept = values > ROUND_OFF_SHARE * values.max()
    inverse = torch.where(kept, 1 / torch.where(kept, values, torch.ones_like(values)), torch.zeros_like(values))
    blocks = right.reshape(len(values), -1, 1)
    eta = vectors @ (inverse[:, :, None] * (vectors.transpose(1, 2) @ blocks))
    return eta.reshape(-1), float(values[kept].min()), int(kept.sum())


class _DampedJacobian(LinearOperator):
    """J/√n with √ε below it: (n d + p, p)."""

    def __init__(self, tangent: Tangent, damping: torch.Tensor):
        self.tangent, self.root = tangent, damping.sqrt()
        n, dim = tangent.value.shape
        self.many, self.scale = n * dim, np.sqrt(n)
        super().__init__(np.dtype(float), (self.many + tangent.size, tangent.size))

    def _matvec(self, x):
        v = _tensor(x)
        return np.concatenate([self.tangent.apply(v).numpy().ravel() / self.scale, (self.root * v).numpy()])

    def _rmatvec(self, x):
        part = _tensor(x[: self.many]).reshape(self.tangent.value.shape)
        return (self.tangent.transpose(part) / self.scale + self.root * _tensor(x[self.many :])).numpy()


class _DampedGram(LinearOperator):
    """JᵀJ/n + ε: (p, p)."""

    def __init__(self, tangent: Tangent, damping: torch.Tensor):
        self.tangent, self.damping = tangent, damping
        super().__init__(np.dtype(float), (tangent.size, tangent.size))

    def _matvec(self, x):
        product = self.tangent.transpose(self.tangent.apply(_tensor(x))).numpy()
        return product / len(self.tangent.value) + self.damping.numpy() * np.ravel(x)


def _lsmr(tangent, force, right, damping):
    goal = np.concatenate([-force.numpy().ravel() / np.sqrt(len(force)), np.zeros(tangent.size)])
    # in long double numpy takes the sums itself, in one order; a BLAS would split those of long vectors among its
    # threads
    goal = goal.astype(np.longdouble)
    found = lsmr(
        _DampedJacobian(tangent, damping),
        goal,
        atol=KRYLOV_TOLERANCE,
        btol=KRYLOV_TOLERANCE,
        conlim=0.0,
        maxiter=KRYLOV_ITERATIONS,
    )
    # its own estimates of condition and residual are not to be relied on
    return _tensor(found[0]), int(found[2]), float("nan")


def _minres(tangent, force, right, damping):
    used = []
    found, _ = minres(
        _DampedGram(tangent, damping),
        right.numpy(),
        rtol=KRYLOV_TOLERANCE,
        maxiter=KRYLOV_ITERATIONS,
        callback=lambda _: used.append(1),
    )
    return _tensor(found), len(used), float("nan")


def _tensor(vector):
    return torch.from_numpy(np.ascontiguousarray(vector, dtype=float).ravel())
